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

from .structure import Box, Label

# Detection. Sizes in pixels of the picture as the detector sees it: enlarged or reduced to about this area.
DETECTION_AREA = 500_000
MAX_ENLARGEMENT = 3.0
MARGIN = 16
STRIDE = 32  # the detector wants sides that are multiples of it
TEXT_PIXEL = 0.3  # from which probability a pixel is text
MIN_SCORE = 0.5  # mean probability of a line's pixels
MIN_SIDE = 3.0
MAX_LINES = 500
GROW = 1.6  # the detector marks the core of a line: this much of area / perimeter is added on every side
# Recognition.
HEIGHT = 48
COLUMN = 8  # pixels of a strip per step of the recogniser
MIN_WIDTH, MAX_WIDTH = 48, 2400
BATCH_COLUMNS = 2048  # widths of the strips of one batch, together
TALL = 1.5  # height / width from which a line may run upwards or downwards
MIN_CONFIDENCE = 0.5
INK = 0.35  # what differs from the background by this much of the greatest difference
GAP = 0.6  # in heights of the ink: texts further apart are two
SIGNS = "–—‘’“”•…€−≤≥≈→←↑↓℃"  # noqa: RUF001 - beside letters: what English text may contain
MAX_LENGTH = 200


@dataclass(frozen=True)
class Engine:
    detector: Any  # onnxruntime.InferenceSession
    recogniser: Any
    characters: np.ndarray  # [classes] of str; class 0 is "nothing"
    latin: np.ndarray  # [classes] of bool: what English text is written with, and "nothing"


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


@dataclass(frozen=True)
class Reading:
    text: str
    confidence: float
    places: tuple[int, ...]  # of each character's middle, in pixels of the strip


NOTHING = Reading("", 0.0, ())


def read_words(image: Image.Image) -> tuple[Label, ...] | None:
    """The lines of text in an RGB picture, in reading order; None if the extra `read` is not installed."""
    models = _find_models()
    if models is None:
        return None
    engine = _load_engine(*models)
    pixels = np.asarray(image.convert("RGB"))
    labels = _read_lines(engine, pixels, _detect(engine, image), MIN_CONFIDENCE)
    return _in_reading_order(labels)


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
    return Engine(first, second, np.array(characters, object), np.array([_is_latin(one) for one in characters]))


def _is_latin(character: str) -> bool:
    """Whether English text, or a number with its unit, may contain it."""
    return all(ord(c) < 0x250 or unicodedata.name(c, "").startswith("GREEK") or c in SIGNS for c in character)


def _detect(engine: Engine, image: Image.Image) -> list[Line]:
    import cv2

    width, height = image.size
    scale = min(
        MAX_ENLARGEMENT,
        math.sqrt(DETECTION_AREA / (width * height)),
        DETECTION_AREA / (STRIDE * max(width, height)),
    )
    size = max(1, round(width * scale)), max(1, round(height * scale))
    seen = np.asarray(image.convert("RGB").resize(size, Image.Resampling.BICUBIC))
    right, bottom = (MARGIN + -(side + 2 * MARGIN) % STRIDE for side in size)
    framed = cv2.copyMakeBorder(seen, MARGIN, bottom, MARGIN, right, cv2.BORDER_REPLICATE)
    chances = _run(engine.detector, _normalised(framed)[None])[0, 0]  # [H, W]
    mask = cv2.dilate((chances > TEXT_PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    rectangles = map(cv2.minAreaRect, contours[:MAX_LINES])
    return [
        _to_line(rectangle, scale)
        for rectangle in rectangles
        if min(rectangle[1]) >= MIN_SIDE and _score(chances, cv2.boxPoints(rectangle)) >= MIN_SCORE
    ]


def _score(chances: np.ndarray, corners: np.ndarray) -> float:
    """The mean probability inside a rectangle."""
    import cv2

    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(0)).astype(int) + 1
    part = chances[top:bottom, left:right]
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, [(corners - (left, top)).astype(np.int32)], 1.0)
    return cv2.mean(part, mask)[0]


def _to_line(rectangle: tuple[Sequence[float], Sequence[float], float], scale: float) -> Line:
    (x, y), (width, height), degrees = rectangle
    turns = round(degrees / 90)  # a quarter turn swaps the sides of the same rectangle
    if turns % 2:
        width, height = height, width
    grown = GROW * width * height / (width + height)
    centre = ((x + 0.5 - MARGIN) / scale, (y + 0.5 - MARGIN) / scale)
    return Line(centre, math.radians(degrees - 90 * turns), (width + grown) / scale, (height + grown) / scale)


