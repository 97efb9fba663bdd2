"""Train the projector, the cross-attention blocks and, where asked for, a LoRA; or the scene encoder.

vlm train configs/train/mini.yaml
vlm train configs/train/scene.yaml
vlm train configs/train/mini.yaml max_steps=50 lora.rank=4

Rows of files are checked first, and broken ones refused; `vlm train CONFIG --skip-bad` goes on without them. Started
again, an interrupted run goes on where its last checkpoint stands. On several devices:

accelerate launch --config_file configs/accelerate/ddp.yaml -m train.sft configs/train/own.yaml
"""

import logging
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from vlm.loading import ComposeConfig, compose_from_config, load, seeded
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.processing_vlm import VlmProcessor
from vlm.quantization import dequantize_, quantize_
from vlm.run_config import ConfigError, load_config

from .command import run_command
from .config import TrainConfig
from .loop import train
from .seeing.config import SceneConfig
from .seeing.loop import train as train_scene
from .trainable import add_adapters

logger = logging.getLogger(__name__)

SKIP_BAD = "--skip-bad"  # as override: skip_bad=true
MAY_CHANGE = {"canary", "canary_steps", "keep_checkpoints", "report_to", "save_every", "eval_every", "skip_bad"}


def load_base(config: TrainConfig) -> tuple[VlmForConditionalGeneration, VlmProcessor]:
    """The model that adapters are laid over; its language model is quantized only as the config asks."""
    model, processor = _load(config)
    quantize_(model.language_model, config.quantization)
    return model, processor


def _load(config: TrainConfig) -> tuple[VlmForConditionalGeneration, VlmProcessor]:
    if config.model.endswith((".yaml", ".yml")):
        parts = load_config(ComposeConfig, Path(config.model))
        return compose_from_config(parts.model_copy(update={"adapter": config.adapter, "quantization": "none"}))
    assistant = load(config.model)
    dequantize_(assistant.model.language_model)
    return assistant.model, assistant.processor


def start_run(config: TrainConfig | SceneConfig) -> None:
    """Make the run's folder and keep the resolved config in it; a folder of another run is an error."""
    resolved = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    kept = config.output_dir / "config.yaml"
    if kept.exists() and _what_counts(kept.read_text(encoding="utf-8")) != _what_counts(resolved):
        raise ConfigError(
            f"{config.output_dir} holds a run with another config: remove that folder, or give another one with"
            " output_dir=..."
        )
    config.output_dir.mkdir(parents=True, exist_ok=True)
    partial = kept.with_name(f"partial-{os.getpid()}-{kept.name}")  # several processes of one run may write it
    partial.write_text(resolved, encoding="utf-8")
    partial.replace(kept)


def _what_counts(config: str) -> dict[str, Any]:
    """What the weights depend on: the rest may be another when a run goes on."""
    return {name: value for name, value in yaml.safe_load(config).items() if name not in MAY_CHANGE}


def main(argv: list[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else argv
    overrides = ["skip_bad=true"] if SKIP_BAD in words else []
    words = [word for word in words if word != SKIP_BAD]
    return run_command("vlm train", __doc__, ((TrainConfig, run), (SceneConfig, run_scene)), words + overrides)


def run(config: TrainConfig) -> None:
    start_run(config)
    model, processor = load_base(config)
    with seeded(config.seed):  # a LoRA begins at random: the same in every process that this config starts
        adapted = add_adapters(model, config)
    logger.info("the trained adapter is in %s", train(adapted, processor, config))


def run_scene(config: SceneConfig) -> None:
    start_run(config)
    logger.info("the trained scene encoder is in %s", train_scene(config))


if __name__ == "__main__":
    sys.exit(main())
