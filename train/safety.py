"""What stops a training run: a loss that says that nothing can come of it, and gates that stay shut.

Every stop comes before the step's weights are changed or written, so the last checkpoint stays as good as it was.
"""

import math
from collections.abc import Iterable

from torch import nn

from .config import TrainConfig
from .seeing.config import SceneConfig

PATIENCE = 20  # steps with pictures in which a gate has to get a gradient, and after the warm-up to open
CLOSED = 1e-4  # of tanh(gate): what is let through of a picture is lost in rounding


class TrainingStopped(ValueError):
    """A run that cannot lead anywhere. The message says what was found, its likely cause and what to do."""


def check_loss(
    loss: float, gradient: float, step: int, config: TrainConfig | SceneConfig, weights: Iterable[nn.Parameter]
) -> None:
    """Refuse the loss and the size of the gradient of step `step` (from 1). Raises TrainingStopped."""
    if not math.isfinite(loss) or not math.isfinite(gradient):
        what = f"the loss of step {step} is {loss}" if not math.isfinite(loss) else (
            f"the gradient of step {step} is {gradient}, with a loss of {loss:.3g}"
        )  # fmt: skip
        raise TrainingStopped(f"{what}: {_why_not_finite(step, config, weights)}")
    if loss == 0:
        raise TrainingStopped(
            f"the loss of step {step} is exactly 0: the model is sure of every word of every answer, and there is"
            " nothing to learn. Likely cause: all answers are the same, or stand in their questions, or the rows have"
            " been learnt by heart. vlm data check PATH says more of the rows; fewer steps: max_steps=..."
        )


def _why_not_finite(step: int, config: TrainConfig | SceneConfig, weights: Iterable[nn.Parameter]) -> str:
    start = config.model if isinstance(config, TrainConfig) else "the published convolutions"
    if not all(weight.isfinite().all() for weight in weights):
        cause = "the weights that are trained hold numbers that are not finite"
        if step == 1:
            return f"{cause} from the start. Take another model or adapter: {start} is damaged"
        return f"{cause}. {_slower(config)}"
    if step == 1:
        return (
            "the first step already cannot be computed, though its weights are sound. Likely cause: the frozen weights"
            f" of {start} are damaged" + (_or_precision(config) or ", or a picture's values are")
        )
    return f"the weights of step {step - 1} are sound, and this step left their range. {_slower(config)}"


def _slower(config: TrainConfig | SceneConfig) -> str:
    rates = ", ".join(name for name in type(config).model_fields if name.endswith("learning_rate"))
    return (
        f"Likely cause: the learning rates are too high. Try a third of them ({rates}), a longer warmup_steps"
        f" (now {config.warmup_steps}){_or_precision(config)}"
    )


def _or_precision(config: TrainConfig | SceneConfig) -> str:
    is_bf16 = isinstance(config, TrainConfig) and config.precision == "bf16"
    return ", or precision=fp32 in place of bf16" if is_bf16 else ""


def check_labels(weight: float, step: int) -> None:
    """Refuse a step in which no word is to be learnt. Raises TrainingStopped."""
    if not weight:
        raise TrainingStopped(
            f"no word is to be learnt in the rows of step {step}: all of their labels are masked. Likely cause: the"
            " chat template of the model does not mark the assistant's words, or the answers are empty. Look at the"
            " rows with vlm data check PATH"
        )


class GateWatch:
    """The gates of the cross-attention that are trained: each has to get a gradient, and one of them to open."""

    def __init__(self, model: nn.Module, config: TrainConfig):
        named = {name: p for name, p in model.named_parameters() if p.requires_grad and name.endswith("_gate")}
        self.gates, self.config, self.steps = named, config, 0
        self._felt: set[str] = set()  # gates that have had a gradient

    def see(self, step: int, has_pictures: bool) -> None:
        """Look at the gradients of step `step` (from 1), before it changes a weight. Raises TrainingStopped."""
        if not self.gates or not has_pictures:
            return
        self.steps += 1
        self._felt |= {name for name, p in self.gates.items() if p.grad is not None and bool((p.grad != 0).any())}
        if self.steps == PATIENCE and (dead := sorted(set(self.gates) - self._felt)):
            raise TrainingStopped(
                f"{len(dead)} of {len(self.gates)} gates of the cross-attention got no gradient in {PATIENCE} steps"
                f" with pictures: {', '.join(map(_short, dead[:6]))}{', ...' if len(dead) > 6 else ''}. Likely cause:"
                " what such a gate lets through is zero, so neither can ever change. Begin with open gates"
                " (initial_attn_gate=0.3), or do not train them (train_gates=false)"
            )
        if self.steps >= PATIENCE and step >= self.config.warmup_steps + PATIENCE and self._all_closed():
            raise TrainingStopped(
                f"every gate of the cross-attention is still shut after {step} steps, so the language model sees"
                f" nothing of any picture. Likely cause: gate_learning_rate ({self.config.gate_learning_rate:g}) is too"
                " low for gates that start at zero. Raise it, or begin with open ones: initial_attn_gate=0.3"
            )

    def _all_closed(self) -> bool:
        opened = (abs(float(p.detach().tanh())) > CLOSED for name, p in self.gates.items() if "attn_gate" in name)
        return not any(opened)


def _short(name: str) -> str:
    """`...layers.3.cross_attention.modules_to_save.default.attn_gate` as a person would call it: layer and gate."""
    parts = name.split(".")
    layer = parts[parts.index("layers") + 1] if "layers" in parts else "?"
    return f"{parts[-1]} of layer {layer}"
