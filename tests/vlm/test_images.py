"""Rows 3 to 8 of the security requirements: what peers got wrong with untrusted pictures."""

import io
import random
import struct
import subprocess
import sys
import tracemalloc
import zlib

import pytest
from PIL import Image, ImageOps

from vlm.images import ImageError, ImageLimits, decode_image, open_image, to_rgb

FORMATS = ("PNG", "JPEG", "WEBP", "GIF")
WHITE, BLACK, RED = (255, 255, 255), (0, 0, 0), (255, 0, 0)


def encode(image: Image.Image, kind: str = "PNG", **options) -> bytes:
    file = io.BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def draw(width: int = 40, height: int = 30) -> Image.Image:
    """A colour gradient: no two transposes of it are alike."""
    image = Image.new("RGB", (width, height))
    image.putdata([(6 * x, 8 * y, 128) for y in range(height) for x in range(width)])
    return image


def png(width: int, height: int, depth: int, color: int, rows: bytes, **chunks: bytes) -> bytes:
    """A PNG file of raw rows (each with its filter byte), for what Pillow cannot write."""
    parts = {"IHDR": struct.pack(">IIBBBBB", width, height, depth, color, 0, 0, 0), **chunks}
    parts |= {"IDAT": zlib.compress(rows), "IEND": b""}
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + name.encode() + body + struct.pack(">I", zlib.crc32(name.encode() + body))
        for name, body in parts.items()
    )


def colors(image: Image.Image) -> list[tuple[int, int, int]]:
    assert image.mode == "RGB"
    return list(image.get_flattened_data())


def refuse(data: bytes, **options) -> ImageError:
    with pytest.raises(ImageError) as caught:
        decode_image(data, **options)
    return caught.value


@pytest.mark.parametrize("kind", FORMATS)
def test_the_four_formats_are_read(kind):
    image = decode_image(encode(draw(), kind))
    assert (image.mode, image.size) == ("RGB", (40, 30))


@pytest.mark.parametrize("kind", ["BMP", "TIFF", "ICO", "PPM", "TGA", "PCX", "PDF"])
def test_what_pillow_could_also_write_is_refused(kind):
    assert refuse(encode(draw(), kind)).code == "unsupported"


@pytest.mark.parametrize("data", [b"", b"GIF", b"8BPS\0\1", b"%!PS-Adobe-3.0 EPSF-3.0", b"SIMPLE  =", b"RIFF0000WAVE"])
def test_other_data_is_refused(data):
    assert refuse(data).code == "unsupported"


@pytest.mark.parametrize("kind", FORMATS)
def test_the_byte_limit_is_exact(kind):
    data = encode(draw(), kind)
    decode_image(data, limits=ImageLimits(max_bytes=len(data)))
    assert refuse(data, limits=ImageLimits(max_bytes=len(data) - 1)).code == "too_large"


@pytest.mark.parametrize("kind", FORMATS)
def test_the_pixel_limit_is_exact(kind):
    data = encode(draw(40, 30), kind)
    decode_image(data, limits=ImageLimits(max_pixels=1200))
    assert refuse(data, limits=ImageLimits(max_pixels=1199)).code == "too_large"


@pytest.mark.parametrize(("kind", "start"), [("PNG", 60), ("JPEG", -100), ("GIF", -100)])
def test_pixels_are_counted_before_they_are_decoded(kind, start):
    """The file ends before its pixels do, so a decoder that ran first would call it broken."""
    data = encode(draw(), kind)[:start]
    assert refuse(data).code == "broken"
    assert refuse(data, limits=ImageLimits(max_pixels=1199)).code == "too_large"


@pytest.mark.parametrize("side", [7_000, 12_000, 60_000])  # above our limit, Pillow's warning and Pillow's error
def test_a_decompression_bomb_is_refused(side):
    assert refuse(png(side, side, 8, 0, b"")).code == "too_large"


def test_a_jpeg_of_very_many_scans_is_refused():
    data = encode(draw(), "JPEG", progressive=True)
    scan = data[data.rindex(b"\xff\xda") : -2]
    decode_image(data[:-2] + 20 * scan + data[-2:])
    assert refuse(data[:-2] + 200 * scan + data[-2:]).code == "too_large"


