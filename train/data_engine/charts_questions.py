"""Questions about a chart, computed from its truth; only such as have one answer.

Each maker gives the questions of one subject. A coin decides between yes and no first, and then a fitting question
is looked for.
"""

from collections.abc import Iterator
from random import Random

from vlm.structure.kinds import plural
from vlm.structure.wording import with_article

from . import charts_wording as words
from .charts_comparing import compare_two, extremes, nearest, thresholds_crossed, trends
from .charts_facts import (
    absent_categories,
    exact,
    kind_name,
    mark_noun,
    name_of,
    of_series,
    standing_out,
    written_value,
)
from .charts_style import DrawnChart
from .charts_wording import listed, say
from .colours import NAMES
from .family import Question
from .shapes_wording import sentence

QUESTIONS = 12  # at most so many for one picture
ALWAYS = ("kind", "describe")  # what is not dropped where there are more questions
# How often the kind of a chart is asked for: rarely where it is drawn often, so that no answer is more likely.
KIND_CHANCE = {"bar chart": 0.16, "line chart": 0.29, "pie chart": 0.6, "donut chart": 0.85, "scatter plot": 0.72}
# The same for what is counted: number -> chance, where it is not 1.
FEW_SERIES = {2: 0.45, 3: 0.48}
COUNT_CHANCE = {
    "bars": {2: 0.92, 3: 0.93, 4: 0.6, 6: 0.69, 7: 0.82, 8: 0.7, 9: 0.68, 10: 0.87},
    "slices": {2: 0.9, 3: 0.85, 4: 0.8, 6: 0.9},
    "points": {4: 0.9, 5: 0.9, 8: 0.85, 9: 0.67, 11: 0.66, 12: 0.62, 13: 0.42, 14: 0.57, 15: 0.45},
    "categories": {2: 0.63, 3: 0.33, 4: 0.24, 5: 0.42, 6: 0.5, 7: 0.29},
    "lines": {1: 0.15, 2: 0.4, 3: 0.9},
    "series": FEW_SERIES, "groups": FEW_SERIES, "legend entries": FEW_SERIES,
}  # fmt: skip
MOST_COUNTED = {"bar": 12, "scatter": 15}  # marks


def ask(chart: DrawnChart, rng: Random) -> list[Question]:
    """About ten questions of all kinds that this chart can answer, in random order, no text twice."""
    asked = {question.text: question for make in MAKERS for question in make(chart, rng)}
    always = [question for question in asked.values() if question.type in ALWAYS]
    others = [question for question in asked.values() if question.type not in ALWAYS]
    questions = always + rng.sample(others, min(len(others), QUESTIONS - len(always)))
    rng.shuffle(questions)
    return questions


