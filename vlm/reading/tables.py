"""Tables: words that share a row or a column."""

from ..structure import Cell, Table
from .seen import SAME, Seen, SeenWord, around, joined, middle


def read_table(seen: Seen) -> Table | None:
    words = seen.of_role("header", "cell")
    title = seen.title()
    if title is None and words:  # what stands alone above the rest is none of its rows
        top = min(groups(seen, words, "row"), key=lambda group: min(word.label.box[1] for word in group))
        if len(top) == 1:
            title, words = top[0].label, [word for word in words if word is not top[0]]
    rows, columns = groups(seen, words, "row"), groups(seen, words, "column")
    columns = whole_columns(columns, rows)
    if len(rows) < 2 or len(columns) < 2:
        return None
    rows.sort(key=lambda group: sum(middle(word.label.box)[1] for word in group) / len(group))
    columns.sort(key=lambda group: sum(middle(word.label.box)[0] for word in group) / len(group))
    cells = [[_cell(seen, row, column) for column in columns] for row in rows]
    return Table(
        width=seen.image.width, height=seen.image.height, title=title, header=tuple(cells[0]),
        rows=tuple(map(tuple, cells[1:])), header_column=False, total_row=False,
    )  # fmt: skip


def groups(seen: Seen, words: list[SeenWord], relation: str) -> list[list[SeenWord]]:
    """Words that share a row (or a column): each joins the group that it shares it with, on the whole, the most."""
    found: list[list[SeenWord]] = []
    axis = 1 if relation == "row" else 0
    for word in sorted(words, key=lambda one: middle(one.label.box)[axis]):
        shared = [
            sum(seen.related(word, one, relation) for one in group) / len(group) if _level(word, group, axis) else 0.0
            for group in found
        ]
        best = max(range(len(found)), key=shared.__getitem__, default=None)
        if best is not None and shared[best] > SAME:
            found[best].append(word)
        else:
            found.append([word])
    return found


def whole_columns(columns: list[list[SeenWord]], rows: list[list[SeenWord]]) -> list[list[SeenWord]]:
    """Columns that stand over each other and share no row are one."""
    row_of = {id(word): number for number, row in enumerate(rows) for word in row}
    found: list[list[SeenWord]] = []
    for column in sorted(columns, key=len, reverse=True):
        taken = {row_of[id(word)] for word in column}
        left, right = _extent(column)
        for other in found:
            low, high = _extent(other)
            shared = min(right, high) - max(left, low)
            apart = taken.isdisjoint(row_of[id(word)] for word in other)
            if apart and shared > 0.3 * min(right - left, high - low):
                other += column
                break
        else:
            found.append(list(column))
    return found


def _extent(column: list[SeenWord]) -> tuple[float, float]:
    boxes = [word.label.box for word in column]
    return min(box[0] for box in boxes), max(box[2] for box in boxes)


def _level(word: SeenWord, group: list[SeenWord], axis: int) -> bool:
    """Whether a word reaches into the band of a group: of a row, half of the lower one's height; of a column, nearly.

    A heading at the left of its column and short numbers at the right of it have a gap between them.
    """
    low, high = word.label.box[axis], word.label.box[axis + 2]
    lows, highs = ([one.label.box[edge] for one in group] for edge in (axis, axis + 2))
    if axis == 1:
        upper, lower = sum(lows) / len(lows), sum(highs) / len(highs)
        return min(high, lower) - max(low, upper) > 0.5 * min(high - low, lower - upper)
    height = max(one.label.box[3] - one.label.box[1] for one in (word, *group))
    return min(high, max(highs)) > max(low, min(lows)) - height


def _cell(seen: Seen, row: list[SeenWord], column: list[SeenWord]) -> Cell:
    """What stands where a row and a column meet, and how surely it belongs to both."""
    height = around(word.label.box for word in row)
    width = around(word.label.box for word in column)
    box = (width[0], height[1], width[2], height[3])
    here = [word for word in row if word in column]
    label = joined(here)
    if label is None:
        return Cell(label=None, box=box)
    sure = min(
        _belongs(seen, word, group, relation) for word in here for group, relation in ((row, "row"), (column, "column"))
    )
    return Cell(label=label, box=box, confidence=seen.vocabulary.calibrated("cell", min(1.0, sure * label.confidence)))


def _belongs(seen: Seen, word: SeenWord, group: list[SeenWord], relation: str) -> float:
    others = [seen.related(word, one, relation) for one in group if one is not word]
    return sum(others) / len(others) if others else 1.0
