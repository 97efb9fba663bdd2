"""Charts: their truth, their pictures, and their questions, which an oracle of its own answers again from the table."""

import re
from collections import Counter, defaultdict
from random import Random

import pytest

from tests.train.folding import folded
from train.data_engine.charts import Charts
from train.data_engine.charts_numbers import make_scale
from train.data_engine.charts_picture import draw_chart
from train.data_engine.charts_pie import around
from train.data_engine.colours import NAMES, distance
from train.data_engine.held_out import HELD_OUT
from train.data_engine.lettering import apart
from vlm.structure import Bar, Chart, Dot, NumberStyle, Slice

FAMILY = Charts()
YES_NO = {"is_more", "position", "is_color", "is_color_not", "threshold", "trend"}
DIGITS = re.compile(r"-?[\d., ]*\d")


@pytest.fixture(scope="module")
def charts() -> list[Chart]:
    return [FAMILY.sample(Random(f"chart {i}"), "train") for i in range(600)]


@pytest.fixture(scope="module")
def asked(charts):
    """Each chart with its questions, of several draws."""
    return [
        (chart, folded(q))
        for i, chart in enumerate(charts)
        for k in range(2)
        for q in FAMILY.ask(chart, Random(f"{i} {k}"))
    ]


def of_type(asked, type):
    found = [(chart, question) for chart, question in asked if question.type == type]
    assert len(found) > 50, type
    return found


def number(text: str) -> float:
    """What a written number says: "$1,200", "1.2k"."""
    factor = {"k": 1e3, "K": 1e3, "M": 1e6}.get(text[-1], 1.0)
    return float(DIGITS.search(text).group().replace(",", "").replace(" ", "")) * factor


def values(chart: Chart) -> dict[str, float]:
    """The value of everything that has a name: "Paris", "Men for Paris"."""
    header, rows = chart.table
    several = len(header) > 2
    return {
        f"{name} for {row[0]}" if several else row[0]: value
        for row in rows
        for name, value in zip(header[1:], row[1:], strict=True)
    }


def named(chart: Chart, text: str) -> list[str]:
    """The names of values in a text, in their order; the longest at each place."""
    names = sorted(values(chart), key=len, reverse=True)
    pattern = "|".join(rf"(?<!\w){re.escape(name)}(?!\w)" for name in names)
    return re.findall(pattern, text)


def candidates(chart: Chart, text: str) -> dict[str, float]:
    """What "which ... is the highest in Men", "... for Paris" or without such words chooses from."""
    header, rows = chart.table
    if len(header) == 2:
        return {row[0]: row[1] for row in rows}
    plain = text.rstrip("?.")
    for i, name in enumerate(header[1:], start=1):
        if plain.endswith(f" in {name}"):
            return {row[0]: row[i] for row in rows}
    for row in rows:
        if plain.endswith(f" for {row[0]}"):
            return dict(zip(header[1:], row[1:], strict=True))
    raise AssertionError(text)


def test_a_chart_survives_json_exactly(charts):
    for chart in charts[:60]:
        assert type(chart).model_validate_json(chart.model_dump_json()) == chart


def test_all_kinds_and_forms_come(charts):
    kinds = Counter(chart.kind for chart in charts)
    assert set(kinds) == {"bar", "line", "pie", "scatter"} and kinds["bar"] > 80
    bars = [chart for chart in charts if chart.kind == "bar"]
    assert {(chart.horizontal, chart.stacked, len(chart.series) > 1) for chart in bars} == {
        (across, stacked, several)
        for across in (0, 1)
        for stacked in (0, 1)
        for several in (0, 1)
        if several or not stacked
    }
    assert any(chart.value_axis.low > 0 for chart in bars)
    assert any(chart.value_axis.ticks and chart.value_axis.ticks[-1].value < chart.value_axis.high for chart in bars)
    assert any(mark.error for chart in bars for mark in chart.marks)
    assert any(mark.hole for chart in charts for mark in chart.marks if isinstance(mark, Slice))


@pytest.mark.parametrize("split", ["train", "test"])
def test_no_text_touches_another_or_leaves_the_picture(charts, split):
    for chart in charts if split == "train" else [FAMILY.sample(Random(i), "test") for i in range(40)]:
        slanted = chart.categories if chart.style.category_angle in (30, 45) else ()
        assert apart(label.box for label in chart.labels if label not in slanted)
        for label in chart.labels:
            left, top, right, bottom = label.box
            assert 0 <= left < right <= chart.width and 0 <= top < bottom <= chart.height


