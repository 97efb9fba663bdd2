"""The layers of EfficientNet-Lite (https://arxiv.org/abs/1905.11946), in plain torch: two networks are built of them.

There is no normalisation layer: the batch normalisation of the published weights is folded into the convolutions.
"""

from collections.abc import Sequence

import torch.nn.functional as F
from torch import Tensor, nn

# (expansion, kernel, stride) of each stage; a stage's stride is that of its first block.
STAGES = ((1, 3, 1), (6, 3, 2), (6, 5, 2), (6, 3, 2), (6, 5, 1), (6, 5, 2), (6, 3, 1))


class SameConv2d(nn.Conv2d):
    """Convolution with TensorFlow's "SAME" padding, which the weights were trained with.

    At stride 2 and an even size it pads one pixel more after than before, which torch cannot: so both sides get
    more than enough, and the first row and column of the result, which saw only the surplus, are dropped.
    """

    def __init__(self, channels_in: int, channels_out: int, kernel: int, stride: int = 1, groups: int = 1):
        padding = kernel // 2 + stride - 1
        super().__init__(channels_in, channels_out, kernel, stride, padding, groups=groups)

    def forward(self, x: Tensor) -> Tensor:
        x = super().forward(x)
        return x if self.stride == (1, 1) else x[..., 1:, 1:]


class InvertedBottleneck(nn.Module):
    """Widen, filter each channel by itself, narrow (MBConv, https://arxiv.org/abs/1801.04381)."""

    def __init__(self, channels_in: int, channels_out: int, expansion: int, kernel: int, stride: int):
        super().__init__()
        width = channels_in * expansion
        self.is_residual = stride == 1 and channels_in == channels_out
        self.expand = SameConv2d(channels_in, width, 1) if expansion > 1 else None
        self.depthwise = SameConv2d(width, width, kernel, stride, groups=width)
        self.project = SameConv2d(width, channels_out, 1)

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x), inplace=True)
        y = self.project(F.relu6(self.depthwise(y), inplace=True))
        return x + y if self.is_residual else y


def build_stages(stem_channels: int, channels: Sequence[int], depths: Sequence[int]) -> nn.ModuleList:
    """The stages after the stem, each a sequence of blocks of which the first one widens and strides."""
    stages, channels_in = nn.ModuleList(), stem_channels
    for (expansion, kernel, stride), width, depth in zip(STAGES, channels, depths, strict=True):
        blocks = [InvertedBottleneck(channels_in, width, expansion, kernel, stride)]
        blocks += [InvertedBottleneck(width, width, expansion, kernel, 1) for _ in range(depth - 1)]
        stages.append(nn.Sequential(*blocks))
        channels_in = width
    return stages
