"""Where the sequences of a batch keep what they have read: one slot each, in tensors that all of them share.

Slots are used from the first on without gaps, so that a step works on slices. A tensor is as long as the longest
sequence may become; memory that no sequence has reached is not touched, and so not taken.

Shape letters: S slots, N heads, L places (tokens), H head dim; of the language model's keys and values unless said.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .pages import untouch_, untouched_zeros

PLACES = 128  # lengths are multiples of this, and so are the parts in which values are summed up
GROWTH = 4 * PLACES  # the tensors are as long as a multiple of this


@dataclass(frozen=True)
class SlotShape:
    """What one slot holds."""

    layers: int
    heads: int
    head_size: int
    blocks: int  # of cross-attention
    image_heads: int
    image_head_size: int
    picture_places: int  # of each picture; see looking.py

    @property
    def bytes_per_token(self) -> int:
        return self.layers * 2 * self.heads * self.head_size * 4


def whole_places(length: int) -> int:
    return -(-length // PLACES) * PLACES


class Slots:
    """`max_bytes` bounds keys and values of text; one sequence alone may be of any length."""

    def __init__(self, shape: SlotShape, max_slots: int, max_bytes: int):
        self.shape = shape
        self.max_slots = max_slots
        self.max_bytes = max_bytes
        self.text: list[Tensor] = []  # one [2, S, N, L, H] per layer: keys, values
        self.images: list[Tensor] = []  # one [2, S, N, I*P, H] per block of cross-attention
        self.moves = 0  # how often the tensors were replaced by others
        self._count, self._places, self._pictures = 0, 0, 0

    def fits(self, count: int, length: int) -> bool:
        """Whether `count` sequences of up to `length` tokens may run together."""
        size = count * whole_places(length) * self.shape.bytes_per_token
        return count <= self.max_slots and (count == 1 or size <= self.max_bytes)

    def reserve(self, count: int, length: int, pictures: int, read: Sequence[int] = ()) -> None:
        """Make room for `count` sequences of up to `length` tokens and `pictures`.

        The first slots are kept: `read` says how many tokens each of them has read.
        """
        used, longest = len(read), max(read, default=0)
        places = -(-length // GROWTH) * GROWTH
        if used or not pictures:
            pictures = max(pictures, self._pictures)
        shape, more = self.shape, count > self._count
        if more:
            self._count = max(count, min(2 * self._count, self.max_slots))
        if more or places > self._places:
            self.moves += 1
            self._places = max(places, self._places)
            empty = (2, self._count, shape.heads, self._places, shape.head_size)
            self.text = _moved(self.text, shape.layers, empty, used, longest)
        if more or pictures != self._pictures:
            self.moves += 1
            self._pictures = pictures
            empty = (2, self._count, shape.image_heads, pictures * shape.picture_places, shape.image_head_size)
            self.images = _moved(self.images, shape.blocks, empty, used, empty[3])

    def rest(self) -> None:
        """Nobody is in any slot: give back the memory of more than one, and of a long one."""
        if self._count > 1 or self._places > GROWTH:
            self.text, self.images = [], []
            self._count = self._places = self._pictures = 0
            self.moves += 1

    def copy(self, source: int, target: int, length: int, pictures: int) -> None:
        """Slot `source`, which has read `length` tokens and is shown so many pictures, into slot `target`."""
        for tensor in self.text:
            tensor[:, target, :, :length] = tensor[:, source, :, :length]
        places = pictures * self.shape.picture_places
        for tensor in self.images if pictures else ():
            tensor[:, target, :, :places] = tensor[:, source, :, :places]

    def store(self, slot: int, length: int) -> Tensor:
        """A copy of what a slot has read: [layers, 2, N, length, H]."""
        return torch.stack([tensor[:, slot, :, :length] for tensor in self.text])

    def restore(self, slot: int, stored: Tensor, length: int) -> None:
        """The first `length` tokens of what `store` returned, into a slot."""
        for tensor, values in zip(self.text, stored, strict=True):
            tensor[:, slot, :, :length] = values[:, :, :length]

    def clear(self, slot: int) -> None:
        """Forget what is in a slot, and give back its memory: a value that is not a number would reach the next
        sequence, times zero.
        """
        for tensor in (*self.text, *self.images):
            for keys_or_values in tensor[:, slot]:
                untouch_(keys_or_values)


def _moved(old: list[Tensor], count: int, shape: tuple[int, ...], slots: int, places: int) -> list[Tensor]:
    """`count` tensors [2, S, N, L, H] of zeros but for the first slots and places of the old ones, which go one by one
    on the way, so that there is never more than one of them twice."""
    new = []
    for _ in range(count):
        tensor = untouched_zeros(shape)
        if slots:
            kept = old.pop(0)[:, :slots, :, :places]
            tensor[:, :slots, :, : kept.shape[3]] = kept
        new.append(tensor)
    return new
