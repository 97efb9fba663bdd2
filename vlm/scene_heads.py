"""The heads of the scene encoder: each looks where the evidence for its question lies, and answers with a place.

Bars and lines: along the column (or row) through a category's label, once for each series, asked for with the colour at
its legend entry. Slices: around the centre. Arrows and call-outs: along the ways between two boxes. Points and things:
peaks of a map. Roles, kinds and relations of words come from their tokens. Code (`vlm/reading`) makes values of places.

Shape letters: N words, D token width, C channels of the fine map, K categories, Q series, L positions across a
category's band, P places along the value axis, A angles, E pairs.
"""

import math
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .scene_encoder import CHANNELS, WIDTH, Scene, SceneEncoder, SceneInput, sample

FAMILIES = ("shapes", "charts", "signs", "tables", "graphs", "things", "parts", "none")
FORMS = ("bar", "bar across", "stacked", "stacked across", "line", "pie", "scatter")  # of a chart
ROLES = (
    "title", "category title", "value title", "tick", "x tick", "category", "legend", "written",  # charts
    "node", "edge", "header", "cell", "call-out", "key", "meaning",  # graphs, tables, parts
    "heading", "item", "price", "total", "text",  # notices
)  # fmt: skip
RELATIONS = ("row", "column", "element")  # that two words may share
PEAKS = ("dot", "thing", "tip")  # what the peak map finds: points of charts, things, ends of call-outs' lines
NODE_SHAPES = ("rectangle", "rounded rectangle", "oval", "circle", "diamond", "hexagon", "parallelogram")
UNIT = 32.0  # pixels: distances are predicted in this unit

BAND, PLACES = 9, 96  # positions across a category's band, and along the value axis
ANGLES, RADII = 180, (0.55, 0.7, 0.85, 0.97, 1.06)  # of the look around a pie's centre; radii as shares of its own
STEPS = 20  # points along each way between two boxes
LOOK = 32  # channels of what is sampled


def perceptron(inputs: int, outputs: int, hidden: int = 128) -> nn.Sequential:
    return nn.Sequential(nn.Linear(inputs, hidden), nn.GELU(), nn.Linear(hidden, outputs))


class WordHead(nn.Module):
    """What each word is there for, and what belongs to it."""

    def __init__(self) -> None:
        super().__init__()
        self.role = perceptron(WIDTH, len(ROLES))
        self.anchor = perceptron(WIDTH, 2)  # from a category's label to the place of its mark on the category axis
        self.swatch = perceptron(WIDTH, 2)  # from a legend entry to its colour
        self.node_box = perceptron(WIDTH, 4)  # how far the box around a word reaches beyond it on every side
        self.node_shape = perceptron(WIDTH, len(NODE_SHAPES))
        self.left, self.right = nn.Linear(WIDTH, len(RELATIONS) * 32), nn.Linear(WIDTH, len(RELATIONS) * 32)
        self.geometry = perceptron(8, len(RELATIONS), hidden=32)

    def relations(self, scene: Scene) -> Tensor:
        """Logits [N, N, RELATIONS] that two words share a row, a column, an element; symmetric."""
        left, right = (part(scene.words).unflatten(-1, (len(RELATIONS), 32)) for part in (self.left, self.right))
        alike = torch.einsum("irk,jrk->ijr", left, right) / math.sqrt(32)
        logits = alike + self.geometry(pair_geometry(scene.boxes))
        return (logits + logits.transpose(0, 1)) / 2


def pair_geometry(boxes: Tensor) -> Tensor:
    """How two boxes lie to each other [N, N, 8], in units of their height: distances, overlaps, aligned edges."""
    one, two = boxes[:, None], boxes[None]
    height = ((boxes[:, 3] - boxes[:, 1])[:, None] + (boxes[:, 3] - boxes[:, 1])[None]).clamp(min=2) / 2
    overlap = torch.minimum(one[..., 2:], two[..., 2:]) - torch.maximum(one[..., :2], two[..., :2])
    middle = (one[..., :2] + one[..., 2:] - two[..., :2] - two[..., 2:]).abs() / 2
    edges = (one - two).abs()[..., [0, 2]]
    sizes = (one[..., 3] - one[..., 1] - two[..., 3] + two[..., 1]).abs()[..., None]
    found = torch.cat([overlap, middle, edges, sizes], dim=-1) / height[..., None]
    return torch.cat([found.clamp(-8, 8) / 4, torch.eye(len(boxes), device=boxes.device)[..., None]], dim=-1)


