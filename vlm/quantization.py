"""Weights of the language model: `none`; `int8`, `int4` (torch's CPU kernels); `nf4`, `bnb-int8` (bitsandbytes).

A kind is a subclass of `QuantizedLinear`. Its weights are plain buffers in a layout that no machine owns, so that
`save_pretrained` and `from_pretrained` need no help: the model builds the same module tree with `prepare_quantized_`,
and the loader fills it. What a kernel wants (a packed layout that depends on the CPU, a `QuantState`) is made from the
buffers on first use and never saved. Scales are kept as bytes: casting the model to another dtype cannot round them.

The only file that knows bitsandbytes. Vision tower, projector and cross-attention are never quantized.

Shape letters: N output features, K input features, M rows of x.
"""

from abc import ABC, abstractmethod
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedModel

KINDS = ("none", "int8", "int4", "nf4", "bnb-int8")
CPU_KINDS = ("int8", "int4")

GROUP_SIZE = 32  # weights that share a scale in Q4_1 and Q8_0
Q4_1_BYTES = 20  # one block of GGUF's Q4_1: fp16 d, fp16 m, 16 bytes of two nibbles (value j low, value j + 16 high)
LIKELIEST = 16  # logits of a token that are worth a sum in fp32
_NF4_BLOCK = 64  # weights that share a scale in nf4, as in QLoRA
_OUTLIER = 6.0  # LLM.int8(): input features with a larger magnitude are multiplied in fp16


class QuantizationError(ValueError):
    """A quantization that cannot be had here. The message names what can."""


class QuantizedLinear(nn.Module, ABC):
    """`nn.Linear` with frozen quantized weights. Gradients flow to its input and its bias, not to its weights.

    `qweight` is also the name by which peft knows that a layer is quantized. What is not filled yet is not written
    either: most layers get weights that are mapped from a file, and their own would have taken memory for nothing.
    """

    kind: str
    qweight: Tensor

    def __init__(self, in_features: int, out_features: int, bias: bool):
        super().__init__()
        self.in_features, self.out_features = in_features, out_features
        self.register_parameter("bias", nn.Parameter(torch.zeros(out_features)) if bias else None)
        self._kernel: tuple[Tensor, Any] | None = None  # (the qweight it was made from, what the kernel reads)

    @abstractmethod
    def quantize_(self, weight: Tensor) -> None:
        """Fill the buffers from a weight [N, K]."""

    @abstractmethod
    def dequantize(self) -> Tensor:
        """The weights as fp32 [N, K]."""

    @abstractmethod
    def _prepare_kernel(self) -> Any:
        """What the kernel reads in place of `qweight`."""

    @abstractmethod
    def _multiply(self, x: Tensor, kernel: Any) -> Tensor:
        """x [M, K] -> [M, N], without the bias."""

    def forward(self, x: Tensor) -> Tensor:
        if torch.is_grad_enabled() and x.requires_grad:
            y = _DequantizedMatmul.apply(x, self)
        else:
            y = self._multiply(x.reshape(-1, self.in_features), self._get_kernel()).to(x.dtype)
            y = y.view(*x.shape[:-1], self.out_features)
        return y if self.bias is None else y + self.bias

    def _get_kernel(self) -> Any:
        # Two threads may both make it on first use; they make the same, and the assignment is atomic.
        source, kernel = self.qweight, self._kernel
        if kernel is None or kernel[0] is not source:  # a loader, or a move to another device, put other weights here
            self._kernel = kernel = (source, self._prepare_kernel())
        return kernel[1]

    def _load_from_state_dict(self, *args: Any, **kwargs: Any) -> None:
        super()._load_from_state_dict(*args, **kwargs)
        self._kernel = None

    def extra_repr(self) -> str:
        return f"in_features={self.in_features}, out_features={self.out_features}, bias={self.bias is not None}"


