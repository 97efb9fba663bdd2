"""The training loop: rows -> loss -> step, with progress, checkpoints and exact resume."""

import json
import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import torch
from peft import PeftModel
from torch.utils.data import DataLoader
from tqdm import tqdm

from vlm.processing_vlm import VlmProcessor

from .alignment import align
from .checkpoint import checkpoints, resume, save_checkpoint
from .collator import PackedRow, collate
from .config import TrainConfig
from .curves import draw_curves
from .data import Rows, build_rows
from .looking import align_looking, loss_on_row
from .precision import autocast, faster_precision, lower_
from .preference import collate_pairs, preference_loss
from .trainable import describe, parameter_groups, trainable_parameters

logger = logging.getLogger(__name__)

LOOKING_WEIGHT = 1.0  # of looking right, beside answering right
EVAL_START = 1_000_000_000  # rows from here on are never trained on
Batch = dict[str, torch.Tensor]


class Scheduled(Protocol):
    """A config that says how long a run is."""

    warmup_steps: int
    max_steps: int


def schedule(config: Scheduled) -> Callable[[int], float]:
    """Learning-rate factor of each step: a linear warm-up, then a cosine down to a tenth."""

    def factor(step: int) -> float:
        if step < config.warmup_steps:
            return (step + 1) / config.warmup_steps
        done = (step - config.warmup_steps) / max(1, config.max_steps - config.warmup_steps)
        return 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, done)))

    return factor


def train(model: PeftModel, processor: VlmProcessor, config: TrainConfig) -> Path:
    """Run `config` from where its `output_dir` stands, to the end; returns the folder of the last checkpoint.

    The frozen parts stay in eval mode. A row's data and a step's random numbers depend on the config and the step
    alone, so an interrupted run that is started again ends with the same weights as one that was not.
    """
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if config.precision == "auto":
        config = config.model_copy(update={"precision": faster_precision(device)})
    model.to(device).eval()
    lower_(model.get_base_model().language_model, config.precision)
    optimizer = torch.optim.AdamW(parameter_groups(model, config), betas=(0.9, 0.98))
    base_rates = [group["lr"] for group in optimizer.param_groups]
    factor = schedule(config)
    step = 0
    if folders := checkpoints(config.output_dir):
        step = resume(folders[-1], model, optimizer)
        logger.info("resuming %s after step %d", folders[-1], step)
    elif config.alignment_steps:
        align(model, processor, config)
        if config.looking_steps:
            align_looking(model, processor, config)
        save_checkpoint(config.output_dir, 0, model, optimizer)
    logger.info(describe(model))
    rows = build_rows(config, processor)
    probe = _eval_batches(build_rows(config, processor, "test"), processor, config)
    metrics = (config.output_dir / "metrics.jsonl").open("a", encoding="utf-8")
    progress = tqdm(total=config.max_steps, initial=step, unit="step", dynamic_ncols=True)
    started, tokens = time.monotonic(), 0
    with metrics, progress:
        for packed in _steps(rows, step, config):
            for group, rate in zip(optimizer.param_groups, base_rates, strict=True):
                group["lr"] = rate * factor(step)
            torch.manual_seed(config.seed * 1_000_003 + step)
            looking_loss = _keep_looking(model, processor, config, step)
            loss = train_step(model, processor, optimizer, packed, config)
            step += 1
            tokens += sum(len(row.input_ids) for row in packed)
            record = {"step": step, "loss": loss, "tokens_per_second": tokens / (time.monotonic() - started)}
            if config.looking_rows:
                record["looking_loss"] = looking_loss
            if step % config.eval_every == 0 or step == config.max_steps:
                record |= evaluate(model, probe, config)
            metrics.write(json.dumps(record) + "\n")
            metrics.flush()
            if "eval_loss" in record:
                draw_curves(config.output_dir / "metrics.jsonl")
            progress.set_postfix({k: f"{v:.3g}" for k, v in record.items() if k != "step"}, refresh=False)
            progress.update()
            if step % config.save_every == 0 or step == config.max_steps:
                save_checkpoint(config.output_dir, step, model, optimizer)
    return checkpoints(config.output_dir)[-1]


