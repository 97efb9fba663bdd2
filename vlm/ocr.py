"""The text in a picture, with the models that the `rapidocr` wheel carries (PP-OCRv6, Apache-2.0).

    picture -> detector -> a slanted rectangle around each line -> strips of height 48 -> recogniser -> Labels

Only the wheel's files are used, never its code, which would fetch a missing model and set up logging: this module opens
no connection, says nothing, and loads nothing before the first picture. Both networks run in onnxruntime.
"""

import functools
import importlib.util
import math
import os
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .images import to_rgb
from .ocr_angles import around, around_ink, upward_stacks
from .ocr_glyphs import Rectangle, core, faint_spots, snapped
from .ocr_ink import LARGEST, ink_lines
from .ocr_letters import find_letters, of_one_kind
from .ocr_lines import COLUMN, HEIGHT, Line, Reading, cuts, fuller, in_line, in_reading_order, to_labels, to_strip
from .structure import Label

# Detection. Sizes in pixels of the picture as the detector sees it: enlarged or reduced to about this area.
DETECTION_AREA = 500_000
SMALLER_AREAS = (250_000, 125_000)  # where what is blurred stands out
GLANCE_AREA = 125_000  # to see only whether there is any
MAX_ENLARGEMENT = 3.0
MARGIN = 16
STRIDE = 32  # the detector wants sides that are multiples of it
TEXT_PIXEL = 0.3  # from which probability a pixel is text
MIN_SCORE = 0.5  # mean probability of a line's pixels
MIN_SIDE = 3.0
MAX_LINES = 500
GROW = 1.6  # the detector marks the core of a line: this much of area / perimeter is added on every side
# Recognition.
MIN_WIDTH = 48
BATCH_COLUMNS = 2048  # widths of the strips of one batch, together
TALL = 1.5  # height / width from which a line may run upwards or downwards
MIN_CONFIDENCE = 0.5
MIN_FAINT_CONFIDENCE = 0.8
MIN_SECOND_CONFIDENCE = 0.9
MIN_LETTER_CONFIDENCE = 0.75  # of letters that stand alone among others that do
MIN_INK_CONFIDENCE, MIN_SHORT_INK_CONFIDENCE = 0.7, 0.85  # of what the detector did not find; of a letter or two
FEW, COMPANY = 3, 4  # so few lines may be a failure of the detector; so many together are no accident
CUT = 1.5  # height around a whole letter / of a line, from which the line cuts through it
LYING = 3.0  # height / width from which a single letter is not upright
SURE = 0.95  # what is read less surely is read otherwise, too
SQUARE = 0.8  # height / width from which two letters may run upwards
SHORT = 1.6  # width / height up to which a line may be a letter or two
ACCENTED = 6.0  # times as likely as the plain letter: then it has its accent, which in English few have

SIGNS = "–—‘’“”•…€−≤≥≈→←↑↓℃"  # noqa: RUF001 - beside letters: what English text may contain


@dataclass(frozen=True)
class Engine:
    detector: Any  # onnxruntime.InferenceSession
    recogniser: Any
    characters: np.ndarray  # [classes] of str; class 0 is "nothing"
    latin: np.ndarray  # [classes] of bool: what English text is written with, and "nothing"
    plain: np.ndarray  # [classes] of int: the same letter without its accent


@dataclass(frozen=True)
class Read:
    """A line with what was read in it, and how: turned by so many quarter turns counter-clockwise."""

    line: Line
    turn: int
    strip: np.ndarray
    reading: Reading

    @property
    def is_sure(self) -> bool:
        return self.reading.confidence >= SURE


NOTHING = Reading("", 0.0, (), ())


def read_words(image: Image.Image) -> tuple[Label, ...] | None:
    """The lines of text in an RGB picture, in reading order; None if the extra `read` is not installed."""
    models = _find_models()
    if models is None:
        return None
    return in_reading_order(_words(_load_engine(*models), image, DETECTION_AREA))


def _words(engine: Engine, image: Image.Image, area: int) -> list[Label]:
    """The lines that are found in a copy of about that area."""
    pixels = np.asarray(to_rgb(image))
    sure, faint, huge, strokes = _detect(engine, image, area)
    alone = [
        whole
        for line in faint
        if (whole := snapped(pixels, line)) and not any(line.holds(whole.centre) for line in sure)
    ]
    single = _read(engine, pixels, [(number, line, 0) for number, line in enumerate(alone)]).values()
    reads = [
        *_read_lines(engine, pixels, sure),
        *(one for one in single if one.reading.confidence >= MIN_FAINT_CONFIDENCE and one.reading.text.isalnum()),
    ]
    reads += _read_upwards(engine, pixels, reads)
    reads += _read_by_ink(engine, pixels, strokes, huge)
    reads = [read for read in reads if read.reading.confidence >= MIN_CONFIDENCE]
    return [
        label for read in _without_doubles(reads) for label in to_labels(read.line, read.reading, read.turn, read.strip)
    ]


