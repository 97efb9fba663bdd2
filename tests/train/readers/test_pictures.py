"""Pictures are found inside the data folder and nowhere else, and what cannot be decoded is a Problem."""

import io

import pytest
from PIL import Image

from train.readers import Problem, open_picture


def picture_file(name):
    buffer = io.BytesIO()
    Image.new("RGB", (4, 4), (len(name), 0, 0)).save(buffer, "PNG")
    return buffer.getvalue()


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "p").mkdir()
    (tmp_path / "a.png").write_bytes(picture_file("a"))
    return tmp_path


@pytest.mark.parametrize(
    "path", ["/etc/hostname", "../a.png", "p/../../x/a.png", "link.png", "p/out/a.png", "http://x/a.png"]
)
def test_pictures_outside_of_the_folder_are_refused(folder, path):
    inside = folder / "data"
    (inside / "p").mkdir(parents=True)
    (folder / "x").mkdir()
    (folder / "x" / "a.png").write_bytes(picture_file("a"))
    (inside / "link.png").symlink_to(folder / "a.png")
    (inside / "p" / "out").symlink_to(folder)
    with pytest.raises(Problem, match=r"outside|address") as caught:
        open_picture({"type": "image", "path": path}, inside)
    assert caught.value.kind == "outside"


@pytest.mark.parametrize("path", ["none.png", "p", "", ".", "a\0b", "x" * 5000, "loop.png"])
def test_a_picture_that_is_not_there_is_named(folder, path):
    (folder / "loop.png").symlink_to(folder / "loop.png")
    with pytest.raises(Problem) as caught:
        open_picture({"type": "image", "path": path}, folder)
    assert caught.value.kind == "missing"


def test_pictures_inside_of_the_folder_are_found_however_they_are_written(folder):
    for path in ("p/../a.png", "./a.png", str(folder / "a.png")):
        assert open_picture({"type": "image", "path": path}, folder).size == (4, 4)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        picture_file("a")[:40],
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\x7f\xff\xff\xff\x7f\xff\xff\xff\x08\2\0\0\0\0\0\0\0",
    ],
)
def test_broken_pictures_and_bombs_are_refused(folder, data):
    (folder / "a.png").write_bytes(data)
    for part in ({"type": "image", "path": "a.png"}, {"type": "image", "bytes": data}):
        with pytest.raises(Problem) as caught:
            open_picture(part, folder)
        assert caught.value.kind == "unreadable"


def test_a_picture_of_few_bytes_and_many_pixels_is_refused(folder):
    Image.new("1", (9_000, 9_000)).save(folder / "a.png")
    assert (folder / "a.png").stat().st_size < 100_000
    with pytest.raises(Problem, match="9000 x 9000 pixels"):
        open_picture({"type": "image", "path": "a.png"}, folder)
