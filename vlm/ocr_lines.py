"""A line of text between picture and recogniser: cut out and turned level, and what was read put back as labels.

    Line -> strip of height 48 -> (recogniser) -> Reading -> Labels with boxes around their ink

Only the line's own ink counts. The edge of a bar, the rules of a table, the border of a box and the tip of an arrow
reach into its strip from outside; letters do not reach its edge, since there is room around them.
"""

import math
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from .ocr_words import find_seams
from .structure import Box, Label

HEIGHT = 48
COLUMN = 8  # pixels of a strip per step of the recogniser
MAX_WIDTH = 2400
LARGE = 4 * HEIGHT  # of a line that is cut out smaller than it is
INK = 0.35  # what differs from the background by this much of the greatest difference
GAP = 0.6  # in heights of the ink: texts further apart are two
ASIDE = 0.25  # in heights of the ink: what is further apart from the letters, and was not read, is no letter
DASHES = "-–—&+=:"  # noqa: RUF001 - what is not the end of a text, nor its beginning
SPACES = ((0.1, 0.08), (0.03, 0.28), (0.005, 0.33))  # it has this chance: it is one if the gap is so many heights wide
WORDS = ((-1.0, 0.18), (0.005, 0.08))  # the same between two words that together are none
UNIT = 0.22  # between a digit and its unit there is a space if the gap is so many heights wide
MAX_LENGTH = 200
EDGE = 2  # what comes so near to the edge of the strip comes from outside
FAR = 0.25  # in heights of the ink: more than a dot is above its i
SPECK = 6  # pixels; a full stop has more
SAME_PLACE = 0.6  # of the smaller of two boxes lies in the other: one text was read twice
PART = 0.1  # of it does: one text holds a part of the other
ALIGNED = 0.25  # of its height: what is so little off stands in line
STROKES = "Il1"  # letters that may be the edge of something
NUMBER = re.compile(r"[-–+~<>]?[€$£¥]?[-–]?[\dOolI|]+([.,  ]?[\dOolI|]+)*\s?(%|[kKMB]|°C?)?")  # noqa: RUF001
DIGITS = str.maketrans("OolI|", "00111")
ZERO = re.compile(r"\b0(?=[a-z]{3})")  # that is the first letter of a word


@dataclass(frozen=True)
class Line:
    """A rectangle with a line of text and some room around it, in pixels of the picture."""

    centre: tuple[float, float]
    angle: float  # radians, clockwise, of the rectangle's flatter side
    width: float
    height: float

    @property
    def corners(self) -> np.ndarray:
        """[4, 2]: top left, top right, bottom right, bottom left."""
        x = np.array((math.cos(self.angle), math.sin(self.angle))) * self.width / 2
        y = np.array((-math.sin(self.angle), math.cos(self.angle))) * self.height / 2
        return np.array(self.centre) + np.array((-x - y, x - y, x + y, y - x))

    def holds(self, point: tuple[float, float]) -> bool:
        x, y = point[0] - self.centre[0], point[1] - self.centre[1]
        c, s = math.cos(self.angle), math.sin(self.angle)
        return abs(c * x + s * y) < self.width / 2 and abs(c * y - s * x) < self.height / 2


@dataclass(frozen=True)
class Reading:
    text: str
    confidence: float
    places: tuple[int, ...]  # of each character's middle, in pixels of the strip
    spaces: tuple[float, ...]  # the chance that a space is before each character


def to_strip(pixels: np.ndarray, line: Line, turn: int = 0) -> np.ndarray:
    """[48, W, 3]: the line's pixels, turned level and by so many quarter turns counter-clockwise."""
    import cv2

    picture = np.rot90(_cut(pixels, line), turn)
    width = min(MAX_WIDTH, max(COLUMN, round(picture.shape[1] * HEIGHT / picture.shape[0])))
    return cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)


