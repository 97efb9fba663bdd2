"""What is told of a run while it goes: a bar in the terminal, `metrics.jsonl`, and the trackers of `report_to`."""

import json
import resource
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal

import torch
from accelerate import Accelerator
from tqdm import tqdm

from .config import TrainConfig
from .seeing.config import SceneConfig

METRICS = "metrics.jsonl"
SHOWN = {  # beside the bar
    "loss": "loss", "eval_loss": "held out", "tokens_per_second": "tok/s", "pictures_per_second": "pictures/s",
    "memory_gb": "GB",
}  # fmt: skip


class Progress:
    """Takes one record a step; of several processes only the main one writes."""

    def __init__(
        self,
        accelerator: Accelerator,
        config: TrainConfig | SceneConfig,
        step: int,
        unit: Literal["tokens", "pictures"] = "tokens",
    ):
        """`step` steps lie behind; what was written of later ones (the run was killed) is dropped."""
        self.accelerator, self.unit, self.seen = accelerator, unit, 0
        self.shown: dict[str, str] = {}
        self.path, self._open = config.output_dir / METRICS, ExitStack()
        self.is_main = accelerator.is_main_process
        self.started = time.monotonic()
        self.records = [record for record in read_metrics(self.path) if record["step"] <= step]
        accelerator.wait_for_everyone()
        if not self.is_main:
            return
        rewrite(self.path, self.records)
        self.file = self._open.enter_context(self.path.open("a", encoding="utf-8"))
        self.bar = self._open.enter_context(tqdm(total=config.max_steps, initial=step, unit="step", dynamic_ncols=True))
        accelerator.init_trackers("regard", init_kwargs={"tensorboard": {"purge_step": step + 1}})
        for tracker in accelerator.trackers:
            if tracker.name != "tensorboard":  # that one would make a run of its own of it
                tracker.store_init_configuration(config.model_dump(mode="json"))

    def __enter__(self) -> "Progress":
        return self

    def __exit__(self, *error: Any) -> None:
        self._open.close()
        for tracker in self.accelerator.trackers:
            tracker.finish()

    def write(self, step: int, loss: float, seen: int, measured: dict[str, float]) -> None:
        """Step `step` (from 1) is done, with so many more tokens or pictures over all processes."""
        self.seen += seen
        speed = {f"{self.unit}_per_second": self.seen / (time.monotonic() - self.started)}
        record = {"step": step, "loss": loss, **speed, "memory_gb": peak_memory_gb(), **measured}
        self.records.append(record)
        if not self.is_main:
            return
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()
        self.accelerator.log({name: value for name, value in record.items() if name != "step"}, step=step)
        self.shown |= {word: f"{record[name]:.3g}" for name, word in SHOWN.items() if name in record}
        self.bar.set_postfix(self.shown, refresh=False)
        self.bar.update()


def rewrite(path: Path, records: list[dict[str, float]]) -> None:
    partial = path.with_name(f"partial-{path.name}")
    partial.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    partial.replace(path)


def read_metrics(path: Path) -> list[dict[str, float]]:
    """The records of a metrics file; a last line that a kill cut off is none."""
    lines = path.read_text(encoding="utf-8").split("\n") if path.is_file() else []
    return [json.loads(line) for line in lines[:-1]]


def peak_memory_gb() -> float:
    """The most memory that this process has had: of the accelerator where there is one, else of the machine."""
    if torch.cuda.is_available():
        return torch.cuda.max_memory_allocated() / 1e9
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e9