def test_scans_in_what_follows_a_jpeg_are_not_counted():
    film = b"\0\2" + 200 * b"\xff\xda\0\2"  # phones append one to their photographs
    assert decode_image(encode(draw(), "JPEG") + film).size == draw().size


def test_a_jpeg_of_very_many_exif_parts_is_refused():
    data = encode(draw(), "JPEG")
    assert refuse(data[:2] + 200 * b"\xff\xe1\0\x09Exif\0\0a" + data[2:]).code == "too_large"


@pytest.mark.parametrize("kind", FORMATS)
@pytest.mark.parametrize("share", [0.3, 0.5, 0.7])
def test_an_incomplete_file_is_broken(kind, share):
    data = encode(draw(), kind)
    assert refuse(data[: int(len(data) * share)]).code == "broken"


@pytest.mark.parametrize("kind", FORMATS)
def test_damaged_files_give_a_picture_or_an_error_of_our_own_words(kind):
    source = random.Random(0)
    valid = [encode(draw(), kind), encode(draw().convert("L"), kind, exif=b"Exif\0\0II*\0\x08\0\0\0\0\0\0\0")]
    messages = set()
    for i in range(300):
        data = bytearray(valid[i % 2])
        for _ in range(source.choice((1, 2, 8, 40))):
            data[source.randrange(len(data) if i % 3 else min(64, len(data)))] = source.randrange(256)
        if i % 4 == 0:
            del data[source.randrange(len(data)) :]
        try:
            image = decode_image(bytes(data), limits=ImageLimits(max_pixels=100_000))
        except ImageError as error:
            assert error.__context__ is None or error.__suppress_context__
            assert error.code in {"too_large", "unsupported", "broken"}
            messages.add(str(error))
        else:
            assert image.mode == "RGB" and image.width * image.height <= 100_000
    ours = (
        "the data is not a PNG",
        f"the {kind} picture is damaged",
        "the picture has ",
        "the JPEG picture has too many",
    )
    assert messages and all(message.startswith(ours) for message in messages)


@pytest.mark.parametrize("size", [(1, 1), (1, 3000), (3000, 1), (2, 1)])
@pytest.mark.parametrize("kind", FORMATS)
def test_tiny_and_long_pictures_are_read(kind, size):
    assert decode_image(encode(Image.new("RGB", size, "red"), kind)).size == size


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "JPEG"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_turned_upright(orientation, kind):
    options = {"JPEG": {"quality": 95}, "WEBP": {"lossless": True}, "PNG": {}}[kind]
    exif = Image.Exif()
    exif[0x0112] = orientation
    stored = draw(6, 4)
    expected = to_rgb(decode_image(encode(stored, kind, **options)))
    expected.getexif()[0x0112] = orientation
    upright = decode_image(encode(stored, kind, exif=exif, **options))
    assert colors(upright) == colors(ImageOps.exif_transpose(expected))
    assert upright.size == ((6, 4) if orientation < 5 else (4, 6))
    assert "exif" not in upright.info  # or the next program turns it once more


def test_a_picture_that_is_rgb_already_is_not_copied():
    image = draw(6, 4)
    assert to_rgb(image) is image
    assert decode_image(encode(image, "PNG")).__class__ is Image.Image  # it has let go of its file


def test_damaged_exif_leaves_the_picture_as_it_is():
    image = Image.new("RGB", (3, 2), "red")
    assert decode_image(encode(image, "WEBP", lossless=True, exif=b"Exif\0\0XX")).size == (3, 2)


def test_16_bit_grey_is_scaled_and_not_clipped():
    levels = [0, 256, 128 * 257, 254 * 257, 65535]
    data = png(5, 1, 16, 0, b"\0" + struct.pack(">5H", *levels))
    assert [r for r, _, _ in colors(decode_image(data))] == [0, 1, 128, 254, 255]


