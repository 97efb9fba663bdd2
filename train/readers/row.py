"""One row of a data set, as every reader hands it over, and what can be wrong with it.

The internal form is the messages form of `vlm.processing_vlm`, with pictures that are still on disk or in the file:
`{"type": "image", "path": ...}`, relative to the data's folder, or `{"type": "image", "bytes": ...}`.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Messages = list[dict[str, Any]]

MAX_ROW_BYTES = 64 * 2**20  # of one row's text in its file: more is a broken file, and would fill the memory


class DataError(ValueError):
    """Training data that cannot be used. The message names the file, the row, what was found and what is expected."""


class Problem(ValueError):
    """What is wrong with one row, without its file and number; `kind` is for programs."""

    def __init__(self, kind: str, message: str):
        super().__init__(message)
        self.kind = kind


@dataclass(frozen=True)
class Row:
    """A conversation that ends with the assistant's words."""

    number: int  # as a person counts in the file: lines or rows, from 1
    messages: Messages
    type: str = ""  # of the question, where the data say it
    answers: tuple[str, ...] = ()  # everything that counts as right, where the data say more than one
    rejected: str = ""  # in preference data: the answer that was not chosen (pairs.py)


class Reader(ABC):
    """Rows of one data set, read from disk when they are asked for; in memory is at most where each one starts."""

    unit = "row"  # what a row's number counts

    def __init__(self, path: Path, folder: Path):
        self.path, self.folder = path, folder  # what errors name; what picture paths start at and may not leave

    @abstractmethod
    def __len__(self) -> int: ...

    @abstractmethod
    def row(self, index: int) -> Row:
        """Row `index`, with its embedded pictures. Raises Problem."""

    def number(self, index: int) -> int:
        return index + 1

    def scan(self) -> Iterator[Row | Problem]:
        """Every row in order, without the bytes of embedded pictures (they are empty)."""
        for index in range(len(self)):
            try:
                yield self.row(index)
            except Problem as problem:
                yield problem

    def block(self, index: int) -> int:
        """Rows with the same number are cheap to read one after the other."""
        return 0

    def read(self, index: int) -> Row:
        """Row `index`. Raises DataError with the file and the row."""
        try:
            return self.row(index)
        except Problem as problem:
            raise DataError(f"{self.path}, {self.unit} {self.number(index)}: {problem}") from None


def parts_of(message: dict[str, Any]) -> list[dict[str, Any]]:
    """The content of a message as parts; a string is one part of text."""
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def text_of(message: dict[str, Any]) -> str:
    return "\n".join(part["text"] for part in parts_of(message) if part["type"] == "text")


def pictures_of(messages: Messages) -> list[tuple[int, dict[str, Any]]]:
    """The picture parts of a conversation in order, each with the number of its message."""
    return [(i, part) for i, message in enumerate(messages) for part in parts_of(message) if part["type"] == "image"]


def kind_of(value: Any) -> str:
    """A value in a person's words, short enough for an error message."""
    if value is None:
        return "nothing"
    names = {dict: "an object", list: "a list", str: "text", bool: "true or false", int: "a number", float: "a number"}
    shown = f" {value!r}" if isinstance(value, (str, int, float)) else ""
    return names.get(type(value), f"a {type(value).__name__}") + (shown if len(shown) < 50 else shown[:46] + "...")
