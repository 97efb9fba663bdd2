"""Tables: what is drawn where, and answers looked up again in the rows of strings."""

import re
from collections import Counter, defaultdict
from itertools import pairwise
from random import Random

import pytest

from tests.train.folding import folded
from train.data_engine.colours import distance
from train.data_engine.held_out import HELD_OUT
from train.data_engine.lettering import apart
from train.data_engine.tables import Tables
from train.data_engine.tables_layout import LARGEST
from vlm.structure import Table

FAMILY = Tables()
EMPTY = {"", "-", "\N{EN DASH}", "n/a"}


@pytest.fixture(scope="module")
def tables():
    return [FAMILY.sample(Random(f"table {i}"), "train") for i in range(700)]


@pytest.fixture(scope="module")
def asked(tables):
    """(table, question) for all questions."""
    return [(table, folded(question)) for i, table in enumerate(tables) for question in FAMILY.ask(table, Random(i))]


def of_type(asked, *types):
    found = [(table, question) for table, question in asked if question.type in types]
    assert len(found) > 60
    return found


def body(table: Table) -> list[tuple[str, ...]]:
    rows = list(table.strings[1:])
    return rows[:-1] if table.total_row else rows


def number(text: str) -> float:
    return float(re.sub(r"[^\d.+-]", "", text))


def column_of(table: Table, text: str) -> int:
    """The column that a question or an answer speaks about."""
    text, found = text.lower(), []
    for column, heading in enumerate(table.header[1:], start=1):
        name = heading.text.lower().split(" (")[0]
        if re.search(rf"\b(value for {name}|{name})\b", text):
            found.append((len(name), column))
    return max(found)[1]


def rows_of(table: Table, text: str) -> list[tuple[str, ...]]:
    """The rows whose names stand in the text, in the order of their names in it."""
    places = {row: re.search(rf"(?<![\w-]){re.escape(row[0].lower())}(?![\w-])", text.lower()) for row in body(table)}
    return sorted((row for row in places if places[row]), key=lambda row: places[row].start())


def test_a_truth_comes_back_from_its_json(tables):
    for table in tables[:30]:
        assert type(table).model_validate_json(table.model_dump_json()) == table


def test_texts_are_apart_and_inside_their_cells(tables):
    for table in tables:
        assert apart(label.box for label in table.labels)
        assert table.width <= LARGEST[0] and table.height <= LARGEST[1]
        for left, top, right, bottom in [label.box for label in table.labels]:
            assert 0 <= left < right <= table.width and 0 <= top < bottom <= table.height
        for cell in [cell for row in (table.header, *table.rows) for cell in row if cell.label]:
            (left, top, right, bottom), (a, b, c, d) = cell.box, cell.label.box
            assert left <= a and top <= b and c <= right and d <= bottom, cell


def test_cells_tile_the_table(tables):
    for table in tables[:100]:
        rows = (table.header, *table.rows)
        for row in rows:
            assert all(one.box[2] == two.box[0] for one, two in pairwise(row))
        for upper, lower in pairwise(rows):
            assert all(one.box[3] == two.box[1] for one, two in zip(upper, lower, strict=True))


def test_every_number_of_rows_and_columns_is_as_likely(tables):
    rows, columns = Counter(len(body(table)) for table in tables), Counter(len(table.header) for table in tables)
    assert set(rows) == set(range(2, 10)) and set(columns) == set(range(2, 8))
    assert max(rows.values()) < 1.4 / 8 * len(tables) and max(columns.values()) < 1.4 / 6 * len(tables)


def test_training_never_shows_what_is_held_out_and_testing_shows_all_of_it(tables):
    tested = [FAMILY.sample(Random(f"test {i}"), "test").style for i in range(120)]
    for held_out, name in ((HELD_OUT.fonts, "font"), (HELD_OUT.palettes, "palette"), (HELD_OUT.table_rules, "rules")):
        assert held_out.isdisjoint(getattr(table.style, name) for table in tables)
        assert held_out <= {getattr(style, name) for style in tested}
    assert HELD_OUT.fonts.isdisjoint(table.style.title_font for table in tables)


def test_pixels_show_fills_and_ink_where_the_truth_has_them(tables):
    unspoiled = Random(1)
    unspoiled.random = lambda: 0.99  # spoils nothing
    for table in tables[:60]:
        picture = FAMILY.render(table, unspoiled)
        assert picture.size == (table.width, table.height)
        left, top, _, _ = table.header[0].box
        assert picture.getpixel((int(left) + 3, int(top) + 3)) == table.style.heading_fill
        for row in table.rows:
            for cell in row[1:]:
                if cell.label and len(cell.text) > 1:  # a dash may be thinner than a pixel
                    colours = {colour for _, colour in picture.crop(cell.label.box).getcolors(100000)}
                    assert min(distance(colour, table.style.ink) for colour in colours) < 150, cell


def test_titles_headings_and_totals_are_read(asked):
    for table, question in of_type(asked, "title", "total", "header"):
        if question.type == "title":
            assert question.answer == table.title.text.lower()
        elif question.type == "total":
            assert table.total_row
            assert question.answer == table.strings[-1][column_of(table, question.text)].lower()
        else:
            places = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh"][: len(table.header)]
            (place,) = [place for place in [*places, "last"] if f" {place} column" in question.text]
            column = -1 if place == "last" else places.index(place)
            assert question.answer == table.strings[0][column].lower()