def test_the_transparent_level_of_16_bit_grey_is_white():
    data = png(3, 1, 16, 0, b"\0" + struct.pack(">3H", 0, 1, 257), tRNS=struct.pack(">H", 1))
    assert colors(decode_image(data)) == [BLACK, WHITE, (1, 1, 1)]


def test_the_transparent_colour_of_16_bit_rgb_is_white():
    data = png(
        2, 1, 16, 2, b"\0" + struct.pack(">6H", 65535, 0, 256, 65535, 0, 0), tRNS=struct.pack(">3H", 65535, 0, 256)
    )
    assert colors(decode_image(data)) == [WHITE, RED]


def test_transparency_is_laid_on_white_in_every_kind_of_png():
    half = Image.new("RGBA", (2, 1))
    half.putdata([(255, 0, 0, 255), (0, 0, 0, 0)])
    assert colors(decode_image(encode(half))) == [RED, WHITE]
    assert colors(decode_image(encode(half.convert("LA")))) == [(76, 76, 76), WHITE]
    palette = png(2, 1, 8, 3, b"\0\0\1", PLTE=bytes(RED + BLACK), tRNS=b"\xff\x00")
    assert colors(decode_image(palette)) == [RED, WHITE]
    assert colors(decode_image(png(2, 1, 8, 0, b"\0\0\7", tRNS=b"\0\7"))) == [BLACK, WHITE]
    assert colors(decode_image(png(2, 1, 8, 2, b"\0" + bytes(RED + BLACK), tRNS=bytes(6)))) == [RED, WHITE]
    assert colors(decode_image(png(2, 1, 1, 0, b"\0\x80", tRNS=b"\0\0"))) == [WHITE, WHITE]


def test_half_transparent_pixels_are_mixed_with_white():
    assert colors(decode_image(encode(Image.new("RGBA", (1, 1), (255, 0, 0, 51))))) == [(255, 204, 204)]


@pytest.mark.parametrize("kind", ["WEBP", "GIF"])
def test_transparency_of_other_formats_is_laid_on_white(kind):
    image = Image.new("RGBA", (2, 1))
    image.putdata([(255, 0, 0, 255), (0, 0, 0, 0)])
    assert colors(decode_image(encode(image, kind, **({"lossless": True} if kind == "WEBP" else {})))) == [RED, WHITE]


@pytest.mark.parametrize("mode", ["1", "L", "P"])
def test_grey_palette_and_black_and_white_keep_their_colours(mode):
    image = Image.new("RGB", (2, 1), "white")
    image.putpixel((0, 0), BLACK)
    assert colors(decode_image(encode(image.convert(mode)))) == [BLACK, WHITE]


def test_cmyk_is_not_inverted():
    image = Image.new("CMYK", (16, 16), (0, 255, 255, 0))  # no cyan, all magenta and yellow: red
    red, green, blue = decode_image(encode(image, "JPEG", quality=95)).getpixel((8, 8))
    assert red > 240 and green < 15 and blue < 15


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG"])
def test_an_animation_is_its_first_frame(kind):
    frames = [Image.new("RGB", (8, 8), color) for color in ("red", "black")]
    options = {"lossless": True} if kind == "WEBP" else {}
    data = encode(frames[0], kind, save_all=True, append_images=frames[1:], **options)
    assert set(colors(decode_image(data))) == {RED}


def test_a_file_is_read_by_its_path(tmp_path):
    (tmp_path / "picture").write_bytes(encode(draw()))
    assert colors(open_image(tmp_path / "picture")) == colors(draw())
    with pytest.raises(FileNotFoundError):
        open_image(tmp_path / "other")


def test_no_more_of_a_file_is_read_than_the_limit_needs(tmp_path):
    with open(tmp_path / "long", "wb") as file:
        file.truncate(64 * 2**20)
    tracemalloc.start()
    with pytest.raises(ImageError) as caught:
        open_image(tmp_path / "long", limits=ImageLimits(max_bytes=1000))
    assert caught.value.code == "too_large" and tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


def test_decoding_needs_neither_torch_nor_numpy():
    code = "import sys, vlm.images; sys.exit(bool({'torch', 'numpy', 'transformers'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
