"""What a run was made on, and with what: numbers mean little without it."""

import os
import platform
from pathlib import Path

import torch
import transformers

from .. import __version__
from . import llama


def machine() -> dict[str, str]:
    library = llama.import_llama()
    return {
        "CPU": f"{_cpu()}, {torch.backends.cpu.get_cpu_capability()}, {len(os.sched_getaffinity(0))} cores",
        "threads": f"{torch.get_num_threads()} for every contender",
        "load before": f"{os.getloadavg()[0]:.2f}",
        "versions": f"regard {__version__}, torch {torch.__version__}, transformers {transformers.__version__}",
        "llama.cpp": "not installed" if library is None else library.llama_print_system_info().decode().strip(),
    }


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown")
