"""How wrong the heads are about a drawn picture: one loss for every thing that they say.

Shape letters as in `vlm/scene_heads.py`.
"""

import math
from random import Random

import torch
import torch.nn.functional as F
from torch import Tensor

from vlm.scene_encoder import Scene
from vlm.scene_heads import ANGLES, SceneReader, SeriesPlaces

from .targets import UNKNOWN, SeriesTarget, Targets, band_of, jitter

WEIGHTS = {
    "family": 0.3, "role": 1.0, "relation": 1.0, "form": 0.5, "anchor": 1.0, "swatch": 1.0, "end": 1.0, "start": 0.5,
    "pie": 0.7, "circle": 1.0, "edges": 2.0, "peaks": 1.0, "offset": 0.5, "size": 1.0, "kind": 1.0, "colour": 0.5,
    "lead": 1.0, "directed": 0.3, "node_box": 1.0, "node_shape": 0.3, "link": 1.5,
}  # fmt: skip
PLACE_BLUR = 0.7  # places: how far beside the right one is nearly right
PEAK_BLUR = 1.0  # cells


def losses(reader: SceneReader, scene: Scene, targets: Targets, rng: Random) -> dict[str, Tensor]:
    """Everything that is known about the picture, unweighted."""
    found = {"family": F.cross_entropy(reader.family(scene.summary), torch.tensor(targets.family))}
    found |= _word_losses(reader, scene, targets)
    if targets.form != UNKNOWN:
        found["form"] = F.cross_entropy(reader.form(scene.summary), torch.tensor(targets.form))
    if targets.series is not None:
        found["end"], found["start"] = series_losses(
            look_for_series(reader, scene, targets.series, rng), targets.series
        )
    if targets.circle is not None:
        found |= _pie_losses(reader, scene, targets.circle, targets.edges, rng)
    found |= _peak_losses(reader, scene, targets, rng)
    if targets.directed != UNKNOWN:
        wanted = torch.tensor([float(targets.directed)])
        found["directed"] = F.binary_cross_entropy_with_logits(reader.directed(scene.summary), wanted)
    if len(targets.boxes) > 1:
        found["link"] = link_loss(reader, scene, jitter(targets.boxes, rng), targets.links)
    if len(targets.leads):
        found["lead"] = _lead_loss(reader, scene, targets)
    return found


def total(found: dict[str, Tensor]) -> Tensor:
    return torch.stack([WEIGHTS[name] * loss for name, loss in found.items()]).sum()


def _word_losses(reader: SceneReader, scene: Scene, targets: Targets) -> dict[str, Tensor]:
    head, found = reader.words, {}
    if (targets.roles != UNKNOWN).any():
        found["role"] = F.cross_entropy(head.role(scene.words), targets.roles, ignore_index=UNKNOWN)
    for name, said, wanted in (
        ("anchor", head.anchor, targets.anchors),
        ("swatch", head.swatch, targets.swatches),
        ("node_box", head.node_box, targets.node_boxes),
    ):
        known = ~wanted[:, 0].isnan() if len(wanted) else torch.zeros(0, dtype=torch.bool)
        if known.any():
            found[name] = F.smooth_l1_loss(said(scene.words[known]), wanted[known], beta=0.1)
    if (targets.node_shapes != UNKNOWN).any():
        found["node_shape"] = F.cross_entropy(head.node_shape(scene.words), targets.node_shapes, ignore_index=UNKNOWN)
    known = targets.relations != UNKNOWN
    if known.any():
        wanted = targets.relations[known]
        loss = F.binary_cross_entropy_with_logits(head.relations(scene)[known], wanted, reduction="none")
        found["relation"] = (_mean(loss, wanted > 0.5) + _mean(loss, wanted < 0.5)) / 2
    return found


def _mean(loss: Tensor, where: Tensor) -> Tensor:
    return loss[where].mean() if where.any() else loss.sum() * 0


def look_for_series(reader: SceneReader, scene: Scene, target: SeriesTarget, rng: Random) -> SeriesPlaces:
    """Where the series head looks, asked at places a little beside the right ones."""
    extent = scene.fine.shape[3 if target.upright else 2] * 4
    band = band_of(target.anchors, extent)
    anchors = target.anchors + torch.tensor([rng.gauss(0, min(2.0, 0.05 * band)) for _ in target.anchors])
    swatches = target.swatches + torch.tensor([[rng.gauss(0, 1) for _ in "xy"] for _ in target.swatches]).reshape(-1, 2)
    return reader.series(scene, anchors, band, target.upright, target.categories, target.legend, swatches)


def series_losses(found: SeriesPlaces, target: SeriesTarget) -> tuple[Tensor, Tensor]:
    """Cross-entropy with the right place (and its neighbours), for the ends and the beginnings of the marks."""
    beside = (found.across - target.across[..., None]).abs()  # [Q, K, L]
    inside = beside <= 0.7 * target.half[..., None]
    nearest = beside == beside.amin(dim=-1, keepdim=True)
    across = torch.where(inside.any(dim=-1, keepdim=True), inside, nearest).float()
    step = found.along[1] - found.along[0]
    parts = []
    for logits, wanted in ((found.end, target.end), (found.start, target.start)):
        known = ~wanted.isnan()
        if not known.any():
            parts.append(logits.sum() * 0)
            continue
        along = (-((found.along - wanted[known][:, None]) / (PLACE_BLUR * step)).square() / 2).exp()  # [., P]
        right = across[known][:, :, None] * along[:, None]  # [., L, P]
        right = right / right.sum(dim=(1, 2), keepdim=True).clamp(min=1e-6)
        parts.append(-(right.flatten(1) * logits[known].flatten(1).log_softmax(dim=-1)).sum(dim=-1).mean())
    return parts[0], parts[1]


