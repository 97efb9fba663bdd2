"""Shared fixtures. Everything here is random, tiny, offline and on the CPU."""

import os

os.environ["HF_HUB_OFFLINE"] = "1"  # before anything imports the hub: a test must not wait for a network

import pytest
import torch
from PIL import Image
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import AutoModel, AutoModelForCausalLM, PreTrainedTokenizerFast

from tests.tiny import CHAT_TEMPLATE, open_gates_, tiny_text_config, tiny_vision_config
from vlm.configuration_vlm import VlmConfig
from vlm.engine import graph_decoder, graph_store
from vlm.loading import make_processor
from vlm.modeling_vlm import VlmForConditionalGeneration

torch.set_num_threads(1)  # tiny models: a second thread only waits for the first


@pytest.fixture(autouse=True)
def _seed():
    torch.manual_seed(0)


@pytest.fixture(scope="session", autouse=True)
def _graphs(tmp_path_factory):
    """What the engine prepares of a tiny model is not kept among that of real ones; what is faster there, is chance."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph_decoder, "is_faster", lambda *_: True)
        patch.setattr(graph_store, "cache_folder", lambda: tmp_path_factory.getbasetemp())
        yield


@pytest.fixture
def byte_tokenizer() -> PreTrainedTokenizerFast:
    """One token a byte, and the special tokens of a chat."""
    vocabulary = {token: i for i, token in enumerate(["<pad>", "<|im_start|>", "<|im_end|>"])}
    for character in sorted(pre_tokenizers.ByteLevel.alphabet()):
        vocabulary[character] = len(vocabulary)
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        pad_token="<pad>",
        eos_token="<|im_end|>",
        additional_special_tokens=["<|im_start|>"],
        chat_template=CHAT_TEMPLATE,
    )


@pytest.fixture
def tiny_config(byte_tokenizer) -> VlmConfig:
    """Image token outside the vocabulary; blocks before layers 0 and 2."""
    return VlmConfig(
        vision_config=tiny_vision_config().to_dict(),
        text_config=tiny_text_config(len(byte_tokenizer)).to_dict(),
        image_token_id=len(byte_tokenizer),
        max_images=3,
        cross_attention_layers=[0, 2],
        cross_attention_hidden_size=16,
        cross_attention_num_heads=2,
        cross_attention_mlp_size=16,
        num_latents=5,
    )


@pytest.fixture
def tiny_model(tiny_config) -> VlmForConditionalGeneration:
    return VlmForConditionalGeneration(tiny_config).eval()


@pytest.fixture
def open_gates(tiny_model) -> VlmForConditionalGeneration:
    return open_gates_(tiny_model)


@pytest.fixture(params=["cross_attention", "prefix", "both"])
def fused_model(request, tiny_config) -> VlmForConditionalGeneration:
    """A model of each fusion, with its gates open."""
    tiny_config.fusion = request.param
    return open_gates_(VlmForConditionalGeneration(tiny_config).eval())


@pytest.fixture
def tiny_processor(tiny_config, byte_tokenizer):
    return make_processor(tiny_config, byte_tokenizer)


@pytest.fixture
def picture() -> Image.Image:
    """Not symmetric in any way, so that a flipped, turned or swapped picture is another one."""
    image = Image.new("RGB", (20, 16), (200, 30, 40))
    image.paste((10, 160, 220), (12, 2, 18, 9))
    return image


@pytest.fixture
def tiny_parts(tmp_path, byte_tokenizer) -> dict[str, str]:
    """Folders with a tiny vision tower and a tiny language model, as they would come from the hub."""
    AutoModel.from_config(tiny_vision_config()).save_pretrained(tmp_path / "tower")
    language_model = AutoModelForCausalLM.from_config(tiny_text_config(len(byte_tokenizer)))
    language_model.save_pretrained(tmp_path / "llm")
    byte_tokenizer.save_pretrained(tmp_path / "llm")
    return {"vision_tower": str(tmp_path / "tower"), "language_model": str(tmp_path / "llm")}
