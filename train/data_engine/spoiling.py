"""What happens to pictures on their way to a reader.

No chance but the `rng`: noise comes from its `randbytes`, not from a generator of the library's own.
"""

from io import BytesIO
from random import Random

from PIL import Image, ImageChops, ImageFilter


def spoil(picture: Image.Image, rng: Random) -> Image.Image:
    """Now and then a little blur, sensor noise, JPEG; the size and every place in it stay."""
    if rng.random() < 0.1:
        picture = picture.filter(ImageFilter.GaussianBlur(rng.uniform(0.3, 0.006 * min(picture.size) + 0.3)))
    if rng.random() < 0.25:
        strength = rng.randint(3, 24)  # peak to peak, of 255
        grain = Image.frombytes("RGB", picture.size, rng.randbytes(3 * picture.width * picture.height))
        grain = grain.point([value * strength // 256 for value in range(256)] * 3)
        picture = ImageChops.add(picture, grain, offset=-strength // 2)
    if rng.random() < 0.3:
        buffer = BytesIO()
        picture.save(buffer, "JPEG", quality=rng.randint(35, 92))
        picture = Image.open(buffer, formats=["JPEG"]).convert("RGB")
    return picture
