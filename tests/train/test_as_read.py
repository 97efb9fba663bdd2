from random import Random

import pytest

from train.as_read import as_read
from train.data import DrawnSource
from train.data_engine import FAMILIES, draw


@pytest.mark.parametrize("family", FAMILIES)
def test_an_unspoilt_reading_says_what_was_drawn_but_for_what_nobody_can_read(family):
    truth = draw(family, 3, "train").truth
    read = as_read(truth, family, Random(0), spoilt=False).structure
    if family == "signs":
        assert (read.kind, read.entries) == ("notice", truth.entries)
    elif family == "parts":
        assert read.subject is None and {thing.kind for thing in read.things} == {"part"}
        assert read.call_outs == truth.call_outs
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