def shown(chart: Chart) -> list[bool]:
    style = chart.style
    return [
        style.theme in HELD_OUT.chart_themes,
        style.palette in HELD_OUT.chart_palettes,
        style.legend_place in HELD_OUT.chart_legend_places,
        not HELD_OUT.fonts.isdisjoint((style.font, style.heading_font)),
    ]


def test_what_is_held_out_is_never_seen_in_training_but_in_testing(charts):
    assert not any(any(shown(chart)) for chart in charts)
    tested = [shown(FAMILY.sample(Random(i), "test")) for i in range(100)]
    assert all(any(column) for column in zip(*tested, strict=True))


def test_marks_stand_where_the_scales_put_their_values(charts):
    for chart in charts:
        stacks: dict[int, float] = defaultdict(float)
        for mark in chart.marks:
            if isinstance(mark, Bar):
                end = mark.box[2] if chart.horizontal else mark.box[1]
                stacks[mark.category] += mark.value if chart.stacked else 0
                value = stacks[mark.category] if chart.stacked else mark.value
                assert end == pytest.approx(chart.value_axis.place(value), abs=0.05)
            elif isinstance(mark, Dot):
                assert mark.centre[1] == pytest.approx(chart.value_axis.place(mark.value), abs=0.05)
                if chart.x_axis:
                    assert mark.centre[0] == pytest.approx(chart.x_axis.place(mark.x), abs=0.05)
            else:
                assert mark.end - mark.start == pytest.approx(3.6 * mark.value, abs=0.01)
        if chart.kind == "pie":
            assert sum(mark.value for mark in chart.marks) == pytest.approx(100)


def test_what_is_written_is_the_value(charts):
    for chart in charts:
        for mark in chart.marks:
            if mark.written:
                assert number(mark.written.text) == pytest.approx(mark.value), mark.written.text
        for axis in (chart.value_axis, chart.x_axis):
            for tick in axis.ticks if axis else ():
                assert number(tick.label.text) == pytest.approx(tick.value)


def test_numbers_are_written_as_people_write_them():
    assert NumberStyle(prefix="$", separator=",").write(-12345.4) == "-$12,345"
    assert NumberStyle(suffix="M", divisor=1e6, decimals=1).write(2_540_000) == "2.5M"


def inside(mark) -> tuple[float, float]:
    """A point that shows the colour of a mark: not where its value is likely to be written."""
    if isinstance(mark, Bar):
        left, top, right, bottom = mark.box
        return left + 0.3 * (right - left), top + 0.3 * (bottom - top)
    if isinstance(mark, Slice):
        return around(mark, mark.radius - 4)
    return mark.centre


def test_pictures_show_the_colours_of_the_marks_at_their_places(charts):
    right = total = 0
    for chart in charts[:80]:
        picture = draw_chart(chart)
        assert picture.size == (chart.width, chart.height)
        for mark in chart.marks:
            x, y = inside(mark)
            if isinstance(mark, Dot) and chart.style.markers[mark.series] not in ("circle", "square", "diamond"):
                continue
            right += distance(picture.getpixel((int(x), int(y))), mark.colour.rgb) < 60
            total += 1
    assert total > 300 and right / total > 0.93  # a hatch, an edge or a number covers some of the points


def test_text_is_written_where_the_truth_has_it(charts):
    for chart in charts[:40]:
        picture = draw_chart(chart)
        for label in chart.labels:
            crop = picture.crop(tuple(int(side) for side in label.box))
            assert len(crop.getcolors(crop.width * crop.height)) > 2, label


def test_values_are_answered_as_they_are_written(asked):
    for chart, question in of_type(asked, "value"):
        (it,) = named(chart, question.text)
        assert number(question.sentence[:-1].removeprefix(f"The value of {it} is ")) == pytest.approx(values(chart)[it])
        texts = {label.text.lower() for label in chart.labels}
        assert question.answer in texts and it in question.sentence


def test_sums_and_differences_are_right(asked):
    for type in ("sum", "difference"):
        for chart, question in of_type(asked, type):
            one, two = (values(chart)[it] for it in named(chart, question.text))
            expected = one + two if type == "sum" else abs(one - two)
            said = re.split("together |differ by ", question.sentence[:-1])[-1]
            assert said.lower() == question.answer
            assert number(said) == pytest.approx(expected), question.text


def test_extremes_and_the_closest_are_right(asked):
    for type, choose in (("largest", max), ("smallest", min)):
        for chart, question in of_type(asked, type):
            found = candidates(chart, question.text)
            assert question.answer == choose(found, key=found.get).lower(), question.text
    for chart, question in of_type(asked, "closest"):
        found = candidates(chart, question.text)
        wanted = re.search(r"(?:closest|nearest) to (.+?)(?: in | for |\?|$)", question.text).group(1)
        assert question.answer == min(found, key=lambda it: abs(found[it] - number(wanted))).lower(), question.text


