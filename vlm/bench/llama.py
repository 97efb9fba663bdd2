"""llama.cpp on the same language model: the wheel's Q4_1 as it is, and requantized to Q8_0 and Q4_0.

Its bare loop is measured: tokens in, logits out, the likeliest taken, no text made, no request served. llama.cpp is no
dependency; it is built once, for this machine, into a folder of its own.
"""

import ctypes
import importlib
import os
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ..gguf import find_gguf
from ..loading import SMOLLM2_PIP, SMOLLM2_WHEEL
from ..run_config import cache_folder

FORMS = {"Q4_1": None, "Q8_0": 7, "Q4_0": 2}  # the number that llama.cpp knows a form by
REFERENCES = ("Q4_1", "Q8_0")  # those that cost the model at most 0.05 nats; Q4_0 costs 0.2
SEQUENCES = 16
PLACES = 1024  # of the context of one sequence


def home() -> Path:
    """Where llama.cpp is looked for besides among what is installed."""
    return cache_folder() / "llama-cpp"


def how_to_get() -> str:
    return (
        "CMAKE_ARGS=-DGGML_NATIVE=ON pip install --no-deps --no-binary llama-cpp-python"
        f" --target {home()} llama-cpp-python diskcache"
    )


def import_llama() -> Any | None:
    """The binding's functions, or None where it is not installed."""
    if home().is_dir() and str(home()) not in sys.path:
        sys.path.append(str(home()))
    try:
        library = importlib.import_module("llama_cpp.llama_cpp")
    except ModuleNotFoundError as error:
        if error.name != "llama_cpp":
            raise
        return None
    library.llama_log_set(SILENCE, None)
    library.llama_backend_init()
    return library


def find_model(library: Any, form: str) -> Path:
    """The language model in a form; made once and kept."""
    source = find_gguf(SMOLLM2_WHEEL, SMOLLM2_PIP)
    if FORMS[form] is None:
        return source
    target = cache_folder() / "bench" / f"{source.stem}-{form}.gguf"
    if not target.is_file():
        target.parent.mkdir(parents=True, exist_ok=True)
        options = library.llama_model_quantize_default_params()
        options.ftype, options.allow_requantize, options.nthread = FORMS[form], True, len(os.sched_getaffinity(0))
        with tempfile.TemporaryDirectory(dir=target.parent) as folder:
            made = Path(folder, "model.gguf")
            if library.llama_model_quantize(bytes(source), bytes(made), ctypes.byref(options)):
                raise RuntimeError(f"llama.cpp cannot requantize {source} to {form}")
            made.rename(target)
    return target


class LlamaCpp:
    """One form of the model, with a context for one sequence and one for `SEQUENCES`."""

    def __init__(self, library: Any, form: str, threads: int):
        self.form = form
        self._library = library
        options = library.llama_model_default_params()
        options.n_gpu_layers = 0
        self._model = library.llama_model_load_from_file(bytes(find_model(library, form)), options)
        self._vocabulary = library.llama_vocab_n_tokens(library.llama_model_get_vocab(self._model))
        self._one = self._context(1, PLACES, threads)
        self._many = self._context(SEQUENCES, SEQUENCES * PLACES // 2, threads)
        self._batch = library.llama_batch_init(PLACES, 0, 1)

    def _context(self, sequences: int, places: int, threads: int) -> Any:
        options = self._library.llama_context_default_params()
        options.n_ctx, options.n_seq_max = places, sequences
        options.n_threads = options.n_threads_batch = threads
        return self._library.llama_init_from_model(self._model, options)

    def close(self) -> None:
        self._library.llama_batch_free(self._batch)
        for context in (self._one, self._many):
            self._library.llama_free(context)
        self._library.llama_model_free(self._model)

    def seconds_of_prefill(self, ids: Sequence[int]) -> float:
        """From a prompt to the first token of its answer."""
        self._forget(self._one)
        started = time.perf_counter()
        self._read(self._one, ids, sequence=0)
        return time.perf_counter() - started

    def tokens_per_second(self, ids: Sequence[int], count: int, sequences: int = 1) -> float:
        """In all, of `sequences` answers of `count` tokens to a prompt, once it is read."""
        context = self._one if sequences == 1 else self._many
        self._forget(context)
        tokens = [self._read(context, ids, sequence) for sequence in range(sequences)]
        started = time.perf_counter()
        for place in range(len(ids), len(ids) + count):
            self._fill([(token, place, sequence, True) for sequence, token in enumerate(tokens)])
            self._decode(context)
            tokens = [self._likeliest(context, sequence) for sequence in range(sequences)]
        return sequences * count / (time.perf_counter() - started)

    def _forget(self, context: Any) -> None:
        self._library.llama_memory_clear(self._library.llama_get_memory(context), False)

    def _read(self, context: Any, ids: Sequence[int], sequence: int) -> int:
        self._fill([(token, place, sequence, place == len(ids) - 1) for place, token in enumerate(ids)])
        self._decode(context)
        return self._likeliest(context, len(ids) - 1)

    def _fill(self, tokens: Sequence[tuple[int, int, int, bool]]) -> None:
        """(token, place, sequence, whether its logits are wanted) of everything in the next pass."""
        batch = self._batch
        batch.n_tokens = len(tokens)
        for i, (token, place, sequence, wanted) in enumerate(tokens):
            batch.token[i], batch.pos[i], batch.logits[i] = token, place, wanted
            batch.n_seq_id[i], batch.seq_id[i][0] = 1, sequence

    def _decode(self, context: Any) -> None:
        if code := self._library.llama_decode(context, self._batch):
            raise RuntimeError(f"llama.cpp cannot read on (code {code})")

    def _likeliest(self, context: Any, place: int) -> int:
        logits = self._library.llama_get_logits_ith(context, place)
        return int(np.ctypeslib.as_array(logits, (self._vocabulary,)).argmax())


def _say_nothing(*_: object) -> None:
    """What llama.cpp logs."""


# Kept: llama.cpp calls it as long as the process runs.
SILENCE = ctypes.CFUNCTYPE(None, ctypes.c_int, ctypes.c_char_p, ctypes.c_void_p)(_say_nothing)