def _steps(rows: Rows, start: int, config: TrainConfig) -> Iterator[list[PackedRow]]:
    """The packed rows of every step that is left, drawn one step ahead in a process of their own."""
    size = config.global_batch_size
    indices = [range(step * size, (step + 1) * size) for step in range(start, config.max_steps)]
    loader = DataLoader(rows, batch_sampler=indices, num_workers=1, collate_fn=_flatten)
    return iter(loader)


def _flatten(rows: list[list[PackedRow]]) -> list[PackedRow]:
    return [packed for row in rows for packed in row]


def _keep_looking(model: PeftModel, processor: VlmProcessor, config: TrainConfig, step: int) -> float:
    """Adds the gradients of looking right (see `train/looking.py`); returns the mean loss."""
    family, total = next((source.family for source in config.data if source.family is not None), ""), 0.0
    for number in range(config.looking_rows):
        loss = loss_on_row(model, processor, family, config, step * config.looking_rows + number) / config.looking_rows
        (LOOKING_WEIGHT * loss).backward()
        total += loss.item()
    return total


def _answer_weight(rows: list[PackedRow]) -> float:
    return sum(weight for row in rows for weight in row.weights)


def _micro_batches(
    rows: list[PackedRow], processor: VlmProcessor, config: TrainConfig
) -> Iterator[tuple[Batch, float]]:
    """Batches of a few rows, each with the weight of what is learnt in it."""
    size, preference = config.micro_batch_size, config.preference
    for start in range(0, len(rows), size):
        micro = rows[start : start + size]
        yield (collate_pairs if preference else collate)(micro, processor), _answer_weight(micro)


def train_step(
    model: PeftModel,
    processor: VlmProcessor,
    optimizer: torch.optim.Optimizer,
    rows: list[PackedRow],
    config: TrainConfig,
) -> float:
    """One optimizer step over `rows`; the loss is the weighted mean over their answers, however they are split."""
    total, mean_loss = _answer_weight(rows), 0.0
    for batch, weight in _micro_batches(rows, processor, config):
        loss = _loss(model, batch, config) * (weight / total)
        loss.backward()
        mean_loss += loss.item()
    torch.nn.utils.clip_grad_norm_([p for _, p in trainable_parameters(model)], config.max_grad_norm)
    optimizer.step()
    optimizer.zero_grad()
    return mean_loss


def _loss(model: PeftModel, batch: Batch, config: TrainConfig) -> torch.Tensor:
    batch = {name: value.to(model.device) for name, value in batch.items()}
    with autocast(model.device, config.precision):
        if config.preference is not None:
            return preference_loss(model, model, batch, config.preference.beta)
        return model(**batch, use_cache=False).loss


def _eval_batches(rows: Rows, processor: VlmProcessor, config: TrainConfig) -> list[tuple[Batch, float]]:
    packed = _flatten([rows[EVAL_START + i] for i in range(config.eval_rows)])
    return list(_micro_batches(packed, processor, config))


@torch.no_grad()
def evaluate(model: PeftModel, batches: list[tuple[Batch, float]], config: TrainConfig) -> dict[str, float]:
    """Loss on unseen rows, with the pictures and with grey ones: equal means that the model does not look."""
    total = sum(weight for _, weight in batches)
    seen = sum(_loss(model, batch, config).item() * weight for batch, weight in batches) / total
    grey = [({k: v * 0 if k == "pixel_values" else v for k, v in batch.items()}, weight) for batch, weight in batches]
    blind = sum(_loss(model, batch, config).item() * weight for batch, weight in grey) / total
    return {"eval_loss": seen, "eval_loss_blind": blind}
