"""VlmConfig: one JSON-serialisable object that describes the whole network."""

from typing import Any, Literal

from transformers import AutoConfig, PreTrainedConfig
from transformers.configuration_utils import SubConfigSpec

FUSIONS = ("cross_attention", "prefix", "both")
PROJECTORS = ("mlp", "pixel_shuffle", "perceiver")


class VlmConfig(PreTrainedConfig):
    """Shapes and switches that change the weights. Nothing about training or serving goes here.

    Raises ValueError, naming the field, the value found and the values possible, for a network that cannot be built.
    """

    model_type = "vlm"
    sub_configs_defaults = {
        "vision_config": SubConfigSpec(config_class=AutoConfig, model_type="siglip_vision_model"),
        "text_config": SubConfigSpec(config_class=AutoConfig, model_type="llama"),
    }

    vision_config: Any = None  # dict, or the config of its own class
    text_config: Any = None
    # Marks, in input_ids, the place of a picture. It needs no row in the embedding table: the model replaces it.
    image_token_id: int = 0
    max_images: int = 8  # pictures that one conversation can tell apart
    fusion: Literal["cross_attention", "prefix", "both"] = "cross_attention"
    projector: Literal["mlp", "pixel_shuffle", "perceiver"] = "mlp"
    projector_hidden_act: str = "gelu"
    pixel_shuffle_factor: int = 2  # `pixel_shuffle` folds factor x factor patches into one feature
    num_latents: int = 64  # features per picture of `perceiver`
    # One gated cross-attention block stands before each of these decoder layers (absent with fusion `prefix`).
    cross_attention_layers: list[int] | None = None
    cross_attention_hidden_size: int = 256  # width of query, key and value together
    cross_attention_num_heads: int = 8
    cross_attention_mlp_size: int = 384
    # Rank of the low-rank update of each linear layer of the language model that has one: see vlm/lora.py.
    lora_ranks: dict[str, int] | None = None
    # How the language model's weights are stored: see vlm/quantization.py.
    quantization: Literal["none", "int8", "int4", "nf4", "bnb-int8"] = "none"

    def __post_init__(self, **kwargs):
        super().__post_init__(**kwargs)
        num_layers = self.text_config.num_hidden_layers
        if self.cross_attention_layers is None:
            self.cross_attention_layers = list(range(0, num_layers, max(1, num_layers // 6)))
        if self.fusion not in FUSIONS:
            raise ValueError(f"fusion must be one of {', '.join(FUSIONS)}, got {self.fusion!r}")
        if self.projector not in PROJECTORS:
            raise ValueError(f"projector must be one of {', '.join(PROJECTORS)}, got {self.projector!r}")
        layers = self.cross_attention_layers
        if layers != sorted(set(layers)) or not all(0 <= layer < num_layers for layer in layers):
            raise ValueError(
                f"cross_attention_layers must be increasing decoder layers from 0 to {num_layers - 1}, got {layers}"
            )
        if self.fusion != "prefix" and not layers:
            raise ValueError(f"fusion {self.fusion!r} needs at least one of the {num_layers} cross_attention_layers")
        if self.cross_attention_hidden_size % self.cross_attention_num_heads:
            raise ValueError(
                f"cross_attention_hidden_size ({self.cross_attention_hidden_size}) must be a multiple of"
                f" cross_attention_num_heads ({self.cross_attention_num_heads})"
            )
        if self.projector == "pixel_shuffle" and self.patch_grid % self.pixel_shuffle_factor:
            raise ValueError(
                f"pixel_shuffle_factor must divide the patch grid ({self.patch_grid} x {self.patch_grid}),"
                f" got {self.pixel_shuffle_factor}"
            )

    @property
    def patch_grid(self) -> int:
        """Patches along one side of the square picture that the vision tower sees."""
        return self.vision_config.image_size // self.vision_config.patch_size

    @property
    def num_image_features(self) -> int:
        """Image features per picture, after the projector (P)."""
        if self.projector == "perceiver":
            return self.num_latents
        side = self.patch_grid // (self.pixel_shuffle_factor if self.projector == "pixel_shuffle" else 1)
        return side * side

    @property
    def image_seq_length(self) -> int:
        """Image tokens that stand for one picture in input_ids: a mark, or a place for every image feature."""
        return 1 if self.fusion == "cross_attention" else self.num_image_features
