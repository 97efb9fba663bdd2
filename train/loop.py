"""The training loop: rows -> loss -> step, with progress, checkpoints, exact resume and what stops a bad run."""

import contextlib
import json
import logging
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator
from accelerate.utils import DistributedType, broadcast_object_list
from peft import PeftModel
from torch.utils.data import DataLoader

from vlm.processing_vlm import VlmProcessor

from . import canary
from .alignment import align
from .before_after import AFTER, BEFORE, Asked, ask, questions, read_answers, write_answers
from .canary import Pair
from .checking.report import Report
from .checkpoint import checkpoints, clear_partial, note_of, resume_optimizer, resume_weights, save_checkpoint
from .collator import PackedRow, collate
from .config import TrainConfig
from .curves import draw_curves
from .data import Rows, build_rows
from .devices import resolve_precision, start_devices
from .evaluate import Item
from .intervals import measures
from .looking import align_looking, loss_on_row
from .opening import Openings
from .precision import autocast, lower_
from .preference import collate_pairs, preference_loss
from .progress import Progress
from .run_report import Finished, write_report
from .safety import GateWatch, TrainingStopped, check_labels, check_loss
from .schedule import schedule
from .trainable import (
    checkpoint_gradients_,
    describe,
    parameter_groups,
    set_training,
    trainable_parameters,
    trainable_set,
)

logger = logging.getLogger(__name__)

ASKED = 16  # questions, or a few more, at every measurement: an answer takes far longer than a loss
LOOKING_WEIGHT = 1.0  # of looking right, beside answering right


@dataclass
class Run:
    """What a step works with. `wrapped` is `model`, or around it what brings several processes together."""

    accelerator: Accelerator
    model: PeftModel
    wrapped: Any
    processor: VlmProcessor
    optimizer: Any
    config: TrainConfig
    openings: Openings | None = None  # none where adapters change every token

    def save(self, step: int) -> Path:
        folder, main = self.config.output_dir, self.accelerator.is_main_process
        noted = {"precision": self.config.precision}
        kept = save_checkpoint(folder, step, self.model, self.optimizer, self.config.keep_checkpoints, main, **noted)
        self.accelerator.wait_for_everyone()
        return kept

    def loss(self, rows: list[PackedRow], grey: bool = False) -> torch.Tensor:
        """The weighted mean loss over the answers of rows, or over pairs of them; with `grey`, their pictures are
        blotted out."""
        set_training(self.model, torch.is_grad_enabled())
        preference = self.config.preference
        batch = (collate if preference is None else collate_pairs)(rows, self.processor)
        batch = {name: value.to(self.accelerator.device) for name, value in batch.items()}
        if grey and "pixel_values" in batch:
            batch["pixel_values"] = torch.zeros_like(batch["pixel_values"])
        with autocast(self.accelerator.device, self.config.precision):
            if self.openings is not None:
                batch = self.openings.spare(batch)
            if preference is not None:
                return preference_loss(self.wrapped, self.model, batch, preference.beta)
            return self.wrapped(**batch, use_cache=False).loss


