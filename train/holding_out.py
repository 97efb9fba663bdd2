"""Which rows of one's own are never trained on, so that it can be measured whether the rest teaches anything.

A picture is on one side only, with all the rows that show it, whatever its file is called: rows that share pictures
hang together, and are held out together. Which ones depends on the seed and on what they are, not on their order.
"""

import hashlib
from array import array
from collections import defaultdict
from typing import Any

import numpy as np
from tqdm import tqdm

from .readers import DataError, Problem, Reader, Row
from .readers.pictures import picture_bytes
from .readers.row import pictures_of, text_of

MOST = 1000  # rows that are held out of a large set: enough to measure a loss and a score


class PicturesOfRows:
    """Takes rows one by one and joins those that have a picture, or without pictures all their words, in common."""

    def __init__(self, reader: Reader):
        self.reader = reader
        self._number: dict[str, int] = {}  # of what a row shows: a path, or a digest of bytes or words
        self._parent = array("q")
        self._rows = array("q")  # something that each row shows
        self._embedded = array("q")  # places in _rows, and indices, of rows that hold their pictures themselves

    @property
    def have_pictures(self) -> bool:
        return bool(self._embedded) or any(name.startswith("path ") for name in self._number)

    def add(self, row: Row, index: int) -> None:
        pictures = pictures_of(row.messages)
        names = [f"path {part['path']}" for _, part in pictures if "path" in part]
        if len(names) < len(pictures):  # a scan leaves the bytes out: they are read when rows are chosen
            self._embedded.extend((len(self._rows), index))
        if not names:
            words = repr([(message["role"], text_of(message)) for message in row.messages])
            names = [f"row {index}" if pictures else f"words {_digest(words.encode())}"]
        numbers = [self._numbered(name) for name in names]
        for other in numbers[1:]:
            self._join(numbers[0], other)
        self._rows.append(numbers[0])

    def _numbered(self, name: str) -> int:
        number = self._number.setdefault(name, len(self._parent))
        if number == len(self._parent):
            self._parent.append(number)
        return number

    def _root(self, number: int) -> int:
        while self._parent[number] != number:
            self._parent[number] = self._parent[self._parent[number]]
            number = self._parent[number]
        return number

    def _join(self, one: int, other: int) -> None:
        self._parent[self._root(one)] = self._root(other)

    def held_out(self, share: float, seed: int) -> Any:
        """Bool for every row: whether it is held out. All False where that would leave too little to train on."""
        if not share:
            return np.zeros(len(self._rows), dtype=bool)
        self._join_copies()
        self._join_embedded()
        roots = np.array([self._root(number) for number in self._rows])
        found, together, counts = np.unique(roots, return_inverse=True, return_counts=True)
        names: dict[int, str] = {}
        for name, number in self._number.items():
            if not name.startswith("row "):  # where a row stands does not count
                root = self._root(number)
                names[root] = min(name, names.get(root, name))
        order = sorted(range(len(found)), key=lambda i: _digest(f"{seed} {names[int(found[i])]}".encode()))
        return np.isin(together, _choose(order, counts.tolist(), min(share * len(roots), MOST)))

    def _join_copies(self) -> None:
        """Files of the same content; only those of the same size are read."""
        by_size: dict[int, list[str]] = defaultdict(list)
        for path in [name.removeprefix("path ") for name in self._number if name.startswith("path ")]:
            by_size[(self.reader.folder / path).stat().st_size].append(path)
        seen: dict[str, int] = {}
        alike = [path for paths in by_size.values() if len(paths) > 1 for path in paths]
        for path in tqdm(alike, "comparing pictures", leave=False, disable=len(alike) < MOST):
            number = self._number[f"path {path}"]
            try:
                digest = _digest(picture_bytes({"path": path}, self.reader.folder))
            except Problem:  # training says so when it gets there
                continue
            self._join(seen.setdefault(digest, number), number)

    def _join_embedded(self) -> None:
        """Rows that hold their pictures themselves are read once more, for their bytes."""
        rows = list(zip(self._embedded[::2], self._embedded[1::2], strict=True))
        for place, index in tqdm(rows, "comparing pictures", leave=False, disable=len(rows) < MOST):
            try:
                row = self.reader.read(index)
                held = [picture_bytes(part, self.reader.folder) for _, part in pictures_of(row.messages)]
            except (DataError, Problem):  # training says so when it gets there
                held = [f"unreadable {index}".encode()]
            for data in held:
                self._join(self._rows[place], self._numbered(f"bytes {_digest(data)}"))


def _choose(order: list[int], counts: list[int], limit: float) -> list[int]:
    """Sets of rows in this order, as many as stay within `limit` rows; else the smallest, if it is not half of all."""
    chosen: list[int] = []
    room = limit
    for index in order:
        if counts[index] <= room:
            chosen.append(index)
            room -= counts[index]
    smallest = min(order, key=lambda index: counts[index])
    if not chosen and 2 * counts[smallest] < sum(counts):
        return [smallest]
    return chosen


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=12).hexdigest()
