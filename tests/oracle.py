"""A stand-in for the trained scene reader that answers every question rightly, from what was drawn.

It has the heads' methods and their shapes; what it says comes from `train.seeing.targets`. A decoder that reads less
than the truth from it is wrong, and so are the targets that it learnt from, or the way the two are compared.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from train.seeing.loop import VOCABULARY
from train.seeing.losses import _heat
from train.seeing.targets import UNKNOWN, Targets, make_targets
from train.seeing.words import Word, words_of
from vlm.reading import Reader
from vlm.scene_encoder import MOST_WORDS, Scene, SceneInput, input_scale
from vlm.scene_heads import ANGLES, BAND, FAMILIES, FORMS, NODE_SHAPES, PLACES, RELATIONS, ROLES, SeriesPlaces
from vlm.structure import Label, Reading, Structure

SURE = 12.0  # logit of what is so


class Heads:
    """All heads at once; the tokens of the words are their numbers."""

    def __init__(self, targets: Targets):
        self.targets = targets
        self.words = self.series_head = self.pie = self.peaks = self

    def __call__(self, given: SceneInput) -> Scene:
        height, width = given.pixels.shape[2:]
        tokens = torch.arange(len(given.boxes), dtype=torch.float32)[:, None]
        fine, coarse = torch.zeros(1, 1, height // 4, width // 4), torch.zeros(1, 1, height // 16, width // 16)
        self.shape = (height, width)
        return Scene(torch.zeros(1), tokens, given.boxes, fine, coarse, torch.zeros(1, 3, *fine.shape[2:]))

    def family(self, summary: Tensor) -> Tensor:
        return one_hot(self.targets.family, len(FAMILIES))

    def form(self, summary: Tensor) -> Tensor:
        return one_hot(self.targets.form, len(FORMS))

    def directed(self, summary: Tensor) -> Tensor:
        return torch.tensor([SURE if self.targets.directed == 1 else -SURE])

    def role(self, tokens: Tensor) -> Tensor:
        nobody_knows = self.targets.relations[..., 2].diagonal() == UNKNOWN  # what ran together is not one word
        roles = torch.where(nobody_knows, ROLES.index("text"), self.targets.roles)
        return F.one_hot(roles[numbers(tokens)], len(ROLES)) * SURE

    def anchor(self, tokens: Tensor) -> Tensor:
        return self.targets.anchors[numbers(tokens)].nan_to_num()

    def swatch(self, tokens: Tensor) -> Tensor:
        return self.targets.swatches[numbers(tokens)].nan_to_num()

    def node_box(self, tokens: Tensor) -> Tensor:
        return self.targets.node_boxes[numbers(tokens)].nan_to_num()

    def node_shape(self, tokens: Tensor) -> Tensor:
        return F.one_hot(self.targets.node_shapes[numbers(tokens)].clamp(min=0), len(NODE_SHAPES)) * SURE

    def relations(self, scene: Scene) -> Tensor:
        assert self.targets.relations.shape[2] == len(RELATIONS)
        return torch.where(self.targets.relations == 1, SURE, -SURE)

    def series(
        self, scene: Scene, anchors: Tensor, band: float, upright: bool, categories: Tensor, legend: Tensor,
        swatches: Tensor,
    ) -> SeriesPlaces:  # fmt: skip
        target = self.targets.series
        assert target is not None and upright == target.upright
        along = (torch.arange(PLACES) + 0.5) * (self.shape[0 if upright else 1] / PLACES)
        across = anchors[:, None] + torch.linspace(-0.5, 0.5, BAND) * band
        rows = [self.same(word, target.legend) for word in legend.tolist()] if len(legend) else [0]
        columns = [self.same(word, target.categories) for word in categories.tolist()]
        found = []
        for wanted in (target.end, target.start):
            off_along = (along - wanted[rows][:, columns][..., None, None]) / (0.7 * (along[1] - along[0]))
            off_across = (across - target.across[rows][:, columns][..., None])[..., None] / (band / BAND)
            found.append((-(off_along.square() + off_across.square()) / 2).nan_to_num(-SURE))
        return SeriesPlaces(found[0], found[1], across, along)

    def same(self, word: int, known: Tensor) -> int:
        """Which of the known words is a piece of the same element."""
        return int(self.targets.relations[word, known, RELATIONS.index("element")].argmax())

    def where(self, scene: Scene) -> Tensor:
        assert self.targets.circle is not None
        height, width = scene.coarse.shape[2:]
        column, row = (int(v) // 16 for v in self.targets.circle[:2])
        return one_hot(row * width + column, height * width).reshape(height, width)

    def circle(self, scene: Scene, cell: tuple[int, int]) -> Tensor:
        assert self.targets.circle is not None
        return self.targets.circle

    def edges(self, scene: Scene, circle: Tensor) -> Tensor:
        angles = (torch.arange(ANGLES) + 0.5) * (2 * math.pi / ANGLES)
        away = (angles[:, None] - self.targets.edges + math.pi).remainder(2 * math.pi) - math.pi
        return (-(away / (2 * math.pi / ANGLES)).square() / 2).exp().amax(dim=1).clamp(1e-4, 1 - 1e-4).logit()

    def maps(self, scene: Scene) -> tuple[Tensor, Tensor]:
        things = (self.targets.things[:, :2] + self.targets.things[:, 2:]) / 2
        places = [self.targets.dots / 4, things / 4, self.targets.tips / 4]
        heat = torch.stack([_heat(points, scene.fine.shape[2:]) for points in places])
        offsets = torch.full((2, *scene.fine.shape[2:]), 0.5)
        for x, y in torch.cat(places).tolist():
            row, column = min(int(y), offsets.shape[1] - 1), min(int(x), offsets.shape[2] - 1)
            offsets[:, row, column] = torch.tensor([x - column, y - row])
        return heat.clamp(1e-4, 1 - 1e-4).logit(), offsets

    def things(self, scene: Scene, centres: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        boxes, colours = self.targets.things, self.targets.colours.clamp(min=0)
        nearest = torch.cdist(centres, (boxes[:, :2] + boxes[:, 2:]) / 2).argmin(dim=1)
        kinds = F.one_hot(self.targets.kinds[nearest], len(VOCABULARY.kinds)) * SURE
        hues = F.one_hot(colours[nearest], len(VOCABULARY.colours)) * SURE
        return (boxes[:, 2:] - boxes[:, :2])[nearest], kinds, hues

    def links(self, scene: Scene, sources: Tensor, ends: Tensor) -> Tensor:
        one, two = (torch.cdist(boxes, self.targets.boxes).argmin(dim=1) for boxes in (sources, ends))
        return (2 * self.targets.links[one, two][:, None] - 1) * SURE

    def leads(self, scene: Scene, sources: Tensor, ends: Tensor) -> Tensor:
        words = self.targets.leads[:, 0]
        word = words[torch.cdist(sources, scene.boxes[words]).argmin(dim=1)]
        tip = torch.cdist((ends[:, :2] + ends[:, 2:]) / 2, self.targets.tips).argmin(dim=1)
        pairs = set(map(tuple, self.targets.leads.tolist()))
        said = [SURE if pair in pairs else -SURE for pair in zip(word.tolist(), tip.tolist(), strict=True)]
        return torch.tensor(said)[:, None]


def numbers(tokens: Tensor) -> Tensor:
    return tokens[..., 0].long()


def one_hot(number: int, size: int) -> Tensor:
    assert number != UNKNOWN
    return F.one_hot(torch.tensor(number), size) * SURE


def read_rightly(family: str, image, truth: Structure, monkeypatch, words: list[Word] | None = None) -> Reading:
    """What the decoders make of right answers, and of the words as they were drawn."""
    words = (words_of(truth) if words is None else words)[:MOST_WORDS]
    scale = input_scale(*image.size)
    targets = make_targets(family, truth, words, scale, VOCABULARY.kinds, VOCABULARY.colours)
    labels = tuple(Label(text=word.text, box=word.box) for word in words)
    monkeypatch.setattr("vlm.reading.reader.read_words", lambda image: labels)
    for second_look in ("with_blurred", "with_inked", "with_letters"):
        monkeypatch.setattr(f"vlm.reading.reader.{second_look}", lambda image, words: words)
    monkeypatch.setattr("vlm.reading.reader.labels_apart", lambda label: [label])
    return Reader(Heads(targets), VOCABULARY).read(image)
