from collections import Counter
from functools import cache
from random import Random

import pytest

from train.data_engine import FAMILIES, draw
from train.seeing.targets import make_targets
from train.seeing.words import Word, _merged, _split, key, misread, spoil_words, words_of
from vlm.scene_heads import ROLES
from vlm.structure import Notice

WRITTEN = [family for family in FAMILIES if family not in ("shapes", "things")]


@cache
def truths(family):
    chosen = FAMILIES[family]
    return [
        chosen.sample(Random(f"{family}/{split}/{seed}"), split) for split in ("train", "test") for seed in range(40)
    ]


def labels_of(truth):
    return [entry.label for entry in truth.entries] if isinstance(truth, Notice) else list(truth.labels)


@pytest.mark.parametrize("family", WRITTEN)
def test_every_drawn_label_is_a_word_with_a_role_and_nothing_else_is(family):
    for truth in truths(family):
        words = words_of(truth)
        assert {word.label for word in words} == {key(label) for label in labels_of(truth)}
        assert len({word.label for word in words}) == len(words)
        assert {word.role for word in words} <= set(ROLES)


@pytest.mark.parametrize("family", ["shapes", "things"])
def test_scenes_have_no_words(family):
    assert words_of(draw(family, 0).truth) == []


def test_every_role_is_learnt_from_some_picture():
    found = {word.role for family in WRITTEN for truth in truths(family) for word in words_of(truth)}
    assert found == set(ROLES)


@pytest.mark.parametrize("family", WRITTEN)
def test_spoiling_keeps_most_words_near_their_places_and_invents_none(family):
    before = after = unchanged = 0
    for number, truth in enumerate(truths(family)):
        words = words_of(truth)
        spoiled = spoil_words(words, Random(number))
        labels = {word.label: word for word in words}
        before, after = before + len(words), after + len({word.label for word in spoiled if word.label})
        for word in spoiled:
            if word.label is None:
                continue
            drawn = labels[word.label]
            assert word.role == drawn.role and word.text
            unchanged += word.text == drawn.text
            height = min(drawn.box[3] - drawn.box[1], drawn.box[2] - drawn.box[0])
            slack = 0.2 * height + 0.6 * height + 2
            assert word.box[0] >= drawn.box[0] - slack and word.box[2] <= drawn.box[2] + slack
            assert word.box[1] >= drawn.box[1] - slack and word.box[3] <= drawn.box[3] + slack
            assert word.box[0] < word.box[2] and word.box[1] < word.box[3]
    assert 0.85 * before < after < before and unchanged > 0.75 * before


def test_spoiling_is_decided_by_its_random_numbers_alone():
    words = words_of(truths("charts")[0])
    assert spoil_words(words, Random(3)) == spoil_words(words, Random(3)) != spoil_words(words, Random(4))
    assert spoil_words([], Random(0)) == []


def test_each_way_of_spoiling_happens():
    counted = Counter()
    for number, truth in enumerate(truths("tables") + truths("charts")):
        words, spoiled = words_of(truth), spoil_words(words_of(truth), Random(number))
        texts = {word.label: word.text for word in words}
        times = Counter(word.label for word in spoiled)
        counted["merged"] += times[None]
        counted["missed"] += sum(word.label not in times for word in words) - 2 * times[None]
        counted["split"] += sum(n > 1 for label, n in times.items() if label)
        counted["misread"] += sum(texts[w.label] != w.text for w in spoiled if w.label and times[w.label] == 1)
    assert min(counted.values()) > 0 and len(counted) == 4


def word(text, left, top, right, bottom, role="cell"):
    return Word(text, (left, top, right, bottom), role, (text, (left, top, right, bottom)))


def test_a_word_is_split_at_its_spaces_where_the_pieces_stand():
    one, two = _split(word("ab cde", 0, 0, 60, 10))
    assert (one.text, two.text) == ("ab", "cde") and one.label == two.label
    assert one.box == (0, 0, 20, 10) and two.box == (30, 0, 60, 10)
    upwards = word("ab cde", 0, 0, 10, 60)
    assert _split(upwards) == [upwards]


def test_a_misread_word_differs_in_one_letter():
    said = [misread("Orders 10", Random(seed)) for seed in range(50)]
    for one in said:
        same = next((i for i, (a, b) in enumerate(zip(one, "Orders 10", strict=False)) if a != b), 8)
        assert one[same + 1 :] == "Orders 10"[same + 1 :] or one[same:] == "Orders 10"[same + 1 :]
    assert sum(one != "Orders 10" for one in said) > 40 and misread("x", Random(0))


def test_only_neighbours_in_a_line_run_together(monkeypatch):
    monkeypatch.setattr("train.seeing.words.MERGED", 1.0)
    near = [word("a", 0, 0, 20, 10), word("b", 25, 1, 40, 11)]
    (both,) = _merged(near, Random(0))
    assert (both.text, both.box, both.role, both.label) == ("a b", (0, 0, 40, 11), "cell", None)
    (mixed,) = _merged([near[0], word("b", 25, 1, 40, 11, role="header")], Random(0))
    assert mixed.role is None
    for other in (word("b", 60, 0, 80, 10), word("b", 25, 20, 40, 30)):
        assert _merged([near[0], other], Random(0)) == [near[0], other]


def test_what_ran_together_is_not_said_to_belong_anywhere(monkeypatch):
    monkeypatch.setattr("train.seeing.words.MERGED", 1.0)
    for seed in range(20):
        truth = draw("tables", seed).truth
        spoiled = spoil_words(words_of(truth), Random(seed))
        targets = make_targets("tables", truth, spoiled, 1.0, ["part"], ["red"])
        lost = [i for i, one in enumerate(spoiled) if one.label is None]
        assert (targets.relations[lost] == -100).all() and (targets.relations[:, lost] == -100).all()
