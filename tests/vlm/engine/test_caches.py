import pytest
import torch
from PIL import Image

from vlm.engine.caches import STRIP, BoundedCache, PrefixCache, picture_hash, shared_beginning


def test_the_least_recently_used_goes_first_and_bytes_stay_below_the_bound():
    cache = BoundedCache(10)
    for key in "abc":
        cache.put(key, key.upper(), 3)
    assert cache.get("a") == "A"
    cache.put("d", "D", 4)
    assert cache.keys() == ["c", "a", "d"] and cache.bytes == 10
    assert cache.get("b") is None
    assert (cache.hits, cache.misses) == (1, 1)


def test_a_value_at_the_bound_is_kept_and_one_above_it_is_not():
    cache = BoundedCache(10)
    cache.put("small", 1, 1)
    cache.put("large", 2, 11)
    assert cache.keys() == ["small"]
    cache.put("whole", 3, 10)
    assert cache.keys() == ["whole"] and cache.bytes == 10
    cache.put("whole", 4, 2)
    assert cache.get("whole") == 4 and cache.bytes == 2


def stored(length):
    return torch.zeros(1, 2, 1, length, 1)  # 8 bytes a token


def test_the_longest_known_beginning_is_found():
    cache = PrefixCache(1000)
    cache.put([1, 2, 3, 4], four := stored(4))
    cache.put([1, 2, 9, 9, 9], five := stored(5))
    assert cache.find([1, 2, 3, 5]) == (four, 3)
    assert cache.find([1, 2, 9]) == (five, 3)
    assert cache.find([7, 1, 2, 3]) == (None, 0)
    assert (cache.entries.hits, cache.entries.misses) == (2, 1)


def test_a_picture_is_part_of_the_beginning():
    cache = PrefixCache(1000)
    cache.put([1, b"one", 3], entry := stored(3))
    assert cache.find([1, b"one", 3, 4]) == (entry, 3)
    assert cache.find([1, b"other", 3, 4]) == (entry, 1)


def test_what_continues_a_conversation_replaces_it():
    cache = PrefixCache(1000)
    cache.put([1, 2], stored(2))
    cache.put([1, 2, 3], stored(3))
    cache.put([1, 5], stored(2))
    assert cache.entries.keys() == [(1, 2, 3), (1, 5)]
    assert cache.entries.bytes == 8 * 5


@pytest.mark.parametrize("first, second, length", [([], [1], 0), ([1, 2], [1, 2, 3], 2), ([1, 2, 3], [1, 9, 3], 1)])
def test_a_shared_beginning_is_as_long_as_it_is(first, second, length):
    assert shared_beginning(first, second) == shared_beginning(second, first) == length


def test_a_picture_is_known_by_every_pixel_and_its_size(picture):
    changed = picture.copy()
    changed.putpixel((19, 15), (1, 2, 3))
    plain = [Image.new("RGB", size, "red") for size in ((4, 6), (6, 4), (3, 8), (2, 2 * STRIP + 1))]
    tall = plain[-1].copy()
    tall.putpixel((1, 2 * STRIP), (1, 2, 3))
    hashes = [picture_hash(image) for image in (picture, changed, *plain, tall)]
    assert len(set(hashes)) == len(hashes)
    assert picture_hash(picture.copy()) == hashes[0]