class SeriesPlaces(NamedTuple):
    """Logits [Q, K, L, P] of where a mark ends and begins, and the places they stand for, in pixels of the input."""

    end: Tensor
    start: Tensor
    across: Tensor  # [K, L]
    along: Tensor  # [P]


class SeriesHead(nn.Module):
    """Where the mark of every series ends (and begins) in every category's band."""

    def __init__(self) -> None:
        super().__init__()
        self.look = nn.Conv2d(CHANNELS, LOOK, 1)
        self.along = nn.Sequential(
            nn.Conv1d(LOOK + 3, LOOK, 5, padding=2), nn.GELU(), nn.Conv1d(LOOK, LOOK, 5, padding=2), nn.GELU(),
            nn.Conv1d(LOOK, LOOK, 5, padding=4, dilation=2),
        )  # fmt: skip
        self.alike = nn.Sequential(nn.Conv1d(2, 16, 5, padding=2), nn.GELU(), nn.Conv1d(16, LOOK, 5, padding=2))
        self.series = nn.Linear(CHANNELS + 3 + WIDTH, LOOK)
        self.lone = nn.Parameter(torch.zeros(LOOK))
        self.category = nn.Linear(WIDTH, LOOK)
        self.position = nn.Parameter(torch.zeros(BAND, LOOK))
        self.found = nn.Sequential(nn.GELU(), nn.Linear(LOOK, LOOK), nn.GELU(), nn.Linear(LOOK, 2))

    def forward(
        self,
        scene: Scene,
        anchors: Tensor,  # [K] places on the category axis
        band: float,  # width of a category
        upright: bool,  # whether values run up and categories across
        categories: Tensor,  # [K] which words name the categories
        legend: Tensor,  # [Q] which words name the series; empty for a lone series
        swatches: Tensor,  # [Q, 2] where their colours are
    ) -> SeriesPlaces:
        height, width = scene.fine.shape[2] * 4, scene.fine.shape[3] * 4
        length = height if upright else width
        along = (torch.arange(PLACES, device=anchors.device) + 0.5) * (length / PLACES)
        across = anchors[:, None] + torch.linspace(-0.5, 0.5, BAND, device=anchors.device) * band  # [K, L]
        shape = (*across.shape, PLACES)
        points = torch.stack([across[..., None].expand(shape), along.expand(shape)], dim=-1)  # [K, L, P, 2]
        points = points if upright else points.flip(-1)
        colours = sample(scene.colours, points, (height, width))
        looks = torch.cat([sample(self.look(scene.fine), points, (height, width)), colours], dim=-1)
        columns = self.along(looks.flatten(0, 1).transpose(1, 2)).transpose(1, 2).unflatten(0, across.shape)
        columns = columns + self.category(scene.words[categories])[:, None, None] + self.position[:, None]
        if len(legend) == 0:
            asked = (columns + self.lone)[None]
        else:
            hue = sample(scene.colours, swatches, (height, width))
            seen = torch.cat([sample(scene.fine, swatches, (height, width)), hue, scene.words[legend]], dim=-1)
            distance = (colours[None] - hue[:, None, None, None]).norm(dim=-1)  # [Q, K, L, P]
            nearness = torch.stack([(-2 * distance).exp(), (-8 * distance).exp()], dim=-1)
            alike = self.alike(nearness.flatten(0, 2).transpose(1, 2)).transpose(1, 2).unflatten(0, nearness.shape[:3])
            asked = columns[None] + alike + self.series(seen)[:, None, None, None]
        end, start = self.found(asked).unbind(-1)
        return SeriesPlaces(end, start, across, along)


