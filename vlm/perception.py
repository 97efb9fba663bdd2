"""What is to be seen in a picture before anything is asked, found once and kept: the source of hints."""

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise
from typing import Any

from PIL import Image

from .answers import HintKind
from .engine.caches import BoundedCache, picture_hash
from .hints import is_said, picture_hint, question_facts
from .objects import NamedObject, name_objects
from .ocr import has_text, read_words
from .reading import Reader, load_reader
from .reading.colours import may_be_photograph
from .structure import Label, Reading

MAX_BYTES = 8 * 2**20  # of readings that are remembered
OBJECTS = 12  # bytes that a reading takes as objects, for each of its JSON

Messages = list[dict[str, Any]]


@dataclass(frozen=True)
class Perceived:
    """One picture: its structure with the words in it, or what it looks like."""

    reading: Reading
    objects: tuple[NamedObject, ...]  # of what may be a photograph
    milliseconds: Mapping[HintKind, float] = field(default_factory=dict)  # to look for each; none where it was known

    @property
    def kinds(self) -> tuple[HintKind, ...]:
        """Of what can be said of it."""
        if is_said(self.reading.structure):
            return ("structure",)
        return (*(("objects",) if self.objects else ()), *(("text",) if self.reading.words else ()))


class Perception:
    """Looks at every picture once; safe for several threads, which wait for each other."""

    def __init__(
        self,
        reader: Reader | None = None,
        has_text: Callable[[Image.Image], bool | None] = has_text,
        read_words: Callable[[Image.Image], Sequence[Label] | None] = read_words,
    ):
        self._reader = reader
        self._has_text, self._read_words = has_text, read_words
        self._lock = threading.Lock()
        self._kept: BoundedCache[Perceived] = BoundedCache(MAX_BYTES)

    def see(self, image: Image.Image, glance: bool = False) -> Perceived:
        """What the picture (RGB) shows; the same pixels again cost nothing.

        With `glance` a small copy tells first whether there is any text, and only then it is read: OCR is what costs.
        """
        key = (picture_hash(image), glance)
        with self._lock:
            if (known := self._kept.get(key)) is not None:
                return known
            found = self._look(image, glance)
            size = OBJECTS * len(found.reading.model_dump_json())
            self._kept.put(key, replace(found, milliseconds={}), size)
            return found

    def stats(self) -> dict[str, float]:
        """Counters since the start, and what is held now; never waits for a look."""
        return {"hints_hits": self._kept.hits, "hints_misses": self._kept.misses, "hints_bytes": self._kept.bytes}

    def warm_up(self) -> None:
        """Load all that it looks with, so that the first picture need not wait for that. Takes seconds."""
        blank = Image.new("RGB", (64, 64), "white")
        with self._lock:
            self._look(blank, glance=False)
            name_objects(blank)

    def _look(self, image: Image.Image, glance: bool) -> Perceived:
        times = [time.monotonic()]
        may_have_text = not glance or self._has_text(image) is not False
        words = (self._read_words(image) if may_have_text else None) or ()
        times.append(time.monotonic())
        self._reader = self._reader or load_reader()
        reading = self._reader.read(image, words)
        times.append(time.monotonic())
        is_drawn = reading.family != "none" or not may_be_photograph(image)
        objects = () if is_drawn else name_objects(image)
        times.append(time.monotonic())
        kinds: tuple[HintKind, ...] = ("text", "structure") if is_drawn else ("text", "structure", "objects")
        taken = {kind: 1000 * (end - start) for kind, (start, end) in zip(kinds, pairwise(times), strict=False)}
        return Perceived(reading, objects, taken)


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
