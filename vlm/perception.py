"""What is to be seen in a picture before anything is asked, found once and kept: the source of hints."""

import hashlib
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from PIL import Image

from .answers import HintKind
from .hints import is_said, picture_hint, question_facts
from .objects import NamedObject, name_objects
from .ocr import has_text
from .reading import Reader, load_reader
from .structure import Reading

KEPT = 64  # pictures whose readings are remembered

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Perceived:
    """One picture: its structure with the words in it, or what it looks like."""

    reading: Reading
    objects: tuple[NamedObject, ...]  # of what may be a photograph
    milliseconds: float  # that finding it took; 0 where it was known

    @property
    def kinds(self) -> tuple[HintKind, ...]:
        """Of what can be said of it."""
        if is_said(self.reading.structure):
            return ("structure",)
        return (*(("objects",) if self.objects else ()), *(("text",) if self.reading.words else ()))


class Perception:
    """Looks at every picture once; safe for several threads, which wait for each other."""

    def __init__(self, reader: Reader | None = None, has_text: Callable[[Image.Image], bool | None] = has_text):
        self._reader = reader
        self._has_text = has_text
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[bytes, bool], Perceived] = OrderedDict()

    def see(self, image: Image.Image, glance: bool = False) -> Perceived:
        """What the picture (RGB) shows; the same pixels again cost nothing.

        With `glance` a small copy tells first whether there is any text, and only then it is read: OCR is what costs.
        """
        pixels = hashlib.sha256(repr((image.size, image.mode)).encode() + image.tobytes()).digest()
        with self._lock:
            key = (pixels, glance)
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
            found = self._look(image, glance)
            self._kept[key] = replace(found, milliseconds=0.0)
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
            return found

    def _look(self, image: Image.Image, glance: bool) -> Perceived:
        started = time.monotonic()
        self._reader = self._reader or load_reader()
        reading = self._reader.read(image, use_ocr=not glance or self._has_text(image) is not False)
        is_drawn = reading.structure is not None and reading.family != "things"  # as which some photographs are read
        objects = () if is_drawn else name_objects(image)
        return Perceived(reading, objects, 1000 * (time.monotonic() - started))


def with_hints(
    messages: Messages, see: Callable[[Image.Image], Perceived], count_tokens: Callable[[str], int]
) -> Messages:
    """The same conversation with what was seen said in it: a hint at every picture, facts before every question.

    A picture's part of a message gets its `hint`, and as `perceived` what that was made of.
    What is said of a turn depends on nothing after it, so a conversation that goes on begins with the same tokens.
    """
    readings: list[Reading] = []
    found: Messages = []
    for message in messages:
        if message["role"] != "user":
            found.append(message)
            continue
        content = message["content"]
        parts: list[dict[str, Any]] = [{"type": "text", "text": content}] if isinstance(content, str) else content
        said = []
        for part in parts:
            if part["type"] == "image":
                perceived = see(part["image"])
                readings.append(perceived.reading)
                hint = picture_hint(perceived.reading, perceived.objects, count_tokens)
                part = part | {"hint": hint, "perceived": perceived}
            said.append(part)
        text = "\n".join(part["text"] for part in said if part["type"] == "text")
        if facts := _facts(readings, text, count_tokens):
            first = next(i for i, part in enumerate(said) if part["type"] == "text")
            said[first] = said[first] | {"text": facts + said[first]["text"]}
        found.append(message | {"content": said})
    return found


def _facts(readings: list[Reading], text: str, count_tokens: Callable[[str], int]) -> str:
    return question_facts([reading.structure for reading in readings], text, count_tokens) if text else ""