def _pie_losses(reader: SceneReader, scene: Scene, circle: Tensor, edges: Tensor, rng: Random) -> dict[str, Tensor]:
    logits = reader.pie.where(scene)
    column, row = (int(v) for v in (circle[:2] / 16).floor().clamp(min=0).tolist())
    row, column = min(row, logits.shape[0] - 1), min(column, logits.shape[1] - 1)
    where = F.cross_entropy(logits.flatten()[None], torch.tensor([row * logits.shape[1] + column]))
    said = reader.pie.circle(scene, (row, column))
    scaled = torch.stack([*((said[:2] - circle[:2]) / 16), (said[2] / circle[2]).log() * 4])
    noisy = circle + torch.tensor([rng.gauss(0, 0.02) for _ in range(3)]) * circle[2]
    angles = (torch.arange(ANGLES) + 0.5) * (2 * math.pi / ANGLES)
    away = (angles[:, None] - edges + math.pi).remainder(2 * math.pi) - math.pi  # [A, S]
    wanted = (-(away / (2 * math.pi / ANGLES)).square() / 2).exp().amax(dim=1)
    loss = F.binary_cross_entropy_with_logits(reader.pie.edges(scene, noisy), wanted, reduction="sum")
    return {"pie": where, "circle": scaled.abs().mean(), "edges": loss / (4 * len(edges))}


def _peak_losses(reader: SceneReader, scene: Scene, targets: Targets, rng: Random) -> dict[str, Tensor]:
    """Peaks as in CenterNet (https://arxiv.org/abs/1904.07850)."""
    logits, offsets = reader.peaks.maps(scene)
    centres = (targets.things[:, :2] + targets.things[:, 2:]) / 2
    places = [targets.dots / 4, centres / 4, targets.tips / 4]
    heights = torch.stack([_heat(points, logits.shape[1:]) for points in places])
    number = sum(map(len, places))
    found = {"peaks": _focal(logits, heights) / max(1, number)}
    if number:
        every = torch.cat(places)
        columns, rows = (every[:, i].floor().long().clamp(0, logits.shape[2 - i] - 1) for i in (0, 1))
        wanted = every - torch.stack([columns, rows], dim=-1)
        found["offset"] = (offsets[:, rows, columns].T - wanted).abs().mean()
    if len(centres):
        sizes, kinds, colours = reader.peaks.things(
            scene, jitter(targets.things, rng)[:, :2] * 0.5 + targets.things[:, 2:] * 0.5
        )
        right = (targets.things[:, 2:] - targets.things[:, :2]).clamp(min=1)
        found["size"] = (sizes.log() - right.log()).abs().mean()
        found["kind"] = F.cross_entropy(kinds, targets.kinds)
        if (targets.colours != UNKNOWN).any():
            found["colour"] = F.cross_entropy(colours, targets.colours, ignore_index=UNKNOWN)
    return found


def _heat(points: Tensor, shape: torch.Size) -> Tensor:
    """1 in the cell of a point [., 2], falling off around it."""
    heat = torch.zeros(shape)
    for x, y in points.tolist():
        column, row = min(max(int(x), 0), shape[1] - 1), min(max(int(y), 0), shape[0] - 1)
        top, left = max(row - 3, 0), max(column - 3, 0)
        rows, columns = torch.arange(top, min(row + 4, shape[0])), torch.arange(left, min(column + 4, shape[1]))
        distance = (rows - row).square()[:, None] + (columns - column).square()
        patch = heat[top : top + len(rows), left : left + len(columns)]
        torch.maximum(patch, (-distance / (2 * PEAK_BLUR**2)).exp(), out=patch)
    return heat


def _focal(logits: Tensor, heights: Tensor) -> Tensor:
    """The sum over all cells of CornerNet's focal loss (https://arxiv.org/abs/1808.01244)."""
    chance = logits.sigmoid()
    right = (1 - chance).square() * F.logsigmoid(logits) * (heights == 1)
    wrong = (1 - heights).pow(4) * chance.square() * F.logsigmoid(-logits) * (heights < 1)
    return -(right.sum() + wrong.sum())


def link_loss(reader: SceneReader, scene: Scene, boxes: Tensor, links: Tensor) -> Tensor:
    """All ordered pairs of boxes; those with a line weigh as much as those without."""
    sources, targets = (~torch.eye(len(boxes), dtype=torch.bool)).nonzero().unbind(-1)
    wanted = links[sources, targets]
    logits = reader.links(scene, boxes[sources], boxes[targets])[:, 0]
    loss = F.binary_cross_entropy_with_logits(logits, wanted, reduction="none")
    return (2 * _mean(loss, wanted > 0.5) + _mean(loss, wanted < 0.5)) / 2


def _lead_loss(reader: SceneReader, scene: Scene, targets: Targets) -> Tensor:
    """Of all tips, the one that a label's line leads to."""
    words, tips = targets.leads.unbind(-1)
    boxes = torch.cat([targets.tips - 3, targets.tips + 3], dim=-1)
    shape = (len(words), len(boxes))
    sources = scene.boxes[words][:, None].expand(*shape, 4).flatten(0, 1)
    logits = reader.leads(scene, sources, boxes[None].expand(*shape, 4).flatten(0, 1))
    return F.binary_cross_entropy_with_logits(
        logits.reshape(shape), F.one_hot(tips, len(boxes)).float()
    ) + F.cross_entropy(logits.reshape(shape), tips)
