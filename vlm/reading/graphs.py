"""Node-link pictures: boxes around words, and which lines join them."""

import math
from collections.abc import Sequence
from itertools import combinations

import torch

from ..scene_heads import NODE_SHAPES, UNIT, leaving
from ..structure import Box, Edge, Graph, Label, Node, Point
from .heads import Crossing, find_heads, head_at, headward
from .seen import Seen, SeenWord, around, middle
from .spelling import like_the_others
from .traces import Traces, find_traces
from .weights import log_odds

LINKED = 0.4  # chance of a line between two boxes, from which there is one
HEAD = 3.5  # log-odds of a direction for which a line has a head at one end and none at the other
BOTH_WAYS = 0.7  # chance of a line against the direction of a likelier one: most have one head
SURE, MOST = 0.8, 0.7  # the network of a line, and how many of these must have been followed
FOLLOWED = 0.97  # chance of a line that was followed from box to box
CLEAR = 1.8  # pixels by which a line is wider at one end, if there is a head and none at the other
PIXEL, WIDEST = 2.0, 3.0  # log-odds of a direction for each pixel, up to so many
MISLED = 4.0  # log-odds that the network may have of a direction
NETWORK = 10.0  # log-odds of arrow heads, if it sees every line lead one way, are half of that
WITH_HEAD, WITHOUT_HEAD, MOST_HEADS = 2.7, -1.3, 3.0  # log-odds by a line with a clear head, or none; by all together
USUAL_LINKS = 1.1  # lines for each box
POSITIVE_WEIGHT = 2.0  # in training a line weighs so much more than none, and both kinds of pairs the same in all
SAME_BOX, SURELY_SAME_BOX = 0.5, 0.6  # overlap of two words' boxes that are one, if they are said to share it, or not
NEAR_LINE = 2.5  # text heights from a line to what is written at it


def read_graph(seen: Seen) -> Graph | None:
    found = group_nodes(seen)
    if not found:
        return None
    nodes = _alike([_node(seen, words, box) for words, box in found])
    boxes = [box for _, box in found]
    chances = link_chances(seen, boxes)
    labels = [word.label.box for word in seen.of_role("edge")]
    others = [word.label.box for word in seen.words if word.role not in ("node", "edge")]
    traces = find_traces(seen.image, boxes, labels, others)
    heads = find_heads(seen.image, boxes, [node.shape for node in nodes])
    leads = [headward(heads[trace.boxes[0]], heads[trace.boxes[1]], trace.ends) for trace in traces.found]
    directed = is_directed(chances, leads)
    if directed:
        chances = with_heads(chances, boxes, heads)
    chances = with_traces(chances, traces, leads, directed)
    edges = []
    for i in range(len(nodes)):
        for j in range(len(nodes)):
            there, back = float(chances[i, j]), float(chances[j, i])
            chance = there if directed else (there + back) / 2
            least = BOTH_WAYS if directed and back > there else LINKED
            if i != j and chance > least and (directed or i < j):
                edges.append(
                    Edge(
                        source=i, target=j, route=_route(nodes[i].box, nodes[j].box), label=None, directed=directed,
                        confidence=seen.vocabulary.calibrated(
                            "edge", min(1.0, chance * min(nodes[i].confidence, nodes[j].confidence))
                        ),
                    )
                )  # fmt: skip
    return Graph(
        width=seen.image.width, height=seen.image.height, title=seen.title(), nodes=tuple(nodes),
        edges=tuple(_with_labels(edges, [word.label for word in seen.of_role("edge")])),
    )  # fmt: skip