def train(model: PeftModel, processor: VlmProcessor, config: TrainConfig) -> Path:
    """Run `config` from where its `output_dir` stands, to the end; returns the folder of the last checkpoint.

    The frozen parts stay in eval mode. A row's data and a step's random numbers depend on the config and the step
    alone, so an interrupted run that is started again ends with the same weights as one that was not. Raises
    DataError, ConfigError and TrainingStopped.
    """
    rows, held_out = build_rows(config, processor)
    run, step = start(model, processor, config)
    config, rates = run.config, [group["lr"] for group in run.optimizer.param_groups]
    factor = schedule(config.warmup_steps, config.max_steps, config.schedule)
    pairs, gates = canary.pair_up(held_out, config.eval_rows), GateWatch(model, config)
    asked = _ask_before(run, held_out, step)
    with Progress(run.accelerator, config, step) as progress:
        for packed in _steps(rows, step, run):
            for group, rate in zip(run.optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor(step)
            torch.manual_seed(config.seed * 1_000_003 + step)
            measured = {"looking_loss": _keep_looking(run, step)} if config.looking_rows else {}
            step += 1
            loss, tokens = train_step(run, packed, step, gates)
            if is_measured := step % config.eval_every == 0 or step == config.max_steps:
                measured |= evaluate(run, pairs) | _score(run, asked)
            progress.write(step, loss, tokens, measured)
            if step % config.save_every == 0 or step == config.max_steps:
                run.save(step)
            if is_measured and (why := _heed_canary(run, progress)):
                run.save(step)
                _report(run, progress, asked, rows.reports)
                raise TrainingStopped(why)
    _report(run, progress, asked, rows.reports)
    if run.accelerator.num_processes > 1:
        run.accelerator.state.destroy_process_group()
    return checkpoints(config.output_dir)[-1]


def start(model: PeftModel, processor: VlmProcessor, config: TrainConfig) -> tuple[Run, int]:
    """Everything as it was after the last checkpoint, or as it is before the first step; and the steps done."""
    accelerator = start_devices(config)
    folders = checkpoints(config.output_dir)
    if folders and "precision" in (noted := note_of(folders[-1])):  # `auto` may find another one today
        config = config.model_copy(update={"precision": noted["precision"]})
    config = resolve_precision(config, accelerator)
    model.to(accelerator.device).eval()
    lower_(model.get_base_model().language_model, config.precision)
    if folders:
        resume_weights(folders[-1], model)
    elif config.alignment_steps:
        align(model, processor, config)
        if config.looking_steps:
            align_looking(model, processor, config)
    if config.gradient_checkpointing:
        checkpoint_gradients_(model)
    new = torch.optim.AdamW(parameter_groups(model, config), betas=(0.9, 0.98))
    wrapped, optimizer = accelerator.prepare(model, new)
    openings = Openings(model, processor.image_token_id) if _openings_stay(accelerator, config) else None
    run, step = Run(accelerator, model, wrapped, processor, optimizer, config, openings), 0
    if folders:
        step = resume_optimizer(folders[-1], model, optimizer)
        logger.info("resuming %s after step %d", folders[-1], step)
    elif config.alignment_steps:
        run.save(0)
    if accelerator.is_main_process:
        clear_partial(config.output_dir)
        logger.info(describe(model))
        text = json.dumps(trainable_set(model), indent=1)
        (config.output_dir / "trainable.json").write_text(text + "\n", encoding="utf-8")
    return run, step


def _openings_stay(accelerator: Accelerator, config: TrainConfig) -> bool:
    """Whether what stands before a picture can be read once: it takes whole weights, and layers that keep a cache.

    DoRA changes every token (`vlm.lora.silence_unseeing_`).
    """
    is_whole = accelerator.distributed_type != DistributedType.FSDP
    changes_all = config.lora is not None and config.lora.use_dora
    return is_whole and not config.gradient_checkpointing and not changes_all


def _steps(rows: Rows, start: int, run: Run) -> Iterator[list[PackedRow]]:
    """This process's packed rows of every step that is left, drawn one step ahead in a process of their own."""
    share = run.config.global_batch_size // run.accelerator.num_processes
    first = run.accelerator.process_index * share
    firsts = [step * run.config.global_batch_size + first for step in range(start, run.config.max_steps)]
    loader = DataLoader(rows, batch_sampler=[range(i, i + share) for i in firsts], num_workers=1, collate_fn=_flatten)
    return iter(loader)


def _flatten(rows: list[list[PackedRow]]) -> list[PackedRow]:
    return [packed for row in rows for packed in row]


def _keep_looking(run: Run, step: int) -> float:
    """Adds the gradients of looking right (see `train/looking.py`); returns the mean loss."""
    config, total = run.config, 0.0
    set_training(run.model, True)
    family = next((source.family for source in config.data if source.family is not None), "")
    for number in range(config.looking_rows):
        index = step * config.looking_rows + number
        loss = loss_on_row(run.model, run.processor, family, config, index) / config.looking_rows
        (LOOKING_WEIGHT * loss).backward()
        total += loss.item()
    return total


def _answer_weight(rows: list[PackedRow]) -> float:
    return sum(weight for row in rows for weight in row.weights)


def train_step(run: Run, rows: list[PackedRow], step: int, gates: GateWatch) -> tuple[float, int]:
    """One optimizer step, number `step` from 1, over the rows of all processes; returns its loss and its tokens.

    The loss is the weighted mean over the answers, however they are split into micro-batches and over processes.
    Raises TrainingStopped before a weight is changed.
    """
    accelerator, size = run.accelerator, run.config.micro_batch_size
    rows = [row for row in rows if any(row.weights)] or rows  # a row to learn nothing from has no mean loss
    micros = [rows[start : start + size] for start in range(0, len(rows), size)]
    told = [_answer_weight(rows), sum(len(row.input_ids) for row in rows), any(row.images for row in rows), len(micros)]
    everywhere = accelerator.gather(torch.tensor([told], dtype=torch.float64, device=accelerator.device))
    check_labels(everywhere[:, 0].min().item(), step)
    total, tokens, with_pictures, _ = everywhere.sum(dim=0).tolist()
    most, mean_loss = int(everywhere[:, 3].max()), torch.zeros(1, device=accelerator.device)
    for number in range(most):  # as many everywhere: the processes wait for each other
        micro = micros[min(number, len(micros) - 1)]
        weight = _answer_weight(micro) if number < len(micros) else 0.0
        is_last = number == most - 1
        with contextlib.nullcontext() if is_last else accelerator.no_sync(run.wrapped):
            loss = run.loss(micro) * (weight / total)
            accelerator.backward(loss * accelerator.num_processes)  # which takes the mean over them
        mean_loss += loss.detach()
    loss_everywhere = accelerator.reduce(mean_loss, "sum").item()
    parameters = [p for _, p in trainable_parameters(run.model)]
    gradient = float(accelerator.clip_grad_norm_(parameters, run.config.max_grad_norm))
    check_loss(loss_everywhere, gradient, step, run.config, parameters)
    gates.see(step, bool(with_pictures))
    run.optimizer.step()
    run.optimizer.zero_grad()
    return loss_everywhere, int(tokens)


@torch.no_grad()
def evaluate(run: Run, pairs: list[Pair]) -> dict[str, float]:
    """The losses on held-out rows that tell whether the model looks (train/canary.py); every process takes all."""
    return canary.measure(pairs, lambda row, grey: run.loss([row], grey).item())


def _score(run: Run, groups: list[list[Asked]]) -> dict[str, float]:
    """What answers to the first few held-out questions are worth, as "eval_" and the name of the metric.

    Of several processes the main one asks, and it alone writes records.
    """
    ends = [*accumulate(map(len, groups))]
    few = groups[: bisect_left(ends, ASKED) + 1]
    if not few:
        return {}
    items, metric = _ask(run, few), run.config.metric
    found = measures(metric, [i.score for i in items], [i.answer for i in items], [i.answers for i in items])
    return {f"eval_{metric}": found[0].value}


def _ask(run: Run, groups: list[list[Asked]]) -> list[Item]:
    set_training(run.model, False)
    return ask(run.model, run.processor, groups, run.config)


def _ask_before(run: Run, held_out: Rows, step: int) -> list[list[Asked]]:
    """What the report will ask, asked once before the first step. Of several processes the main one does it."""
    is_whole = run.accelerator.distributed_type != DistributedType.FSDP  # else the weights lie in parts
    if not run.accelerator.is_main_process or not run.config.report_questions or not is_whole:
        return []
    groups = list(questions(held_out, run.config.report_questions, run.config))
    if step == 0:
        logger.info("asking held-out questions, for the report")
        write_answers(run.config.output_dir / BEFORE, _ask(run, groups))
    return groups


def _report(run: Run, progress: Progress, groups: list[list[Asked]], reports: Sequence[Report]) -> None:
    """Of several processes the main one writes it."""
    if not run.accelerator.is_main_process:
        return
    folder = run.config.output_dir
    after = _ask(run, groups)
    write_answers(folder / AFTER, after)
    draw_curves(progress.path)
    pictures = {asked.item.picture: asked.images for group in groups for asked in group}
    before, trained = read_answers(folder / BEFORE), trainable_set(run.model)
    path = write_report(Finished(run.config, progress.records, trained, before, after, pictures, reports))
    logger.info("the report is in %s", path)


def _heed_canary(run: Run, progress: Progress) -> str:
    """Draw the curves; why the run is to stop, where it does not learn from the pictures and may not go on so."""
    kind, words = broadcast_object_list(list(canary.verdict(progress.records, run.config)))  # one opinion for all
    if run.accelerator.is_main_process:
        draw_curves(progress.path)
    # Where every picture is told in words as well, the words may be all that it takes; and people may prefer answers
    # for their words alone.
    words_suffice = run.config.preference is not None or all(source.hints == 1 for source in run.config.data)
    is_warning = run.config.canary == "warn" or words_suffice
    if kind != "blind":
        return ""
    if is_warning:
        logger.warning(words)
    return "" if is_warning else words
