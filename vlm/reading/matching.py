"""Pairs of things, each in one pair at most, that fit together best on the whole."""

from collections.abc import Mapping
from itertools import combinations

LEAST_GAIN = 1e-6


def best_pairs(costs: Mapping[tuple[int, int], float]) -> dict[int, int]:
    """Which second goes with which first thing, as cheaply as can be, from the cost of each pair that may be.

    The cheapest pairs come first; then two change places, or one takes what is left, as long as that is cheaper.
    """
    found: dict[int, int] = {}
    for i, j in sorted(costs, key=costs.__getitem__):
        if i not in found and j not in found.values():
            found[i] = j
    while better := _cheaper(costs, found):
        found |= better
    return found


def _cheaper(costs: Mapping[tuple[int, int], float], found: dict[int, int]) -> dict[int, int]:
    """A change of one or two pairs that lowers the cost; none where there is none."""
    for i, j in costs:
        if i in found and j not in found.values() and costs[i, j] < costs[i, found[i]] - LEAST_GAIN:
            return {i: j}
    for a, b in combinations(found, 2):
        crossed = (a, found[b]), (b, found[a])
        if all(pair in costs for pair in crossed):
            gain = costs[a, found[a]] + costs[b, found[b]] - costs[crossed[0]] - costs[crossed[1]]
            if gain > LEAST_GAIN:
                return {a: found[b], b: found[a]}
    return {}
