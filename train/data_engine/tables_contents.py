"""What is written in a table, before it is laid out: a topic's rows and columns, numbers and dates in one manner."""

from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from .tables_words import CURRENCIES, OVER_TIME, PERIODS, TOPIC_OF, TOPICS, Choice, Column, Measure, Moment, Topic

MISSING = ("", "-", "\N{EN DASH}", "n/a")
TOTALS = ("Total", "Sum", "All")
DATES = ("%d %b %Y", "%Y-%m-%d", "%d.%m.%Y", "%d/%m/%Y", "%d %b", "%b %d, %Y")


@dataclass(frozen=True)
class Contents:
    title: str | None
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    numeric: tuple[bool, ...]  # which columns hold numbers
    total_row: bool


@dataclass(frozen=True)
class Manner:
    """How one table writes its values."""

    currency: str
    currency_first: bool
    separator: str  # between thousands
    unit_in_header: bool
    date: str
    missing: str

    @staticmethod
    def draw(rng: Random) -> "Manner":
        return Manner(
            currency=rng.choice(CURRENCIES),
            currency_first=rng.random() < 0.7,
            separator=rng.choice((",", ",", "")),
            unit_in_header=rng.random() < 0.4,
            date=rng.choice(DATES),
            missing=rng.choice(MISSING),
        )

    def heading(self, column: Column) -> str:
        if isinstance(column, Measure) and column.unit and self.unit_in_header:
            return f"{column.name} ({self.currency if column.unit == '$' else column.unit})"
        return column.name

    def number(self, value: float, column: Measure) -> str:
        digits = f"{value:{'+' if column.signed else ''}{self.separator}.{column.decimals}f}"
        if self.unit_in_header or not column.unit:
            return digits
        if column.unit == "$":
            return f"{self.currency}{digits}" if self.currency_first else f"{digits} {self.currency}"
        return f"{digits}{column.unit}" if column.unit == "%" else f"{digits} {column.unit}"


def compose(rng: Random) -> Contents:
    """Columns, rows and texts; every number of columns from 2 to 7, and of rows from 2 to 9, is as likely."""
    number_of_columns, number_of_rows = rng.randint(2, 7), rng.randint(2, 9)
    manner = Manner.draw(rng)
    columns: list[Column]
    if rng.random() < 0.25:
        topic, columns, titles = _over_time(number_of_columns - 1, rng)
    else:
        topic = rng.choice([topic for topic in TOPICS if len(topic.names) >= number_of_rows])
        columns, titles = rng.sample(topic.columns, min(number_of_columns - 1, len(topic.columns))), topic.titles
    names = _names(topic, number_of_rows, rng)
    filled = [_fill(column, number_of_rows, manner, rng) for column in columns]
    additive = [isinstance(column, Measure) and column.additive for column in columns]
    total_row = any(additive) and rng.random() < 0.2
    if rng.random() < 0.35:
        _leave_out(filled, rng)
    rows = [(name, *(column[row][0] or manner.missing for column in filled)) for row, name in enumerate(names)]
    if total_row:
        sums = [sum(value for _, value in column) for column in filled]
        texts = [
            manner.number(total, column) if adds and isinstance(column, Measure) else ""
            for total, column, adds in zip(sums, columns, additive, strict=True)
        ]
        rows.append((rng.choice(TOTALS), *texts))
    return Contents(
        title=_title(titles, rng) if rng.random() < 0.7 else None,
        header=(topic.row, *(manner.heading(column) for column in columns)),
        rows=tuple(rows),
        numeric=(False, *(isinstance(column, Measure) for column in columns)),
        total_row=total_row,
    )


def _over_time(number: int, rng: Random) -> tuple[Topic, list[Column], tuple[str, ...]]:
    """Columns that are months, years or days; a run of them."""
    row, (measure, titles) = rng.choice(list(OVER_TIME.items()))
    periods = rng.choice([periods for periods in PERIODS if len(periods) >= number])
    first = rng.randint(0, len(periods) - number)
    columns: list[Column] = [
        Measure(period, measure.low, measure.high, measure.decimals, measure.unit, measure.additive)
        for period in periods[first : first + number]
    ]
    return TOPIC_OF[row], columns, titles


def _names(topic: Topic, number: int, rng: Random) -> list[str]:
    if not topic.in_order:
        return rng.sample(topic.names, number)
    first = rng.randint(0, len(topic.names) - number)
    return list(topic.names[first : first + number])


def _fill(column: Column, number: int, manner: Manner, rng: Random) -> list[tuple[str, float]]:
    """Text and, for sums, value of every cell below the heading."""
    if isinstance(column, Choice):
        return [(rng.choice(column.options), 0.0) for _ in range(number)]
    if isinstance(column, Moment):
        return [(_moment(column, manner, rng), 0.0) for _ in range(number)]
    values = [round(rng.uniform(column.low, column.high), column.decimals) + 0.0 for _ in range(number)]  # no -0.0
    return [(manner.number(value, column), value) for value in values]


def _moment(column: Moment, manner: Manner, rng: Random) -> str:
    if column.clock:
        return f"{rng.randint(5, 23):02}:{rng.choice(range(0, 60, 5)):02}"
    return (date(2015, 1, 1) + timedelta(days=rng.randrange(4300))).strftime(manner.date)


def _leave_out(filled: list[list[tuple[str, float]]], rng: Random) -> None:
    """Empties up to three cells."""
    for _ in range(rng.randint(1, 3)):
        column = rng.choice(filled)
        column[rng.randrange(len(column))] = ("", 0.0)


def _title(titles: tuple[str, ...], rng: Random) -> str:
    title, year = rng.choice(titles), rng.randint(2009, 2026)
    number = rng.randint(1, 9)
    return rng.choice((title, title, f"{title} {year}", f"{title}, {year}", f"Table {number}: {title}", title.upper()))
