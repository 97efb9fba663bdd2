"""What is worth keeping between requests, bounded in bytes, the least recently used thrown away first.

A picture's features and its keys and values for cross-attention depend on its pixels and on the model alone: they are
found by a hash of all decoded pixels with the size, and hold wherever the picture stands in whatever conversation. What
the language model has read of a conversation depends on every token and picture before it: it is found by the longest
beginning that a prompt shares with it. One set of caches belongs to one model; what an adapter of it changes is found
by that adapter's hash too.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from PIL import Image
from torch import Tensor

from ..cross_attention import ImageKeyValue

STRIP = 256  # rows of a picture that are hashed at a time

V = TypeVar("V")
# A token; at an image token the hash of its picture; at the first token, what it was read with beside the model.
Unit = int | bytes | tuple[bytes, object]


class BoundedCache(Generic[V]):
    """`max_bytes` of values; what alone is larger is not kept. Not for several threads."""

    def __init__(self, max_bytes: int):
        self.max_bytes = max_bytes
        self.bytes = self.hits = self.misses = 0
        self._entries: OrderedDict[Hashable, tuple[V, int]] = OrderedDict()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._entries

    def __len__(self) -> int:
        return len(self._entries)

    def get(self, key: Hashable) -> V | None:
        """The value, used from now on most recently; counts a hit or a miss."""
        if key not in self._entries:
            self.misses += 1
            return None
        self.hits += 1
        self._entries.move_to_end(key)
        return self._entries[key][0]

    def put(self, key: Hashable, value: V, size: int) -> None:
        """`size` is what the value takes, in bytes."""
        self.remove(key)
        if size > self.max_bytes:
            return
        self._entries[key] = (value, size)
        self.bytes += size
        while self.bytes > self.max_bytes:
            self.remove(next(iter(self._entries)))

    def remove(self, key: Hashable) -> None:
        if key in self._entries:
            self.bytes -= self._entries.pop(key)[1]

    def keys(self) -> list[Hashable]:
        """From the least to the most recently used."""
        return list(self._entries)


@dataclass(frozen=True)
class EncodedPicture:
    """One picture as the model reads it."""

    features: Tensor  # [1, 1, P, D]
    key_values: tuple[ImageKeyValue, ...]  # [1, N, 1, P, H] of each cross-attention block

    @property
    def size(self) -> int:
        tensors = [self.features, *(tensor for pair in self.key_values for tensor in pair)]
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors)


def picture_hash(image: Image.Image) -> bytes:
    """Of every pixel and the size; the picture must have been brought to RGB."""
    digest = hashlib.blake2b(repr((image.mode, image.size)).encode(), digest_size=32)
    for top in range(0, image.height, STRIP):  # as bytes, the whole would take twice the picture's memory once more
        strip = image.crop((0, top, image.width, min(top + STRIP, image.height)))
        digest.update(strip.tobytes())
    return digest.digest()


class PrefixCache:
    """What has been read of conversations: [layers, 2, N, L, H] for L tokens."""

    def __init__(self, max_bytes: int):
        self.entries: BoundedCache[Tensor] = BoundedCache(max_bytes)

    def find(self, units: Sequence[Unit]) -> tuple[Tensor | None, int]:
        """The entry that shares the longest beginning with `units`, and that beginning's length; (None, 0) if none."""
        lengths = {key: shared_beginning(key, units) for key in self.entries.keys()}  # type: ignore[arg-type]
        best = max(lengths, key=lambda key: lengths[key], default=None)
        if best is None or lengths[best] == 0:
            self.entries.misses += 1
            return None, 0
        return self.entries.get(best), lengths[best]

    def put(self, units: Sequence[Unit], stored: Tensor) -> None:
        """Keep what was read of `units`, instead of what was kept of any beginning of it."""
        key = tuple(units)
        for other in self.entries.keys():
            if shared_beginning(other, key) == len(other):  # type: ignore[arg-type]
                self.entries.remove(other)
        self.entries.put(key, stored, stored.numel() * stored.element_size())


def shared_beginning(first: Sequence[Unit], second: Sequence[Unit]) -> int:
    """How many units two sequences have in common from the start."""
    if tuple(first[: len(second)]) == tuple(second[: len(first)]):
        return min(len(first), len(second))
    return next(i for i, (one, other) in enumerate(zip(first, second, strict=False)) if one != other)