class _DequantizedMatmul(torch.autograd.Function):
    """x @ W.T that dequantizes W again for the backward pass instead of keeping it (QLoRA: arXiv 2305.14314)."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, linear: QuantizedLinear) -> Tensor:
        ctx.linear = linear
        return F.linear(x, linear.dequantize().to(x.dtype))

    @staticmethod
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor, None]:
        return grad @ ctx.linear.dequantize().to(grad.dtype), None


class Int4Linear(QuantizedLinear):
    """w = d*q + m with q in 0..15 and one d and m for 32 weights: GGUF's Q4_1, byte for byte.

    The kernel multiplies in bf16 and sums in fp32; in fp32 it would be ten times slower.
    """

    kind = "int4"

    def __init__(self, in_features: int, out_features: int, bias: bool):
        super().__init__(in_features, out_features, bias)
        if in_features % GROUP_SIZE:
            raise _width_error("int4", in_features, out_features)
        groups = in_features // GROUP_SIZE
        self.register_buffer("qweight", torch.empty(out_features, groups, Q4_1_BYTES, dtype=torch.uint8))

    def quantize_(self, weight: Tensor) -> None:
        self.qweight.copy_(quantize_q4_1(weight))

    def dequantize(self) -> Tensor:
        return dequantize_q4_1(self.qweight)

    def _prepare_kernel(self) -> tuple[Tensor, Tensor]:
        _require_cpu(self.kind, self.qweight.device)
        blocks = F.pad(self.qweight, (0, 0, 0, 0, 0, -self.out_features % 16))  # the kernel wants N % 16 == 0
        q, d, m = unpack_q4_1(blocks)
        packed = torch.ops.aten._convert_weight_to_int4pack_for_cpu(q.flatten(1).int(), 1)
        scale_and_zero = torch.cat([d, m + 8 * d], dim=-1)  # the kernel computes (q - 8) * scale + zero
        return packed, scale_and_zero.transpose(0, 1).to(torch.bfloat16).contiguous()  # [K/32, N, 2]

    def _multiply(self, x: Tensor, kernel: tuple[Tensor, Tensor]) -> Tensor:
        x = x.to(torch.bfloat16).contiguous()
        y = torch.ops.aten._weight_int4pack_mm_for_cpu(x, kernel[0], GROUP_SIZE, kernel[1])
        return y if y.shape[1] == self.out_features else y[:, : self.out_features]


class Int8Linear(QuantizedLinear):
    """w = s*q with q in -127..127 and one s for each output feature. The kernel multiplies in bf16."""

    kind = "int8"

    def __init__(self, in_features: int, out_features: int, bias: bool):
        super().__init__(in_features, out_features, bias)
        if in_features % GROUP_SIZE:  # the kernel reads whole vectors
            raise _width_error("int8", in_features, out_features)
        self.register_buffer("qweight", torch.empty(out_features, in_features, dtype=torch.int8))
        self.register_buffer("scales", torch.empty(out_features, 2, dtype=torch.uint8))  # bf16

    def quantize_(self, weight: Tensor) -> None:
        # The scale is rounded first, to what the kernel will use, so that its rounding costs nothing.
        scales = (weight.float().abs().amax(dim=1, keepdim=True) / 127).to(torch.bfloat16)
        self.scales.copy_(scales.view(torch.uint8))
        self.qweight.copy_((weight.float() / scales.float()).round().clamp(-127, 127).nan_to_num())

    def dequantize(self) -> Tensor:
        return self.qweight * self.scales.view(torch.bfloat16).float()

    def _prepare_kernel(self) -> tuple[Tensor, Tensor]:
        _require_cpu(self.kind, self.qweight.device)
        # With AVX-512 the kernel dies on weights that do not begin at a multiple of 16 bytes, as in a mapped file.
        aligned = self.qweight if self.qweight.data_ptr() % 64 == 0 else self.qweight.clone()
        return aligned, self.scales.view(torch.bfloat16).flatten()

    def _multiply(self, x: Tensor, kernel: tuple[Tensor, Tensor]) -> Tensor:
        return torch.ops.aten._weight_int8pack_mm(x.to(torch.bfloat16).contiguous(), *kernel)


class Int8Head(Int8Linear):
    """An output head. The kernel rounds its sums to bf16, logits to steps of 1/8, and the likeliest words tie.

    ("The" and "L" did, as the first word on the capital of France.) These few are summed up again, in fp32.
    """

    def _multiply(self, x: Tensor, kernel: tuple[Tensor, Tensor]) -> Tensor:
        y = super()._multiply(x, kernel).float()
        weight, scales = kernel
        top = y.topk(min(LIKELIEST, y.shape[1]), dim=1).indices  # [M, top]
        exact = (weight[top].float() * x.float().unsqueeze(1)).sum(dim=-1) * scales[top].float()
        return y.scatter_(1, top, exact)


class Nf4Linear(QuantizedLinear):
    """4-bit NormalFloat of QLoRA (https://arxiv.org/abs/2305.14314) by bitsandbytes, one scale for 64 weights."""

    kind = "nf4"

    def __init__(self, in_features: int, out_features: int, bias: bool):
        super().__init__(in_features, out_features, bias)
        size = in_features * out_features
        self.register_buffer("qweight", torch.empty((size + 1) // 2, 1, dtype=torch.uint8))
        self.register_buffer("scales", torch.empty(-(-size // _NF4_BLOCK), 4, dtype=torch.uint8))  # fp32

    def quantize_(self, weight: Tensor) -> None:
        codes, state = _bitsandbytes().functional.quantize_4bit(
            weight.float().contiguous(), blocksize=_NF4_BLOCK, quant_type="nf4"
        )
        self.qweight.copy_(codes)
        self.scales.copy_(state.absmax.view(-1, 1).view(torch.uint8))

    def dequantize(self) -> Tensor:
        return _bitsandbytes().functional.dequantize_4bit(self.qweight, self._prepare_kernel())

    def _prepare_kernel(self) -> Any:
        functional = _bitsandbytes().functional
        return functional.QuantState(
            absmax=self.scales.view(torch.float32).flatten(),
            shape=torch.Size((self.out_features, self.in_features)),
            dtype=torch.float32,
            blocksize=_NF4_BLOCK,
            quant_type="nf4",
            code=functional.get_4bit_type("nf4", device=self.qweight.device),
        )

    def _multiply(self, x: Tensor, kernel: Any) -> Tensor:
        return _bitsandbytes().matmul_4bit(x, self.qweight, quant_state=kernel)


class BnbInt8Linear(QuantizedLinear):
    """LLM.int8() (https://arxiv.org/abs/2208.07339) by bitsandbytes: int8 times int8, outliers of x in fp16."""

    kind = "bnb-int8"

    def __init__(self, in_features: int, out_features: int, bias: bool):
        super().__init__(in_features, out_features, bias)
        self.register_buffer("qweight", torch.empty(out_features, in_features, dtype=torch.int8))
        self.register_buffer("scales", torch.empty(out_features, 4, dtype=torch.uint8))  # fp32, largest weight of a row

    def quantize_(self, weight: Tensor) -> None:
        codes, scales, _ = _bitsandbytes().functional.int8_vectorwise_quant(weight.to(torch.float16).contiguous())
        self.qweight.copy_(codes)
        self.scales.copy_(scales.view(-1, 1).view(torch.uint8))

    def dequantize(self) -> Tensor:
        return self.qweight * (self.scales.view(torch.float32) / 127)

    def _prepare_kernel(self) -> Any:
        state = _bitsandbytes().MatmulLtState(CB=self.qweight, SCB=self.scales.view(torch.float32).flatten())
        state.has_fp16_weights, state.is_training, state.threshold = False, False, _OUTLIER
        return state

    def _multiply(self, x: Tensor, kernel: Any) -> Tensor:
        return _bitsandbytes().matmul(x.to(torch.float16), self.qweight, state=kernel)


_LINEARS: dict[str, type[QuantizedLinear]] = {
    cls.kind: cls for cls in (Int4Linear, Int8Linear, Nf4Linear, BnbInt8Linear)
}


def check_quantization(kind: str, device: str | torch.device = "cpu") -> None:
    """Raise QuantizationError if `kind` does not exist, or cannot run on `device`."""
    if kind not in KINDS:
        raise QuantizationError(f"quantization {kind!r} does not exist: choose one of {', '.join(KINDS)}")
    if kind in CPU_KINDS:
        _require_cpu(kind, torch.device(device))
    elif kind != "none":
        _bitsandbytes()


def prepare_quantized_(language_model: PreTrainedModel, kind: str) -> None:
    """Give an unfilled language model, possibly on "meta", the module tree of `kind`, for a loader to fill."""
    _replace(language_model, kind, fill=False)


@torch.no_grad()
def quantize_(language_model: PreTrainedModel, kind: str) -> None:
    """Quantize a loaded language model in place, by rounding to nearest. "none" changes nothing.

    int4: decoder matrices as Q4_1, the output head as int8. int8: all of them. nf4 and bnb-int8: decoder matrices only.
    A quantized head is no longer tied to the embeddings, which stay as they are. Cross-attention blocks are left alone.
    """
    _replace(language_model, kind, fill=True)


@torch.no_grad()
def dequantize_(language_model: PreTrainedModel) -> None:
    """Turn every quantized layer back into an fp32 `nn.Linear` of the weights that it stands for (to train or merge).

    A quantized head stays untied: its int8 weights are no longer those of the embeddings.
    """
    for name, linear in list(language_model.named_modules()):
        if isinstance(linear, QuantizedLinear):
            plain = nn.Linear(linear.in_features, linear.out_features, bias=False, device="meta")
            plain.weight = nn.Parameter(linear.dequantize())
            plain.bias = linear.bias
            language_model.set_submodule(name, plain)


def quantization_of(model: nn.Module) -> str:
    """The kind that `model`'s language model is stored in."""
    kinds = {module.kind for module in model.modules() if isinstance(module, QuantizedLinear)}
    return "int4" if "int4" in kinds else kinds.pop() if kinds else "none"


def _replace(language_model: PreTrainedModel, kind: str, fill: bool) -> None:
    check_quantization(kind, language_model.device if language_model.device.type != "meta" else "cpu")
    if kind == "none":
        return
    if (found := quantization_of(language_model)) != "none":
        raise QuantizationError(
            f"the language model is already quantized ({found}): start from unquantized weights to make it {kind}"
        )
    head = language_model.get_output_embeddings()
    for name, linear in list(language_model.named_modules()):
        if not isinstance(linear, nn.Linear) or "cross_attention" in name.split("."):
            continue
        if linear is head and kind not in CPU_KINDS:
            continue
        cls = Int8Head if linear is head else _LINEARS[kind]
        with linear.weight.device:
            quantized = cls(linear.in_features, linear.out_features, linear.bias is not None)
        quantized.bias = linear.bias
        if fill:
            quantized.quantize_(linear.weight)
        language_model.set_submodule(name, quantized)
    if kind in CPU_KINDS:
        language_model.config.tie_word_embeddings = False
        language_model.all_tied_weights_keys = {}  # a model that this one becomes part of copies them


def quantize_q4_1(weight: Tensor) -> Tensor:
    """weight [N, K] -> blocks uint8 [N, K/32, 20], rounding to nearest between the least and the largest of a group."""
    groups = weight.float().unflatten(1, (-1, GROUP_SIZE))  # [N, K/32, 32]
    low, high = groups.aminmax(dim=-1, keepdim=True)
    d, m = ((high - low) / 15).half(), low.half()
    q = ((groups - m.float()) / d.float()).round().clamp(0, 15).nan_to_num().to(torch.uint8)  # 0/0: equal weights
    nibbles = q[..., :16] | q[..., 16:] << 4
    return torch.cat([d.view(torch.uint8), m.view(torch.uint8), nibbles], dim=-1)


def unpack_q4_1(blocks: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """blocks [N, K/32, 20] -> q uint8 [N, K/32, 32], d and m fp32 [N, K/32, 1]."""
    d, m = blocks[..., :4].contiguous().view(torch.float16).float().split(1, dim=-1)
    nibbles = blocks[..., 4:]
    return torch.cat([nibbles & 15, nibbles >> 4], dim=-1), d, m


def dequantize_q4_1(blocks: Tensor) -> Tensor:
    """blocks [N, K/32, 20] -> fp32 [N, K]: d*q + m, rounded twice as llama.cpp does."""
    q, d, m = unpack_q4_1(blocks)
    return (q * d).add_(m).flatten(1)


def _require_cpu(kind: str, device: torch.device) -> None:
    if device.type not in ("cpu", "meta"):
        raise QuantizationError(
            f"quantization {kind} runs on the CPU, not on {device.type}: there use nf4, bnb-int8 or none"
        )


def _width_error(kind: str, in_features: int, out_features: int) -> QuantizationError:
    return QuantizationError(
        f"{kind} needs matrices with a multiple of {GROUP_SIZE} input features; this model has one of"
        f" {in_features} -> {out_features}: use nf4, bnb-int8 or none"
    )


def _bitsandbytes() -> Any:
    try:
        import bitsandbytes
    except ImportError as error:
        raise QuantizationError(
            "nf4 and bnb-int8 need bitsandbytes: run pip install 'regard[quant]', or use int4, int8 or none"
        ) from error
    return bitsandbytes
