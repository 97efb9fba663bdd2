"""Low-rank updates: silent without a picture, the same in training and afterwards, beside any kind of weights."""

import pytest
import torch
from peft import LoraConfig, get_peft_model

from tests.tiny import open_gates_, with_lora_
from vlm.adapters import merge_adapter
from vlm.lora import silence_unseeing_
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import quantize_

TARGETS = r".*language_model\..*(q|v|down)_proj"


def sample(config):
    """Ids with a picture after five tokens of text, and the picture."""
    ids = torch.arange(3, 40)[None]
    ids[:, 5 : 5 + config.image_seq_length] = config.image_token_id
    return ids, torch.ones(1, 1, 3, 16, 16)


def a_peft_lora(model, targets=TARGETS, **options):
    torch.manual_seed(1)
    settings = LoraConfig(r=2, lora_alpha=6, target_modules=targets, init_lora_weights=False, **options)
    adapted = get_peft_model(model, settings).eval()
    silence_unseeing_(adapted)
    return adapted


@pytest.mark.parametrize("quantization", ["none", "int4", "int8"])
@torch.no_grad()
def test_what_sees_no_picture_is_the_language_models_own(fused_model, quantization):
    quantize_(fused_model.language_model, quantization)
    ids, pixel_values = sample(fused_model.config)
    text, seen = fused_model(ids[:, :5]).logits, fused_model(ids, pixel_values).logits
    with_lora_(fused_model)
    assert torch.equal(fused_model(ids[:, :5]).logits, text)
    changed = fused_model(ids, pixel_values).logits
    torch.testing.assert_close(changed[:, :5], seen[:, :5], rtol=0, atol=1e-5)
    assert (
        changed[:, 5 + fused_model.config.image_seq_length :] - seen[:, 5 + fused_model.config.image_seq_length :]
    ).abs().max() > 0.1


@pytest.mark.parametrize("options", [{}, {"use_rslora": True}, {"use_dora": True}])
@torch.no_grad()
def test_an_adapter_laid_over_the_model_computes_what_peft_computes(tiny_config, tmp_path, options):
    def new():
        torch.manual_seed(0)
        return open_gates_(VlmForConditionalGeneration(tiny_config).eval())

    ids, pixel_values = sample(tiny_config)
    adapted = a_peft_lora(new(), modules_to_save=["multi_modal_projector"], **options)
    expected = adapted(input_ids=ids, pixel_values=pixel_values).logits
    adapted.save_pretrained(tmp_path)
    merged = merge_adapter(new(), tmp_path)
    torch.testing.assert_close(merged(ids, pixel_values).logits, expected, rtol=1e-4, atol=1e-4)
    assert (new()(ids, pixel_values).logits - expected).abs().max() > 0.1


@torch.no_grad()
def test_a_lora_on_what_sees_is_laid_over_the_model_too_and_is_never_silent(tiny_config, tmp_path):
    def new():
        torch.manual_seed(0)
        return open_gates_(VlmForConditionalGeneration(tiny_config).eval())

    ids, pixel_values = sample(tiny_config)
    for targets in (r"vision_tower\..*q_proj", r".*cross_attention\.(query|value)"):
        adapted = a_peft_lora(new(), targets)
        expected = adapted(input_ids=ids, pixel_values=pixel_values).logits
        adapted.save_pretrained(tmp_path)
        merged = merge_adapter(new(), tmp_path)
        torch.testing.assert_close(merged(ids, pixel_values).logits, expected, rtol=1e-4, atol=1e-4)
        assert (new()(ids, pixel_values).logits - expected).abs().max() > 1e-3


@torch.no_grad()
def test_peft_is_silent_where_no_picture_is_seen(open_gates):
    ids, _ = sample(open_gates.config)
    expected = open_gates(ids[:, :5]).logits
    assert torch.equal(a_peft_lora(open_gates)(input_ids=ids[:, :5]).logits, expected)


@torch.no_grad()
def test_a_checkpoint_keeps_its_updates(open_gates, tmp_path):
    ids, pixel_values = sample(open_gates.config)
    with_lora_(open_gates).save_pretrained(tmp_path)
    loaded = VlmForConditionalGeneration.from_pretrained(tmp_path)
    assert torch.equal(loaded(ids, pixel_values).logits, open_gates(ids, pixel_values).logits)


def test_an_adapter_of_another_model_is_refused(tiny_config, open_gates, tmp_path):
    a_peft_lora(open_gates).save_pretrained(tmp_path)
    tiny_config.text_config.hidden_size = 48
    with pytest.raises(ValueError, match="does not fit this model"):
        merge_adapter(VlmForConditionalGeneration(tiny_config), tmp_path)


def test_gradient_checkpointing_silences_the_same_tokens(tiny_config):
    def gradients(checkpointing):
        torch.manual_seed(0)
        model = a_peft_lora(open_gates_(VlmForConditionalGeneration(tiny_config))).train()
        if checkpointing:
            model.get_base_model().activation_checkpointing_enable()
        ids, pixel_values = sample(tiny_config)
        labels = ids.masked_fill(ids == tiny_config.image_token_id, -100)
        model(input_ids=ids, pixel_values=pixel_values, labels=labels, use_cache=False).loss.backward()
        return {name: p.grad for name, p in model.named_parameters() if p.grad is not None}

    plain, checkpointed = gradients(False), gradients(True)
    assert plain.keys() == checkpointed.keys()
    for name, gradient in plain.items():
        torch.testing.assert_close(checkpointed[name], gradient)
