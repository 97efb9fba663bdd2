"""Graphs with texts, before they are drawn: flows with decisions, trees, cycles, layers and networks."""

from collections.abc import Callable
from dataclasses import dataclass
from random import Random

from .graph_words import CYCLES, FLOWS, NETWORKS, TREES, Topic
from .truth import GraphTruth

EXITS = (("yes", "no"), ("yes", "no"), ("Yes", "No"), ("true", "false"))
TITLED = 0.5


@dataclass(frozen=True)
class Skeleton:
    truth: GraphTruth
    topic: str
    ends: tuple[int, ...] = ()  # which of the nodes are drawn as where a flow begins and ends


def flow(rng: Random) -> Skeleton:
    """A chain of steps; at a decision one exit goes on, and the other back, ahead, or by way of another step."""
    topic = rng.choice(FLOWS)
    count, decided = rng.randint(3, 6), rng.randint(1, min(3, len(topic.decisions)))
    steps, bare = rng.sample(topic.texts, count + decided), rng.random() < 0.5
    texts, decisions = list(steps[:count]), []
    for place, text in zip(sorted(rng.sample(range(1, count), min(decided, count - 1)), reverse=True),
                           rng.sample(topic.decisions, decided), strict=False):  # fmt: skip
        texts.insert(place, text)
        decisions.append(text)
    if not bare:
        texts = ["Start", *texts, "End"]
    spare, exits = steps[count:], rng.choice(EXITS)
    names, edges, labels = list(texts), [], []
    for i, text in enumerate(texts[:-1]):
        way = exits[0] if text in decisions else None
        edges.append((i, i + 1))
        labels.append(way)
        if text in decisions:
            found = _other_exit(i, len(texts), bare, rng)
            if found is None:
                names.append(spare.pop())
                found = len(names) - 1
                if rng.random() < 0.7 and i + 2 < len(texts):
                    edges.append((found, i + 2))
                    labels.append(None)
            edges.append((i, found))
            labels.append(exits[1])
    truth = GraphTruth(title=_title(topic, rng), nodes=tuple(names), edges=tuple(edges), edge_labels=tuple(labels),
                       decisions=tuple(names.index(text) for text in decisions), directed=True)  # fmt: skip
    return Skeleton(truth, topic.name, () if bare else (0, len(texts) - 1))


def _other_exit(i: int, count: int, bare: bool, rng: Random) -> int | None:
    """Back to an earlier step, ahead, or None: to a step of its own."""
    back, ahead = list(range(0 if bare else 1, i)), list(range(i + 2, count))
    chance = rng.random()
    if chance < 0.4 and back:
        return rng.choice(back)
    return rng.choice(ahead) if chance < 0.6 and ahead else None


def tree(rng: Random) -> Skeleton:
    topic, count = rng.choice(TREES), rng.randint(5, 12)
    texts = (topic.texts[0], *rng.sample(topic.texts[1:], count - 1))
    edges: list[tuple[int, int]] = []
    for i in range(1, count):
        free = [j for j in range(i) if sum(source == j for source, _ in edges) < 3]
        edges.append((rng.choice(free[:3]), i))
    return _plain(topic, texts, edges, rng.random() < 0.7, rng)


def cycle(rng: Random) -> Skeleton:
    topic = rng.choice(CYCLES)
    count = rng.randint(4, len(topic.texts))
    edges = [(i, (i + 1) % count) for i in range(count)]
    if count > 5 and rng.random() < 0.4:
        one = rng.randrange(count)
        edges.append((one, (one + rng.randint(2, count - 2)) % count))
    return _plain(topic, tuple(rng.sample(topic.texts, count)), edges, True, rng)


def layers(rng: Random) -> Skeleton:
    """Every node but the first ones is led to by one or two of those before it."""
    topic, count = rng.choice(FLOWS), rng.randint(5, 11)
    edges: set[tuple[int, int]] = set()
    for i in range(1 if rng.random() < 0.6 else 2, count):
        edges.update((j, i) for j in rng.sample(range(max(0, i - 4), i), min(i, rng.choice((1, 1, 2)))))
    if linked := {node for edge in edges for node in edge}:
        edges.update((i, count - 1) for i in range(count - 1) if i not in linked)
    return _plain(topic, tuple(rng.sample(topic.texts, count)), sorted(edges), True, rng)


def network(rng: Random) -> Skeleton:
    """A connected graph, now and then with arrow heads."""
    topic, count = rng.choice(NETWORKS), rng.randint(4, 12)
    edges = {(rng.randrange(i), i) for i in range(1, count)}
    for _ in range(rng.randint(0, count // 2)):
        one, other = sorted(rng.sample(range(count), 2))
        edges.add((one, other))
    directed = rng.random() < 0.25
    turned = [edge[::-1] if directed and rng.random() < 0.5 else edge for edge in sorted(edges)]
    return _plain(topic, tuple(rng.sample(topic.texts, count)), turned, directed, rng)


def _plain(topic: Topic, texts: tuple[str, ...], edges: list[tuple[int, int]], directed: bool, rng: Random) -> Skeleton:
    truth = GraphTruth(title=_title(topic, rng), nodes=texts, decisions=(), edges=tuple(edges),
                       edge_labels=(None,) * len(edges), directed=directed)  # fmt: skip
    return Skeleton(truth, topic.name)


def _title(topic: Topic, rng: Random) -> str | None:
    return rng.choice(topic.titles) if rng.random() < TITLED else None


SKELETONS: dict[str, Callable[[Random], Skeleton]] = {
    "flow": flow, "tree": tree, "cycle": cycle, "layers": layers, "network": network,
}  # fmt: skip
