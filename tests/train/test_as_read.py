from random import Random

import pytest
from PIL import Image

from train.as_read import as_read
from train.data import DrawnSource, ReadSource
from train.data_engine import FAMILIES, draw
from vlm.perception import Perception


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unspoilt_reading_says_what_was_drawn_but_for_what_nobody_can_read(family):
    truth = draw(family, 3, "train").truth
    read = as_read(truth, family, Random(0), spoilt=False).structure
    if family == "signs":
        assert [one.label for one in read.entries] == [one.label for one in truth.entries]
    elif family == "parts":
        assert read.call_outs == truth.call_outs
        assert {read.subject} <= {truth.subject, None}
        named = [thing.kind for thing in truth.things]
        assert [thing.kind for thing in read.things] in (named, len(named) * ["part"])
    else:
        assert read == truth


@pytest.mark.parametrize("family", FAMILIES)
def test_spoilt_readings_have_some_mistakes(family):
    truths = [draw(family, seed, "train").truth for seed in range(20)]
    changed = [
        as_read(truth, family, Random(i), spoilt=True) != as_read(truth, family, Random(i), spoilt=False)
        for i, truth in enumerate(truths)
    ]
    assert 2 <= sum(changed)


def test_hints_are_in_their_share_of_the_pictures_and_change_no_answer():
    def hinted(share):
        source = DrawnSource("charts", hints=share, count_tokens=len)
        rows = [source.conversations(index) for index in range(12)]
        answers = [[turn["content"] for talk in row for turn in talk if turn["role"] == "assistant"] for row in rows]
        with_hint = sum("hint" in str(row[0][0]["content"][0].keys()) for row in rows)
        return with_hint, answers

    (none, plain), (some, mixed), (every, full) = (hinted(share) for share in (0.0, 0.5, 1.0))
    assert (none, every) == (0, 12) and 0 < some < 12
    assert plain == mixed == full


def test_rows_of_ones_own_are_read_in_their_share():
    picture = Image.new("RGB", (6, 4))
    talk = [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "What?"}]}]

    class Same:
        def conversations(self, index):
            return [talk]

    source = ReadSource(Same(), 0.5, 0, len)
    source.perception = Perception(Blank())
    hinted = ["hint" in source.conversations(index)[0][0]["content"][0] for index in range(20)]
    assert hinted == ["hint" in source.conversations(index)[0][0]["content"][0] for index in range(20)]
    assert 4 < sum(hinted) < 16


class Blank:
    """A reader of one thing, whatever it is shown."""

    def read(self, image, words=None):
        return as_read(draw("shapes", 1, "train").truth, "shapes", Random(0), spoilt=False)
