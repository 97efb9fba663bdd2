"""Tables in words, and what a question about some rows and columns turns on."""

import re
from collections.abc import Iterator, Sequence

from ..structure import NumberStyle, Table
from ..structure.numbers import parse_number
from ..structure.table_facts import column_name, column_sum, highest_rows, lowest_rows, numbers_in
from .comparing import compare, wants
from .mentions import find_mentions, missing, missing_names

ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")
NUMERALS = ("1st", "2nd", "3rd", *(f"{n}th" for n in range(4, 11)))
MOST_CELLS = 8  # that a question gets to see
UNIT = re.compile(r"\s*[(\[][^)\]]*[)\]]$")
TOTAL = re.compile(r"\b(?:total|sum|add|all|altogether|together)\b", re.IGNORECASE)
# What is asked of a row that is named, and what is asked for of the whole table; "number of" belongs to no heading.
_NOUN = r"the (?:number of )?((?:(?!the\b)[a-z'-]+ ??){1,3})"
COLUMN_OF = (
    re.compile(rf"\b{_NOUN} (?:given )?(?:of|for)\b", re.IGNORECASE),
    re.compile(rf"\ba value for {_NOUN}(?=[?.]|$)", re.IGNORECASE),
    re.compile(rf"\b[:,] what is {_NOUN}(?=[?.]|$)", re.IGNORECASE),
)
COLUMN_ALONE = (
    re.compile(rf"\bcolumn for {_NOUN}(?=[?.]|$)", re.IGNORECASE),
    re.compile(rf"\b(?:show|give) {_NOUN}(?= of each|[?.]|$)", re.IGNORECASE),
    re.compile(rf"\bis {_NOUN} one of the columns\b", re.IGNORECASE),
    re.compile(rf"\bcan {_NOUN} be read\b", re.IGNORECASE),
)
NO_COLUMN = frozenset(
    ("sum", "total", "difference", "gap", "average", "mean", "median", "row", "rows", "column", "columns", "table",
     "title", "heading", "name", "number", "value", "entry", "highest", "lowest", "higher", "lower", "first", "last",
     "picture", "image", "order", "rest", "one", "names")
)  # fmt: skip


def describe_table(table: Table) -> Iterator[str]:
    """The headings, then row by row."""
    title = f' "{table.title.text}"' if table.title else ""
    rows = len(table.rows) - table.total_row
    yield f"table{title} with {len(table.header)} columns, {rows} rows{' and a total' if table.total_row else ''}"
    yield f"columns: {', '.join(cell.text for cell in table.header)}"
    for row in table.rows:
        yield " | ".join(cell.text or "-" for cell in row)


def about_table(table: Table, question: str) -> Iterator[str]:
    """The cells that a question is about, and what follows from a column of numbers."""
    heads, names = [row[0].text for row in table.rows], [_without_unit(cell.text) for cell in table.header]
    rows, columns = find_mentions(heads, question), find_mentions(names, question)
    if table.total_row and len(rows) > 1:  # "the total price of milk and bread" is not about the row that is called so
        rows = [row for row in rows if row != len(heads) - 1]
    rows, columns = (
        rows + by_ordinal(question, "row", len(heads)),
        columns + by_ordinal(question, "column", len(table.header)),
    )
    numeric = [column for column in columns if numbers_in(table, column)]
    yield from _cells(table, rows, [c for c in columns if c > 0])
    if len(rows) == 2 and numeric:
        yield from _compared(table, question, rows, numeric[0])
    yield from _absent(table, question, [heads[row] for row in rows], names)
    for column in [c for c in columns if c > 0 and not rows]:
        yield _extremes(table, question, column) if column in numeric else _entries(table, column)
    if table.total_row and not rows and TOTAL.search(question):
        yield from (f"total {names[c]}: {table.rows[-1][c].text}" for c in columns if table.rows[-1][c].text)
    for row in rows[:1] if len(rows) == 1 and not numeric else []:
        if row + 1 < len(heads):
            yield f"after {heads[row]}: {heads[row + 1]}"
        if row:
            yield f"before {heads[row]}: {heads[row - 1]}"
    for column in by_ordinal(question, "column", len(table.header)):
        yield f"column {column + 1}: {column_name(table, column)}"
    for row in by_ordinal(question, "row", len(heads)):
        yield f"row {row + 1}: {heads[row]}"
    yield from _holding(table, question, columns)


