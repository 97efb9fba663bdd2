"""Pictures that show none of what is read: gradients, clouds and blobs, as photographs and blank pages have them."""

from random import Random

import numpy as np
from PIL import Image, ImageDraw, ImageFilter


def draw_nothing(rng: Random) -> Image.Image:
    width, height = rng.randint(160, 520), rng.randint(160, 420)
    if rng.random() < 0.15:
        return Image.new("RGB", (width, height), tuple(rng.randint(0, 255) for _ in "rgb"))
    noise = np.random.default_rng(rng.getrandbits(63))
    clouds = np.zeros((height, width, 3), np.float32)
    for power in range(1, rng.randint(2, 6)):
        coarse = noise.normal(size=(2**power + 1, 2**power + 1, 3)).astype(np.float32)
        coarse[..., 1:] = coarse[..., :1] + (coarse[..., 1:] - coarse[..., :1]) * rng.uniform(0.1, 1)
        layers = [
            np.asarray(Image.fromarray(coarse[..., i]).resize((width, height), Image.Resampling.BICUBIC))
            for i in range(3)
        ]
        clouds += np.stack(layers, axis=-1) * 0.6**power
    clouds = 255 * (clouds - clouds.min()) / max(1e-3, float(np.ptp(clouds)))
    picture = Image.fromarray(clouds.astype(np.uint8))
    pen = ImageDraw.Draw(picture)
    for _ in range(rng.choice((0, 0, 3, 10, 40))):
        x, y, size = rng.randint(0, width), rng.randint(0, height), rng.randint(4, 120)
        box = (x - size, y - size * rng.uniform(0.3, 1), x + size, y + size * rng.uniform(0.3, 1))
        colour = tuple(rng.randint(0, 255) for _ in "rgb")
        (pen.ellipse if rng.random() < 0.7 else pen.rectangle)(
            (*box[:2], max(box[0], box[2]), max(box[1], box[3])), colour
        )
    return picture.filter(ImageFilter.GaussianBlur(rng.uniform(0, 4)))
