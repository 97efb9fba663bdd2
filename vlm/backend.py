"""The network as engines for large machines run it: vLLM's (and SGLang's) "Transformers modeling backend".

Such an engine brings its own attention, cache and output head, and asks of a model: a base class without a head,
`AutoModel`, that hands every keyword down to attention layers that it can replace; `get_image_features`; and the
processor's account of its image tokens (VlmProcessor). Only fusion `prefix` can be run so, since it is all in one
sequence: https://docs.vllm.ai/en/latest/models/supported_models/#writing-custom-models

`prepare_checkpoint` adds to a saved checkpoint what lets the engine find these classes.
"""

import json
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from transformers import AutoModel
from transformers.conversion_mapping import WeightRenaming, register_checkpoint_conversion_mapping
from transformers.modeling_outputs import BaseModelOutputWithPast, BaseModelOutputWithPooling

from .configuration_vlm import VlmConfig
from .modeling_vlm import VlmPreTrainedModel
from .projector import build_projector

MODULE = "regard_vlm"  # of the file that the checkpoint brings along; it holds no code but the import of this package
CLASSES = {
    "config.json": {"AutoConfig": "VlmConfig", "AutoModel": "VlmModel"},
    "processor_config.json": {"AutoProcessor": "VlmProcessor"},
}


class VlmModel(VlmPreTrainedModel):
    """The network of `VlmForConditionalGeneration` with fusion `prefix`, up to the hidden states before its head."""

    _supports_attention_backend = True

    def __init__(self, config: VlmConfig):
        super().__init__(config)
        check_is_plain(config)
        self.vision_tower = AutoModel.from_config(config.vision_config)
        self.multi_modal_projector = build_projector(config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        self.language_model.set_input_embeddings(value)

    def get_image_features(self, pixel_values: Tensor, **kwargs: Any) -> BaseModelOutputWithPooling:
        """pixel_values [..., 3, H, W] -> `pooler_output`, the image features [N, P, D] of N pictures."""
        return BaseModelOutputWithPooling(pooler_output=self._project_patches(pixel_values.flatten(0, -4)))

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Tokens [B, T], or their embeddings [B, T, D] with the image features in their places -> hidden states.

        Every other keyword reaches the attention layers.
        """
        if inputs_embeds is None:
            assert input_ids is not None
            is_image = (input_ids == self.config.image_token_id).unsqueeze(-1)  # [B, T, 1]
            inputs_embeds = self.get_input_embeddings()(input_ids.masked_fill(is_image.squeeze(-1), 0))
            inputs_embeds = inputs_embeds.masked_fill(is_image, 0)
            if pixel_values is not None:
                features = self.get_image_features(pixel_values).pooler_output
                inputs_embeds = inputs_embeds.masked_scatter(is_image, features.to(inputs_embeds))
        return self.language_model(inputs_embeds=inputs_embeds, **kwargs)


def check_is_plain(config: VlmConfig) -> None:
    """Raise ValueError for a network that is more than one sequence through unchanged layers."""
    found = {"fusion": config.fusion, "lora_ranks": config.lora_ranks or None, "quantization": config.quantization}
    needed = {"fusion": "prefix", "lora_ranks": None, "quantization": "none"}
    if wrong := [f"{key} {found[key]!r}, not {needed[key]!r}" for key in needed if found[key] != needed[key]]:
        raise ValueError(
            f"this checkpoint cannot be run by another engine: it has {'; '.join(wrong)}. Use `vlm serve`."
        )


def prepare_checkpoint(folder: Path) -> None:
    """Let an engine that reads `auto_map` find our classes: this package must be installed where it runs.

    Raises ValueError for a checkpoint that cannot be run so. Doing it again changes nothing.
    """
    check_is_plain(VlmConfig.from_pretrained(folder))
    for name, classes in CLASSES.items():
        path = folder / name
        values = json.loads(path.read_text(encoding="utf-8"))
        values["auto_map"] = {auto: f"{MODULE}.{cls}" for auto, cls in classes.items()}
        path.write_text(json.dumps(values, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    lines = [
        '"""Where the classes of this checkpoint are: pip install regard."""',
        "",
        "from vlm.backend import VlmModel",
        "from vlm.configuration_vlm import VlmConfig",
        "from vlm.processing_vlm import VlmProcessor",
        "",
    ]
    (folder / f"{MODULE}.py").write_text("\n".join(lines), encoding="utf-8")


AutoModel.register(VlmConfig, VlmModel)
register_checkpoint_conversion_mapping(
    VlmModel.__name__, [WeightRenaming(r"^language_model\.model\.", "language_model.")], overwrite=True
)
