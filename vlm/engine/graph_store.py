"""The graphs of graph.py, made once for a model and a machine, and kept in the user's cache.

A folder of them holds `model.onnx`, which is both the graph of what sees a picture and that of what sees none, and
`weights.data`: the weights of both, in the layout that the kernels of this CPU want, mapped into memory from the file.
They are one model since every session maps the file anew, and all of that counts as memory of the process. An adapter's
own graph refers to the same file.
"""

import hashlib
import logging
import os
import platform
import shutil
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch

from ..allocator import give_back_gaps
from ..mapped_files import release_weight_files
from ..modeling_vlm import VlmForConditionalGeneration
from ..quantization import quantization_of
from ..run_config import cache_folder
from .decoder import size_of_heads
from .variants import Variant

logger = logging.getLogger(__name__)

UNUSED_SECONDS = 7 * 86400.0  # after which graphs are forgotten; they are made anew in seconds
PARTIAL, PARTIAL_SECONDS = "partial-", 3600.0  # what is being made, and how long that may take
FORM = 3  # of what is kept; another number makes everything anew
MODEL, WEIGHTS = "model.onnx", "weights.data"
UNFIT = "unfit"  # a file in place of graphs that do not do on this machine: it says why
LEAST_KEPT = 1024  # bytes of a weight that is kept in the file, not in the graph itself
SAVING = {
    "session.optimized_model_external_initializers_file_name": WEIGHTS,
    "session.optimized_model_external_initializers_min_size_in_bytes": str(LEAST_KEPT),
    "session.save_external_prepacked_constant_initializers": "1",
}


class UnfitError(Exception):
    """Why the graphs of a model do not do on this machine."""


def why_no_graph(model: VlmForConditionalGeneration) -> str | None:
    """Why ONNX Runtime cannot run a language model that `Decoder` can run; None where it can."""
    if missing := [name for name in ("onnx", "onnxruntime") if find_spec(name) is None]:
        return f"{missing[0]} is not installed (pip install 'regard[fast]')"
    config = model.config.text_config
    if quantization_of(model.language_model) != "int4":
        return "its weights are not int4"
    if config.hidden_act != "silu":
        return f"its activation is {config.hidden_act}, not silu"
    if size_of_heads(config) % 16:
        return "the size of its heads is no multiple of 16"
    return None


def kept_graphs(model: VlmForConditionalGeneration, base: Variant, why_unfit: Callable[[Path], str | None]) -> Path:
    """The folder of a model's graphs; made, in some seconds, where there is none.

    `why_unfit` looks at a new folder, once on a machine. Raises UnfitError with what it said, OSError, and what ONNX
    Runtime does.
    """
    folder = cache_folder() / "graphs" / _key(model)
    release_weight_files()  # the hash has read all of them
    if not folder.is_dir():
        logger.info("preparing the language model for this machine in %s (once)", folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=PARTIAL) as partial:
            made = Path(partial, "graphs")
            made.mkdir()
            _make(model, base, made)
            if (reason := why_unfit(made)) is not None:
                for path in made.iterdir():
                    path.unlink()
                (made / UNFIT).write_text(reason, encoding="utf-8")
            try:
                made.rename(folder)
            except OSError:
                if not folder.is_dir():  # nor has another process made it in the meantime
                    raise
    with suppress(OSError):  # it may be somebody else's
        os.utime(folder)
    _forget_unused(folder.parent)
    if (folder / UNFIT).exists():
        raise UnfitError((folder / UNFIT).read_text(encoding="utf-8"))
    return folder


def forget(folder: Path) -> None:
    """Remove a folder of graphs, at once for whoever looks for it; what has it open keeps it."""
    with suppress(OSError), tempfile.TemporaryDirectory(dir=folder.parent, prefix=PARTIAL) as rest:
        folder.rename(Path(rest, folder.name))


def _make(model: VlmForConditionalGeneration, base: Variant, folder: Path) -> None:
    import onnxruntime

    from .graph import save_raw

    with tempfile.TemporaryDirectory(dir=folder) as raw:
        source = Path(raw, MODEL)
        save_raw(_whole_graph(model, base), source, LEAST_KEPT)
        give_back_gaps()
        options = session_options()
        options.optimized_model_filepath = str(folder / MODEL)
        for name, value in SAVING.items():
            options.add_session_config_entry(name, value)
        onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])
    give_back_gaps()


def _whole_graph(model: VlmForConditionalGeneration, base: Variant) -> Any:
    """An onnx.ModelProto for what sees pictures and what sees none, with all weights."""
    import onnx

    from .graph import LanguageModelGraph, add_plain_

    graph = LanguageModelGraph(model, base.looking, base.updates, {}).build()
    known = {weight.name: onnx.TensorProto(name=weight.name) for weight in graph.graph.initializer}
    add_plain_(graph, LanguageModelGraph(model, None, [{} for _ in base.updates], known).build())
    return graph


def session_options() -> Any:
    """How every graph is run; of onnxruntime.SessionOptions."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL  # they are as they should be
    options.enable_cpu_mem_arena = False
    options.log_severity_level = 3  # errors
    # The cores are torch's as soon as a step is over.
    options.add_session_config_entry("session.force_spinning_stop", "1")
    return options


def open_graph(graph: Path | bytes, folder: Path, profile: Path | None = None) -> Any:
    """A session of a graph whose weights lie in `folder`; with `profile`, what its operators take is written there."""
    import onnxruntime

    options = session_options()
    if profile is not None:
        options.enable_profiling, options.profile_file_prefix = True, str(profile / "profile")
    options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    source = str(graph) if isinstance(graph, Path) else graph
    return onnxruntime.InferenceSession(source, options, providers=["CPUExecutionProvider"])


def _key(model: VlmForConditionalGeneration) -> str:
    """A hash of all that a folder of graphs depends on: the weights in it, the kernels, and the CPU that chose them."""
    import onnxruntime

    digest = hashlib.blake2b(digest_size=16)
    config = model.config.text_config
    digest.update(
        f"{FORM} {onnxruntime.__version__} {_cpu()} {torch.get_num_threads()} {config.to_json_string()}".encode()
    )
    embeddings = model.get_input_embeddings()
    kept = {id(tensor) for tensor in embeddings.parameters()}
    for name, tensor in model.language_model.state_dict(keep_vars=True).items():
        if id(tensor) not in kept or config.tie_word_embeddings:
            digest.update(name.encode())
            digest.update(tensor.detach().contiguous().view(torch.uint8).numpy())
    return digest.hexdigest()


def _cpu() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return platform.processor()
    told = [line for line in lines if line.startswith(("model name", "flags", "Features"))]
    return "".join(dict.fromkeys(told))


def _forget_unused(folder: Path) -> None:
    """What was left half made, and what nobody has opened for long."""
    with suppress(OSError):  # other processes do the same
        for path in folder.iterdir():
            age = time.time() - path.stat().st_mtime
            if path.name.startswith(PARTIAL) and age > PARTIAL_SECONDS:
                shutil.rmtree(path, ignore_errors=True)
            elif age > UNUSED_SECONDS:
                forget(path)
