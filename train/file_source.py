"""Rows of your own files for training: checked before the first step, grouped by their pictures, in a new order each
epoch. The check is that of `vlm data check`: every row is read, and every picture decoded.
"""

import copy
import logging
import os
from array import array
from itertools import islice
from typing import Any

import numpy as np

from .checking.check import DEFAULT_LIMITS, Limits, check
from .holding_out import PicturesOfRows
from .readers import DataError, Messages, Problem, Row, RowsConfig, open_picture, open_rows
from .readers.row import parts_of, pictures_of, text_of

logger = logging.getLogger(__name__)

SHOWN = 20  # bad rows that an error names


class FileSource:
    """Conversations of a data set. Rows about the same pictures make one; every epoch has an order of its own.

    With `limits.pairs` every row has two of them: with the chosen answer, and with the rejected one.

    Raises DataError, for all bad rows at once, before training starts; with `skip_bad` it goes on without them.
    """

    def __init__(self, rows: RowsConfig, seed: int = 0, limits: Limits = DEFAULT_LIMITS, skip_bad: bool = False):
        self.seed, self.pairs = seed, bool(limits.pairs)
        self.reader = open_rows(rows)
        self.report = check(rows, None, limits, os.cpu_count() or 1)
        bad = self.report.bad
        self._refuse(bad, skip_bad)
        good, keys = array("q"), array("q")  # indices of rows, and which pictures they share
        self._pictures = PicturesOfRows(self.reader)
        for index, row in enumerate(self.reader.scan()):
            if isinstance(row, Problem) or row.number in bad:
                continue
            good.append(index)
            keys.append(hash(_shared_pictures(row, index)))
            self._pictures.add(row, index)
        self.have_pictures = self._pictures.have_pictures
        self._group(np.array(good), np.array(keys))
        self._epoch, self._order = -1, np.empty(0, dtype=np.int64)

    def _refuse(self, bad: dict[int, str], skip_bad: bool) -> None:
        path, total = self.reader.path, len(self.reader)
        shown = [f"  {self.reader.unit} {number}: {words}" for number, words in islice(bad.items(), SHOWN)]
        shown += [f"  and {len(bad) - SHOWN} more"] if len(bad) > SHOWN else []
        listed = "\n".join(shown)
        if total == len(bad):
            raise DataError(f"{path} has no rows that can be trained on" + (f":\n{listed}" if bad else ": it is empty"))
        if bad and not skip_bad:
            raise DataError(
                f"{path} has {len(bad)} of {total} rows that cannot be trained on:\n{listed}\n"
                "mend them, or go on without them: --skip-bad (vlm data check says more)"
            )
        if bad:
            logger.warning("%s: going on without %d of %d rows:\n%s", path, len(bad), total, listed)

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
        group = self._in_order(epoch)[place]
        rows = self._rows[slice(*self._starts[group : group + 2])]
        return [messages for row in rows for messages in self._with_pictures(int(row))]

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
            raise DataError(f"{where}: {problem}") from None  # it was there when the run began
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