def group_nodes(seen: Seen) -> list[tuple[list[SeenWord], Box]]:
    """The words of every box with the box around them; lines of one box find each other by where they see its sides."""
    words = sorted(seen.of_role("node"), key=lambda word: (word.label.box[1], word.label.box[0]))
    groups: list[tuple[list[SeenWord], list[Box]]] = []
    for word in words:
        beyond = UNIT / seen.scale * seen.network.words.node_box(seen.scene.words[word.token]).clamp(min=0)
        left, top, right, bottom = (
            w + sign * b for w, sign, b in zip(word.label.box, (-1, -1, 1, 1), beyond.tolist(), strict=True)
        )
        box = (left, top, right, bottom)
        for members, boxes in groups:
            shared = overlap(box, mean_box(boxes))
            related = max(seen.related(word, one, "element") for one in members) > 0.3
            if shared > SURELY_SAME_BOX or (related and shared > SAME_BOX):
                members.append(word)
                boxes.append(box)
                break
        else:
            groups.append(([word], [box]))
    return [(members, mean_box(boxes)) for members, boxes in groups]


def mean_box(boxes: list[Box]) -> Box:
    left, top, right, bottom = (sum(edges) / len(edges) for edges in zip(*boxes, strict=True))
    return left, top, right, bottom


def overlap(one: Box, two: Box) -> float:
    """Intersection over union."""
    width = min(one[2], two[2]) - max(one[0], two[0])
    height = min(one[3], two[3]) - max(one[1], two[1])
    if width <= 0 or height <= 0:
        return 0.0
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (one, two)]
    return width * height / (sum(areas) - width * height)


def _node(seen: Seen, words: list[SeenWord], box: Box) -> Node:
    shape = seen.network.words.node_shape(seen.scene.words[words[0].token])
    inside = around([word.label.box for word in words])
    beside = ((box[0] + inside[0]) / 2, (inside[1] + inside[3]) / 2)
    return Node(
        lines=tuple(word.label for word in words), shape=NODE_SHAPES[int(shape.argmax())], box=box,  # type: ignore[arg-type]
        colour=seen.colour_at(*beside, spread=1), confidence=min(word.label.confidence for word in words),
    )  # fmt: skip


def _alike(nodes: list[Node]) -> list[Node]:
    """Names of one line that begin like the others."""
    texts = like_the_others([node.text for node in nodes])
    return [
        node
        if len(node.lines) != 1 or node.text == text
        else node.model_copy(update={"lines": (node.lines[0].model_copy(update={"text": text}),)})
        for node, text in zip(nodes, texts, strict=True)
    ]


def link_chances(seen: Seen, boxes: list[Box]) -> torch.Tensor:
    """[B, B] chance that a line leads from one box to another.

    Training balances pairs with and without a line; here most have none, which is made up for.
    """
    number = len(boxes)
    chances = torch.zeros(number, number)
    if number > 1:
        scaled = torch.tensor(boxes) * seen.scale
        sources, targets = (~torch.eye(number, dtype=torch.bool)).nonzero().unbind(-1)
        balance = math.log(max(1.0, POSITIVE_WEIGHT * (number - 1 - USUAL_LINKS) / USUAL_LINKS))
        logits = seen.network.links(seen.scene, scaled[sources], scaled[targets])[:, 0]
        chances[sources, targets] = (logits - balance).sigmoid()
    return chances


def with_heads(chances: torch.Tensor, boxes: list[Box], heads: list[list[Crossing]]) -> torch.Tensor:
    """The chances [B, B] where pixels show at which end a line has its head: layouts mislead the network."""
    found = chances.clone()
    for i, j in combinations(range(len(boxes)), 2):
        ends = head_at(heads[i], boxes[i], boxes[j]), head_at(heads[j], boxes[j], boxes[i])
        if None in ends or ends[0] == ends[1]:
            continue
        there, back = float(chances[i, j]), float(chances[j, i])
        odds = log_odds(there) - log_odds(back) + (HEAD if ends[1] else -HEAD)
        share = 1 / (1 + math.exp(-odds))
        found[i, j], found[j, i] = max(there, back) * share, max(there, back) * (1 - share)
    return found


