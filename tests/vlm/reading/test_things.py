"""Everyday things are found where they are drawn and called what they are."""

import pytest
import torch

from train.data_engine import draw
from train.seeing.things import Examples, make_examples, targets, train_finder
from vlm.objects import name_objects
from vlm.reading import load_reader
from vlm.reading.patches import STRIDE, patch_tokens
from vlm.reading.things import CELLS, SIDE, UNIT, find, pooled


@pytest.fixture(scope="module")
def vocabulary():
    return load_reader().vocabulary


def test_the_shipped_weights_find_and_name_what_is_drawn():
    found = right = total = 0
    for seed in range(900, 912):
        sample = draw("things", seed, "train")
        scene = load_reader().read(sample.image, ()).structure
        for thing in sample.truth.things:
            total += 1
            x, y = thing.centre
            near = [
                one for one in (scene.things if scene else ())
                if max(abs(one.centre[0] - x), abs(one.centre[1] - y)) < thing.longer_side / 3
            ]  # fmt: skip
            found += bool(near)
            right += any(one.kind == thing.kind for one in near)
    assert found > 0.8 * total and right > 0.75 * total


def test_a_box_takes_the_cells_in_it_and_those_at_its_middle():
    tokens = torch.zeros(CELLS * CELLS, 2)
    tokens.view(CELLS, CELLS, 2)[4:8, 2:6] = 1.0
    middle = (4.0 * STRIDE, 6.0 * STRIDE)
    assert pooled(tokens, (*middle, 4.0 * STRIDE, 4.0 * STRIDE)).tolist() == [1.0] * 4
    assert pooled(tokens, (*middle, 8.0 * STRIDE, 4.0 * STRIDE)).tolist() == [0.5, 0.5, 1.0, 1.0]
    assert pooled(tokens, (-50.0, 9000.0, 1.0, 1.0)).tolist() == [0.0] * 4  # outside: the nearest cell


def test_targets_are_marked_at_the_cell_of_each_middle():
    box = (100.0, 60.0, 64.0, 128.0)
    marks, cells, boxes = targets([[], [(box, 3, 1)]])
    row, column = divmod(int(cells[0]) - CELLS * CELLS, CELLS)
    right, down, width, height = boxes[0].tolist()
    assert marks[0].max() == 0 and marks[1].view(CELLS, CELLS)[row, column] == 1 and (marks[1] == 1).sum() == 1
    assert (column + right + 0.5) * STRIDE == pytest.approx(100) and (row + down + 0.5) * STRIDE == pytest.approx(60)
    assert (UNIT * 2.718281828**width, UNIT * 2.718281828**height) == pytest.approx((64, 128), rel=1e-3)


def test_training_learns_what_it_is_shown(vocabulary):
    """A few pictures, many times: their things are found and named."""
    few = make_examples(vocabulary, range(16), "train")
    many = Examples(few.tokens.repeat(8, 1, 1), few.things * 8)
    finder = train_finder(vocabulary, many)
    with torch.inference_mode():
        named = [
            int(finder.name(pooled(tokens.float(), box)[None])[0].argmax()) == kind
            for tokens, things in zip(few.tokens, few.things, strict=True)
            for box, kind, _ in things
        ]
        counts = [len(find(finder, tokens.float())) for tokens in few.tokens]
    assert sum(named) > 0.9 * len(named)
    assert sum(counts) > 0.7 * len(named)


def test_a_thing_stays_where_it_is_when_the_picture_is_wider_than_high():
    image = draw("things", 900, "train").image
    _, scale, (right, down) = patch_tokens(image, SIDE)
    assert scale * max(image.size) == pytest.approx(CELLS * STRIDE)
    assert right * 2 + scale * image.width == pytest.approx(CELLS * STRIDE) == down * 2 + scale * image.height
    assert isinstance(name_objects(image), tuple)  # the tower is the classifier's own and still serves it
