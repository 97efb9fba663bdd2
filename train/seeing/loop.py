"""Trains the scene encoder: pictures are drawn, looked at one by one, and their gradients added up.

Pictures keep their own shapes, so there are no batches to pad; on a CPU several are worked on at the same time, each on
a core of its own, which is also faster than many cores on one. The same config and seed give the same weights.
"""

import logging
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from random import Random
from typing import Any

import torch
from accelerate import Accelerator
from safetensors.torch import load_file
from torch import Tensor, nn

from vlm.efficientnet import load_published_weights
from vlm.reading.weights import Vocabulary, save_weights
from vlm.scene_encoder import STRIDE_4
from vlm.scene_heads import SceneReader

from ..checkpoint import checkpoints, clear_partial, resume_optimizer, save_checkpoint
from ..curves import draw_curves
from ..data_engine.colours import NAMES
from ..data_engine.shapes_kinds import KINDS
from ..data_engine.things_words import DRAWINGS
from ..progress import Progress
from ..safety import check_loss
from ..schedule import schedule
from .config import SceneConfig
from .losses import losses, total
from .pictures import picture
from .probe import probe

logger = logging.getLogger(__name__)

KEPT = 2  # checkpoints
VOCABULARY = Vocabulary(kinds=[*KINDS, *DRAWINGS, "part"], colours=list(NAMES))


def new_reader(seed: int) -> SceneReader:
    """Published convolutions, everything else new."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        reader = SceneReader(len(VOCABULARY.kinds), len(VOCABULARY.colours))
    published = load_published_weights().state_dict()
    reader.encoder.load_state_dict(
        {n: w for n, w in published.items() if n.startswith(("stem", "stages"))}, strict=False
    )
    for part in (reader.encoder.stem, *reader.encoder.stages[: STRIDE_4 + 1]):
        part.requires_grad_(False)  # what is near the pixels stays, and need not be gone back through
    return reader


def trained(reader: nn.Module) -> dict[str, nn.Parameter]:
    return {name: p for name, p in reader.named_parameters() if p.requires_grad}


class Saving:
    """Writes the weights into a checkpoint, as `vlm read` loads them."""

    def __init__(self, reader: SceneReader):
        self.reader = reader

    def save_pretrained(self, folder: Path, **options: Any) -> None:
        save_weights(self.reader, VOCABULARY, folder)

    def named_parameters(self):
        return self.reader.named_parameters()


def train(config: SceneConfig) -> Path:
    """Run `config` from where its `output_dir` stands, to the end; returns the folder of the last checkpoint."""
    torch.set_num_threads(1)
    reader = new_reader(config.seed)
    parameters = trained(reader)
    trunk = [p for name, p in parameters.items() if name.startswith("encoder.stages")]
    others = [p for name, p in parameters.items() if not name.startswith("encoder.stages")]
    rates = (config.trunk_learning_rate, config.learning_rate)
    optimizer = torch.optim.AdamW(
        [{"params": params, "lr": rate} for params, rate in zip((trunk, others), rates, strict=True)],
        betas=(0.9, 0.98), weight_decay=config.weight_decay,
    )  # fmt: skip
    factor, step = schedule(config.warmup_steps, config.max_steps), 0
    if folders := checkpoints(config.output_dir):
        reader.load_state_dict(load_file(folders[-1] / "model.safetensors"))
        step = resume_optimizer(folders[-1], reader, optimizer)
        logger.info("resuming %s after step %d", folders[-1], step)
    logger.info("training %.2fM weights", sum(p.numel() for p in parameters.values()) / 1e6)
    config.output_dir.mkdir(parents=True, exist_ok=True)
    clear_partial(config.output_dir)
    with (
        Progress(Accelerator(cpu=True), config, step, "pictures") as progress,
        ThreadPoolExecutor(config.workers) as pool,
    ):
        while step < config.max_steps:
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor(step)
            measured = train_step(reader, parameters, optimizer, step, config, pool)
            step += 1
            if is_measured := step % config.eval_every == 0 or step == config.max_steps:
                measured |= probe(reader, config, VOCABULARY, pool)
            progress.write(step, measured["loss"], config.batch_size, measured)
            if is_measured:
                draw_curves(progress.path)
            if step % config.save_every == 0 or step == config.max_steps:
                save_checkpoint(config.output_dir, step, Saving(reader), optimizer, KEPT)
    return checkpoints(config.output_dir)[-1]


def train_step(
    reader: SceneReader,
    parameters: dict[str, nn.Parameter],
    optimizer: torch.optim.Optimizer,
    step: int,
    config: SceneConfig,
    pool: ThreadPoolExecutor,
) -> dict[str, float]:
    """One optimizer step over `batch_size` pictures; returns the mean of every loss over the pictures that have it.

    Raises TrainingStopped before a weight is changed.
    """

    def gradients(index: int) -> tuple[list[Tensor], dict[str, float]]:
        rng = Random(f"{config.seed}/{index}")
        family = rng.choices(list(config.families), list(config.families.values()))[0]
        given, targets = picture(family, index, "train", config, VOCABULARY)
        found = losses(reader, reader(given), targets, rng)
        grads = torch.autograd.grad(total(found), list(parameters.values()), allow_unused=True)
        return list(grads), {name: loss.item() for name, loss in found.items()} | {"loss": total(found).item()}

    size = config.batch_size
    every: dict[str, list[float]] = {}
    for grads, found in pool.map(gradients, range(step * size, (step + 1) * size)):
        for parameter, grad in zip(parameters.values(), grads, strict=True):
            if grad is not None:
                parameter.grad = grad / size if parameter.grad is None else parameter.grad.add_(grad, alpha=1 / size)
        for name, value in found.items():
            every.setdefault(name, []).append(value)
    means = {name: sum(values) / len(values) for name, values in every.items()}
    gradient = float(torch.nn.utils.clip_grad_norm_(parameters.values(), config.max_grad_norm))
    check_loss(means["loss"], gradient, step + 1, config, parameters.values())
    optimizer.step()
    optimizer.zero_grad()
    return means