def with_blurred(image: Image.Image, words: tuple[Label, ...]) -> tuple[Label, ...]:
    """The words of a picture with those that stand out in smaller copies of it."""
    models = _find_models()
    if models is None:
        return words
    found = [word for area in SMALLER_AREAS for word in _words(_load_engine(*models), image, area)]
    return in_reading_order(fuller(words, found))


def with_letters(image: Image.Image, words: tuple[Label, ...]) -> tuple[Label, ...]:
    """The words of a picture with the letters or digits that stand alone, as names, among which they were missed."""
    models = _find_models()
    if models is None:
        return words
    pixels = np.asarray(to_rgb(image))
    lines = find_letters(pixels, words)
    reads = _read(_load_engine(*models), pixels, [(number, line, 0) for number, line in enumerate(lines)]).values()
    sure = [read for read in reads if read.reading.confidence >= MIN_LETTER_CONFIDENCE and len(read.reading.text) == 1]
    labels = [label for read in sure for label in to_labels(read.line, read.reading, read.turn, read.strip)]
    letters = of_one_kind([label for label in labels if label.text.isalnum()], words)
    return in_reading_order([*words, *letters]) if letters else words


def with_inked(image: Image.Image, words: tuple[Label, ...]) -> tuple[Label, ...]:
    """The words of a drawing with those that the detector passed over, as it does between bars and in a legend."""
    models = _find_models()
    if models is None:
        return words
    pixels = np.asarray(to_rgb(image))
    lines = [line for line in ink_lines(*_copy(image, DETECTION_AREA)) if not any(_lies_in(line, one) for one in words)]
    reads = [read for read in _read_lines(_load_engine(*models), pixels, lines) if read.is_sure]
    labels = [label for read in reads for label in to_labels(read.line, read.reading, read.turn, read.strip)]
    found = [label for label in labels if len(label.text) > 1 or any(in_line(label.box, one.box) for one in words)]
    found = [label for label in found if not any(cuts(label.box, one.box) for one in words)]
    return in_reading_order(fuller(words, found)) if found else words


def _lies_in(line: Line, word: Label) -> bool:
    (x, y), (left, top, right, bottom) = line.centre, word.box
    return left < x < right and top < y < bottom


def is_installed() -> bool:
    """Whether text can be read: whether the extra `read` is there."""
    return _find_models() is not None


def _find_models() -> tuple[Path, Path] | None:
    """The files of the detector and the recogniser in the wheel; nothing is imported to find them."""
    wheel, *others = (importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime", "cv2"))
    if wheel is None or None in others:
        return None
    folder = Path(wheel.submodule_search_locations[0]) / "models" if wheel.submodule_search_locations else Path()
    detectors, recognisers = sorted(folder.glob("*_det_*.onnx")), sorted(folder.glob("*_rec_*.onnx"))
    return (detectors[-1], recognisers[-1]) if detectors and recognisers else None


@functools.cache
def _load_engine(detector: Path, recogniser: Path) -> Engine:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = len(os.sched_getaffinity(0))
    options.log_severity_level = 4
    options.enable_cpu_mem_arena = False  # it would keep the memory of the largest picture
    first, second = (
        onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])
        for path in (detector, recogniser)
    )
    characters = ["", *second.get_modelmeta().custom_metadata_map["character"].splitlines(), " "]
    latin = np.array([_is_latin(one) for one in characters])
    numbers = {one: number for number, one in enumerate(characters)}
    letters = (unicodedata.normalize("NFD", one)[:1] if ok else one for one, ok in zip(characters, latin, strict=True))
    plain = np.array([numbers.get(letter, number) for number, letter in enumerate(letters)])
    return Engine(first, second, np.array(characters, object), latin, plain)


def _is_latin(character: str) -> bool:
    """Whether English text, or a number with its unit, may contain it."""
    return all(ord(c) < 0x250 or unicodedata.name(c, "").startswith("GREEK") or c in SIGNS for c in character)


def has_text(image: Image.Image) -> bool | None:
    """Whether there seems to be text in an RGB picture, told from a small copy, at a fraction of the cost of reading
    it; None if the extra `read` is not installed.
    """
    models = _find_models()
    if models is None:
        return None
    chances, *_ = _find_text(_load_engine(*models), image, GLANCE_AREA)
    return bool((chances > TEXT_PIXEL).any())


