"""Tiny random models of transformers' own, one of each style, with processors as their checkpoints have them."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    CLIPImageProcessorPil,
    Idefics3Config,
    Idefics3ForConditionalGeneration,
    Idefics3ImageProcessorPil,
    Idefics3Processor,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PaliGemmaConfig,
    PaliGemmaForConditionalGeneration,
    PaliGemmaProcessor,
    PreTrainedTokenizerFast,
    Qwen2VLConfig,
    Qwen2VLForConditionalGeneration,
    Qwen2VLImageProcessorPil,
    SiglipImageProcessorPil,
    SmolVLMConfig,
    SmolVLMForConditionalGeneration,
    SmolVLMImageProcessorPil,
)
from transformers.models.qwen2_vl.processing_qwen2_vl import Qwen2VLProcessor
from transformers.models.smolvlm.processing_smolvlm import SmolVLMProcessor

from vlm.hub_models import for_pictures_alone

SPECIAL = [
    "<pad>", "<bos>", "<|im_start|>", "<|im_end|>", "<image>", "<fake_token_around_image>", "<global-img>",
    "<end_of_utterance>", "<|vision_start|>", "<|vision_end|>", "<|image_pad|>", "<|video_pad|>", "<video>",
]  # fmt: skip
END = SPECIAL.index("<|im_end|>")
TEXT = {
    "hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 400, "pad_token_id": 0, "bos_token_id": 1,
    "eos_token_id": END, "initializer_range": 0.2,
}  # fmt: skip
VISION = {
    "hidden_size": 24, "intermediate_size": 48, "num_hidden_layers": 1, "num_attention_heads": 2, "image_size": 16,
    "patch_size": 4,
}  # fmt: skip
TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{% for part in m['content'] %}"
    "{% if part['type'] == 'image' %}IMAGE{% else %}{{ part['text'] }}{% endif %}{% endfor %}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
STYLES = ("smolvlm", "idefics3", "llava", "qwen2_vl", "paligemma")


def tokenizer() -> PreTrainedTokenizerFast:
    vocabulary = {token: i for i, token in enumerate([*SPECIAL, *sorted(pre_tokenizers.ByteLevel.alphabet())])}
    backend = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    return PreTrainedTokenizerFast(
        tokenizer_object=backend, pad_token="<pad>", bos_token="<bos>", eos_token="<|im_end|>",
        additional_special_tokens=[*SPECIAL[4:], "<|im_start|>"],
    )  # fmt: skip


def save(style: str, folder: Path) -> str:
    """A checkpoint of a tiny model of this style."""
    torch.manual_seed(0)
    model, processor = MAKERS[style](tokenizer())
    model.generation_config.eos_token_id = END
    model.generation_config.pad_token_id = 0
    model.save_pretrained(folder)
    processor.save_pretrained(folder)
    return str(folder)


def _smolvlm(tokens):
    config = SmolVLMConfig(vision_config=VISION, text_config=_llama(tokens), **_idefics3(tokens))
    images = SmolVLMImageProcessorPil(**_tiles())
    kind = for_pictures_alone(SmolVLMProcessor)
    processor = kind(images, tokens, None, image_seq_len=4, chat_template=TEMPLATE.replace("IMAGE", "<image>"))
    return SmolVLMForConditionalGeneration(config), processor


def _idefics3_style(tokens):
    config = Idefics3Config(vision_config=VISION, text_config=_llama(tokens), **_idefics3(tokens))
    images = Idefics3ImageProcessorPil(**_tiles())
    processor = Idefics3Processor(images, tokens, image_seq_len=4, chat_template=TEMPLATE.replace("IMAGE", "<image>"))
    return Idefics3ForConditionalGeneration(config), processor


def _llava(tokens):
    vision = {"model_type": "siglip_vision_model", **VISION}
    config = LlavaConfig(
        vision_config=vision, text_config=_llama(tokens), image_token_index=SPECIAL.index("<image>"),
        image_token_id=SPECIAL.index("<image>"), vision_feature_select_strategy="full", vision_feature_layer=-1,
        image_seq_length=16,
    )  # fmt: skip
    images = CLIPImageProcessorPil(size={"shortest_edge": 16}, crop_size={"height": 16, "width": 16})
    processor = LlavaProcessor(
        images, tokens, patch_size=4, vision_feature_select_strategy="full",
        chat_template=TEMPLATE.replace("IMAGE", "<image>"),
    )  # fmt: skip
    return LlavaForConditionalGeneration(config), processor


def _qwen2_vl(tokens):
    config = Qwen2VLConfig(
        vision_config={
            "depth": 1, "embed_dim": 32, "hidden_size": 32, "num_heads": 2, "patch_size": 4, "spatial_merge_size": 2,
            "mlp_ratio": 2, "temporal_patch_size": 2,
        },
        text_config={
            **TEXT, "vocab_size": len(tokens), "rope_parameters": {"rope_type": "default", "mrope_section": [1, 1, 2]}
        },
        image_token_id=SPECIAL.index("<|image_pad|>"), video_token_id=SPECIAL.index("<|video_pad|>"),
        vision_start_token_id=SPECIAL.index("<|vision_start|>"), vision_end_token_id=SPECIAL.index("<|vision_end|>"),
    )  # fmt: skip
    images = Qwen2VLImageProcessorPil(
        patch_size=4, temporal_patch_size=2, merge_size=2, size={"shortest_edge": 64, "longest_edge": 1024}
    )
    template = TEMPLATE.replace("IMAGE", "<|vision_start|><|image_pad|><|vision_end|>")
    processor = for_pictures_alone(Qwen2VLProcessor)(images, tokens, chat_template=template)
    return Qwen2VLForConditionalGeneration(config), processor


def _paligemma(tokens):
    images = SiglipImageProcessorPil(size={"height": 16, "width": 16})
    images.image_seq_length = 16
    processor = PaliGemmaProcessor(images, tokens)
    config = PaliGemmaConfig(
        vision_config={"model_type": "siglip_vision_model", "projection_dim": 32, **VISION},
        text_config={"model_type": "gemma", "head_dim": 8, **TEXT, "vocab_size": len(processor.tokenizer)},
        image_token_id=processor.image_token_id, projection_dim=32, hidden_size=32,
    )  # fmt: skip
    return PaliGemmaForConditionalGeneration(config), processor


def _llama(tokens):
    return {"model_type": "llama", **TEXT, "vocab_size": len(tokens)}


def _idefics3(tokens):
    return {"image_token_id": SPECIAL.index("<image>"), "scale_factor": 2, "pad_token_id": 0}


def _tiles():
    return {"size": {"longest_edge": 32}, "max_image_size": {"longest_edge": 16}, "do_image_splitting": False}


MAKERS = {
    "smolvlm": _smolvlm, "idefics3": _idefics3_style, "llava": _llava, "qwen2_vl": _qwen2_vl, "paligemma": _paligemma,
}  # fmt: skip
