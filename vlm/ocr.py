"""The text in a picture, with the models that the `rapidocr` wheel carries (PP-OCRv6, Apache-2.0).

    picture -> detector -> a slanted rectangle around each line -> strips of height 48 -> recogniser -> Labels

Only the wheel's files are used, never its code, which would fetch a missing model and set up logging: this module opens
no connection, says nothing, and loads nothing before the first picture. Both networks run in onnxruntime.
"""

import functools
import importlib.util
import math
import os
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from .structure import Label

# Detection. Sizes in pixels of the picture as the detector sees it: enlarged or reduced to about this area.
DETECTION_AREA = 500_000
MAX_ENLARGEMENT = 3.0
MARGIN = 16
STRIDE = 32  # the detector wants sides that are multiples of it
TEXT_PIXEL = 0.3  # from which probability a pixel is text
MIN_SCORE = 0.5  # mean probability of a line's pixels
MIN_SIDE = 3.0
MAX_LINES = 500
GROW = 1.6  # the detector marks the core of a line: this much of area / perimeter is added all around for reading,
GROW_BOX = 1.2  # and this much for the box that is reported
# Recognition.
HEIGHT = 48
COLUMN = 8  # pixels of a strip per step of the recogniser
MIN_WIDTH, MAX_WIDTH = 48, 2400
BATCH_COLUMNS = 2048  # widths of the strips of one batch, together
TALL = 1.5  # height / width from which a line may run upwards or downwards
MIN_CONFIDENCE = 0.5
GAP = 0.55  # in heights of the strip: texts further apart are two; a space is about 0.2
MAX_LENGTH = 200


@dataclass(frozen=True)
class Engine:
    detector: Any  # onnxruntime.InferenceSession
    recogniser: Any
    characters: tuple[str, ...]  # by class; 0 is "nothing"


@dataclass(frozen=True)
class Line:
    """Where the detector saw text: a rectangle, in pixels of the original picture."""

    centre: tuple[float, float]
    along: tuple[float, float]  # unit vector from left to right of the upright-most reading
    width: float  # of the core that the detector marked
    height: float

    def corners(self, grow: float) -> np.ndarray:
        """[4, 2]: top left, top right, bottom right, bottom left of the rectangle grown on all sides."""
        extra = grow * self.width * self.height / (self.width + self.height)
        x, y = np.array(self.along), np.array((-self.along[1], self.along[0]))
        x, y = x * (self.width / 2 + extra / 2), y * (self.height / 2 + extra / 2)
        return np.array(self.centre) + np.array((-x - y, x - y, x + y, y - x))


@dataclass(frozen=True)
class Reading:
    text: str
    confidence: float
    places: tuple[float, ...]  # of each character's middle, as a part of the strip's width


NOTHING = Reading("", 0.0, ())


def read_words(image: Image.Image) -> tuple[Label, ...] | None:
    """The lines of text in an RGB picture, in reading order; None if the extra `read` is not installed."""
    models = _find_models()
    if models is None:
        return None
    engine = _load_engine(*models)
    pixels = np.asarray(image.convert("RGB"))
    lines = _detect(engine, image)
    labels = [
        label
        for line, (reading, turn) in zip(lines, _read_lines(engine, pixels, lines), strict=True)
        for label in _split(line, reading, turn)
    ]
    return _in_reading_order(labels)


def _find_models() -> tuple[Path, Path] | None:
    """The files of the detector and the recogniser in the wheel; nothing is imported to find them."""
    packages = [importlib.util.find_spec(name) for name in ("rapidocr", "onnxruntime", "cv2")]
    if None in packages or not packages[0] or not packages[0].submodule_search_locations:
        return None
    folder = Path(packages[0].submodule_search_locations[0]) / "models"
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
    characters = second.get_modelmeta().custom_metadata_map["character"].splitlines()
    return Engine(first, second, ("", *characters, " "))