def _find_text(engine: Engine, image: Image.Image, area: int) -> tuple[np.ndarray, np.ndarray, float]:
    """How likely each pixel of a copy of about that area belongs to text [H, W]; the copy [H, W, 3], and its scale."""
    import cv2

    seen, scale = _copy(image, area)
    bottom, right = (MARGIN + -(side + 2 * MARGIN) % STRIDE for side in seen.shape[:2])
    framed = cv2.copyMakeBorder(seen, MARGIN, bottom, MARGIN, right, cv2.BORDER_REPLICATE)
    return _run(engine.detector, _normalised(framed)[None])[0, 0], seen, scale


def _copy(image: Image.Image, area: int) -> tuple[np.ndarray, float]:
    """A copy [H, W, 3] of about that area, and its scale."""
    width, height = image.size
    scale = min(MAX_ENLARGEMENT, math.sqrt(area / (width * height)), area / (STRIDE * max(width, height)))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return np.asarray(to_rgb(image).resize(size, Image.Resampling.BICUBIC)), scale


def _detect(engine: Engine, image: Image.Image, area: int) -> tuple[list[Line], list[Line], list[Line], list[Line]]:
    """The lines of text, where single letters may be, huge letters, and where ink looks like text beside few lines."""
    import cv2

    chances, seen, scale = _find_text(engine, image, area)
    mask = cv2.dilate((chances > TEXT_PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    sure: list[Line] = []
    huge: list[Line] = []
    taken = np.zeros_like(mask)
    for contour in cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)[0][:MAX_LINES]:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) >= MIN_SIDE and _score(chances, contour) >= MIN_SCORE:
            (huge if min(rectangle[1]) > LARGEST else sure).append(_to_line(rectangle, scale))
            cv2.drawContours(taken, [contour], 0, 1.0, -1)
    strokes = ink_lines(seen, scale) if huge or len(sure) < FEW else []
    strokes = [line for line in strokes if not any(other.holds(line.centre) for other in sure)]
    return sure, [_to_line(rectangle, scale) for rectangle in faint_spots(chances, taken)], huge, strokes


def _score(chances: np.ndarray, contour: np.ndarray) -> float:
    """The mean probability inside a contour."""
    import cv2

    left, top, width, height = cv2.boundingRect(contour)
    part = chances[top : top + height, left : left + width]
    mask = np.zeros(part.shape, np.uint8)
    cv2.drawContours(mask, [contour - (left, top)], 0, 1.0, -1)
    return cv2.mean(part, mask)[0]


def _to_line(rectangle: Rectangle, scale: float) -> Line:
    (x, y), (width, height), degrees = rectangle
    turns = round(degrees / 90)  # a quarter turn swaps the sides of the same rectangle
    if turns % 2:
        width, height = height, width
    grown = GROW * width * height / (width + height)
    centre = ((x + 0.5 - MARGIN) / scale, (y + 0.5 - MARGIN) / scale)
    return Line(centre, math.radians(degrees - 90 * turns), (width + grown) / scale, (height + grown) / scale)


def _read_lines(engine: Engine, pixels: np.ndarray, lines: Sequence[Line]) -> list[Read]:
    """What stands in each of the lines: where it is not read surely, also turned or along its ink."""
    best = _read(engine, pixels, [(number, line, turn) for number, line in enumerate(lines) for turn in _turns(line)])
    wanted = [(number, line, turn) for number, read in best.items() for line, turn in _other_ways(pixels, read)]
    for number, read in _read(engine, pixels, wanted).items():
        if read.reading.confidence > max(MIN_SECOND_CONFIDENCE, best[number].reading.confidence):
            best[number] = read
    return [best[number] for number in sorted(best)]


def _turns(line: Line) -> tuple[int, ...]:
    """Quarter turns, counter-clockwise, by which the text in a line may stand upright."""
    ratio = line.height / line.width
    return (0,) if ratio < TALL else (0, 3) if ratio < 2 * TALL else (3,)


def _other_ways(pixels: np.ndarray, read: Read) -> Iterator[tuple[Line, int]]:
    """Lines and turns by which a line may be read better: it is doubtful, or cuts through its only letter."""
    ratio = read.line.height / read.line.width
    is_short = 1 / SHORT < ratio < SHORT
    whole = snapped(pixels, read.line) if is_short and (not read.is_sure or len(read.reading.text) == 1) else None
    if whole and (not read.is_sure or whole.height > CUT * read.line.height):
        yield whole, 0
    if read.is_sure:
        return
    if whole and (inner := snapped(pixels, core(whole))):
        yield inner, 0
    if ratio > SQUARE:
        yield from ((read.line, turn) for turn in (3, 1) if turn != read.turn)
    if is_short:
        yield from ((line, 0) for line in around_ink(read.line, to_strip(pixels, read.line)))


