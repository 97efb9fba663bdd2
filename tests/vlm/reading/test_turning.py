import pytest
from PIL import Image, ImageDraw, ImageFont

from tests.readings import bar_chart, label, reading
from vlm.images import turn
from vlm.reading.turning import doubt, is_on_its_side, tilt

BOX = (60, 120, 260, 150)


def written(degrees: int) -> tuple[Image.Image, list]:
    """A line of text in the middle of a picture that is turned, and its word."""
    image = Image.new("RGB", (320, 270), "white")
    pen = ImageDraw.Draw(image)
    pen.text((160, 135), "Rain in every month", fill="black", font=ImageFont.load_default(20), anchor="mm")
    return image.rotate(degrees, fillcolor="white"), [label("Rain in every month", (40, 80, 280, 190))]


@pytest.mark.parametrize("degrees", [-20, -7, -3, 3, 7, 20])
def test_the_slope_of_text_is_told(degrees):
    assert abs(tilt(*written(degrees)) - degrees) <= 1


@pytest.mark.parametrize("degrees", [-1, 0, 1])
def test_level_text_is_left_as_it_is(degrees):
    assert tilt(*written(degrees)) == 0


def test_what_has_no_text_has_no_slope():
    assert tilt(Image.new("RGB", (9, 9)), []) == 0
    image, _ = written(7)
    assert tilt(image, [label("x", BOX)]) == 0  # one letter tells none
    assert tilt(image, [label("standing", (100, 20, 110, 200)), label("nothing there", (2, 2, 40, 20))]) == 0
    assert tilt(image, [label("a dot", (0, 0, 0, 0))]) == 0


def test_doubt_is_that_of_the_letters_that_lie():
    lying, standing = (10, 10, 60, 20), (10, 10, 20, 60)
    words = [label("abcd", lying, 0.5), label("ef", lying, 0.8), label("unread", standing, 0.0)]
    assert doubt(words) == pytest.approx(0.4)
    assert doubt([]) == doubt(words[2:]) == 0


def test_words_on_end_tell_a_picture_on_its_side_but_categories_and_the_title_of_the_values_may_stand():
    standing = [label(name, (10 * i, 10, 10 * i + 8, 60)) for i, name in enumerate(("Jan", "Feb", "Mar"))]
    lying = [label("Rain", (10, 70, 60, 80))]
    upright = bar_chart(1, 2, 3, names=("Jan", "Feb", "Mar"))
    assert not is_on_its_side(reading(upright, words=(*standing, *lying)))
    assert is_on_its_side(reading(bar_chart(1, 2), words=(*standing, *lying)))
    assert not is_on_its_side(reading(bar_chart(1, 2), words=(*standing[:1], *lying)))


@pytest.mark.parametrize(
    ("degrees", "size"),
    [(0, (30, 20)), (90, (20, 30)), (180, (30, 20)), (-90, (20, 30)), (7, (30, 20)), (97, (20, 30))],
)
def test_a_turned_picture_keeps_its_frame(degrees, size):
    image = Image.new("RGB", (30, 20), (1, 2, 3))
    found = turn(image, degrees)
    assert found.size == size and found.getcolors() == [(600, (1, 2, 3))]


def test_turning_is_counter_clockwise():
    image = Image.new("RGB", (3, 2), "white")
    image.putpixel((2, 0), (255, 0, 0))
    assert turn(image, 90).getpixel((0, 0)) == (255, 0, 0)
