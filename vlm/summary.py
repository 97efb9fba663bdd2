"""What a model is made of, in a few lines to read: parts, sizes, quantization, device."""

import platform
import time
from collections.abc import Callable

import torch
import transformers
from PIL import Image, ImageDraw
from torch import nn

from . import __version__
from .engine.decoder import why_not
from .engine.graph_decoder import GraphDecoder, make_decoder
from .engine.graph_store import why_no_graph
from .modeling_vlm import VlmForConditionalGeneration
from .objects import name_objects
from .ocr import has_text, read_words
from .quantization import QuantizedLinear, quantization_of
from .reading import load_reader

SIZE = (800, 600)  # of the pictures that hints are timed with


def summarize(model: VlmForConditionalGeneration) -> str:
    """A line for each part, then one for each thing that belongs to the whole."""
    config, blocks = model.config, model.cross_attention_blocks()
    inserted = {module for block in blocks for module in block.modules()}
    parts = [
        ("language model", _class_name(model.language_model), set(model.language_model.modules()) - inserted),
        ("vision tower", _class_name(model.vision_tower), set(model.vision_tower.modules())),
        ("projector", config.projector, set(model.multi_modal_projector.modules())),
    ]
    if blocks:
        parts.append(("cross-attention", f"before layers {_join(config.cross_attention_layers or [])}", inserted))
    width = max(len(kind) for _, kind, _ in parts)
    lines = [(name, f"{kind:<{width}}  {_size(modules)}") for name, kind, modules in parts]
    threads = f", {torch.get_num_threads()} threads" if model.device.type == "cpu" else ""
    versions = {"regard": __version__, "torch": torch.__version__, "transformers": transformers.__version__}
    lines += [
        ("fusion", f"{config.fusion}, {config.num_image_features} features for a picture, at most {config.max_images}"),
        ("quantization", f"{quantization_of(model)}, of the language model"),
        ("engine", _engine(model)),
        ("device", f"{model.device}{threads}"),
        ("versions", f"{', '.join(f'{k} {v}' for k, v in versions.items())}, python {platform.python_version()}"),
    ]
    return "\n".join(f"{name:<17}{text}" for name, text in lines)


def _engine(model: VlmForConditionalGeneration) -> str:
    if (reason := why_not(model)) is not None:
        return f"transformers, one answer at a time: {reason}"
    if isinstance(make_decoder(model), GraphDecoder):
        return "ONNX Runtime, many answers at once, in 8 bits"
    return f"torch, many answers at once (not ONNX Runtime: {why_no_graph(model) or 'the log says why'})"


def time_hints() -> str:
    """What each hint of a picture costs, measured now with a line of text in it; objects with none."""
    written, plain = (Image.new("RGB", SIZE, "white") for _ in range(2))
    ImageDraw.Draw(written).text((200, 200), "How long does reading take?", fill="black", font_size=28)
    ways: dict[str, Callable[[], object]] = {
        "a glance for text": lambda: has_text(written),
        "text": lambda: read_words(written),
        "structure": lambda: load_reader().read(written, ()),
        "objects": lambda: name_objects(plain),
    }
    costs = []
    for what, find in ways.items():
        find()  # loads the networks
        started = time.perf_counter()
        find()
        costs.append(f"{what} {1000 * (time.perf_counter() - started):.0f} ms")
    return f"of a picture of {SIZE[0]} x {SIZE[1]}: {', '.join(costs)}"


def _class_name(module: nn.Module) -> str:
    return type(module).__name__


def _join(numbers: list[int]) -> str:
    return ", ".join(map(str, numbers))


def _size(modules: set[nn.Module]) -> str:
    """Parameters (of quantized matrices: the weights they stand for), and the memory that holds them."""
    count, storages = 0, {}
    for module in modules:
        if isinstance(module, QuantizedLinear):
            count += module.in_features * module.out_features
        for tensor in (*module.parameters(recurse=False), *module.buffers(recurse=False)):
            if tensor.untyped_storage().data_ptr() not in storages:
                count += tensor.numel() if isinstance(tensor, nn.Parameter) else 0
            storages[tensor.untyped_storage().data_ptr()] = tensor.untyped_storage().nbytes()
    return f"{count / 1e6:6.1f} M parameters  {sum(storages.values()) / 2**20:6.1f} MiB"