def _cut(pixels: np.ndarray, line: Line) -> np.ndarray:
    """Enlarged where it is small, and made smaller where it is far higher than a strip."""
    import cv2

    side = min(line.width, line.height)
    scale = max(1.0, HEIGHT / side) if side <= LARGE else LARGE / side
    if scale < 1:  # as a whole: what is turned takes its memory several times
        pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    corners = line.corners * min(1.0, scale)
    width, height = max(1, round(line.width * scale)), max(1, round(line.height * scale))
    target = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(corners.astype(np.float32) - 0.5, target)
    return cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def to_labels(line: Line, reading: Reading, turn: int, strip: np.ndarray) -> Iterator[Label]:
    """The texts of a line, apart where a wide gap is between them, with the box around the ink of each."""
    everything, ink = _own_ink(strip, reading)
    reading = _without_strangers(reading, everything, ink)
    rows = np.flatnonzero(ink.any(1))
    height = int(rows[-1]) + 1 - int(rows[0]) if len(rows) else HEIGHT
    inked = ink.max(0)
    reading = _spaced(reading, inked, height)
    for text, start, end in _pieces(reading, inked, GAP * height):
        left, right = _own_columns(inked, (start, end), reading, ASIDE * height)
        clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_LENGTH]
        clean = ZERO.sub("O", clean.replace("℃", "°C").replace("°°", "°"))
        if NUMBER.fullmatch(clean) and any(c.isdigit() or c in "€$£¥%" for c in clean):
            clean = clean.translate(DIGITS)
        part = ink[:, left:right]
        if clean and part.any():
            ys, xs = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
            inner = (left + int(xs[0]), int(ys[0]), left + int(xs[-1]) + 1, int(ys[-1]) + 1)
            yield Label(text=clean, box=_to_picture(line, inner, turn, ink.shape[1]), confidence=reading.confidence)