def _detect(engine: Engine, image: Image.Image) -> list[Line]:
    import cv2

    width, height = image.size
    scale = min(
        MAX_ENLARGEMENT,
        math.sqrt(DETECTION_AREA / (width * height)),
        DETECTION_AREA / (STRIDE * max(width, height)),
    )
    seen = np.asarray(
        image.convert("RGB").resize(
            (max(1, round(width * scale)), max(1, round(height * scale))), Image.Resampling.BICUBIC
        )
    )
    right, bottom = (MARGIN + -(side + 2 * MARGIN) % STRIDE for side in (seen.shape[1], seen.shape[0]))
    framed = cv2.copyMakeBorder(seen, MARGIN, bottom, MARGIN, right, cv2.BORDER_REPLICATE)
    chances = _run(engine.detector, _normalised(framed[:, :, ::-1])[None])[0, 0]  # [H, W]
    mask = cv2.dilate((chances > TEXT_PIXEL).astype(np.uint8), np.ones((2, 2), np.uint8))
    contours = cv2.findContours(mask, cv2.RETR_LIST, cv2.CHAIN_APPROX_SIMPLE)[0]
    lines = []
    for contour in contours[:MAX_LINES]:
        rectangle = cv2.minAreaRect(contour)
        if min(rectangle[1]) < MIN_SIDE or _score(chances, cv2.boxPoints(rectangle)) < MIN_SCORE:
            continue
        lines.append(_to_line(rectangle, scale))
    return lines


def _score(chances: np.ndarray, corners: np.ndarray) -> float:
    import cv2

    left, top = np.maximum(np.floor(corners.min(0)).astype(int), 0)
    right, bottom = np.ceil(corners.max(0)).astype(int) + 1
    part = chances[top:bottom, left:right]
    mask = np.zeros(part.shape, np.uint8)
    cv2.fillPoly(mask, (corners - (left, top)).astype(np.int32)[None], 1)
    return cv2.mean(part, mask)[0]


def _to_line(rectangle: tuple[Sequence[float], Sequence[float], float], scale: float) -> Line:
    (x, y), (width, height), degrees = rectangle
    angle = math.radians(degrees)
    while angle > math.pi / 4:  # a quarter turn of the same rectangle that lies flatter
        angle, width, height = angle - math.pi / 2, height, width
    while angle <= -math.pi / 4:
        angle, width, height = angle + math.pi / 2, height, width
    centre = ((x + 0.5 - MARGIN) / scale, (y + 0.5 - MARGIN) / scale)
    return Line(centre, (math.cos(angle), math.sin(angle)), width / scale, height / scale)


def _read_lines(engine: Engine, pixels: np.ndarray, lines: Sequence[Line]) -> list[tuple[Reading, int]]:
    """What stands in each line, and by how many quarter turns counter-clockwise it was turned to be read."""
    tries = []
    for number, line in enumerate(lines):
        strip = _cut(pixels, line)
        ratio = strip.shape[0] / strip.shape[1]
        turns = (0,) if ratio < TALL else (0, 3, 1) if ratio < 3 else (3, 1)
        tries += [(number, turn, _to_strip(np.rot90(strip, turn))) for turn in turns]
    readings = _recognise(engine, [strip for _, _, strip in tries])
    best: list[tuple[Reading, int]] = [(NOTHING, 0)] * len(lines)
    for (number, turn, _), reading in zip(tries, readings, strict=True):
        if reading.confidence > best[number][0].confidence:
            best[number] = reading, turn
    return best


def _cut(pixels: np.ndarray, line: Line) -> np.ndarray:
    """The line's pixels, turned level; enlarged where it is small."""
    import cv2

    corners = line.corners(GROW).astype(np.float32) - 0.5
    width, height = math.dist(corners[0], corners[1]), math.dist(corners[0], corners[3])
    scale = max(1.0, HEIGHT / min(width, height))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    target = np.array(((0, 0), (size[0], 0), size, (0, size[1])), np.float32) - 0.5
    matrix = cv2.getPerspectiveTransform(corners, target)
    return cv2.warpPerspective(pixels, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)


def _to_strip(picture: np.ndarray) -> np.ndarray:
    import cv2

    width = min(MAX_WIDTH, max(8, round(picture.shape[1] * HEIGHT / picture.shape[0])))
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
            inputs[row, :, :, : strips[i].shape[1]] = _normalised(strips[i][:, :, ::-1])
        chances = _run(engine.recogniser, inputs)  # [B, T, classes]
        best, certainty = chances.argmax(2), chances.max(2)
        for row, i in enumerate(batch):
            readings[i] = _decode(engine, best[row], certainty[row], strips[i].shape[1])
    return readings


