"""Rows of your own files for training: checked before the first step, grouped by their pictures, in a new order each
epoch.

The check here is the cheap part of `vlm data check`: every row is read, its pictures are looked for but not decoded.
"""

import copy
import logging
from array import array
from typing import Any

import numpy as np

from .holding_out import PicturesOfRows
from .readers import DataError, Messages, Problem, Reader, Row, RowsConfig, find_picture, open_picture, open_rows
from .readers.row import parts_of, pictures_of, text_of

logger = logging.getLogger(__name__)

SHOWN = 20  # bad rows that an error names


class RowCheck:
    """What can be seen of the rows of one reader without decoding a picture."""

    def __init__(self, reader: Reader, max_pictures: int, pairs: bool = False):
        self.reader, self.max_pictures, self.pairs = reader, max_pictures, pairs
        self._found: set[str] = set()  # pictures; many rows are about the same ones

    def check(self, row: Row | Problem) -> Row:
        """The row, if it can be trained on. Raises Problem."""
        if isinstance(row, Problem):
            raise row
        pictures = pictures_of(row.messages)
        if len(pictures) > self.max_pictures:
            raise Problem(
                "pictures", f"it has {len(pictures)} pictures, and the model can tell {self.max_pictures} apart"
            )
        if not all(text_of(message).strip() for message in row.messages if message["role"] == "assistant"):
            raise Problem("empty", "an answer is empty: there is nothing to learn")
        if self.pairs and row.rejected.strip() in ("", text_of(row.messages[-1]).strip()):
            what = "it has no rejected answer" if not row.rejected.strip() else "chosen and rejected are the same"
            raise Problem("pair", f"{what}: preference is learnt from two different answers")
        for path in {part["path"] for _, part in pictures if "path" in part} - self._found:
            find_picture(path, self.reader.folder)
            self._found.add(path)
        return row


class FileSource:
    """Conversations of a data set. Rows about the same pictures make one; every epoch has an order of its own.

    With `pairs` every row has two of them: with the chosen answer, and with the rejected one.

    Raises DataError, for all bad rows at once, before training starts; with `skip_bad` it goes on without them.
    """

    def __init__(
        self, rows: RowsConfig, seed: int = 0, max_pictures: int = 8, skip_bad: bool = False, pairs: bool = False
    ):
        self.seed, self.skip_bad, self.pairs = seed, skip_bad, pairs
        self.reader = open_rows(rows)
        good, keys = array("q"), array("q")  # indices of rows, and which pictures they share
        bad: list[str] = []
        self.skipped = 0
        rows_of_file, self._pictures = RowCheck(self.reader, max_pictures, pairs), PicturesOfRows(self.reader)
        for index, found in enumerate(self.reader.scan()):
            try:
                row = rows_of_file.check(found)
            except Problem as problem:
                self.skipped += 1
                if len(bad) < SHOWN:
                    bad.append(f"  {self.reader.unit} {self.reader.number(index)}: {problem}")
                continue
            good.append(index)
            keys.append(hash(_shared_pictures(row, index)))
            self._pictures.add(row, index)
        self._refuse(bad)
        self.have_pictures = self._pictures.have_pictures
        self._group(np.array(good), np.array(keys))
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def _refuse(self, bad: list[str]) -> None:
        shown = "\n".join(bad) + (f"\n  and {self.skipped - len(bad)} more" if self.skipped > len(bad) else "")
        path, total = self.reader.path, len(self.reader)
        if total == self.skipped:
            raise DataError(f"{path} has no rows that can be trained on" + (f":\n{shown}" if bad else ": it is empty"))
        if self.skipped and not self.skip_bad:
            raise DataError(
                f"{path} has {self.skipped} of {total} rows that cannot be trained on:\n{shown}\n"
                "mend them, or go on without them: skip_bad=true (vlm data check says more)"
            )
        if self.skipped:
            logger.warning("%s: going on without %d of %d rows:\n%s", path, self.skipped, total, shown)

    def _group(self, rows: Any, keys: Any) -> None:
        """Rows that share their pictures, side by side; groups in the order of their first rows."""
        _, first, group = np.unique(keys, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int64)
        rank[np.argsort(first)] = np.arange(len(first))
        order = np.argsort(rank[group], kind="stable")
        self._order_of_rows = order  # from the file's order into that of _rows
        self._rows = rows[order]
        self._starts = np.append(np.searchsorted(rank[group][order], np.arange(len(first))), len(rows))
        self._blocks = np.array([self.reader.block(int(rows[index])) for index in np.sort(first)])
        self._groups = np.arange(len(first))  # that this source is made of

    def split(self, held_out: float) -> "tuple[FileSource, FileSource | None]":
        """What is trained on, and about a share `held_out` of the rows; None where nothing can be held out.

        No picture is in both (see `train/holding_out.py`).
        """
        chosen = self._pictures.held_out(held_out, self.seed)[self._order_of_rows][self._starts[:-1]]
        parts = copy.copy(self), copy.copy(self)
        parts[0]._groups, parts[1]._groups = np.flatnonzero(~chosen), np.flatnonzero(chosen)
        for part in parts:
            del part._pictures  # what the rows are drawn in gets a copy of this object
        return parts[0], parts[1] if len(parts[1]) else None

    def __len__(self) -> int:
        return len(self._groups)

    def conversations(self, index: int) -> list[Messages]:
        epoch, place = divmod(index, len(self))
        for attempt in range(len(self)):
            group = self._in_order(epoch)[(place + attempt) % len(self)]
            try:
                rows = self._rows[slice(*self._starts[group : group + 2])]
                return [messages for row in rows for messages in self._with_pictures(int(row))]
            except DataError as error:
                if not self.skip_bad:
                    raise
                logger.warning("going on without a row: %s", error)
        raise DataError(f"{self.reader.path} has no row whose pictures can be read")

    def _in_order(self, epoch: int) -> Any:
        """The groups in the order of an epoch: shuffled, those of one block of the file one after the other."""
        if epoch != self._epoch:
            random = np.random.default_rng([self.seed, epoch])
            order = self._groups[random.permutation(len(self))]
            ranks = random.permutation(int(self._blocks.max()) + 1)
            self._epoch, self._order = epoch, order[np.argsort(ranks[self._blocks[order]], kind="stable")]
        return self._order

    def _with_pictures(self, index: int) -> list[Messages]:
        row = self.reader.read(index)
        try:
            messages = [
                {"role": message["role"], "content": [self._loaded(part) for part in parts_of(message)]}
                for message in row.messages
            ]
        except Problem as problem:
            where = f"{self.reader.path}, {self.reader.unit} {row.number}"
            raise DataError(f"{where}: {problem}; skip_bad=true goes on without it") from None
        messages[-1] |= {"type": row.type, "answers": row.answers}  # for who asks: training does not look at them
        if not self.pairs:
            return [messages]
        return [messages, [*messages[:-1], {"role": "assistant", "content": row.rejected}]]

    def _loaded(self, part: dict[str, Any]) -> dict[str, Any]:
        return part if part["type"] == "text" else {"type": "image", "image": open_picture(part, self.reader.folder)}


def _shared_pictures(row: Row, index: int) -> Any:
    """What is the same for rows that can be one: the pictures, all in one message, and what was said before it."""
    pictures = pictures_of(row.messages)
    if not pictures or any(place != pictures[0][0] or "path" not in part for place, part in pictures):
        return index
    before = [(message["role"], text_of(message)) for message in row.messages[: pictures[0][0]]]
    return tuple(part["path"] for _, part in pictures), *before