def _find_ink(strip: np.ndarray) -> np.ndarray:
    """[48, W] of bool: what is not the background's colour."""
    colours = strip.astype(np.float32)
    difference = abs(colours - np.median(colours, (0, 1))).max(2)
    return difference > max(1.0, INK * difference[HEIGHT // 5 : -HEIGHT // 5].max())


def foreign_parts(strip: np.ndarray, letters: Sequence[int] = ()) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The ink, the connected part that each pixel is of (0: the background), and which parts come from outside.

    What touches the left or right edge is the line's own if a letter is there.
    """
    import cv2

    ink = _find_ink(strip)
    _, parts, boxes, _ = cv2.connectedComponentsWithStats(ink.astype(np.uint8), connectivity=8)
    left, top, width, height, area = boxes.T
    places = np.array(letters, int)
    here = (left[:, None] - COLUMN // 2 <= places) & (places <= (left + width)[:, None] + COLUMN // 2)
    at_left, at_right = left <= EDGE, left + width >= ink.shape[1] - EDGE
    foreign = (top <= EDGE) | (top + height >= ink.shape[0] - EDGE)
    foreign |= (at_left & at_right) | (at_left | at_right) & ~here.any(1) | (area < SPECK)
    foreign |= _far_from_middle(top, top + height, foreign)
    foreign[0] = False
    return ink, parts, foreign


def _own_ink(strip: np.ndarray, reading: Reading) -> tuple[np.ndarray, np.ndarray]:
    """All ink, and that without what comes from outside; no letter loses its ink."""
    letters = [place for place, c in zip(reading.places, reading.text, strict=True) if c.isalnum()]
    ink, parts, foreign = foreign_parts(strip, letters)
    stood, stands = (_inked_at(mask, reading.places, COLUMN) for mask in (ink, ink & ~foreign[parts]))
    for place, c, lost in zip(reading.places, reading.text, stood & ~stands, strict=True):
        if lost and c.isalnum() and c not in STROKES:
            foreign[np.unique(parts[:, max(0, place - COLUMN) : place + COLUMN])] = False
    own = ink & ~foreign[parts]
    return ink, own if own.any() else ink


def _far_from_middle(tops: np.ndarray, bottoms: np.ndarray, foreign: np.ndarray) -> np.ndarray:
    """Which parts of the ink are far above or below those in the middle of the strip. The first is the background."""
    middle = ~foreign & (tops < 0.6 * HEIGHT) & (bottoms > 0.4 * HEIGHT)
    middle[0] = False
    if not middle.any():
        return np.zeros_like(foreign)
    top, bottom = tops[middle].min(), bottoms[middle].max()
    return np.maximum(top - bottoms, tops - bottom) > FAR * (bottom - top)


def _inked_at(ink: np.ndarray, places: tuple[int, ...], reach: int) -> np.ndarray:
    columns = ink.max(0)
    return np.array([bool(columns[max(0, place - reach) : place + reach].any()) for place in places], bool)


def _without_strangers(reading: Reading, everything: np.ndarray, own: np.ndarray) -> Reading:
    """Signs and lone strokes at both ends go that were read from ink that is not the line's own."""
    gone = _inked_at(everything, reading.places, COLUMN // 2) & ~_inked_at(own, reading.places, COLUMN // 2)
    apart = [" " in reading.text[max(0, i - 1) : i + 2] for i in range(len(reading.text))]
    strange = [
        bool(g) and (not c.isalnum() or (alone and c in STROKES))
        for g, alone, c in zip(gone, apart, reading.text, strict=True)
    ]
    first, last = 0, len(strange)
    while first < last and (strange[first] or reading.text[first].isspace()):
        first += 1
    while last > first and (strange[last - 1] or reading.text[last - 1].isspace()):
        last -= 1
    kept = slice(first, last)
    return Reading(reading.text[kept], reading.confidence, reading.places[kept], reading.spaces[kept])


def _spaced(reading: Reading, inked: np.ndarray, height: int) -> Reading:
    """With the spaces that the recogniser held possible, or that two words lack, and the ink shows."""
    text, numbers = reading.text, range(1, len(reading.text))
    gaps = [(0, 0)] + [_widest_gap(inked, reading.places[i - 1], reading.places[i]) for i in numbers]
    wide = [(end - first) / height for first, end in gaps]
    seams = find_seams(text, wide)
    added = [
        i for i in numbers
        if not text[i].isspace() and not text[i - 1].isspace() and i not in seams.inside
        and _is_space(text[i - 1 : i + 1], reading.spaces[i], wide[i], i in seams.between)
    ]  # fmt: skip
    places, spaces = list(reading.places), list(reading.spaces)
    for i in reversed(added):
        text = f"{text[:i]} {text[i:]}"
        places.insert(i, sum(gaps[i]) // 2)
        spaces.insert(i, 1.0)
    return Reading(text, reading.confidence, tuple(places), tuple(spaces))


def _is_space(pair: str, chance: float, wide: float, joins_words: bool) -> bool:
    """Whether there is a space between two characters, by what the recogniser says and the gap in the ink."""
    is_unit = pair[0] in "023456789" and (pair[1].isalpha() or pair[1] == "°") and wide > UNIT
    return is_unit or any(chance > least and wide > gap for least, gap in (*SPACES, *WORDS * joins_words))


def _pieces(reading: Reading, inked: np.ndarray, gap: float) -> Iterator[tuple[str, int, int]]:
    """Each text with the columns that it takes: cut in the middle of every gap in the ink between two characters."""
    start, left = 0, 0
    for i in range(1, len(reading.text)):
        if reading.text[i].isspace() or i == start:
            continue
        before = max((j for j in range(start, i) if not reading.text[j].isspace()), default=None)
        if before is None:
            continue
        first, end = _widest_gap(inked, reading.places[before], reading.places[i])
        joined = reading.text[before] in DASHES or reading.text[i] in DASHES
        if end - first > gap * (1 + joined):
            cut = (first + end) // 2
            yield reading.text[start:i], left, cut
            start, left = i, cut
    yield reading.text[start:], left, len(inked)


def _own_columns(inked: np.ndarray, ends: tuple[int, int], reading: Reading, aside: float) -> tuple[int, int]:
    """Of the columns from .. to of a text those without ink beyond a gap that was not read: a swatch, a bullet."""
    letters = [place for place, c in zip(reading.places, reading.text, strict=True) if not c.isspace()]
    letters = [place for place in letters if ends[0] <= place < ends[1]]
    if not letters:
        return ends
    edges = np.flatnonzero(np.diff(np.concatenate(([True], inked[slice(*ends)], [True])).astype(int))) + ends[0]
    gaps = [(int(left), int(right)) for left, right in edges.reshape(-1, 2) if right - left > aside]
    before = [right for _, right in gaps if right <= min(letters) + COLUMN // 2]
    behind = [left for left, _ in gaps if left >= max(letters) - COLUMN // 2]
    return max(before, default=ends[0]), min(behind, default=ends[1])


def _widest_gap(inked: np.ndarray, first: int, last: int) -> tuple[int, int]:
    """The columns from .. to of the widest gap in the ink between two places."""
    edges = np.flatnonzero(np.concatenate(([True], inked[first:last], [True])))
    widest = int(np.diff(edges).argmax())
    return first + int(edges[widest]), first + int(edges[widest + 1]) - 1


def _to_picture(line: Line, inner: Box, turn: int, width: int) -> Box:
    """A box in the strip of a line as an upright box in the picture."""
    left, top, right, bottom = inner[0] / width, inner[1] / HEIGHT, inner[2] / width, inner[3] / HEIGHT
    if turn == 3:  # the strip was turned clockwise: its right is the top of the line
        left, top, right, bottom = top, 1 - right, bottom, 1 - left
    elif turn == 1:
        left, top, right, bottom = 1 - bottom, left, 1 - top, right
    origin, end, _, below = line.corners
    points = [origin + x * (end - origin) + y * (below - origin) for x in (left, right) for y in (top, bottom)]
    (x0, y0), (x1, y1) = np.min(points, 0).tolist(), np.max(points, 0).tolist()
    return max(0.0, x0), max(0.0, y0), x1, y1


def fuller(words: Sequence[Label], found: Sequence[Label]) -> list[Label]:
    """Words with what else was found; of two readings of one place that with more letters, or the surer one."""
    kept = list(words)
    for one in sorted(found, key=_fullness, reverse=True):
        doubles = [word for word in kept if _overlap(word.box, one.box) > SAME_PLACE]
        letters = sum(len(word.text) for word in doubles)
        if letters <= len(one.text) and all(_fullness(word) < _fullness(one) for word in doubles):
            kept = [word for word in kept if word not in doubles] + [one]
    return kept


def cuts(one: Box, two: Box) -> bool:
    """Whether what stands in one box is a part of what stands in the other, and of nothing else."""
    return PART < _overlap(one, two) <= SAME_PLACE


def in_line(one: Box, two: Box) -> bool:
    """Whether two texts of one size stand in a row, or in a column whose edge they share."""
    heights = sorted((one[3] - one[1], two[3] - two[1]))
    off = [abs(a - b) / heights[1] for a, b in zip(one, two, strict=True)]
    in_row = max(off[1], off[3]) < ALIGNED
    return in_row or (heights[0] > (1 - ALIGNED) * heights[1] and min(off[0], off[2]) < ALIGNED)


def _fullness(word: Label) -> float:
    return len(word.text) * word.confidence


def _overlap(one: Box, two: Box) -> float:
    """How much of the smaller of two boxes lies in the other."""
    width, height = (min(one[i + 2], two[i + 2]) - max(one[i], two[i]) for i in (0, 1))
    smaller = min((box[2] - box[0]) * (box[3] - box[1]) for box in (one, two))
    return max(0.0, width) * max(0.0, height) / max(1e-6, smaller)


def in_reading_order(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Row by row from the top, each from left to right; a label belongs to a row that its middle lies in."""
    rows: list[list[Label]] = []
    for label in sorted(labels, key=lambda one: one.box[1] + one.box[3]):
        middle = (label.box[1] + label.box[3]) / 2
        if rows and rows[-1][0].box[1] < middle < rows[-1][0].box[3]:
            rows[-1].append(label)
        else:
            rows.append([label])
    return tuple(label for row in rows for label in sorted(row, key=lambda one: one.box[0]))