def _padded_width(strip: np.ndarray) -> int:
    return max(MIN_WIDTH, -(-strip.shape[1] // COLUMN) * COLUMN)


def _decode(engine: Engine, classes: np.ndarray, certainty: np.ndarray, width: int) -> Reading:
    """Connectionist temporal classification: repeats are one character, class 0 is none."""
    new = (classes != 0) & (classes != np.roll(classes, 1))
    new[0] = classes[0] != 0
    steps = np.flatnonzero(new)
    if not len(steps):
        return NOTHING
    text = "".join(engine.characters[classes[step]] for step in steps)
    places = tuple(min(1.0, (step + 0.5) * COLUMN / width) for step in steps.tolist())
    return Reading(text, float(certainty[steps].mean()), places)


def _split(line: Line, reading: Reading, turn: int) -> list[Label]:
    """The texts of a line: one, or several where wide gaps are between them, as between the labels of an axis."""
    if reading.confidence < MIN_CONFIDENCE:
        return []
    corners = line.corners(GROW)
    width, height = math.dist(corners[0], corners[1]), math.dist(corners[0], corners[3])
    found = []
    for first, last in _pieces(reading, width / height) if turn == 0 else [(0, len(reading.text) - 1)]:
        text = reading.text[first : last + 1]
        text = " ".join("".join(c if c.isprintable() else " " for c in text).split())[:MAX_LENGTH]
        if not text:
            continue
        part = line if (first, last) == (0, len(reading.text) - 1) else _part(line, reading, first, last, width)
        box_corners = part.corners(GROW_BOX)
        (left, top), (right, bottom) = box_corners.min(0).tolist(), box_corners.max(0).tolist()
        found.append(Label(text=text, box=(left, top, right, bottom), confidence=min(1.0, reading.confidence)))
    return found


def _pieces(reading: Reading, length: float) -> list[tuple[int, int]]:
    """First and last character of each text in a line that is `length` times as long as it is high."""
    text, places = reading.text, reading.places
    letters = [i for i, character in enumerate(text) if not character.isspace()]
    if len(letters) < 2:
        return [(0, len(text) - 1)]
    beside = [places[b] - places[a] for a, b in pairwise(letters) if b == a + 1]
    usual = float(np.median(beside)) if beside else 0.4 / length
    pieces, start = [], 0
    for before, after in pairwise(letters):
        if (places[after] - places[before] - usual) * length > GAP:
            pieces.append((start, before))
            start = after
    return [*pieces, (start, len(text) - 1)]


def _part(line: Line, reading: Reading, first: int, last: int, width: float) -> Line:
    """The piece of a line from one character to another; half a character's height is added at both ends."""
    reach = 0.35 * line.height
    start, end = ((reading.places[i] - 0.5) * width for i in (first, last))
    middle, half = (start + end) / 2, (end - start) / 2 + reach
    centre = (line.centre[0] + line.along[0] * middle, line.centre[1] + line.along[1] * middle)
    return Line(centre, line.along, 2 * half, line.height)


def _in_reading_order(labels: Sequence[Label]) -> tuple[Label, ...]:
    """Row by row from the top, each from left to right; a label belongs to a row that its middle lies in."""
    rows: list[list[Label]] = []
    for label in sorted(labels, key=lambda one: one.box[1] + one.box[3]):
        middle = (label.box[1] + label.box[3]) / 2
        if rows and middle < rows[-1][0].box[3] and rows[-1][0].box[1] < middle:
            rows[-1].append(label)
        else:
            rows.append([label])
    return tuple(label for row in rows for label in sorted(row, key=lambda one: one.box[0]))


def _normalised(pixels: np.ndarray) -> np.ndarray:
    return pixels.transpose(2, 0, 1).astype(np.float32) / 127.5 - 1


def _run(session: Any, inputs: np.ndarray) -> np.ndarray:
    return session.run(None, {session.get_inputs()[0].name: inputs})[0]
