"""Draws a scene of shapes: colours within their names, many backgrounds, borders, blur, noise and JPEG.

Pillow only, and no chance but the `rng`: noise comes from its `randbytes`, not from a generator of the library's own.
"""

from random import Random

from PIL import Image, ImageDraw, ImageOps

from vlm.structure import Scene

from .colours import RGB, distance, from_hsv, mixed, pick
from .shapes_kinds import SMALLEST_PIXELS
from .spoiling import spoil

CONTRAST = 130  # least `distance` between a thing and what is behind it
BACKGROUNDS = ("plain", "plain", "gradient", "gradient", "blotches", "grid")  # where there are two colours
RESAMPLING = (Image.Resampling.NEAREST, Image.Resampling.BILINEAR, Image.Resampling.BICUBIC)
TINTS = (  # (saturation, value) in %, each as (from, to), of backgrounds that have no name
    ((0, 25), (85, 100)),
    ((0, 25), (85, 100)),
    ((0, 25), (85, 100)),
    ((0, 60), (12, 30)),
    ((10, 60), (40, 85)),
)


def paint(scene: Scene, rng: Random) -> Image.Image:
    """An RGB picture of the scene, `scene.width` x `scene.height`."""
    fills, backdrop = choose_colours(scene, rng)
    scale = _drawing_scale(scene, rng)
    width, height = round(scene.width * scale), round(scene.height * scale)
    oversampling = 1 if rng.random() < 0.1 else 3 if max(width, height) < 160 else 2
    style = "plain" if backdrop[0] == backdrop[1] else rng.choice(BACKGROUNDS)
    canvas = fill_background(style, backdrop, (width * oversampling, height * oversampling), rng)
    draw = ImageDraw.Draw(canvas)
    bordered = rng.random() < 0.2
    for thing, fill in zip(scene.things, fills, strict=True):
        points = [
            (x * canvas.width / scene.width - 0.5, y * canvas.height / scene.height - 0.5) for x, y in thing.outline
        ]
        draw.polygon(points, fill)
        if bordered and thing.kind != "ring":  # a ring's outline crosses from its edge to its hole
            thickness = max(1, round(rng.uniform(0.02, 0.06) * thing.shorter_side * canvas.width / scene.width))
            draw.line([*points, *points[:2]], _border(fill, rng), thickness, joint="curve")
    if oversampling > 1:
        canvas = canvas.reduce(oversampling)
    if scale < 1:
        canvas = canvas.resize((scene.width, scene.height), rng.choice(RESAMPLING))
    return spoil(canvas, rng)


def choose_colours(scene: Scene, rng: Random, enough: float = CONTRAST) -> tuple[list[RGB], tuple[RGB, RGB]]:
    """A fill for every thing and two colours for the background, the first of many tries that contrasts enough."""
    best, best_contrast = None, -1.0
    for _ in range(60):
        shared = {thing.colour: pick(thing.colour, rng) for thing in scene.things}
        varied = rng.random() < 0.5
        fills = [pick(thing.colour, rng) if varied else shared[thing.colour] for thing in scene.things]
        if scene.background:
            one = other = pick(scene.background, rng)
        else:
            tint = rng.choice(TINTS)
            one, other = (from_hsv(rng.uniform(0, 360), *(rng.uniform(*limits) for limits in tint)) for _ in range(2))
        between = [mixed(one, other, part) for part in (0, 0.25, 0.5, 0.75, 1)]
        contrast = min((distance(fill, colour) for fill in fills for colour in between), default=CONTRAST)
        if contrast > best_contrast:
            best, best_contrast = (fills, (one, other)), contrast
        if contrast >= enough:
            break
    assert best is not None
    return best


def _drawing_scale(scene: Scene, rng: Random) -> float:
    """1, or for a quarter of the pictures less: drawn coarsely and enlarged, but with every thing still to be told."""
    if rng.random() > 0.25:
        return 1.0
    least = max(SMALLEST_PIXELS[thing.kind] / thing.longer_side for thing in scene.things)
    least = max(least, 32 / min(scene.width, scene.height))
    return 1.0 if least >= 1 else max(least, rng.uniform(0.2, 0.7))


def fill_background(style: str, backdrop: tuple[RGB, RGB], size: tuple[int, int], rng: Random) -> Image.Image:
    """One colour throughout, a gradient between two, soft blotches of them or a faint grid."""
    one, other = backdrop
    if style == "gradient":
        ramp = Image.linear_gradient("L").rotate(rng.choice((0, 90, 180, 270)))
        if rng.random() < 0.3:
            ramp = Image.radial_gradient("L")
        return ImageOps.colorize(ramp.resize(size), one, other)
    if style == "blotches":
        cells = rng.randint(3, 24), rng.randint(3, 24)
        mask = Image.frombytes("L", cells, rng.randbytes(cells[0] * cells[1]))
        return ImageOps.colorize(mask.resize(size, Image.Resampling.BILINEAR), one, mixed(one, other, 0.5))
    canvas = Image.new("RGB", size, one)
    if style == "grid":
        draw = ImageDraw.Draw(canvas)
        step, line = rng.uniform(0.05, 0.2) * min(size), mixed(one, other, 0.3)
        for i in range(1, int(max(size) / step) + 1):
            draw.line([(i * step, 0), (i * step, size[1])], line, 2)
            draw.line([(0, i * step), (size[0], i * step)], line, 2)
    return canvas


def _border(fill: RGB, rng: Random) -> RGB:
    return rng.choice(((0, 0, 0), mixed(fill, (0, 0, 0), 0.4), mixed(fill, (255, 255, 255), 0.5)))
