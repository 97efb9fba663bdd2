"""Slots take the memory of what is read in them, not of what there is room for."""

import sys
from pathlib import Path

import pytest

from vlm.engine.slots import GROWTH, Slots, SlotShape

SHAPE = SlotShape(layers=4, heads=4, head_size=64, blocks=2, image_heads=4, image_head_size=32, picture_places=64)
MIB = 2**20
ROOM, READ = 8 * GROWTH, GROWTH  # tokens: 512 MiB in 16 slots, 4 MiB a slot

linux = pytest.mark.skipif(sys.platform != "linux", reason="it is measured by /proc")


def resident() -> int:
    """MiB of this process."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split("RssAnon:")[1].split()[0]) // 1024


@linux
def test_room_takes_no_memory_not_even_when_it_grows():
    slots = Slots(SHAPE, 16, 1024 * MIB)
    before = resident()
    slots.reserve(8, ROOM, 2)
    assert resident() - before < 8
    for tensor in slots.text:
        tensor[:, 0, :, :READ] = 1.0
    slots.reserve(16, 2 * ROOM, 2, [READ])
    assert resident() - before < 16
    assert all(bool((tensor[:, 0, :, :READ] == 1).all()) and not tensor[:, 1:].any() for tensor in slots.text)


@linux
def test_the_memory_of_a_slot_goes_when_its_sequence_does():
    slots = Slots(SHAPE, 4, 1024 * MIB)
    slots.reserve(4, ROOM, 2)
    before = resident()
    for tensor in (*slots.text, *slots.images):
        tensor[:, 1] = float("nan")
    assert resident() - before > 28
    slots.clear(1)
    assert resident() - before < 4
    assert not any(tensor.isnan().any() for tensor in (*slots.text, *slots.images))


def test_what_was_reserved_for_a_long_sequence_goes_when_all_have_left():
    slots = Slots(SHAPE, 4, 1024 * MIB)
    slots.reserve(1, GROWTH, 1)
    slots.rest()
    assert slots.text  # of one short sequence it is kept
    slots.reserve(1, GROWTH + 1, 1)
    slots.rest()
    assert not slots.text