def _read_lines(engine: Engine, pixels: np.ndarray, lines: Sequence[Line], confidence: float) -> list[Label]:
    """What stands in the lines, where it is read with this confidence."""
    tries = []
    for number, line in enumerate(lines):
        picture = _cut(pixels, line)
        ratio = line.height / line.width
        turns = (0,) if ratio < TALL else (0, 3, 1) if ratio < 2 * TALL else (3, 1)  # counter-clockwise
        tries += [(number, turn, _to_strip(np.rot90(picture, turn))) for turn in turns]
    readings = _recognise(engine, [strip for _, _, strip in tries])
    best: dict[int, tuple[Reading, int, np.ndarray]] = {}
    for (number, turn, strip), reading in zip(tries, readings, strict=True):
        if number not in best or reading.confidence > best[number][0].confidence:
            best[number] = reading, turn, strip
    return [
        label
        for number, (reading, turn, strip) in best.items()
        if reading.confidence >= confidence
        for label in _to_labels(lines[number], reading, turn, strip)
    ]


def _cut(pixels: np.ndarray, line: Line) -> np.ndarray:
    """The line's pixels, turned level; enlarged where it is small."""
    import cv2

    scale = max(1.0, HEIGHT / min(line.width, line.height))
    width, height = max(1, round(line.width * scale)), max(1, round(line.height * scale))
    target = np.array(((0, 0), (width, 0), (width, height), (0, height)), np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(line.corners.astype(np.float32) - 0.5, target)
    return cv2.warpPerspective(pixels, matrix, (width, height), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _to_strip(picture: np.ndarray) -> np.ndarray:
    import cv2

    width = min(MAX_WIDTH, max(COLUMN, round(picture.shape[1] * HEIGHT / picture.shape[0])))
    return cv2.resize(picture, (width, HEIGHT), interpolation=cv2.INTER_AREA)


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
    confidence = float(chances[steps, classes[steps]].mean())
    return Reading(
        "".join(engine.characters[classes[steps]]), min(1.0, confidence), tuple(COLUMN * steps + COLUMN // 2)
    )


def _to_labels(line: Line, reading: Reading, turn: int, strip: np.ndarray) -> Iterator[Label]:
    """The texts of a line, apart where a wide gap is between them, with the box around the ink of each."""
    grey = strip.astype(np.float32).mean(2)
    difference = abs(grey - np.median(grey))
    ink = difference > max(1.0, INK * difference.max())
    rows = np.flatnonzero(ink.any(1))
    top, bottom = (int(rows[0]), int(rows[-1]) + 1) if len(rows) else (0, HEIGHT)
    for text, left, right in _pieces(reading, ink.any(0), GAP * (bottom - top)):
        clean = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_LENGTH]
        clean = clean.replace("℃", "°C").replace("°°", "°")
        part = ink[:, left:right]
        if clean and part.any():
            ys, xs = np.flatnonzero(part.any(1)), np.flatnonzero(part.any(0))
            inner = (left + int(xs[0]), int(ys[0]), left + int(xs[-1]) + 1, int(ys[-1]) + 1)
            yield Label(text=clean, box=_to_picture(line, inner, turn, ink.shape[1]), confidence=reading.confidence)


def _pieces(reading: Reading, inked: np.ndarray, gap: float) -> Iterator[tuple[str, int, int]]:
    """Each text with the columns that it takes: cut in the middle of every gap in the ink between two characters."""
    start, left = 0, 0
    for i in range(1, len(reading.text)):
        if reading.text[i].isspace() or i == start:
            continue
        before = max((j for j in range(start, i) if not reading.text[j].isspace()), default=None)
        if before is None:
            continue
        first, last = reading.places[before], min(reading.places[i], len(inked))
        edges = np.flatnonzero(np.concatenate(([True], inked[first:last], [True])))
        widest = int(np.diff(edges).argmax())
        if edges[widest + 1] - edges[widest] - 1 > gap:
            cut = first + int(edges[widest] + edges[widest + 1]) // 2
            yield reading.text[start:i], left, cut
            start, left = i, cut
    yield reading.text[start:], left, len(inked)


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


def _in_reading_order(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Row by row from the top, each from left to right; a label belongs to a row that its middle lies in."""
    rows: list[list[Label]] = []
    for label in sorted(labels, key=lambda one: one.box[1] + one.box[3]):
        middle = (label.box[1] + label.box[3]) / 2
        if rows and rows[-1][0].box[1] < middle < rows[-1][0].box[3]:
            rows[-1].append(label)
        else:
            rows.append([label])
    return tuple(label for row in rows for label in sorted(row, key=lambda one: one.box[0]))


def _normalised(pixels: np.ndarray) -> np.ndarray:
    """[H, W, 3] red, green, blue -> [3, H, W] blue, green, red from -1 to 1."""
    return pixels[:, :, ::-1].transpose(2, 0, 1).astype(np.float32) / 127.5 - 1


def _run(session: Any, inputs: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]