class PieHead(nn.Module):
    """Where a pie is, and at which angles its slices meet."""

    def __init__(self) -> None:
        super().__init__()
        self.centre = nn.Conv2d(CHANNELS, 1, 1)
        self.shape = perceptron(CHANNELS + WIDTH, 3, hidden=64)  # x and y within the cell, log of the radius
        self.look = nn.Linear(len(RADII) * (CHANNELS + 3), LOOK)
        self.around = nn.Sequential(
            nn.GELU(), nn.Conv1d(LOOK, LOOK, 5, padding=2, padding_mode="circular"), nn.GELU(),
            nn.Conv1d(LOOK, LOOK, 5, padding=2, padding_mode="circular"), nn.GELU(), nn.Conv1d(LOOK, 1, 1),
        )  # fmt: skip

    def where(self, scene: Scene) -> Tensor:
        """Logits [h, w] over the cells of the coarse map."""
        return self.centre(scene.coarse)[0, 0]

    def circle(self, scene: Scene, cell: tuple[int, int]) -> Tensor:
        """Centre x, y and radius [3], in pixels, of the pie whose centre lies in a cell (row, column)."""
        row, column = cell
        offset_x, offset_y, size = self.shape(torch.cat([scene.coarse[0, :, row, column], scene.summary])).unbind()
        return torch.stack(
            [(column + 0.5 + offset_x) * 16, (row + 0.5 + offset_y) * 16, UNIT * size.clamp(-3, 3).exp()]
        )

    def edges(self, scene: Scene, circle: Tensor) -> Tensor:
        """Logits [A] that one slice ends and the next begins at an angle, clockwise from the top."""
        height, width = scene.fine.shape[2] * 4, scene.fine.shape[3] * 4
        angles = (torch.arange(ANGLES, device=circle.device) + 0.5) * (2 * math.pi / ANGLES)
        directions = torch.stack([angles.sin(), -angles.cos()], dim=-1)  # [A, 2]
        radii = circle.new_tensor(RADII) * circle[2]
        points = circle[:2] + directions[:, None] * radii[:, None]  # [A, R, 2]
        looks = [sample(part, points, (height, width)).flatten(1) for part in (scene.fine, scene.colours)]
        return self.around(self.look(torch.cat(looks, dim=-1)).T[None])[0, 0]


