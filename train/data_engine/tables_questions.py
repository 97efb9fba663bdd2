"""Questions about a table, computed from its truth; only such as have one answer.

A coin decides between yes and no first, and rows and columns are drawn evenly, so that nothing can be guessed without
the picture.
"""

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from random import Random

from vlm.structure import Table
from vlm.structure.kinds import plural
from vlm.structure.wording import with_article

from . import tables_wording as words
from .family import Question
from .shapes_wording import say, sentence
from .tables_facts import Facts, Quantity, subject

QUESTIONS = 12  # at most so many for one picture
PLACES = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
CANNOT_TELL = "it cannot be told from the picture"


def ask(table: Table, rng: Random) -> list[Question]:
    """Up to a dozen questions that this table can answer, in random order, no text twice."""
    facts = Facts(table)
    asked = {question.text: question for make in MAKERS for question in make(facts, rng)}
    questions = list(asked.values())
    rng.shuffle(questions)
    return questions[:QUESTIONS]


def yes_no(type: str, text: str, answer: bool, fact: str) -> Question:
    """A question with yes or no for an answer; the sentence adds how things are."""
    word = "yes" if answer else "no"
    return Question(type, text, word, sentence(f"{word}, {fact}"))


def listing(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _title(facts: Facts, rng: Random) -> Iterator[Question]:
    if facts.title:
        fact = f'the title of the table is "{facts.title}"'
        yield Question("title", say(rng, words.TITLE), facts.title, sentence(fact))


def _cell(facts: Facts, rng: Random) -> Iterator[Question]:
    for column in (rng.choice(facts.columns), rng.choice(facts.columns)):
        if rows := facts.given(column):
            row = rng.choice(rows)
            text = facts.rows[row][column]
            yield _value("cell", words.CELL, facts, column, text, f" of {facts.names[row]}", rng, it=facts.names[row])
    if facts.total:
        column = rng.choice([column for column in facts.columns if facts.total[column]])
        nouns = plural(facts.noun)
        yield _value("total", words.TOTAL, facts, column, facts.total[column], f" of all {nouns}", rng, nouns=nouns)


def _value(
    type: str, templates: tuple[str, ...], facts: Facts, column: int, text: str, of: str, rng: Random, **fields: str
) -> Question:
    it = facts.subject(column)
    asked = say(rng, templates, column=it, **fields)
    return Question(type, asked, text, sentence(f"the {it}{of} is {facts.said(text, column)}"))


def _lookup(facts: Facts, rng: Random) -> Iterator[Question]:
    row, column = rng.randrange(len(facts.rows)), rng.choice(facts.columns)
    text = facts.rows[row][column]
    if row in facts.given(column) and Counter(row[column] for row in facts.rows)[text] == 1:
        it, value = facts.subject(column), facts.said(text, column)
        asked = say(rng, words.LOOKUP, noun=facts.noun, column=it, value=value)
        fact = f"the {it} of {facts.names[row]} is {value}"
        yield Question("lookup", asked, facts.names[row], sentence(fact))


def _measured(facts: Facts, rng: Random, additive: bool = False) -> Iterator[tuple[int, dict[int, Quantity]]]:
    """Columns with two or more numbers, in random order."""
    for column in rng.sample(facts.columns, len(facts.columns)):
        measure = facts.measure(column)
        quantities = facts.quantities(column)
        if measure and len(quantities) > 1 and (measure.additive or not additive):
            yield column, quantities


def _extreme(facts: Facts, rng: Random) -> Iterator[Question]:
    for (column, quantities), largest in zip(_measured(facts, rng), rng.sample((True, False), 2), strict=False):
        ordered = sorted(quantities, key=lambda row: quantities[row].value, reverse=largest)
        if len(quantities) < len(facts.rows) or quantities[ordered[0]].value == quantities[ordered[1]].value:
            continue
        row, it, most = ordered[0], facts.subject(column), "highest" if largest else "lowest"
        asked = say(rng, words.EXTREME, noun=facts.noun, column=it, most=most)
        value = facts.said(facts.rows[row][column], column)
        fact = f"{facts.names[row]} has the {most} {it}, {value}"
        yield Question("largest" if largest else "smallest", asked, facts.names[row], sentence(fact))


def _compare(facts: Facts, rng: Random) -> Iterator[Question]:
    """Which of two, and whether one is more than the other."""
    for (column, quantities), is_choice in zip(_measured(facts, rng), rng.sample((True, False), 2), strict=False):
        one, other = rng.sample(sorted(quantities), 2)
        if quantities[one].value == quantities[other].value:
            continue
        high, low = (one, other) if quantities[one].value > quantities[other].value else (other, one)
        it, name = facts.subject(column), facts.names
        values = tuple(facts.said(facts.rows[row][column], column) for row in (high, low))
        fact = f"the {it} of {name[high]} is {values[0]} and of {name[low]} {values[1]}"
        more = rng.choice(("higher", "lower"))
        if is_choice:
            asked = say(rng, words.COMPARE_CHOICE, column=it, more=more, it=name[one], other=name[other])
            chosen = high if more == "higher" else low
            yield Question("compare_choice", asked, name[chosen], sentence(f"{name[chosen]}: {fact}"))
        else:
            answer = rng.random() < 0.5
            first, second = (high, low) if answer == (more == "higher") else (low, high)
            asked = say(rng, words.COMPARE, column=it, more=more, it=name[first], other=name[second])
            yield yes_no("compare", asked, answer, fact)


def _count(facts: Facts, rng: Random) -> Iterator[Question]:
    rows, columns, nouns = len(facts.rows), len(facts.header), plural(facts.noun)
    asked = say(rng, words.COUNT_ROWS, nouns=nouns)
    yield Question("count_rows", asked, str(rows), sentence(f"the table lists {rows} {nouns}"))
    fact = f"the table has {columns} columns"
    yield Question("count_columns", say(rng, words.COUNT_COLUMNS), str(columns), sentence(fact))


def _sum(facts: Facts, rng: Random) -> Iterator[Question]:
    for column, quantities in list(_measured(facts, rng, additive=True))[:1]:
        rows = rng.sample(sorted(quantities), 2)
        one, two = (quantities[row].value for row in rows)
        yield _calculated("sum", words.SUM, facts, column, rows, one + two, rng)


def _difference(facts: Facts, rng: Random) -> Iterator[Question]:
    for column, quantities in list(_measured(facts, rng))[:1]:
        rows = rng.sample(sorted(quantities), 2)
        one, two = (quantities[row].value for row in rows)
        if one != two:
            yield _calculated("difference", words.DIFFERENCE, facts, column, rows, abs(one - two), rng)


def _calculated(
    type: str, templates: tuple[str, ...], facts: Facts, column: int, rows: list[int], result: Decimal, rng: Random
) -> Question:
    """A question for a number that is not in the table; the answer is written as its column is."""
    it, (one, other) = facts.subject(column), (facts.names[row] for row in rows)
    manner = facts.quantities(column)[rows[0]]
    answer = manner.write(result, facts.separator)
    values = [facts.said(facts.rows[row][column], column) for row in rows]
    what = "the sum" if type == "sum" else "the difference"
    fact = f"the {it} of {one} is {values[0]} and of {other} {values[1]}; {what} is {facts.said(answer, column)}"
    asked = say(rng, templates, column=it, it=one, other=other)
    return Question(type, asked, answer, sentence(fact))


def _header(facts: Facts, rng: Random) -> Iterator[Question]:
    column = rng.choice(facts.columns)
    last = column == len(facts.header) - 1 and rng.random() < 0.3
    place = "last" if last else PLACES[column]
    fact = f'the {place} column is headed "{facts.header[column]}"'
    yield Question("header", say(rng, words.HEADER, place=place), facts.header[column], sentence(fact))


def _position(facts: Facts, rng: Random) -> Iterator[Question]:
    """The first, second, ... row, and the one before or after another."""
    number = len(facts.rows)
    row = rng.randrange(number)
    last = row == number - 1 and not facts.total and rng.random() < 0.5
    place = "last" if last else PLACES[row]
    asked = say(rng, words.POSITION, noun=facts.noun, place=place)
    fact = f"the {facts.noun} in the {place} row is {facts.names[row]}"
    yield Question("position", asked, facts.names[row], sentence(fact))
    row = rng.randrange(number - 1)
    it, found, after = (row, row + 1, "after") if rng.random() < 0.5 else (row + 1, row, "before")
    asked = say(rng, words.NEXT, noun=facts.noun, after=after, it=facts.names[it])
    fact = f"the row directly {after} {facts.names[it]} is {facts.names[found]}"
    yield Question("next", asked, facts.names[found], sentence(fact))


def _exists(facts: Facts, rng: Random) -> Iterator[Question]:
    there, negated = rng.random() < 0.5, rng.random() < 0.4
    it = rng.choice(facts.names if there else _absent_names(facts))
    fact = f"the table has {'a' if there else 'no'} row for {it}"
    asked = say(rng, words.EXISTS_ROW_NOT if negated else words.EXISTS_ROW, it=it, nouns=plural(facts.noun))
    yield yes_no("exists_not" if negated else "exists", asked, there != negated, fact)
    shown, hidden = [facts.subject(column) for column in facts.columns], _absent_columns(facts)
    if hidden and not facts.subject(1).startswith("value"):
        there, negated = rng.random() < 0.5, rng.random() < 0.4
        column = rng.choice(shown if there else hidden)
        fact = f"the table has {'a' if there else 'no'} column for the {column}"
        templates = words.EXISTS_COLUMN_NOT if negated else words.EXISTS_COLUMN
        asked = say(rng, templates, column=column, noun=facts.noun)
        yield yes_no("exists_not" if negated else "exists", asked, there != negated, fact)


def _absent_names(facts: Facts) -> list[str]:
    return [name for name in facts.topic.names if name not in facts.names]


def _absent_columns(facts: Facts) -> list[str]:
    shown = {facts.subject(column) for column in facts.columns}
    return [name for column in facts.topic.columns if (name := subject(column.name)) not in shown]


def _missing(facts: Facts, rng: Random) -> Iterator[Question]:
    """Only where something is missing, or "yes" would be the answer nearly always."""
    cells = [(row, column) for column in facts.columns for row in range(len(facts.rows))]
    empty = [(row, column) for row, column in cells if row not in facts.given(column)]
    if empty and len(empty) < len(cells):
        given = rng.random() < 0.5
        row, column = rng.choice([cell for cell in cells if (cell not in empty) == given])
        it, name = facts.subject(column), facts.names[row]
        text = facts.rows[row][column]
        fact = f"the {it} of {name} is {facts.said(text, column)}" if given else f"no {it} of {name} is given"
        yield yes_no("missing", say(rng, words.MISSING, column=it, it=name), given, fact)


def _cannot_tell(facts: Facts, rng: Random) -> Iterator[Question]:
    """Asks like `_cell`, but for a row or a column that is not there."""
    if rng.random() < 0.5:
        return
    columns = _absent_columns(facts)
    if columns and rng.random() < 0.5:
        column, name = rng.choice(columns), rng.choice(facts.names)
        why = f"the table has no column for the {column}"
    else:
        column, name = facts.subject(rng.choice(facts.columns)), rng.choice(_absent_names(facts))
        why = f"the table has no row for {name}"
    asked = say(rng, words.CELL, column=column, it=name)
    yield Question("cannot_tell", asked, CANNOT_TELL, sentence(f"{CANNOT_TELL}: {why}"))


def _describe(facts: Facts, rng: Random) -> Iterator[Question]:
    """Title, headings and names of the rows."""
    elements = (*([facts.title] if facts.title else []), *facts.header, *facts.names)
    titled = f' titled "{facts.title}"' if facts.title else ""
    fact = f"{with_article('table')}{titled} with the columns {listing(list(facts.header))}"
    fact += f" and rows for {listing(facts.names)}"
    if facts.total:
        fact += ", summed up in the last row"
    yield Question("describe", say(rng, words.DESCRIBE), ", ".join(elements), sentence(fact), elements)


MAKERS = (
    _title, _cell, _lookup, _extreme, _compare, _count, _sum, _difference, _header, _position, _exists, _missing,
    _cannot_tell, _describe,
)  # fmt: skip
