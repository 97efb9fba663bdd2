"""Looking at every picture of a data set, in several processes: does it decode, how large is it, what is it like.

This module is imported by every process, so it imports no torch.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache, partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from tqdm import tqdm

from ..readers import Problem, Reader, RowsConfig, open_rows
from ..readers.pictures import decode_picture, picture_bytes
from ..readers.row import pictures_of

SIDE = 16  # of the small copy that pictures are compared by
AT_ONCE = 64
# Two pictures look the same where their small copies differ by so little: on average, and anywhere (of 255).
SAME_MEAN_SQUARE, SAME_ANYWHERE = 9.0, 24


@dataclass(frozen=True)
class Look:
    """What one picture is like."""

    digest: bytes = b""  # of the file
    small: bytes = b""  # SIDE x SIDE x 3
    width: int = 0
    height: int = 0
    kind: str = ""  # of the problem, where there is one
    problem: str = ""


def look(part: dict[str, Any], folder: Path) -> Look:
    try:
        data = picture_bytes(part, folder)
        image = decode_picture(part, data)
    except Problem as problem:
        return Look(kind=problem.kind, problem=str(problem))
    small = image.resize((SIDE, SIDE), Image.Resampling.BOX).tobytes()
    return Look(hashlib.sha256(data).digest(), small, *image.size)


def look_at_paths(folder: Path, paths: list[str]) -> list[Look]:
    return [look({"type": "image", "path": path}, folder) for path in paths]


def look_at_rows(source: Reader | str, indices: list[int]) -> list[list[Look]]:
    """The pictures of rows that hold them themselves; `source` is a reader, or the JSON of a RowsConfig."""
    reader = opened(source) if isinstance(source, str) else source
    looks = []
    for index in indices:
        try:
            looks.append([look(part, reader.folder) for _, part in pictures_of(reader.row(index).messages)])
        except Problem as problem:
            looks.append([Look(kind=problem.kind, problem=str(problem))])
    return looks


@lru_cache(maxsize=1)  # of a process that only looks at pictures: to open a reader means to look where its rows are
def opened(config: str) -> Reader:
    return open_rows(RowsConfig.model_validate_json(config))


def look_in_parallel(function: partial, items: list[Any], workers: int, name: str) -> Iterator[Any]:
    """`function` of lists of items, item by item in order; with one worker, in this process."""
    parts = [items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE)]
    with tqdm(total=len(items), desc=name, unit="picture", dynamic_ncols=True) as progress:
        # Fresh processes, not forks of this one: it may have threads (of torch, say) that a fork would leave hanging.
        pool = get_context("spawn").Pool(workers) if workers > 1 and len(parts) > 1 else None
        try:
            for done in pool.imap(function, parts) if pool else map(function, parts):
                yield from done
                progress.update(len(done))
        finally:
            if pool:
                pool.terminate()


def alike(ones: list[Look], others: list[Look]) -> Iterator[tuple[int, int]]:
    """Pairs of pictures that look the same: for each of `ones` at most one of `others`."""
    if not ones or not others:
        return
    ours, theirs = (np.stack([np.frombuffer(one.small, np.uint8) for one in many]) for many in (ones, others))
    their_squares = (theirs.astype(np.float32) ** 2).sum(1)
    for start in range(0, len(ones), 1024):
        block = ours[start : start + 1024].astype(np.float32)
        best = np.full(len(block), np.inf, dtype=np.float32)
        nearest = np.zeros(len(block), dtype=np.int64)
        for offset in range(0, len(others), 8192):
            part = slice(offset, offset + 8192)
            distances = (block**2).sum(1)[:, None] + their_squares[part] - 2 * block @ theirs[part].astype(np.float32).T
            found = distances.argmin(1)
            closest = distances[np.arange(len(block)), found]
            nearest, best = np.where(closest < best, found + offset, nearest), np.minimum(best, closest)
        for index in np.flatnonzero(best / block.shape[1] <= SAME_MEAN_SQUARE):
            difference = np.abs(block[index] - theirs[nearest[index]])
            if difference.max() <= SAME_ANYWHERE:
                yield start + int(index), int(nearest[index])