def _without_unit(heading: str) -> str:
    """ "Price ($)" is spoken of as "price"."""
    return UNIT.sub("", heading) or heading


def _absent(table: Table, question: str, rows: Sequence[str], columns: Sequence[str]) -> Iterator[str]:
    """What a question quotes or calls by a name, and the column that it asks for, where the table has no such thing."""
    written = [label.text for label in table.labels]
    yield from dict.fromkeys((*missing(written, question), *missing_names(written, question)))
    for pattern in COLUMN_OF if rows else COLUMN_ALONE:
        for noun in pattern.findall(question):
            words = noun.casefold().split()
            known = any(re.search(rf"\b{re.escape(name)}\b", noun, re.IGNORECASE) for name in (*columns, *rows) if name)
            if not known and not NO_COLUMN.intersection(words) and words[-1].rstrip("s") != columns[0].casefold():
                yield f'there is no "{noun}"'


def _entries(table: Table, column: int) -> str:
    """A column of words."""
    texts = [row[column].text or "-" for row in table.rows[: len(table.rows) - table.total_row]]
    return f"{column_name(table, column)}: {', '.join(texts[:MOST_CELLS])}"


def by_ordinal(question: str, what: str, limit: int) -> list[int]:
    """ "the third row" """
    found = []
    for number, names in enumerate(zip(ORDINALS, NUMERALS, strict=True)):
        if number < limit and re.search(rf"\b({'|'.join(names)})\b(?=[\w\s]*\b{what})", question, re.IGNORECASE):
            found.append(number)
    if limit and re.search(rf"\blast\b(?=[\w\s]*\b{what})", question, re.IGNORECASE):
        found.append(limit - 1)
    return found


def _cells(table: Table, rows: Sequence[int], columns: Sequence[int]) -> Iterator[str]:
    for row in rows[:3]:
        chosen = columns or range(1, len(table.header))
        cells = [f"{column_name(table, column)} {table.rows[row][column].text or 'empty'}" for column in chosen]
        yield f"{table.rows[row][0].text}: {', '.join(cells[:MOST_CELLS])}"


def _compared(table: Table, question: str, rows: Sequence[int], column: int) -> Iterator[str]:
    texts = [table.rows[row][column].text for row in rows]
    names = [table.rows[row][0].text for row in rows]
    one, other = map(parse_number, texts)
    if one is None or other is None:
        return
    style = NumberStyle.of([table.rows[row][column].text for row, _ in numbers_in(table, column)])
    if one == other:
        yield f"{names[0]} and {names[1]} are equal"
    else:
        yield f"{compare(question, names[0], names[1], one > other)} by {style.write(abs(one - other))}"
    yield f"together {style.write(one + other)}"


def _extremes(table: Table, question: str, column: int) -> str:
    numbers = numbers_in(table, column)
    parts = []
    ends = {"highest": highest_rows(numbers), "lowest": lowest_rows(numbers)}
    for word in wants(question):
        found = ends[word]
        names = ", ".join(table.rows[row][0].text for row in found)
        parts.append(f"{word} {names} ({table.rows[found[0]][column].text})")
    style = NumberStyle.of([table.rows[row][column].text for row, _ in numbers])
    parts.append(f"sum {style.write(column_sum(table, column))}")
    return f"{column_name(table, column)}: {', '.join(parts)}"


def _holding(table: Table, question: str, columns: Sequence[int]) -> Iterator[str]:
    """The rows of a cell that a question quotes: "whose fibre is 11.9 g"."""
    for column in columns or range(1, len(table.header)):
        texts = [row[column].text for row in table.rows]
        for number in find_mentions(texts, question)[:1]:
            same = [row[0].text for row in table.rows if row[column].text == texts[number]]
            yield f"{column_name(table, column)} {texts[number]}: {', '.join(same)}"
