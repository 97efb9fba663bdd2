"""Graphs to test with, drawn once for all modules."""

import functools
from random import Random

from train.data_engine.graphs import Graphs
from vlm.structure import Graph

FAMILY = Graphs()


@functools.cache
def sample_graphs() -> list[Graph]:
    return [FAMILY.sample(Random(f"graph {i}"), "train") for i in range(450)]
