"""Ask questions about pictures.

    from vlm import load
    load("mini").ask(image, "What is left of the red circle?")

Names are fetched when they are first used, so that `import vlm` (and with it `vlm --help`) imports no torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .answers import Chunk, GenerationRequest
    from .configuration_vlm import VlmConfig
    from .images import ImageError, ImageLimits, decode_image
    from .loading import Assistant, compose, load
    from .modeling_vlm import VlmForConditionalGeneration
    from .processing_vlm import VlmProcessor
    from .reading.reader import read
    from .run_config import ConfigError
    from .sampling import RequestError

__version__ = "0.1.0"

_MODULES = {
    "Assistant": "loading",
    "Chunk": "answers",
    "ConfigError": "run_config",
    "GenerationRequest": "answers",
    "ImageError": "images",
    "ImageLimits": "images",
    "RequestError": "sampling",
    "VlmConfig": "configuration_vlm",
    "VlmForConditionalGeneration": "modeling_vlm",
    "VlmProcessor": "processing_vlm",
    "compose": "loading",
    "decode_image": "images",
    "load": "loading",
    "read": "reading.reader",
}
__all__ = list(_MODULES)


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_MODULES[name]}", __name__), name)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
