"""Parts of tiny random models: small enough for every test to build its own."""

import torch
from transformers import LlamaConfig, SiglipVisionConfig

from vlm.lora import add_update_, lora_ranks
from vlm.modeling_vlm import VlmForConditionalGeneration

CHAT_TEMPLATE = (
    "{% for m in messages %}<|im_start|>{{ m['role'] }}\n{{ m['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)


def tiny_vision_config() -> SiglipVisionConfig:
    return SiglipVisionConfig(
        hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=4
    )


def tiny_text_config(vocab_size: int) -> LlamaConfig:
    return LlamaConfig(
        vocab_size=vocab_size, hidden_size=64, intermediate_size=96, num_hidden_layers=4, num_attention_heads=4,
        num_key_value_heads=2, pad_token_id=0, bos_token_id=None, eos_token_id=2, initializer_range=0.2,
    )  # fmt: skip


def open_gates_(model: VlmForConditionalGeneration) -> VlmForConditionalGeneration:
    """Gates start closed, and a closed gate hides every bug behind it: tests of fusion must open them.

    The ordinals start at zero too, and hide which picture is which.
    """
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if name.endswith("_gate"):
                parameter.fill_(0.7)
            elif "ordinal_" in name:
                parameter.normal_()
    return model


def with_lora_(model: VlmForConditionalGeneration) -> VlmForConditionalGeneration:
    """Updates of different ranks, large enough to be seen, in some layers of the language model and not in others."""
    names = {
        name.rpartition(".")[2]: name for name, _ in model.language_model.named_modules()
    }  # those of the last layer
    random = torch.Generator().manual_seed(5)
    for rank, layer in enumerate(("q_proj", "v_proj", "o_proj", "up_proj", "down_proj"), start=1):
        linear = model.language_model.get_submodule(names[layer])
        down = 0.3 * torch.randn(rank, linear.in_features, generator=random)
        add_update_(model.language_model, names[layer], down, torch.randn(linear.out_features, rank, generator=random))
    model.config.lora_ranks = lora_ranks(model.language_model)
    return model
