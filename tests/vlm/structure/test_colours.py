from random import Random

import pytest

from train.data_engine.colours import NAMES, pick
from vlm.structure.colours import colour_name


@pytest.mark.parametrize("name", NAMES)
def test_a_colour_is_called_what_everybody_calls_it(name):
    rng = Random(0)
    named = [colour_name(pick(name, rng)) for _ in range(100)]
    assert named.count(name) >= 95