def with_traces(chances: torch.Tensor, traces: Traces, leads: Sequence[float | None], directed: bool) -> torch.Tensor:
    """The chances [B, B] where lines were followed: what one joins is joined, and what none joins, is not.

    That none is there counts only if most of the lines that the network is sure of can be followed: faint ones cannot.
    """
    found, likelier = chances.clone(), torch.maximum(chances, chances.T)
    lines: dict[tuple[int, int], list[float]] = {}
    for trace, lead in zip(traces.found, leads, strict=True):
        lines.setdefault(trace.boxes, []).append(lead or 0.0)
    sure = [(i, j) for i, j in combinations(range(len(chances)), 2) if likelier[i, j] > SURE]
    followed = sum(pair in lines or pair in traces.open for pair in sure)
    for i, j in combinations(range(len(chances)), 2):
        if (i, j) in lines:
            there, back = ways(float(chances[i, j]), float(chances[j, i]), lines[i, j]) if directed else (1.0, 1.0)
            chance = max(FOLLOWED, float(likelier[i, j]))
            found[i, j], found[j, i] = chance * there, chance * back
        elif (i, j) not in traces.open and followed >= MOST * len(sure):
            found[i, j] = found[j, i] = 0.0
    return found


def ways(there: float, back: float, leads: Sequence[float]) -> tuple[float, float]:
    """How likely it leads there, and back, if there is one line or more between two boxes, by their heads."""
    if len(leads) > 1 and not (min(leads) > CLEAR or max(leads) < -CLEAR):
        return 1.0, 1.0  # a line for each direction
    said = min(MISLED, max(-MISLED, log_odds(there) - log_odds(back)))
    share = 1 / (1 + math.exp(-said - PIXEL * min(WIDEST, max(-WIDEST, sum(leads) / len(leads)))))
    return share, 1 - share


def is_directed(chances: torch.Tensor, leads: Sequence[float | None] = ()) -> bool:
    """Whether lines have arrow heads: without them each leads both ways, and is as wide at one end as at the other."""
    likelier, other = torch.maximum(chances, chances.T), torch.minimum(chances, chances.T)
    odds = NETWORK * (0.5 - float(other.sum()) / float(likelier.sum())) if likelier.any() else 0.0
    seen = [abs(lead) > CLEAR for lead in leads if lead is not None]
    heads = sum(WITH_HEAD if is_clear else WITHOUT_HEAD for is_clear in seen)
    return odds + min(MOST_HEADS, max(-MOST_HEADS, heads)) > 0


def _route(source: Box, target: Box) -> tuple[Point, Point]:
    """A straight line from outline to outline: which way the drawn one takes is not read."""
    boxes = torch.tensor([source, target])
    centres = (boxes[:, :2] + boxes[:, 2:]) / 2
    (start, end) = leaving(boxes, centres, centres.flip(0)).tolist()
    return (start[0], start[1]), (end[0], end[1])


def _with_labels(edges: list[Edge], labels: list[Label]) -> list[Edge]:
    """Every text goes to the line that it stands nearest to, the nearest pairs first."""
    pairs = []
    for i, edge in enumerate(edges):
        for j, label in enumerate(labels):
            height = label.box[3] - label.box[1]
            distance = _to_segment(middle(label.box), edge.route[0], edge.route[-1])
            if distance < NEAR_LINE * height + (label.box[2] - label.box[0]) / 2:
                pairs.append((distance, i, j))
    given: dict[int, int] = {}
    for _, i, j in sorted(pairs):
        if i not in given and j not in given.values():
            given[i] = j
    return [edge.model_copy(update={"label": labels[given[i]]}) if i in given else edge for i, edge in enumerate(edges)]


def _to_segment(point: Point, start: Point, end: Point) -> float:
    """The distance of a point from a straight line that ends."""
    dx, dy = end[0] - start[0], end[1] - start[1]
    share = ((point[0] - start[0]) * dx + (point[1] - start[1]) * dy) / max(1e-6, dx * dx + dy * dy)
    share = min(1.0, max(0.0, share))
    return ((point[0] - start[0] - share * dx) ** 2 + (point[1] - start[1] - share * dy) ** 2) ** 0.5