class PeakHead(nn.Module):
    """Points, things and tips as peaks of a map of stride 4, each with what it is."""

    def __init__(self, kinds: int, colours: int) -> None:
        super().__init__()
        self.peaks = nn.Sequential(nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1), nn.GELU(), nn.Conv2d(CHANNELS, 5, 1))
        nn.init.constant_(self.peaks[2].bias[:3], -4.0)  # almost nowhere is a peak
        self.size = perceptron(2 * CHANNELS, 2)
        self.kind = perceptron(2 * CHANNELS, kinds, hidden=192)
        self.colour = perceptron(2 * CHANNELS + 3, colours)

    def maps(self, scene: Scene) -> tuple[Tensor, Tensor]:
        """Logits [PEAKS, h, w], and where in its cell a peak stands [2, h, w], in cells."""
        found = self.peaks(scene.fine)[0]
        return found[:3], found[3:]

    def things(self, scene: Scene, centres: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Width and height [M, 2] in pixels, logits of kind and of colour, of the things at centres [M, 2]."""
        shape = (scene.fine.shape[2] * 4, scene.fine.shape[3] * 4)
        looks = torch.cat([sample(scene.fine, centres, shape), sample(scene.coarse, centres, shape)], dim=-1)
        sizes = UNIT * self.size(looks).clamp(-4, 4).exp()
        return sizes, self.kind(looks), self.colour(torch.cat([looks, sample(scene.colours, centres, shape)], dim=-1))


class LinkHead(nn.Module):
    """Whether a line leads from one box to another: looks along the straight way, two angular and two curved ones."""

    def __init__(self, outputs: int) -> None:
        super().__init__()
        self.look = nn.Conv2d(CHANNELS, LOOK, 1)
        self.along = nn.Sequential(
            nn.Conv1d(LOOK, LOOK, 3, padding=1), nn.GELU(), nn.Conv1d(LOOK, LOOK, 3, padding=1), nn.GELU()
        )
        self.way = nn.Sequential(nn.Linear(LOOK * 5, 64), nn.GELU())
        self.found = perceptron(64 * 2 + 6, outputs, hidden=64)

    def forward(self, scene: Scene, sources: Tensor, targets: Tensor) -> Tensor:
        """Boxes sources [E, 4] and targets [E, 4], in pixels of the input -> logits [E, outputs]."""
        height, width = scene.fine.shape[2] * 4, scene.fine.shape[3] * 4
        points = ways(sources, targets)  # [E, ways, STEPS, 2]
        looks = sample(self.look(scene.fine), points, (height, width))  # [E, ways, STEPS, LOOK]
        seen = self.along(looks.flatten(0, 1).transpose(1, 2))  # [E * ways, LOOK, STEPS]
        ends = torch.cat(
            [seen[..., :3].amax(-1), seen[..., -3:].amax(-1), seen[..., 0], seen[..., -1], seen.mean(-1)], -1
        )
        each = self.way(ends).unflatten(0, points.shape[:2])  # [E, ways, 64]
        centres = [(box[:, :2] + box[:, 2:]) / 2 for box in (sources, targets)]
        apart = (centres[1] - centres[0]) / (4 * UNIT)
        geometry = torch.cat([apart, apart.abs(), apart.norm(dim=-1, keepdim=True), apart.abs().amin(-1, True)], dim=-1)
        return self.found(torch.cat([each[:, 0], each.amax(dim=1), geometry], dim=-1))


def ways(sources: Tensor, targets: Tensor) -> Tensor:
    """Points [E, 5, STEPS, 2] along five ways between boxes, from just inside the one to just inside the other."""
    one, two = (sources[:, :2] + sources[:, 2:]) / 2, (targets[:, :2] + targets[:, 2:]) / 2
    share = torch.linspace(-0.04, 1.04, STEPS, device=sources.device)[:, None]

    def through(middle: Tensor) -> Tensor:
        """A way of two straight parts, from the edge of one box over `middle` to the edge of the other."""
        start, end = leaving(sources, one, middle), leaving(targets, two, middle)
        first, second = (middle - start).norm(dim=-1), (end - middle).norm(dim=-1)
        turn = (first / (first + second).clamp(min=1e-3))[:, None, None].clamp(0.05, 0.95)
        early = start[:, None] + (middle - start)[:, None] * (share / turn)
        late = middle[:, None] + (end - middle)[:, None] * ((share - turn) / (1 - turn))
        return torch.where(share < turn, early, late)

    start, end = leaving(sources, one, two), leaving(targets, two, one)
    straight = start[:, None] + (end - start)[:, None] * share
    corners = [torch.stack([one[:, 0], two[:, 1]], dim=-1), torch.stack([two[:, 0], one[:, 1]], dim=-1)]
    bulge = torch.stack([one[:, 1] - two[:, 1], two[:, 0] - one[:, 0]], dim=-1)
    curved = [straight + side * bulge[:, None] * (share * (1 - share)) for side in (-0.8, 0.8)]
    return torch.stack([straight, *(through(corner) for corner in corners), *curved], dim=1)


def leaving(boxes: Tensor, centres: Tensor, towards: Tensor) -> Tensor:
    """Where the way from the centre of a box to a point leaves the box [E, 2]; the point itself if it lies inside."""
    half = ((boxes[:, 2:] - boxes[:, :2]) / 2).clamp(min=1)
    step = towards - centres
    share = (half / step.abs().clamp(min=1e-3)).amin(dim=-1, keepdim=True).clamp(max=1)
    return centres + step * share


class SceneReader(nn.Module):
    """The scene encoder with all its heads."""

    def __init__(self, kinds: int, colours: int) -> None:
        super().__init__()
        self.encoder = SceneEncoder()
        self.family = nn.Linear(WIDTH, len(FAMILIES))
        self.form = nn.Linear(WIDTH, len(FORMS))
        self.directed = nn.Linear(WIDTH, 1)
        self.words = WordHead()
        self.series = SeriesHead()
        self.pie = PieHead()
        self.peaks = PeakHead(kinds, colours)
        self.links = LinkHead(1)  # arrows between boxes
        self.leads = LinkHead(1)  # lines from call-outs' labels to their tips

    def forward(self, given: SceneInput) -> Scene:
        return self.encoder(given)
