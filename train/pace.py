"""How fast a config trains: pairs of question and answer per second, as here and as transformers' Trainer does it.

python -m train.pace configs/train/own.yaml [key=value ...]

Both train the same weights of the same model on the same rows. Here the pairs about a picture share one packed row
(train/collator.py), so the picture is encoded once and what the pairs have in common is read once, and what all rows
begin with once for the run (train/opening.py); there each pair is a row of its own, filled up to the longest of its
batch.
"""

import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.utils.data import Dataset
from transformers import PrinterCallback, Trainer, TrainingArguments

from vlm.loading import seeded
from vlm.processing_vlm import EncodedChat, VlmProcessor

from .collator import IGNORE
from .command import run_command
from .config import TrainConfig
from .data import Rows, build_rows
from .loop import GateWatch, start, train_step
from .sft import load_base
from .trainable import add_adapters

BATCH_SIZE = 8  # pairs, of the Trainer


class Pairs(Dataset[EncodedChat]):
    """The conversations of some rows, each alone."""

    def __init__(self, rows: Rows, count: int):
        self.chats = [rows.processor.encode_chat(one) for index in range(count) for one in rows.conversations(index)]

    def __len__(self) -> int:
        return len(self.chats)

    def __getitem__(self, index: int) -> EncodedChat:
        return self.chats[index]


def pad(chats: list[EncodedChat], processor: VlmProcessor) -> dict[str, Tensor]:
    """A batch as the model takes it: the answers are the labels."""
    batch: dict[str, Tensor] = dict(processor.collate(chats))
    width = batch["input_ids"].shape[1]
    labels = batch["input_ids"].clone()
    for row, chat in zip(labels, chats, strict=True):
        row[: width - len(chat.input_ids)] = IGNORE
        row[width - len(chat.input_ids) :][~torch.tensor(chat.is_answer)] = IGNORE
    return {**batch, "labels": labels}


def run(config: TrainConfig) -> None:
    """Print the pace of both, over `max_steps` steps."""
    with tempfile.TemporaryDirectory() as folder:
        config = config.model_copy(update={"output_dir": Path(folder)})
        packed = _ours(config)
        print(f"here, packed:          {packed:6.2f} pairs/s, {_peak():.2f} GB at most", flush=True)
        padded = _trainer(config, folder)
        print(f"transformers' Trainer: {padded:6.2f} pairs/s, {_peak():.2f} GB at most", flush=True)
        print(f"ratio:                 {packed / padded:6.2f}")


def _prepare(config: TrainConfig) -> tuple[Any, VlmProcessor, Rows]:
    model, processor = load_base(config)
    with seeded(config.seed):
        return add_adapters(model, config), processor, build_rows(config, processor)[0]


def _ours(config: TrainConfig) -> float:
    model, processor, rows = _prepare(config)
    run, _ = start(model, processor, config)
    gates, size = GateWatch(model, run.config), config.global_batch_size
    for step in range(config.max_steps + 1):
        if step == 1:
            started = time.perf_counter()
        indices = range(step * size, (step + 1) * size)
        train_step(run, [row for index in indices for row in rows[index]], step + 1, gates)
    taken = time.perf_counter() - started
    pairs = sum(len(rows.conversations(index)) for index in range(size, (config.max_steps + 1) * size))
    return pairs / taken


def _trainer(config: TrainConfig, folder: str) -> float:
    model, processor, rows = _prepare(config)
    pairs = Pairs(rows, config.max_steps * config.global_batch_size)
    arguments = TrainingArguments(
        folder, per_device_train_batch_size=BATCH_SIZE, num_train_epochs=1, learning_rate=config.lora_learning_rate,
        save_strategy="no", logging_strategy="no", report_to=[], remove_unused_columns=False, disable_tqdm=True,
        use_cpu=True, dataloader_num_workers=1,
    )  # fmt: skip
    trainer = Trainer(model, arguments, train_dataset=pairs, data_collator=lambda chats: pad(chats, processor))
    trainer.remove_callback(PrinterCallback)
    return len(pairs) / trainer.train().metrics["train_runtime"]


def _peak() -> float:
    """GB that this process has had at most so far."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6


if __name__ == "__main__":
    sys.exit(run_command("python -m train.pace", __doc__, ((TrainConfig, run),), sys.argv[1:]))