def test_cells_are_found_by_row_and_column(asked):
    for table, question in of_type(asked, "cell"):
        values = {row[column_of(table, question.text)].lower() for row in rows_of(table, question.text)}
        assert question.answer in values and question.answer not in EMPTY, question


def test_lookups_name_the_only_row_with_the_value(asked):
    for table, question in of_type(asked, "lookup"):
        column = column_of(table, question.text)
        fitting = [row for row in body(table) if row[0].lower() == question.answer]
        (row,) = fitting
        assert row[column].lower() in question.text.lower()
        assert sum(other[column] == row[column] for other in body(table)) == 1


def test_the_largest_and_the_smallest_have_no_equal(asked):
    for table, question in of_type(asked, "largest", "smallest"):
        column = column_of(table, question.text)
        values = {row[0].lower(): number(row[column]) for row in body(table)}
        best = (max if question.type == "largest" else min)(values.values())
        assert [name for name, value in values.items() if value == best] == [question.answer], question


def test_comparisons_hold(asked):
    for table, question in of_type(asked, "compare", "compare_choice"):
        column = column_of(table, question.text)
        one, other = rows_of(table, question.text)
        first_is_more = number(one[column]) > number(other[column])
        if "lower" in question.text:
            first_is_more = number(one[column]) < number(other[column])
        if question.type == "compare":
            assert question.answer == ("yes" if first_is_more else "no"), question
        else:
            assert question.answer == (one if first_is_more else other)[0].lower(), question


def test_sums_and_differences_are_right_and_their_sentences_name_the_numbers(asked):
    for table, question in of_type(asked, "sum", "difference"):
        column = column_of(table, question.text)
        one, other = (row[column] for row in rows_of(table, question.text))
        expected = number(one) + number(other) if question.type == "sum" else abs(number(one) - number(other))
        assert number(question.answer) == pytest.approx(expected), question
        assert one in question.sentence and other in question.sentence


def test_rows_and_columns_are_counted(asked):
    for table, question in of_type(asked, "count_rows", "count_columns"):
        assert question.answer == str(len(body(table)) if question.type == "count_rows" else len(table.header))


def test_positions_hold(asked):
    for table, question in of_type(asked, "next"):
        names = [row[0].lower() for row in body(table)]
        ((name, *_),) = rows_of(table, question.text)
        step = 1 if " after " in question.text else -1
        assert question.answer == names[names.index(name.lower()) + step]


def test_existence_is_answered_by_what_is_there(asked):
    for table, question in of_type(asked, "exists", "exists_not"):
        row = bool(rows_of(table, question.text))
        names = [re.escape(cell.text.lower().split(" (")[0]) for cell in table.header[1:]]
        column = any(re.search(rf"\b{name}\b", question.text.lower()) for name in names)
        is_there = row if "row for" in question.sentence else column
        assert question.answer == ("yes" if is_there == (question.type == "exists") else "no"), question


def test_what_is_missing_is_said_to_be_so(asked):
    for table, question in of_type(asked, "missing"):
        values = {row[column_of(table, question.text)] for row in rows_of(table, question.text)}
        assert len(values) == 1, question
        assert (question.answer == "no") == (values <= EMPTY), question


def test_what_cannot_be_told_is_not_in_the_table(asked):
    for table, question in of_type(asked, "cannot_tell"):
        rows = rows_of(table, question.text)
        assert not rows or "no column" in question.sentence, question


def test_descriptions_name_title_headings_and_rows(asked):
    for table, question in of_type(asked, "describe"):
        expected = [*table.strings[0], *(row[0] for row in body(table))]
        assert list(question.elements) == ([table.title.text] if table.title else []) + expected
        assert all(element in question.sentence for element in question.elements)


def test_nothing_can_be_guessed_without_the_picture(asked):
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    first = Counter()
    for table, question in asked:
        counts[question.type][question.answer] += 1
        if question.type in ("lookup", "largest", "smallest"):
            first[question.type] += (question.answer == body(table)[0][0].lower()) - 1 / len(body(table))
    for type in ("compare", "exists", "exists_not", "missing"):
        assert max(counts[type].values()) / counts[type].total() < 0.57, counts[type]
    assert max(counts["count_rows"].values()) / counts["count_rows"].total() < 1.35 / 8
    assert max(counts["count_columns"].values()) / counts["count_columns"].total() < 1.35 / 6
    for type in ("cell", "sum", "difference"):
        assert max(counts[type].values()) / counts[type].total() < 0.05
    for type, excess in first.items():
        assert abs(excess) / counts[type].total() < 0.06, type


def test_questions_are_filled_in_and_never_twice(tables):
    for i, table in enumerate(tables):
        questions = FAMILY.ask(table, Random(i))
        assert len({question.text for question in questions}) == len(questions) <= 12
        assert not any(re.search(r"[{}]", f"{question.text}{question.sentence}") for question in questions)


def test_a_row_of_another_length_is_refused(tables):
    table = tables[0].model_dump()
    table["rows"] = [table["rows"][0][:-1]]
    with pytest.raises(ValueError, match="row 1 has"):
        type(tables[0]).model_validate(table)
