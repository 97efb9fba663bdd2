"""The card of a model on the hub: what it is, what it was trained on, how it scores, whose licences bind it.

It says only what is known: from the run's resolved config, from a report of `vlm eval`, and from a short list of
licences. Nothing of this machine is in it: of a place in its file system, the last name alone.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from huggingface_hub import ModelCardData

from vlm.loading import DEFAULT_MODEL, EFFICIENTNET, SMOLLM2, ComposeConfig
from vlm.run_config import ConfigError, load_config

# What the parts that come with the package are licensed under; of others their own pages tell.
LICENCES = {
    SMOLLM2: "Apache-2.0, Hugging Face",
    EFFICIENTNET: "Apache-2.0, The TensorFlow Authors; PyTorch weights 2020 ML Illustrated",
    DEFAULT_MODEL: "Apache-2.0, the adapters that come with Regard",
}
UNKNOWN = "not known to this tool: see where it came from"
PLACES = {"path", "images", "annotations", "output_dir", "transfer"}  # keys of configs whose values are such


@dataclass(frozen=True)
class Origin:
    """What is known of how a model came to be."""

    is_adapter: bool
    base: str  # what it was trained from, as `vlm.load` takes it; "" where nobody knows
    run: dict[str, Any]  # the resolved config of its training; empty where nobody knows
    losses: dict[str, float]  # on held-out rows, the last that were measured
    scores: str  # the table of `vlm eval`; "" where it has not been measured

    @property
    def parts(self) -> list[str]:
        """What it is made of, each by the name under which it was found."""
        if not self.base:
            return []
        if self.base != DEFAULT_MODEL and not self.base.endswith((".yaml", ".yml")):
            return [self.base]
        try:
            config = load_config(ComposeConfig, f"model/{DEFAULT_MODEL}" if self.base == DEFAULT_MODEL else self.base)
        except ConfigError:  # the file is no longer there
            return [self.base]
        named = [config.language_model, config.vision_tower, *([config.adapter] if config.adapter else [])]
        return list(dict.fromkeys(named))


def write_card(origin: Origin, repo: str) -> str:
    """The card, in Markdown with the hub's header."""
    parts = [part for part in origin.parts if part]
    is_free = bool(parts) and all(part in LICENCES for part in parts)
    on_hub = [part for part in parts if part.count("/") == 1 and not Path(part).exists()]
    header = ModelCardData(
        license="apache-2.0" if is_free else "other",
        library_name="peft" if origin.is_adapter else "transformers",
        pipeline_tag="image-text-to-text",
        base_model=on_hub or None,
        tags=["regard", *(["lora"] if origin.is_adapter else [])],
    )
    sections = [
        f"---\n{header.to_yaml()}\n---",
        f"# {repo.rpartition('/')[2]}",
        _what(origin),
        _how_to_use(origin, repo),
        _training(origin),
        "## Scores\n\n" + (origin.scores.strip() or "It has not been measured with `vlm eval`."),
        _licences(origin),
    ]
    return "\n\n".join(sections) + "\n"


def _what(origin: Origin) -> str:
    base = f" of `{name_only(origin.base)}`" if origin.base else ""
    if origin.is_adapter:
        return f"An adapter{base}, in peft's format, for Regard: it answers questions about pictures."
    return f"A model for Regard{base and ', made'}{base}: it answers questions about pictures."


def _how_to_use(origin: Origin, repo: str) -> str:
    if not origin.is_adapter:
        return f'## Use\n\n```\nvlm ask --model {repo} picture.png "What is in the picture?"\n```'
    own, base = repo.rpartition("/")[2], name_only(origin.base) or "BASE"
    return (
        f"## Use\n\n```\nhf download {repo} --local-dir {own}\n"
        f'vlm ask --model {base} --adapter {own} picture.png "What is in the picture?"\n```\n\n'
        "A LoRA in it is silent for tokens that see no picture. Plain peft (`PeftModel.from_pretrained`) applies it to"
        " all of them, unless `vlm.lora.silence_unseeing_` is called on the result."
    )


def _training(origin: Origin) -> str:
    if not origin.run:
        return "## Training\n\nNo run's config was found beside it, so nothing is known of its training."
    data = "\n".join(f"- {_source(source)}" for source in origin.run.get("data", []))
    losses = "".join(f"- {name}: {value:.4g}\n" for name, value in origin.losses.items())
    measured = f"\n\nLast losses on held-out rows:\n\n{losses.rstrip()}" if losses else ""
    config = yaml.safe_dump(without_places(origin.run), sort_keys=False).strip()
    return f"## Training\n\nTrained on:\n\n{data}{measured}\n\nThe whole config:\n\n```yaml\n{config}\n```"


def _source(source: dict[str, Any]) -> str:
    if source.get("family"):
        return f"pictures of the family `{source['family']}`, drawn by Regard's data engine"
    if source.get("dataset"):
        return f"the data set [{source['dataset']}](https://huggingface.co/datasets/{source['dataset']})"
    return f"`{Path(str(source.get('path'))).name}`, a data set of its maker's own"


def _licences(origin: Origin) -> str:
    rows = "\n".join(f"| {name_only(part)} | {LICENCES.get(part, UNKNOWN)} |" for part in origin.parts)
    table = f"| part | licence |\n|---|---|\n{rows}" if rows else "Of its parts nothing is known."
    return f"## Licences\n\n{table}\n\nThe data that it was trained on have licences of their own."


def name_only(text: str) -> str:
    """The last name of a place on this machine; anything else as it is."""
    return Path(text).name if Path(text).is_absolute() or text.startswith(("~", ".")) or Path(text).exists() else text


def without_places(value: Any, key: str = "") -> Any:
    """A config without what tells of this machine's file system."""
    if isinstance(value, dict):
        return {name: without_places(inner, name) for name, inner in value.items()}
    if isinstance(value, list):
        return [without_places(inner, key) for inner in value]
    if isinstance(value, str):
        return Path(value).name if key in PLACES else name_only(value)
    return value
