"""Roles of a chart's words, taken together: what stands beside legend entries and has a colour is one of them too."""

import math
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from ..structure import Box
from ..structure.numbers import parse_number
from .legend import clear_colour, legend_entries, names_alone, swatch_offsets
from .seen import Seen, SeenWord, middle
from .spelling import MARKERS, with_dollars

ALIKE = 0.7  # least ratio of the heights of two entries of a legend
APART = 3.5  # text heights between two entries that stand over each other (at lines' ends: any) ...
BESIDE = 9.0  # ... or side by side, and the swatch between them
LEVEL = 0.5  # text heights by which words of one row or column may be out of line
COLOURED = 45.0  # of 255: a swatch differs so much from the paper around it
OTHER = 0.9  # who is so surely a tick or a category is no legend entry
LOWER = ("category title", "legend", "tick", "x tick", "category")  # what second lines are taken for
CLOSE = 0.8  # text heights between two lines of a label
ROW = 3  # labels in a row are no accident


def settle_roles(seen: Seen, form: str) -> Seen:
    words = list(seen.words)
    if form not in ("pie", "scatter"):
        words = _ticks_to_categories(words, upright=not form.endswith("across"))
        words = words if form.endswith("across") else _second_lines(words)
    seen = replace(seen, words=tuple(_with_names_alone(seen, words)))
    words = _legend_completed(seen, apart=math.inf if form == "line" else APART)
    words = _with_names_alone(seen, words)
    return replace(seen, words=tuple(_with_dollars(_without_markers(words))))


def _with_names_alone(seen: Seen, words: list[SeenWord]) -> list[SeenWord]:
    legend = [i for i, word in enumerate(words) if word.role == "legend"]
    names = dict(zip(legend, names_alone(seen, [words[i] for i in legend]), strict=True))
    return [names.get(i, word) for i, word in enumerate(words)]


def _with_dollars(words: list[SeenWord]) -> list[SeenWord]:
    """Amounts of one kind, each with its "$"."""
    texts = {id(word): word.label.text for word in words}
    for role in ("tick", "x tick", "written"):
        own = [word for word in words if word.role == role]
        texts |= zip(map(id, own), with_dollars([word.label.text for word in own]), strict=True)
    return [replace(word, label=word.label.model_copy(update={"text": texts[id(word)]})) for word in words]


def _second_lines(words: list[SeenWord]) -> list[SeenWord]:
    """What stands below two labels or more, close and in line with each, is their second line."""
    labels = [word.label.box for word in words if word.role == "category"]
    below = [word for word in words if word.role in LOWER and any(_under(word.label.box, box) for box in labels)]
    rows = [[one for one in below if _in_line(one, word, 1)] for word in below]
    row = max(rows, key=len, default=[])
    if len(row) < 2:
        return words
    return [replace(word, role="category") if word in row else word for word in words]


def _under(lower: Box, upper: Box) -> bool:
    height = min(lower[3] - lower[1], upper[3] - upper[1])
    is_close = -0.3 * height < lower[1] - upper[3] < CLOSE * height
    return is_close and abs(middle(lower)[0] - middle(upper)[0]) < LEVEL * height


def _without_markers(words: list[SeenWord]) -> list[SeenWord]:
    """Without what markers beside the names of series were read as."""
    legend = [word for word in words if word.role == "legend"]
    kept = []
    for word in words:
        right = word.label.box[2]
        is_marker = (
            word in legend
            and word.label.text in MARKERS
            and any(
                0 < one.label.box[0] - right < 2 * (one.label.box[3] - one.label.box[1]) and _in_line(one, word, 1)
                for one in legend
            )
        )
        if not is_marker:
            kept.append(word)
    return kept


