"""How well the heads do on unseen pictures while they learn: true words (spoiled), each head asked alone."""

import math
from concurrent.futures import ThreadPoolExecutor
from random import Random

import torch
from torch import Tensor

from vlm.reading.weights import Vocabulary
from vlm.scene_encoder import Scene
from vlm.scene_heads import ANGLES, SceneReader

from .config import SceneConfig
from .losses import look_for_series
from .pictures import picture
from .targets import UNKNOWN, Targets

NEAR = 0.05  # of the picture's side: about what is allowed of an axis


@torch.inference_mode()
def probe(
    reader: SceneReader, config: SceneConfig, vocabulary: Vocabulary, pool: ThreadPoolExecutor
) -> dict[str, float]:
    """Shares of right answers by family and head, as "eval/charts/end"."""

    @torch.inference_mode()
    def look(item: tuple[str, int]) -> dict[str, Tensor]:
        family, index = item
        given, targets = picture(family, index, "test", config, vocabulary)
        found = answers(reader, reader(given), targets, Random(index))
        return {f"eval/{family}/{name}": right for name, right in found.items()}

    items = [(family, index) for family in config.families for index in range(config.eval_pictures)]
    every: dict[str, list[Tensor]] = {}
    for found in pool.map(look, items):
        for name, right in found.items():
            every.setdefault(name, []).append(right.float().flatten())
    return {name: torch.cat(rights).mean().item() for name, rights in every.items() if sum(map(len, rights))}


def answers(reader: SceneReader, scene: Scene, targets: Targets, rng: Random) -> dict[str, Tensor]:
    """For every head that can be checked, which of its answers are right."""
    found = {"family": reader.family(scene.summary).argmax() == targets.family}
    known = targets.roles != UNKNOWN
    if known.any():
        found["role"] = (reader.words.role(scene.words).argmax(dim=-1) == targets.roles)[known]
    relations = targets.relations != UNKNOWN
    if relations.any():
        found["relation"] = ((reader.words.relations(scene) > 0) == (targets.relations > 0.5))[relations]
    if targets.form != UNKNOWN:
        found["form"] = reader.form(scene.summary).argmax() == targets.form
    if (series := targets.series) is not None:
        places = look_for_series(reader, scene, series, rng)
        for name, logits, wanted in (("end", places.end, series.end), ("start", places.start, series.start)):
            said = places.along[logits.flatten(2).argmax(dim=-1) % len(places.along)]
            close = (said - wanted).abs() <= NEAR * (places.along[-1] + places.along[0])
            found[name] = close[~wanted.isnan()]
    if targets.circle is not None:
        where = reader.pie.where(scene)
        row, column = divmod(int(where.argmax()), where.shape[1])
        circle = reader.pie.circle(scene, (row, column))
        found["circle"] = (circle - targets.circle).abs().amax() < 0.1 * targets.circle[2]
        chance = reader.pie.edges(scene, targets.circle).sigmoid()
        peaks = (chance > 0.3) & (chance >= chance.roll(1)) & (chance >= chance.roll(-1))
        angles = (peaks.nonzero()[:, 0] + 0.5) * (2 * math.pi / ANGLES)
        away = (angles[:, None] - targets.edges + math.pi).remainder(2 * math.pi) - math.pi
        near = away.abs() < 2 * math.pi / 40
        found["edges"] = torch.cat([near.any(dim=0), near.any(dim=1)])
    if len(targets.things):
        centres = (targets.things[:, :2] + targets.things[:, 2:]) / 2
        _, kinds, colours = reader.peaks.things(scene, centres)
        found["kind"] = kinds.argmax(dim=-1) == targets.kinds
        found["colour"] = (colours.argmax(dim=-1) == targets.colours)[targets.colours != UNKNOWN]
    if len(targets.boxes) > 1:
        sources, ends = (~torch.eye(len(targets.boxes), dtype=torch.bool)).nonzero().unbind(-1)
        said = reader.links(scene, targets.boxes[sources], targets.boxes[ends])[:, 0] > 0
        wanted = targets.links[sources, ends] > 0.5
        found["link"] = (said == wanted)[said | wanted]  # what is right of all that is there or said to be
    if len(targets.leads):
        words, tips = targets.leads.unbind(-1)
        boxes = torch.cat([targets.tips - 3, targets.tips + 3], dim=-1)
        shape = (len(words), len(boxes), 4)
        sources, ends = scene.boxes[words][:, None].expand(shape), boxes[None].expand(shape)
        logits = reader.leads(scene, sources.flatten(0, 1), ends.flatten(0, 1)).reshape(shape[:2])
        found["lead"] = logits.argmax(dim=-1) == tips
    return found