def _title(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    if chart.title and rng.random() < 0.6:
        fact = f'the title is "{chart.title.text}"'
        yield Question("title", say(rng, words.TITLE), chart.title.text, sentence(fact))


def _axis_label(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    value = chart.value_axis.title if chart.value_axis else None
    other = chart.x_axis.title if chart.x_axis else chart.category_title
    across, upright = (value, other) if chart.horizontal else (other, value)
    for title, names in ((across, ("x-axis", "horizontal axis")), (upright, ("y-axis", "vertical axis"))):
        if title and rng.random() < 0.6:
            axis = rng.choice(names)
            fact = f'the label of the {axis} is "{title.text}"'
            yield Question("axis_label", say(rng, words.AXIS_LABEL, axis=axis), title.text, sentence(fact))


def _value(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    readable = [(mark, text) for mark in chart.marks if chart.categories and (text := written_value(chart, mark))]
    for mark, text in rng.sample(readable, min(2, len(readable))):
        it = name_of(chart, mark)
        yield Question("value", say(rng, words.VALUE, it=it), text, sentence(f"the value of {it} is {text}"))


def _arithmetic(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """A sum and a difference of two values that can be read exactly."""
    readable = [(mark, text) for mark in chart.marks if chart.categories and (text := written_value(chart, mark))]
    if len(readable) < 2:
        return
    (one, a), (two, b) = rng.sample(readable, 2)
    it, other = name_of(chart, one), name_of(chart, two)
    total = exact(chart.numbers, one.value + two.value)
    fact = f"{it} is {a} and {other} is {b}, together {total}"
    yield Question("sum", say(rng, words.SUM, it=it, other=other), total, sentence(fact))
    (one, a), (two, b) = sorted(rng.sample(readable, 2), key=lambda pair: -pair[0].value)
    if a != b:
        it, other = name_of(chart, one), name_of(chart, two)
        apart = exact(chart.numbers, one.value - two.value)
        fact = f"{it} is {a} and {other} is {b}, so they differ by {apart}"
        first, second = rng.sample((it, other), 2)
        yield Question("difference", say(rng, words.DIFFERENCE, it=first, other=second), apart, sentence(fact))


def _count(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    several = len(chart.series) > 1
    counts = {}
    if chart.kind != "line" and not chart.stacked and len(chart.marks) <= MOST_COUNTED.get(chart.kind, 100):
        counts["points" if chart.kind == "scatter" else plural(mark_noun(chart))] = len(chart.marks)
    if chart.categories and (several or chart.kind == "line"):
        counts["categories"] = len(chart.categories)
    if chart.kind == "line":
        counts["lines"] = len(chart.series)
    elif several:
        counts[rng.choice(("series", "groups", "legend entries")) if chart.legend else "series"] = len(chart.series)
    them = rng.choice(list(counts)) if counts else None
    if them and rng.random() < COUNT_CHANCE[them].get(counts[them], 1.0):
        number = counts[them]
        singular = {"categories": "category", "series": "series", "legend entries": "legend entry"}.get(them, them[:-1])
        fact = f"there is 1 {singular}" if number == 1 else f"there are {number} {them}"
        yield Question("count", say(rng, words.HOW_MANY, them=them), str(number), sentence(fact))


def _order(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """What comes after a category, and whether it stands before another one."""
    count = len(chart.categories)
    if chart.kind not in ("bar", "line") or count < 3:
        return
    names = [label.text for label in chart.categories]
    way, before, after = ("from top to bottom", "above", "below") if chart.horizontal else (
        "from left to right", "to the left of", "to the right of"
    )  # fmt: skip
    i = rng.randrange(count - 1)
    noun = rng.choice(("category", "label"))
    text = say(rng, words.NEXT, noun=noun, after="after", it=names[i], way=way)
    yield Question("next_after", text, names[i + 1], sentence(f"{names[i + 1]} comes right after {names[i]}"))
    answer = rng.random() < 0.5
    one, two = sorted(rng.sample(range(count), 2))
    it, beside, other = rng.choice(((names[one], before, names[two]), (names[two], after, names[one])))
    asked = beside if answer else after if beside == before else before
    word = "yes" if answer else "no"
    text = say(rng, words.IS_BESIDE, it=it, beside=asked, other=other)
    yield Question("position", text, word, sentence(f"{word}, {it} is {beside} {other}"))


def _coloured(chart: DrawnChart) -> list[tuple[str, str]]:
    """What has a colour of its own, each as (name, name of its colour)."""
    if len(chart.series) > 1:
        pairs = [(one.name.text, one.colour.name) for one in chart.series if one.name and one.colour]
    elif chart.series[0].colour is None:
        pairs = [(name_of(chart, mark), mark.colour.name) for mark in chart.marks]
    else:
        noun = {"bar": "bars", "line": "line", "scatter": "points"}[chart.kind]
        pairs = [(f"the {noun}", chart.series[0].colour.name)]
    return [(it, name) for it, name in pairs if name]


def _colour(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    coloured = _coloured(chart)
    if not coloured:
        return
    for it, colour in rng.sample(coloured, min(2, len(coloured))):
        text = (
            say(rng, words.COLOR_OF, it=it)
            .replace("is the bars", "are the bars")
            .replace("is the points", "are the points")
        )
        yield Question("color_of", text, colour, sentence(f"the color of {it} is {colour}"))
    it, colour = rng.choice(coloured)
    names = [name for _, name in coloured]
    if len(set(names)) > 1 and names.count(colour) == 1:
        noun = "series" if len(chart.series) > 1 else rng.choice(("category", "label"))
        mark = {"bar": "part" if chart.stacked else "bar", "line": "line", "pie": "slice", "scatter": "marker"}[
            chart.kind
        ]
        text = say(rng, words.BY_COLOR, noun=noun, hue=colour, mark=mark)
        yield Question("by_color", text, it, sentence(f"{colour} stands for {it}"))
    answer = rng.random() < 0.5
    it, colour = rng.choice(coloured)
    if not it.startswith("the "):
        others = [name for name in NAMES if name != colour]
        asked = colour if answer else rng.choice([name for name in names if name != colour] or others)
        negated = rng.random() < 0.4
        word = "yes" if answer != negated else "no"
        text = say(rng, words.IS_NOT_COLOR if negated else words.IS_COLOR, it=it, hue=asked)
        type = "is_color_not" if negated else "is_color"
        yield Question(type, text, word, sentence(f"{word}, the color of {it} is {colour}"))


def _kind(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    kind = kind_name(chart)
    if rng.random() < KIND_CHANCE.get(kind, 0.0):
        yield Question("kind", say(rng, words.KIND), kind, sentence(f"this is {with_article(kind)}"))


def _cannot_tell(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    if rng.random() > 0.5:
        return
    absent = absent_categories(chart)
    if absent and rng.random() < 0.6:
        it = rng.choice(absent)
        names = [one.name.text for one in chart.series if one.name]
        if names:
            it = f"{rng.choice(names)} for {it}"
        text = say(rng, words.VALUE, it=it)
    else:
        it = name_of(chart, rng.choice(chart.marks)) if chart.categories else "the highest point"
        text = say(rng, words.UNKNOWN, it=it)
    yield Question("cannot_tell", text, words.CANNOT_TELL, sentence(words.CANNOT_TELL))


def _describe(chart: DrawnChart, rng: Random) -> Iterator[Question]:
    """The kind, the title, what is compared, and what stands out."""
    kind = kind_name(chart)
    names = [label.text for label in chart.categories]
    series = [one.name.text for one in chart.series if one.name]
    said = with_article(kind) + (f' titled "{chart.title.text}"' if chart.title else "")
    if names:
        said += f", with values for {listed(names)}"
    else:
        said += f" with {len(chart.marks)} points"
    if series:
        said += f", in {len(series)} series: {listed(series)}"
    if len(chart.series) == 1 and names and (top := standing_out(chart, of_series(chart, 0), largest=True)):
        value = written_value(chart, top)
        said += f"; {name_of(chart, top)} is the highest" + (f" with {value}" if value else "")
    elements = (kind, *([chart.title.text] if chart.title else []), *names, *series)
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(said), elements)


MAKERS = (
    _title, _axis_label, _value, _arithmetic, _count, _order, _colour, _kind, _cannot_tell, _describe,
    extremes, compare_two, nearest, thresholds_crossed, trends,
)  # fmt: skip
