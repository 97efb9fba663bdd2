"""What follows from the cells of a table and the lines of a notice: look-ups, columns of numbers, sums."""

import math
import re
from collections.abc import Sequence

from .notice import Notice
from .numbers import parse_number, write_number
from .table import Cell, Table
from .wording import count_of, find_name, join_names

MOSTLY = 0.75  # of the written cells of a column of numbers are numbers
MOST_COLUMNS = 6  # that a description goes through
NOTHING = " -\N{EN DASH}\N{EM DASH}"  # that stands where no value is given
YEARS = range(1800, 2101)


def column_name(table: Table, column: int) -> str:
    return table.header[column].text or f"column {column + 1}"


def look_up(table: Table, row: str, column: str) -> Cell | None:
    """The cell where the row that begins so and the column of that heading meet."""
    i = find_name([cells[0].text for cells in table.rows], row)
    j = find_name([cell.text for cell in table.header], column)
    return None if i is None or j is None else table.rows[i][j]


def numbers_in(table: Table, column: int) -> tuple[tuple[int, float], ...]:
    """(row, number) of a column of numbers, without the total; empty where it is a column of something else."""
    rows = table.rows[:-1] if table.total_row else table.rows
    written = [(i, row[column].text) for i, row in enumerate(rows) if row[column].text.strip(NOTHING)]
    found = tuple((i, number) for i, text in written if (number := parse_number(text)) is not None)
    return found if len(found) >= 2 and len(found) >= MOSTLY * len(written) else ()


def highest_rows(numbers: Sequence[tuple[int, float]]) -> tuple[int, ...]:
    top = max((number for _, number in numbers), default=0.0)
    return tuple(row for row, number in numbers if number == top)


def lowest_rows(numbers: Sequence[tuple[int, float]]) -> tuple[int, ...]:
    bottom = min((number for _, number in numbers), default=0.0)
    return tuple(row for row, number in numbers if number == bottom)


def column_sum(table: Table, column: int) -> float:
    return math.fsum(number for _, number in numbers_in(table, column))


def written_total(table: Table, column: int) -> float | None:
    """What the total row says."""
    return parse_number(table.rows[-1][column].text) if table.total_row and table.rows else None


def total_agrees(table: Table, column: int) -> bool | None:
    """Whether the total row is the sum of what stands above it; None where there is nothing to compare."""
    total, numbers = written_total(table, column), numbers_in(table, column)
    if total is None or not numbers:
        return None
    return math.isclose(math.fsum(number for _, number in numbers), total, rel_tol=1e-3, abs_tol=0.01)


def describe_table(table: Table) -> list[str]:
    title = f' "{table.title.text}"' if table.title else ""
    size = f"{count_of(len(table.header), 'column')}, {count_of(len(table.rows), 'row')}"
    facts = [f"table{title}: {size}{' with the total' if table.total_row else ''}"]
    columns = [(column, numbers) for column in range(len(table.header)) if (numbers := numbers_in(table, column))]
    for column, numbers in columns[:MOST_COLUMNS]:
        if column == 0 or all(number in YEARS for _, number in numbers):
            continue  # what rows are called by
        facts.append(f"{column_name(table, column)}: {', '.join(_describe_numbers(table, column, numbers))}")
        if total_agrees(table, column) is False:
            total = table.rows[-1][column].text
            facts.append(f"{column_name(table, column)} does not add up: the total row says {total}")
    return facts


def _describe_numbers(table: Table, column: int, numbers: Sequence[tuple[int, float]]) -> list[str]:
    facts = []
    for word, rows in (("highest", highest_rows(numbers)), ("lowest", lowest_rows(numbers))):
        names = join_names(table.rows[row][0].text or f"row {row + 1}" for row in rows)
        facts.append(f"{word} {table.rows[rows[0]][column].text} ({names})")
    if not any("%" in table.rows[row][column].text for row, _ in numbers):
        facts.append(f"sum {write_number(column_sum(table, column))}")
    return facts


def prices(notice: Notice) -> tuple[tuple[str, float], ...]:
    """(item, price) of every row that says both."""
    found = []
    for item in notice.of_role("item"):
        price = notice.beside(item, "price")
        if price and (number := parse_number(price.label.text)) is not None:
            found.append((item.label.text, number))
    return tuple(found)


def total_of(notice: Notice) -> float | None:
    """The one total that is written."""
    found = [parse_number(entry.label.text) for entry in notice.of_role("total")]
    return found[0] if len(found) == 1 else None


def describe_notice(notice: Notice) -> list[str]:
    words = len(re.findall(r"\w+", " ".join(notice.lines)))
    facts = [f"{notice.kind}: {count_of(len(notice.lines), 'line')}, {count_of(words, 'word')}"]
    if priced := prices(notice):
        together, total = math.fsum(price for _, price in priced), total_of(notice)
        facts.append(f"{count_of(len(priced), 'item')} with a price, {write_number(together)} together")
        if total is not None and not math.isclose(together, total, abs_tol=0.005):
            facts.append(f"the total says {write_number(total)}: something is misread, missing or added")
    return facts