def _read(engine: Engine, pixels: np.ndarray, wanted: Sequence[tuple[int, Line, int]]) -> dict[int, Read]:
    """The surest reading for each number, of what is wanted as (number, line, turn)."""
    strips = [to_strip(pixels, line, turn) for _, line, turn in wanted]
    best: dict[int, Read] = {}
    for (number, line, turn), strip, reading in zip(wanted, strips, _recognise(engine, strips), strict=True):
        if turn and len(reading.text) < 2 and line.height < LYING * line.width:
            continue  # a letter or dash on its side is another one
        if number not in best or reading.confidence > best[number].reading.confidence:
            best[number] = Read(line, turn, strip, reading)
    return best


def _read_upwards(engine: Engine, pixels: np.ndarray, reads: Sequence[Read]) -> list[Read]:
    """Texts whose letters lie on their backs and were read one by one: where one of them seems so, all are tried."""
    stacks = upward_stacks([read.line for read in reads])
    hints = [reads[i].line.centre for stack in stacks for i in stack if reads[i].turn or not reads[i].is_sure]
    if not hints:
        return []
    wanted = [(number, around([reads[i].line for i in stack]), 3) for number, stack in enumerate(stacks)]
    found = [read for read in _read(engine, pixels, wanted).values() if read.is_sure]
    return found if any(read.line.holds(centre) for read in found for centre in hints) else []


def _read_by_ink(engine: Engine, pixels: np.ndarray, strokes: Sequence[Line], huge: Sequence[Line]) -> list[Read]:
    """What the detector did not find, or took for huge letters with the bars around it."""
    wanted = [(number, line, turn) for number, line in enumerate(strokes) for turn in _turns(line)]
    small = [
        read
        for read in _read(engine, pixels, wanted).values()
        if read.reading.confidence >= (MIN_INK_CONFIDENCE if len(read.reading.text) > 2 else MIN_SHORT_INK_CONFIDENCE)
    ]
    small = small if len(small) >= COMPANY else []
    large = [read for read in _read_lines(engine, pixels, huge) if read.is_sure]
    return small + [read for read in large if not any(read.line.holds(one.line.centre) for one in small)]


def _without_doubles(reads: Sequence[Read]) -> list[Read]:
    """Of readings of the same place the longest that is sure."""
    kept: list[Read] = []
    for read in sorted(reads, key=lambda read: -len(read.reading.text) * read.reading.confidence):
        if not any(other.line.holds(read.line.centre) for other in kept):
            kept.append(read)
    return kept


def _recognise(engine: Engine, strips: Sequence[np.ndarray]) -> list[Reading]:
    readings = [NOTHING] * len(strips)
    waiting = sorted(range(len(strips)), key=lambda i: strips[i].shape[1])
    while waiting:
        widest = _padded_width(strips[waiting[-1]])
        batch = waiting[-max(1, BATCH_COLUMNS // widest) :]
        batch = [i for i in batch if _padded_width(strips[i]) * 1.3 >= widest]
        del waiting[-len(batch) :]
        inputs = np.zeros((len(batch), 3, HEIGHT, widest), np.float32)
        for row, i in enumerate(batch):
            inputs[row, :, :, : strips[i].shape[1]] = _normalised(strips[i])
        for i, chances in zip(batch, _run(engine.recogniser, inputs), strict=True):
            readings[i] = _decode(engine, chances)
    return readings


def _padded_width(strip: np.ndarray) -> int:
    return max(MIN_WIDTH, -(-strip.shape[1] // COLUMN) * COLUMN)


def _decode(engine: Engine, chances: np.ndarray) -> Reading:
    """Connectionist temporal classification [T, classes]: repeats are one character, class 0 is none."""
    classes = chances.argmax(1)
    written = classes[classes != 0]
    if not len(written):
        return NOTHING
    if engine.latin[written].mean() >= 0.5 or len(written) < 4:  # the odd Chinese character in it is a misreading
        chances = np.where(engine.latin, chances, 0)
        classes = chances.argmax(1)
    steps = np.flatnonzero((classes != 0) & (classes != np.append(0, classes[:-1])))
    if not len(steps):
        return NOTHING
    written, plain = classes[steps], engine.plain[classes[steps]]
    is_plain = chances[steps, written] < ACCENTED * chances[steps, plain]  # else "i" is "í" at a little noise
    both = chances[steps, written] + (written != plain) * chances[steps, plain]
    confidence = float(np.where(is_plain, both, chances[steps, written]).mean())
    between = np.split(chances[:, -1], steps + 1)  # the last class is the space
    return Reading(
        text="".join(engine.characters[np.where(is_plain, plain, written)]),
        confidence=min(1.0, confidence),
        places=tuple((COLUMN * steps + COLUMN // 2).tolist()),
        spaces=tuple(float(part.max(initial=0.0)) for part in between[:-1]),
    )


def _normalised(pixels: np.ndarray) -> np.ndarray:
    """[H, W, 3] red, green, blue -> [3, H, W] blue, green, red from -1 to 1."""
    return pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 127.5 - 1


def _run(session: Any, inputs: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]
