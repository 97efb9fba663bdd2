"""In which numbers to train: bf16 is several times faster than fp32 on some processors, and slower on others."""

import contextlib
import time

import torch
from torch import nn

DTYPES = {"fp32": torch.float32, "bf16": torch.bfloat16}


def faster_precision(device: torch.device) -> str:
    """The precision in which this machine multiplies matrices of a language model's size faster."""
    if device.type == "cuda":
        return "bf16"
    return "bf16" if _seconds(torch.bfloat16) < _seconds(torch.float32) else "fp32"


def _seconds(dtype: torch.dtype) -> float:
    """The least time of several products of 512 tokens with a 576 x 1536 matrix."""
    x, weight = torch.ones(512, 576, dtype=dtype), torch.ones(1536, 576, dtype=dtype)
    times = []
    for _ in range(10):
        start = time.perf_counter()
        nn.functional.linear(x, weight)
        times.append(time.perf_counter() - start)
    return min(times)


def lower_(language_model: nn.Module, precision: str) -> None:
    """Keep the frozen weights of the language model in this precision; what is trained stays fp32."""
    for parameter in language_model.parameters():
        if not parameter.requires_grad:
            parameter.data = parameter.data.to(DTYPES[precision])


def autocast(device: torch.device, precision: str) -> contextlib.AbstractContextManager[None]:
    return torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16")
