"""Train the projector, the cross-attention blocks and, where asked for, a LoRA.

vlm train configs/train/mini.yaml
vlm train configs/train/mini.yaml max_steps=50 lora.rank=4

Started again, an interrupted run goes on where its last checkpoint stands.
"""

import argparse
import logging
import sys
from pathlib import Path

import yaml

from vlm.loading import ComposeConfig, PartNotFoundError, compose_from_config, load
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.processing_vlm import VlmProcessor
from vlm.quantization import dequantize_
from vlm.run_config import ConfigError, load_config

from .config import TrainConfig
from .data import DataError
from .loop import train
from .trainable import add_adapters

logger = logging.getLogger(__name__)


def load_base(config: TrainConfig) -> tuple[VlmForConditionalGeneration, VlmProcessor]:
    """The model that adapters are laid over. Its language model is not quantized: training runs through it."""
    if config.model.endswith((".yaml", ".yml")):
        parts = load_config(ComposeConfig, Path(config.model))
        return compose_from_config(parts.model_copy(update={"adapter": None, "quantization": "none"}))
    assistant = load(config.model)
    dequantize_(assistant.model.language_model)
    return assistant.model, assistant.processor


def start_run(config: TrainConfig) -> None:
    """Make the run's folder and keep the resolved config in it; a folder of another run is an error."""
    resolved = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False)
    kept = config.output_dir / "config.yaml"
    if kept.exists() and kept.read_text(encoding="utf-8") != resolved:
        raise ConfigError(
            f"{config.output_dir} holds a run with another config: remove that folder, or give another one with"
            " output_dir=..."
        )
    config.output_dir.mkdir(parents=True, exist_ok=True)
    kept.write_text(resolved, encoding="utf-8")


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm train", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help="YAML file with a TrainConfig")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="replace single values of the file")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        config = load_config(TrainConfig, args.config, tuple(args.overrides))
        start_run(config)
        model, processor = load_base(config)
        final = train(add_adapters(model, config), processor, config)
    except (ConfigError, DataError, PartNotFoundError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    logger.info("the trained adapter is in %s", final)
    return 0


if __name__ == "__main__":
    sys.exit(main())
