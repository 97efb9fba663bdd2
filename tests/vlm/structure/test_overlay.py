import pytest
from PIL import Image

from tests.readings import (
    bar_chart,
    graph,
    line_chart,
    notice,
    parts,
    pie_chart,
    reading,
    scatter_plot,
    scene,
    table,
    thing,
)
from vlm.structure.overlay import PAPER, SURE_COLOUR, UNSURE_COLOUR, draw_overlay

EVERY = [
    bar_chart(30, 70), bar_chart(30, -5), bar_chart(30, 40, horizontal=True), bar_chart(30, 40, stacked=True),
    line_chart(North=(10, 20)), pie_chart(60, 40), scatter_plot((10, 20)), graph("A-B"), graph("A-B", directed=False),
    table("A|B", "1|2"), notice((("body", "Hi"),)), parts(), scene(thing("red disc", 20, 30)), None,
]  # fmt: skip


def colours(image):
    return {colour for _, colour in image.getcolors(image.width * image.height)}


@pytest.mark.parametrize("paper", ["white", "black", SURE_COLOUR])
@pytest.mark.parametrize("structure", EVERY, ids=lambda one: getattr(one, "kind", type(one).__name__))
def test_everything_is_drawn_with_a_light_edge_on_a_copy(structure, paper):
    image = Image.new("RGB", (200, 100), paper)
    before = image.tobytes()
    drawn = draw_overlay(image, reading(structure))
    assert {SURE_COLOUR, PAPER} <= colours(drawn)
    assert UNSURE_COLOUR not in colours(drawn)
    assert image.tobytes() == before and drawn.size == image.size


@pytest.mark.parametrize(
    "structure", [bar_chart(30, unsure=(0,)), graph("A-B", unsure="A"), table("A", "x", unsure=("x",))]
)
def test_what_is_unsure_has_its_own_colour(structure):
    assert UNSURE_COLOUR in colours(draw_overlay(Image.new("RGB", (200, 100), "white"), reading(structure)))


def test_the_end_of_a_bar_is_marked_where_it_is():
    drawn = draw_overlay(Image.new("RGB", (200, 100), "black"), reading(bar_chart(50)))
    assert drawn.getpixel((27, 40)) == SURE_COLOUR  # from (20, 40) to (35, 40)
    assert drawn.getpixel((27, 70)) == (0, 0, 0)


def test_words_at_the_edge_stay_in_the_picture():
    image = Image.new("RGB", (200, 100), "black")
    drawn = draw_overlay(image, reading(scene(thing("turquoise rhinoceros", 195, 5))))
    assert PAPER in {drawn.getpixel((x, 8)) for x in range(100, 180)}  # moved to the left


@pytest.mark.parametrize("size", [(1, 1), (2, 3000)])
def test_a_picture_of_any_size_can_be_drawn_on(size):
    assert draw_overlay(Image.new("L", size), reading(None)).size == size


def test_another_picture_is_refused_with_both_sizes():
    with pytest.raises(ValueError, match="the picture has 20x10 pixels, but what was read is of one with 200x100"):
        draw_overlay(Image.new("RGB", (20, 10)), reading(parts()))
