"""Questions about the charts of the transfer set, computed from the truth; the wordings are those of training.

Values are asked for only where they stand at the marks, and what is compared differs clearly.
"""

from collections.abc import Callable, Iterator
from itertools import combinations
from random import Random

from train.data_engine import charts_wording as words
from train.data_engine.charts_facts import MARGIN, STACKED_MARGIN
from train.data_engine.charts_wording import say
from train.data_engine.family import Question
from train.data_engine.shapes_wording import sentence
from train.data_engine.tables_questions import yes_no
from vlm.structure.kinds import plural
from vlm.structure.wording import with_article

from .balance import Balance
from .charts_truth import write
from .truth import ChartTruth

QUESTIONS = 7  # at most so many for one picture
Mark = tuple[int, int]  # (series, category)


def ask(truth: ChartTruth, balance: Balance, rng: Random) -> tuple[Question, ...]:
    """About six questions, no text twice, in random order."""
    asked: dict[str, Question] = {}
    for make in rng.sample(MAKERS, len(MAKERS)):
        for question in make(truth, balance, rng):
            if len(asked) < QUESTIONS and question.text not in asked:
                asked[question.text] = balance.note(question)
    return tuple(asked.values())


def name_of(truth: ChartTruth, mark: Mark) -> str:
    series = truth.series[mark[0]]
    return f"{series} for {truth.categories[mark[1]]}" if series else truth.categories[mark[1]]


def value_of(truth: ChartTruth, mark: Mark) -> float:
    """The value, as exactly as the picture tells it."""
    value = truth.values[mark[0]][mark[1]]
    return value if truth.decimals is None else round(value, truth.decimals)


def marks_of(truth: ChartTruth) -> list[Mark]:
    return [(i, j) for i in range(len(truth.values)) for j in range(len(truth.categories))]


def is_clear(truth: ChartTruth, apart: float) -> bool:
    """Whether everybody sees that two values differ by so much."""
    if truth.decimals is not None:
        return apart > 0.5 * 10.0**-truth.decimals
    low, high = truth.value_range or (0.0, 100.0)
    return apart > (STACKED_MARGIN if truth.stacked else MARGIN) * (high - low)


