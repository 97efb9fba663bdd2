"""Draws a scene of things: in lines of their colour, or filled with it, on backgrounds with many patterns."""

from random import Random

from PIL import Image, ImageDraw

from .colours import RGB, mixed
from .shapes_picture import choose_colours, fill_background
from .spoiling import spoil
from .tables_layout import readable
from .things_glyphs import masks
from .things_layout import Icon, IconScene, Pattern, extent

CONTRAST = 170  # between a thing and what is behind it, where there are such colours: lines are thin


def paint(scene: IconScene, rng: Random) -> Image.Image:
    """An RGB picture of the scene, `scene.width` x `scene.height`."""
    colours, backdrop = choose_colours(scene, rng, CONTRAST)
    canvas = _background(scene.pattern, backdrop, (scene.width, scene.height), rng)
    darkness = rng.uniform(0.75, 1.0)
    for icon, colour in zip(scene.things, colours, strict=True):
        _draw(canvas, icon, colour, mixed(colour, readable(colour), darkness))
    return spoil(canvas, rng)


def _draw(canvas: Image.Image, icon: Icon, colour: RGB, edge: RGB) -> None:
    ink, inside = masks(icon.drawing, icon.weight, extent(icon))
    left, top, _, _ = icon.box
    layers = ((inside, colour), (ink, edge)) if icon.filled else ((ink, colour),)
    for mask, fill in layers:
        if icon.mirrored:
            mask = mask.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        if icon.angle:
            mask = mask.rotate(-icon.angle, Image.Resampling.BICUBIC, expand=True)
        canvas.paste(fill, (round(left), round(top)), mask)


def _background(pattern: Pattern, backdrop: tuple[RGB, RGB], size: tuple[int, int], rng: Random) -> Image.Image:
    one, other = backdrop
    if pattern in ("plain", "gradient", "blotches", "grid"):
        return fill_background(pattern, backdrop, size, rng)
    other = mixed(one, other, 0.5)
    canvas = Image.new("RGB", size, one)
    draw = ImageDraw.Draw(canvas)
    width, height = size
    if pattern == "horizon":
        draw.rectangle((0, rng.uniform(0.45, 0.8) * height, width, height), other)
    elif pattern == "card":
        margin = rng.uniform(0.02, 0.06) * min(size)
        draw.rounded_rectangle((margin, margin, width - margin, height - margin), rng.uniform(0, 3) * margin, other)
    elif pattern == "stripes":
        step, slant = rng.uniform(12, 50), rng.choice((-1, 0, 1)) * height
        for number in range(-int(height / step) - 1, int((width + height) / step) + 1, 2):
            x = number * step
            draw.polygon(((x, 0), (x + step, 0), (x + step - slant, height), (x - slant, height)), other)
    elif pattern == "dots":
        step = rng.uniform(16, 50)
        radius = rng.uniform(0.12, 0.35) * step
        for row in range(int(height / step) + 1):
            for column in range(int(width / step) + 1):
                draw.circle((column * step, row * step), radius, other)
    return canvas
