"""JSON Lines and JSON arrays, of any size: where each row starts is looked up once, and rows are read when needed."""

import json
import mmap
import os
import re
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .forms import Form
from .row import MAX_ROW_BYTES, DataError, Problem, Reader, Row

TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+"|[\[\]{},]', re.DOTALL)
OPENING, CLOSING = (b"[", b"{"), (b"]", b"}")
LIST_FOLLOWS = re.compile(rb"\s*:\s*\[")
BOM = b"\xef\xbb\xbf"


class Spans:
    """Where the rows of a file start and end. The file is opened for each row, so processes may share a reader."""

    def __init__(self, path: Path):
        self.path = path
        self.starts, self.ends, self.numbers = array("Q"), array("Q"), array("Q")

    def __len__(self) -> int:
        return len(self.starts)

    def add(self, start: int, end: int, number: int) -> None:
        self.starts.append(start)
        self.ends.append(end)
        self.numbers.append(number)

    def text(self, index: int) -> str:
        """The text of one row. Raises Problem."""
        start, length = self.starts[index], self.ends[index] - self.starts[index]
        if length > MAX_ROW_BYTES:
            raise Problem("form", f"it has {length / 2**20:.0f} MiB, more than {MAX_ROW_BYTES // 2**20}")
        try:
            with self.path.open("rb", buffering=0) as file:
                return os.pread(file.fileno(), length, start).decode("utf-8")
        except UnicodeDecodeError as error:
            raise Problem(
                "encoding", f"it is not UTF-8 text (byte {error.start + 1} of it): save it as UTF-8"
            ) from None
        except OSError as error:
            raise Problem("form", f"it can no longer be read: {error.strerror}") from None


def map_file(path: Path) -> mmap.mmap | bytes:
    """The bytes of a data file, mapped and not read. Raises DataError, also for text that is plainly not UTF-8."""
    try:
        with path.open("rb") as file:
            size = os.fstat(file.fileno()).st_size
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) if size else b""
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "it is not a file"
        raise DataError(f"cannot read {path}: {reason}; give a file or folder of data") from None
    if data[:2] in (b"\xff\xfe", b"\xfe\xff") or b"\0" in data[:4096]:
        raise DataError(f"{path} is not UTF-8 text (UTF-16, or no text at all): save it as UTF-8")
    return data


def parse(text: str) -> Any:
    """A JSON value. Raises Problem."""
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        raise Problem("form", f"it is not JSON ({error.msg} at character {error.pos + 1})") from None
    except (ValueError, RecursionError):
        raise Problem("form", "it is not JSON that can be read: it has huge numbers or nests too deep") from None


def line_spans(path: Path) -> Spans:
    """The lines of a file that are not blank."""
    spans = Spans(path)
    data = map_file(path)
    start, number = (len(BOM) if data[:3] == BOM else 0), 1
    while start < len(data):
        end = data.find(b"\n", start)
        end = len(data) if end < 0 else end
        if data[start : min(end, start + 256)].strip() or data[start:end].strip():
            spans.add(start, end, number)
        start, number = end + 1, number + 1
    return spans


def array_spans(path: Path, key: str | None = None) -> Spans:
    """The elements of a JSON file's array, or of the array under `key` of its object. Raises DataError."""
    spans = Spans(path)
    data = map_file(path)
    tokens = TOKEN.finditer(data)
    start, depth = _enter_array(tokens, data, key), 0
    for token in tokens if start is not None else ():
        mark = token[0]
        if mark in OPENING:
            depth += 1
        elif mark in CLOSING and depth:
            depth -= 1
        elif mark in CLOSING or (mark == b"," and not depth):
            if mark == b"," or spans or data[start : token.start()].strip():
                spans.add(start, token.start(), len(spans) + 1)
            if mark != b",":
                return spans
            start = token.end()
    expected = "a list of rows, [{...}, ...]" + (f', or {{"{key}": [{{...}}, ...]}}' if key else "")
    found = (
        f"it breaks off, or is no longer JSON, after row {len(spans)}" if start is not None else "it has no such list"
    )
    raise DataError(f"{path} must be {expected}: {found}")


def _enter_array(tokens: Iterator[re.Match[bytes]], data: Any, key: str | None) -> Any:
    """The position behind the bracket that opens the array; None where there is none."""
    depth, is_key = 0, key is None
    for token in tokens:
        mark = token[0]
        if mark in CLOSING:
            depth -= 1
        elif mark in OPENING:
            depth += 1
            if mark == b"[" and is_key and depth == (1 if key is None else 2):
                return token.end()
        elif depth == 1 and key is not None and mark != b",":
            is_key = mark == b'"%s"' % key.encode() and LIST_FOLLOWS.match(data, token.end()) is not None
    return None


class JsonRows(Reader):
    """Rows that are one JSON object each: a line of JSONL, or an element of an array (LLaVA, ShareGPT)."""

    def __init__(self, path: Path, folder: Path, form: Form, lines: bool):
        super().__init__(path, folder)
        self.unit, self.form = ("line" if lines else "row"), form
        self._spans = line_spans(path) if lines else array_spans(path)

    def __len__(self) -> int:
        return len(self._spans)

    def number(self, index: int) -> int:
        return self._spans.numbers[index]

    def row(self, index: int) -> Row:
        return self.form.row(parse(self._spans.text(index)), self.number(index))


def records(spans: Spans) -> Iterator[dict[str, Any]]:
    """The objects at `spans`, one after the other. Raises DataError with file and row."""
    for index in range(len(spans)):
        try:
            record = parse(spans.text(index))
            if not isinstance(record, dict):
                raise Problem("form", "it is not an object with keys")
            yield record
        except Problem as problem:
            raise DataError(f"{spans.path}, row {spans.numbers[index]}: {problem}") from None