def _ticks_to_categories(words: list[SeenWord], upright: bool) -> list[SeenWord]:
    """Years below bars look like ticks; but the ticks of an axis that runs up do not stand in a row."""
    if sum(word.role == "category" for word in words) >= 2:
        return words
    ticks = [word for word in words if word.role == "tick"]
    lines = [[one for one in ticks if _in_line(one, word, 1 if upright else 0)] for word in ticks]
    row = max(lines, key=len, default=[])
    if len(row) < ROW:
        return words
    return [replace(word, role="category") if word in row else word for word in words]


def _in_line(one: SeenWord, two: SeenWord, axis: int) -> bool:
    """Whether two words stand in a row (axis 1) or in a column (axis 0), by one of their edges or their middles."""
    height = min(word.label.box[3] - word.label.box[1] for word in (one, two))
    edges = [abs(one.label.box[i] - two.label.box[i]) for i in (axis, axis + 2)]
    return min(*edges, abs(middle(one.label.box)[axis] - middle(two.label.box)[axis])) < LEVEL * height


def _legend_completed(seen: Seen, apart: float) -> list[SeenWord]:
    """The words, more of them legend entries: such as stand by one, with a colour at the same side of them."""
    words = list(seen.words)
    known = [word for word in words if word.role == "legend"]
    offsets = swatch_offsets(seen, known)
    colours = [np.array(entry.colour.rgb, float) for entry in legend_entries(seen, known)]
    grown = True
    while grown:
        grown = False
        for i, word in enumerate(words):
            if word.role == "legend" or _is_other(word, words):
                continue
            near = [j for j, one in enumerate(known) if _beside(word, one, apart)]
            colour = _swatch_colour(seen, word, offsets[near[0]]) if near else None
            if colour is not None and min(np.linalg.norm(colour - one) for one in colours) > COLOURED / 2:
                words[i] = replace(word, role="legend")
                known.append(words[i])
                offsets.append(offsets[near[0]])
                colours.append(colour)
                grown = True
    return words


def _is_other(word: SeenWord, words: Sequence[SeenWord]) -> bool:
    """Whether a word is surely something else: a number of an axis or at a mark, a category among others."""
    if word.label.confidence < OTHER:
        return False
    if word.role in ("tick", "x tick", "written"):
        return parse_number(word.label.text) is not None
    alike = [one for one in words if one.role == word.role and (_in_line(one, word, 0) or _in_line(one, word, 1))]
    return word.role == "category" and len(alike) > 1


def _beside(word: SeenWord, entry: SeenWord, apart: float) -> bool:
    one, two = word.label.box, entry.label.box
    heights = sorted((one[3] - one[1], two[3] - two[1]))
    if heights[0] < ALIKE * heights[1]:
        return False
    is_below = abs(one[0] - two[0]) < LEVEL * heights[0]
    is_level = abs(middle(one)[1] - middle(two)[1]) < LEVEL * heights[0]
    gap_x, gap_y = max(one[0], two[0]) - min(one[2], two[2]), max(one[1], two[1]) - min(one[3], two[3])
    return (is_level and 0 < gap_x < BESIDE * heights[1]) or (is_below and -1 < gap_y < apart * heights[1])


def _swatch_colour(seen: Seen, word: SeenWord, offset: tuple[float, float]) -> np.ndarray | None:
    """The colour where the swatch of a word would be; None where there is only paper."""
    left, top, right, bottom = word.label.box
    x, y = left + offset[0], (top + bottom) / 2 + offset[1]
    if not (0 <= x < seen.image.width and 0 <= y < seen.image.height) or left <= x <= right:
        return None
    colour = np.array(clear_colour(seen, (x, y), max(3.0, 0.75 * (bottom - top)), word).rgb, float)
    pixels = np.asarray(seen.image)
    rows = [min(max(int(row), 0), len(pixels) - 1) for row in (top - 2, bottom + 1)]  # above and below the word
    paper = np.median(pixels[rows, int(left) : int(right) + 1].reshape(-1, 3), axis=0)
    return colour if np.linalg.norm(colour - paper) > COLOURED else None
