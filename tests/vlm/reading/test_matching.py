from itertools import permutations
from random import Random

from vlm.reading.matching import best_pairs


def test_each_is_in_one_pair_and_no_swap_or_move_is_cheaper():
    for seed in range(30):
        rng = Random(seed)
        costs = {(i, j): rng.random() for i in range(4) for j in range(5)}
        found = best_pairs(costs)
        assert len(found) == 4 == len(set(found.values()))
        total = sum(costs[pair] for pair in found.items())
        assert total <= sum(sorted(costs.values())[-4:])
        for a, b in permutations(found, 2):
            others = sum(costs[i, j] for i, j in found.items() if i not in (a, b))
            assert total <= others + costs[a, found[b]] + costs[b, found[a]] + 1e-6
        for i in found:
            free = set(range(5)) - set(found.values())
            assert all(costs[i, found[i]] <= costs[i, j] + 1e-6 for j in free)


def test_what_is_nearest_to_two_goes_to_the_one_that_has_nothing_else():
    assert best_pairs({(0, 0): 0.0, (0, 1): 1.0, (1, 0): 0.5, (1, 1): 9.0}) == {0: 1, 1: 0}


def test_pairs_that_may_not_be_are_none():
    assert best_pairs({(0, 0): 1.0, (1, 0): 2.0}) == {0: 0} and best_pairs({}) == {}