def test_comparisons_are_right(asked):
    for chart, question in of_type(asked, "compare_two"):
        one, two = sorted(named(chart, question.text), key=lambda it: values(chart)[it])
        assert question.answer == (one if re.search("lower|smaller", question.text) else two).lower()
    for chart, question in of_type(asked, "is_more"):
        one, two = (values(chart)[it] for it in named(chart, question.text))
        holds = one < two if re.search("lower|smaller", question.text) else one > two
        assert question.answer == ("yes" if holds else "no"), question.text


def test_trends_and_thresholds_are_right(asked):
    for chart, question in of_type(asked, "trend"):
        names = [label.text for label in chart.categories]
        first, last = re.search(r"(?:[Ff]rom|between) (.+?) (?:to|and) (.+?)(?:,|\?|$)", question.text).groups()
        assert first in names and last.rstrip(".") in names, question.text
        series = [
            one.name.text for one in chart.series if one.name and re.search(rf"\b{one.name.text}\b", question.text)
        ]
        start, end = (f"{series[0]} for {it}" if series else it for it in (first, last.rstrip(".")))
        rises = values(chart)[end] > values(chart)[start]
        asks_rise = bool(re.search("rise|go up|increase", question.text))
        assert question.answer == ("yes" if rises == asks_rise else "no"), question.text
    for chart, question in of_type(asked, "threshold"):
        it = named(chart, question.text)[0]
        side, limit = re.search(r"(above|below) (.+?)\??$", question.text).groups()
        holds = values(chart)[it] > number(limit)
        assert question.answer == ("yes" if holds == (side == "above") else "no"), question.text


def test_order_counts_and_colours_are_right(asked):
    for chart, question in of_type(asked, "next_after"):
        names = [label.text.lower() for label in chart.categories]
        before = names[names.index(question.answer) - 1]
        assert re.search(rf"\b{re.escape(before)}(?!\w)", question.text.lower()), question.text
    for chart, question in of_type(asked, "count"):
        sizes = {len(chart.marks), len(chart.categories), len(chart.series)}
        assert int(question.answer) in sizes and question.answer in question.sentence
    for chart, question in of_type(asked, "color_of"):
        assert question.answer in {mark.colour.name for mark in chart.marks}


def test_the_colour_that_is_asked_for_is_or_is_not_the_one_that_the_sentence_tells(asked):
    for _, question in of_type(asked, "is_color") + of_type(asked, "is_color_not"):
        it, true = re.search(rf"the color of (.*) is ({'|'.join(NAMES)})\.$", question.sentence).groups()
        is_same = bool(re.search(rf"\b{true}\b", question.text.replace(it, "").lower()))
        assert question.answer == ("yes" if is_same == (question.type == "is_color") else "no"), question


def test_what_cannot_be_told_is_not_in_the_chart(asked):
    for chart, question in of_type(asked, "cannot_tell"):
        assert question.answer == "it cannot be told from the picture"
        if "value" in question.text:
            assert not named(chart, question.text), question.text


def test_descriptions_name_their_elements(asked):
    for chart, question in of_type(asked, "describe"):
        assert all(
            element in question.sentence or element in question.sentence.lower() for element in question.elements
        )
        assert {label.text for label in chart.categories} <= set(question.elements)


def test_yes_and_no_cannot_be_guessed(asked):
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for _, question in asked:
        assert question.is_yes_no == (question.type in YES_NO)
        counts[question.type][question.answer] += 1
    for type in YES_NO:
        number = counts[type].total()
        error = number**-0.5  # two standard errors: some types come 200 times here
        assert max(counts[type].values()) / number < 0.55 + error, (type, counts[type])


def test_choices_cannot_be_guessed_from_the_order_of_mention(asked):
    questions = of_type(asked, "compare_two")
    first = sum(named(chart, question.text)[0].lower() == question.answer for chart, question in questions)
    assert 0.44 < first / len(questions) < 0.56


def test_a_picture_has_about_ten_questions(asked, charts):
    assert 8 <= len(asked) / (2 * len(charts)) <= 12
    for _, question in asked:
        assert not re.search(r"[{}]", question.text + question.sentence), question


def test_a_scale_shows_values_that_are_all_the_same():
    for seed in range(50):
        low, high, step = make_scale(5.0, 5.0, from_zero=False, steps=4, rng=Random(seed))
        assert low == 0 and high > 5 and 0 < step < 5
