"""Signs: what is drawn where, and answers looked up again in the lines of the truth."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from tests.train.folding import folded
from train.data_engine.colours import distance
from train.data_engine.held_out import HELD_OUT
from train.data_engine.lettering import apart
from train.data_engine.signs import Signs
from train.data_engine.signs_contents import KINDS, clock, minutes
from train.data_engine.signs_layouts import LARGEST
from train.data_engine.signs_wording import NAMES, ROLES

FAMILY = Signs()


@pytest.fixture(scope="module")
def notices():
    return [FAMILY.sample(Random(f"notice {i}"), "train") for i in range(500)]


@pytest.fixture(scope="module")
def asked(notices):
    """(notice, question) for all questions."""
    return [
        (notice, folded(question)) for i, notice in enumerate(notices) for question in FAMILY.ask(notice, Random(i))
    ]


def of_type(asked, *types):
    found = [(notice, question) for notice, question in asked if question.type in types]
    assert len(found) > 25
    return found


def items(notice) -> dict[str, float]:
    """What is on a receipt, with its price, read line by line."""
    found = {}
    for line in notice.lines:
        match = re.fullmatch(r"(\D+?) [$€£]?(\d+\.\d\d)( [$€£])?", line)
        if match and notice.kind == "receipt" and match[1].lower() not in ("total", "sum", "to pay"):
            found[match[1].lower()] = float(match[2])
    return found


def amount(text: str) -> float:
    return float(re.sub(r"[^\d.]", "", text))


def test_a_truth_comes_back_from_its_json(notices):
    for notice in notices[:30]:
        assert type(notice).model_validate_json(notice.model_dump_json()) == notice


def test_texts_are_apart_and_on_their_sign(notices):
    for notice in notices:
        assert apart(entry.label.box for entry in notice.entries)
        left, top, right, bottom = notice.box
        assert 0 <= left and 0 <= top and right <= notice.width <= LARGEST[0] and bottom <= notice.height <= LARGEST[1]
        for a, b, c, d in (entry.label.box for entry in notice.entries):
            assert left < a < c < right and top < b < d < bottom, notice


def test_every_kind_is_drawn_as_often(notices):
    counts = Counter(notice.kind for notice in notices)
    assert set(counts) == set(KINDS) and max(counts.values()) < 1.5 * len(notices) / len(KINDS)


def test_training_never_shows_what_is_held_out_and_testing_shows_all_of_it(notices):
    tested = [FAMILY.sample(Random(f"test {i}"), "test") for i in range(250)]
    assert HELD_OUT.fonts.isdisjoint(pen.font for notice in notices for pen in notice.style.pens)
    assert HELD_OUT.fonts <= {pen.font for notice in tested for pen in notice.style.pens}
    assert HELD_OUT.sign_frames.isdisjoint(notice.style.frame for notice in notices)
    assert HELD_OUT.sign_frames <= {notice.style.frame for notice in tested}
    assert HELD_OUT.sign_colours.isdisjoint(f"{notice.ink} on {notice.background}" for notice in notices)
    assert HELD_OUT.sign_colours & {f"{notice.ink} on {notice.background}" for notice in tested}


def test_pixels_show_sign_and_ink_where_the_truth_has_them(notices):
    unspoiled = Random(1)
    unspoiled.random = lambda: 0.99  # spoils nothing
    for notice in notices[:60]:
        picture = FAMILY.render(notice, unspoiled)
        assert picture.size == (notice.width, notice.height)
        for entry, pen in zip(notice.entries, notice.style.pens, strict=True):
            colours = {colour for _, colour in picture.crop(entry.label.box).getcolors(100000)}
            assert min(distance(colour, notice.style.fill) for colour in colours) < 10
            assert min(distance(colour, pen.ink) for colour in colours) < 150, entry


def test_texts_are_read_as_they_stand(asked):
    for notice, question in of_type(asked, "read", "position", "role"):
        if question.type == "read":
            assert question.answer == " ".join(notice.lines).lower()
        elif question.type == "position":
            assert question.answer == notice.lines[0 if "first" in question.text else -1].lower()
        else:
            named = [entry for role, name in ROLES.items() if name in question.text for entry in notice.of_role(role)]
            assert question.answer in [entry.label.text.lower() for entry in named], question


def test_receipts_add_up(notices):
    receipts = [notice for notice in notices if notice.kind == "receipt"]
    assert len(receipts) > 40
    for notice in receipts:
        (total,) = notice.of_role("total")
        assert amount(total.label.text) == pytest.approx(sum(items(notice).values()))


def test_prices_and_totals_are_those_of_the_receipt(asked):
    for notice, question in of_type(asked, "price_of", "total", "count_items", "most_expensive", "cheapest"):
        prices = items(notice)
        if question.type == "price_of":
            (name,) = (name for name in prices if re.search(rf"\b{name}\b", question.text.lower()))
            assert amount(question.answer) == prices[name]
        elif question.type == "total":
            assert amount(question.answer) == pytest.approx(sum(prices.values()))
        elif question.type == "count_items":
            assert question.answer == str(len(prices))
        else:
            extreme = (max if question.type == "most_expensive" else min)(prices.values())
            assert [name for name, price in prices.items() if price == extreme] == [question.answer]


def test_what_stands_beside_is_in_the_same_line(asked):
    for notice, question in of_type(asked, "beside"):
        lines = [line.lower() for line in notice.lines if line.lower().split(" ")[0] in question.text.lower()]
        lines += [line.lower() for line in notice.lines if any(word in question.text for word in line.split(" ")[1:2])]
        assert any(question.answer in line for line in lines), question


def test_it_is_open_between_the_hours(asked):
    for notice, question in of_type(asked, "open_at"):
        (line,) = (line for line in notice.lines if line.split(" ")[0] in question.text)
        asked_for = minutes(re.search(r"\d+:\d\d( [ap]m)?", question.text)[0])
        hours = [minutes(found[0]) for found in re.finditer(r"\d+:\d\d( [ap]m)?", line)]
        assert question.answer == ("yes" if hours and hours[0] < asked_for < hours[1] else "no"), question


def test_times_of_day_are_written_and_read():
    for minute in range(0, 24 * 60, 5):
        assert minutes(clock(minute, True)) == minutes(clock(minute, False)) == minute
    assert clock(0, True) == "12:00 am" and clock(13 * 60 + 5, True) == "1:05 pm" and clock(65, False) == "01:05"


def test_what_it_says_is_in_its_lines(asked):
    for notice, question in of_type(asked, "says", "says_not"):
        text = re.search(r'"(.+)"', question.text)[1]
        is_there = any(text in line for line in notice.lines)
        assert question.answer == ("yes" if is_there == (question.type == "says") else "no"), question


def test_colours_and_kinds_are_those_of_the_truth(asked):
    for notice, question in of_type(asked, "background", "text_color", "kind"):
        names = {"background": notice.background, "text_color": notice.ink, "kind": NAMES[notice.kind].split(" ", 1)[1]}
        assert question.answer == names[question.type]


def test_what_cannot_be_told_is_not_on_the_sign(asked):
    for notice, question in of_type(asked, "cannot_tell"):
        (role,) = (role for role in ("phone", "date", "email", "seat", "author") if ROLES[role] in question.text)
        assert not notice.of_role(role)


def test_descriptions_name_the_kind_and_every_line(asked):
    for notice, question in of_type(asked, "describe"):
        assert question.elements[1:] == notice.lines
        assert all(element in question.sentence for element in question.elements)


def test_nothing_can_be_guessed_without_the_picture(asked):
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    pairs: dict[frozenset[str], Counter[str]] = defaultdict(Counter)
    for _, question in asked:
        counts[question.type][question.answer] += 1
        if question.type == "kind":
            text = question.text.lower()
            pairs[frozenset(name for name in NAMES.values() if name in text)][question.answer] += 1
    for type in ("open_at", "says", "says_not"):
        assert max(counts[type].values()) / counts[type].total() < 0.5 + 1.5 / counts[type].total() ** 0.5, counts[type]
    for type, number in (("background", 12), ("text_color", 12), ("count_items", 6)):
        assert len(counts[type]) == number
    assert (
        sum(max(answers.values()) - min(answers.values()) for answers in pairs.values()) < 0.35 * counts["kind"].total()
    )
    for type in ("price_of", "total", "most_expensive", "beside"):
        assert max(counts[type].values()) / counts[type].total() < 0.3, type


def test_questions_are_filled_in_and_never_twice(notices):
    for i, notice in enumerate(notices):
        questions = FAMILY.ask(notice, Random(i))
        assert len({question.text for question in questions}) == len(questions) <= 12
        assert not any(re.search(r"[{}]", f"{question.text}{question.sentence}") for question in questions)