def _title(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    if truth.title:
        yield Question("title", say(rng, words.TITLE), truth.title.lower(), sentence(f'the title is "{truth.title}"'))


def _axis_label(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    other = truth.x_title or truth.category_title
    across, upright = (truth.value_title, other) if truth.horizontal else (other, truth.value_title)
    titles = [(title, names) for title, names in ((across, ("x-axis", "horizontal axis")),
                                                  (upright, ("y-axis", "vertical axis"))) if title]  # fmt: skip
    if titles:
        title, names = rng.choice(titles)
        axis = rng.choice(names)
        fact = f'the label of the {axis} is "{title}"'
        yield Question("axis_label", say(rng, words.AXIS_LABEL, axis=axis), title.lower(), sentence(fact))


def _value(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    if truth.decimals is not None:
        mark = rng.choice(marks_of(truth))
        it, text = name_of(truth, mark), write(value_of(truth, mark), truth.decimals, truth.kind)
        yield Question("value", say(rng, words.VALUE, it=it), text, sentence(f"the value of {it} is {text}"))


def _arithmetic(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """The sum or the difference of two values that stand there."""
    if truth.decimals is None or len(marks_of(truth)) < 2:
        return
    one, two = rng.sample(marks_of(truth), 2)
    (it, other), (a, b) = (name_of(truth, one), name_of(truth, two)), (value_of(truth, one), value_of(truth, two))
    a_text, b_text = (write(value, truth.decimals, truth.kind) for value in (a, b))
    if rng.random() < 0.5:
        total = write(a + b, truth.decimals, truth.kind)
        fact = f"{it} is {a_text} and {other} is {b_text}, together {total}"
        yield Question("sum", say(rng, words.SUM, it=it, other=other), total, sentence(fact))
    elif a != b:
        apart = write(abs(a - b), truth.decimals, truth.kind)
        fact = f"{it} is {a_text} and {other} is {b_text}, so they differ by {apart}"
        yield Question("difference", say(rng, words.DIFFERENCE, it=it, other=other), apart, sentence(fact))


def _extremes(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """The largest and the smallest of all, or of one series."""
    if len(truth.categories) < 2:
        return
    for type, largest in (("largest", True), ("smallest", False)):
        number = rng.randrange(len(truth.series))
        where = f" in {truth.series[number]}" if truth.series[number] else ""
        marks = sorted(((number, j) for j in range(len(truth.categories))),
                       key=lambda mark: value_of(truth, mark), reverse=largest)  # fmt: skip
        if is_clear(truth, abs(value_of(truth, marks[0]) - value_of(truth, marks[1]))):
            it = truth.categories[marks[0][1]]
            most = rng.choice(("highest", "largest", "biggest") if largest else ("lowest", "smallest"))
            text = say(rng, words.EXTREME, noun=rng.choice(("category", "label")), most=most, where=where)
            yield Question(type, text, it.lower(), sentence(f"{it} has the {most} value{where}"))


def _compare(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """Which of two is larger, and whether one is larger than the other."""
    pairs = [
        (one, two) if value_of(truth, one) > value_of(truth, two) else (two, one)
        for one, two in combinations(marks_of(truth), 2)
        if is_clear(truth, abs(value_of(truth, one) - value_of(truth, two)))
    ]
    if not pairs:
        return
    high, low = (name_of(truth, mark) for mark in rng.choice(pairs))
    it, more = rng.choice(((high, "larger"), (high, "higher"), (low, "smaller"), (low, "lower")))
    first, second = rng.sample((high, low), 2)
    text = say(rng, words.WHICH_OF_TWO, more=more, it=first, other=second)
    yield Question("compare_two", text, it.lower(), sentence(f"{it} is {more}"))
    high, low = (name_of(truth, mark) for mark in rng.choice(pairs))
    more, less = rng.choice((("larger", "smaller"), ("higher", "lower")))
    it, so, other = rng.choice(((high, more, low), (low, less, high)))
    answer = balance.due("is_more", rng)
    asked = so if answer else less if so == more else more
    text = say(rng, words.IS_MORE, it=it, more=asked, other=other)
    yield yes_no("is_more", text, answer, f"{it} is {so} than {other}")


def _threshold(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """Whether a value is above or below a round one."""
    if not truth.value_range or not truth.categories:
        return
    low, high = truth.value_range
    step = 10.0 ** len(str(int(high))) / 20 if high >= 1 else 0.1
    levels = [step * i for i in range(1, 200) if low < step * i < high]
    answer, beyond = balance.due("threshold", rng), rng.choice(("above", "below"))
    wanted = answer == (beyond == "above")
    found = [
        (mark, level)
        for mark in marks_of(truth)
        for level in levels
        if (value_of(truth, mark) > level) == wanted
        and abs(value_of(truth, mark) - level) > (STACKED_MARGIN if truth.stacked else MARGIN) * (high - low)
    ]
    if found:
        mark, level = rng.choice(found)
        it, value = name_of(truth, mark), f"{level:,.10g}"
        text = say(rng, words.IS_BEYOND, it=it, beyond=beyond, value=value)
        yield yes_no("threshold", text, answer, f"{it} is {'above' if wanted else 'below'} {value}")


def _count(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    counts = {}
    if truth.kind == "bar" and not truth.stacked:
        counts["bar"] = len(marks_of(truth))
    elif truth.kind == "pie":
        counts["slice"] = len(truth.categories)
    elif truth.kind == "line":
        counts["line"] = len(truth.series)
    elif truth.kind == "scatter" and sum(map(len, truth.points)) <= 20:
        counts["point"] = sum(map(len, truth.points))
    if truth.categories and truth.kind != "pie":
        counts["category"] = len(truth.categories)
    if len(truth.series) > 1:
        counts["legend entry"] = len(truth.series)
    if counts:
        it = rng.choice(list(counts))
        them, number = plural(it), counts[it]
        fact = f"there is 1 {it}" if number == 1 else f"there are {number} {them}"
        yield Question("count", say(rng, words.HOW_MANY, them=them), str(number), sentence(fact))


def _kind(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    if truth.kind == "bar" and rng.random() < 0.5:  # half of all charts are
        return
    names = {"bar": "bar chart", "line": "line chart", "pie": "pie chart", "scatter": "scatter plot"}
    kind = "donut chart" if truth.hole else names[truth.kind]
    yield Question("kind", say(rng, words.KIND), kind, sentence(f"this is {with_article(kind)}"))


def _points(truth: ChartTruth, balance: Balance, rng: Random) -> Iterator[Question]:
    """Of scatter plots: the group of an outermost point, and whether the highest point is further right."""
    if truth.kind != "scatter" or not truth.x_range or not truth.value_range:
        return
    for axis, ways in ((0, ("leftmost", "rightmost")), (1, ("lowest", "highest"))):
        low, high = (truth.x_range, truth.value_range)[axis]
        way = rng.choice(ways)
        order = sorted(((point[axis], str(name)) for name, group in zip(truth.series, truth.points, strict=True)
                        for point in group), reverse=way == ways[1])  # fmt: skip
        rivals = [value for value, name in order if name != order[0][1]]
        if rivals and abs(rivals[0] - order[0][0]) > MARGIN * (high - low):
            it = order[0][1]
            text = rng.choice(("which group has the {} point?", "to which group does the {} point belong?"))
            fact = f"the {way} point belongs to {it}"
            yield Question("outermost", sentence(text.format(way))[:-1], it.lower(), sentence(fact))
    points = sorted((point for group in truth.points for point in group), key=lambda point: point[1])
    apart = points[-1][0] - points[0][0]
    clear = all(abs(b[1] - a[1]) > 0.01 * (truth.value_range[1] - truth.value_range[0])
                for a, b in ((points[0], points[1]), (points[-2], points[-1])))  # fmt: skip
    if clear and abs(apart) > MARGIN * (truth.x_range[1] - truth.x_range[0]):
        answer, side = balance.due("is_beside", rng), "right" if apart > 0 else "left"
        asked = side if answer else {"right": "left", "left": "right"}[side]
        text = f"Is the highest point further to the {asked} than the lowest point?"
        yield yes_no("is_beside", text, answer, f"the highest point is further to the {side} than the lowest point")


Maker = Callable[[ChartTruth, Balance, Random], Iterator[Question]]
MAKERS: tuple[Maker, ...] = (
    _title, _axis_label, _value, _arithmetic, _extremes, _compare, _threshold, _count, _kind, _points,
)  # fmt: skip
