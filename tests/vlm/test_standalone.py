"""A merged or quantized model is a checkpoint of its own, made whole or not at all, that plain transformers loads."""

import warnings

import pytest
import torch
from peft import LoraConfig, PeftModel, get_peft_model
from transformers import AutoModelForImageTextToText, LlamaConfig

from tests.tiny import open_gates_
from vlm import cli
from vlm.configuration_vlm import VlmConfig
from vlm.loading import load, save_checkpoint
from vlm.lora import silence_unseeing_
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import quantization_of

TARGETS = r".*language_model\..*(q|v|down)_proj"


@pytest.fixture
def base(open_gates, tiny_processor, tmp_path):
    open_gates.generation_config.eos_token_id = None
    save_checkpoint(open_gates, tiny_processor, tmp_path / "base")
    return str(tmp_path / "base")


@pytest.fixture
def adapter(base, tmp_path):
    """Makes a peft folder for `base`, every part of it far from doing nothing."""

    def make(**options):
        torch.manual_seed(1)
        model = VlmForConditionalGeneration.from_pretrained(base)
        settings = {"r": 2, "lora_alpha": 6, "target_modules": TARGETS, "modules_to_save": ["multi_modal_projector"]}
        adapted = get_peft_model(model, LoraConfig(**settings, init_lora_weights=False, **options))
        with torch.no_grad():
            model.multi_modal_projector.modules_to_save["default"].linear_1.weight.normal_()
        adapted.save_pretrained(tmp_path / "adapter")
        return str(tmp_path / "adapter")

    return make


def sample(model):
    ids = torch.arange(3, 40)[None]
    ids[:, 5 : 5 + model.config.image_seq_length] = model.config.image_token_id
    return ids, torch.ones(1, 1, 3, 16, 16)


@torch.no_grad()
def logits(model, blind=False):
    ids, pixel_values = sample(model)
    return model(ids[:, :5] if blind else ids, None if blind else pixel_values).logits


@pytest.mark.parametrize("options", [{}, {"use_dora": True}])
def test_a_merged_checkpoint_is_the_model_with_its_adapter(base, adapter, tmp_path, picture, options, capsys):
    folder, out = adapter(**options), str(tmp_path / "merged")
    assert cli.main(["merge", base, folder, out]) == 0
    assert f"saved            {out}" in capsys.readouterr().out
    expected = logits(load(base, adapter=folder).model)
    merged = AutoModelForImageTextToText.from_pretrained(out)
    assert torch.equal(logits(merged), expected)
    assert (expected - logits(load(base).model)).abs().max() > 0.1
    asked = {"question": "What?", "max_new_tokens": 6}
    assert load(out).ask(picture, **asked) == load(base, adapter=folder).ask(picture, **asked)


def test_a_merged_lora_is_silent_without_a_picture(base, adapter, tmp_path):
    assert cli.main(["merge", base, adapter(), str(tmp_path / "merged")]) == 0
    assert torch.equal(logits(load(str(tmp_path / "merged")).model, blind=True), logits(load(base).model, blind=True))


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("kind", ["none", "int8", "int4", "nf4", "bnb-int8"])
@pytest.mark.filterwarnings("ignore:MatMul8bitLt")  # bitsandbytes says that it casts
def test_a_quantized_checkpoint_is_the_model_quantized_when_it_is_loaded(
    tiny_config, tiny_processor, tmp_path, kind, tied
):
    tiny_config.text_config.tie_word_embeddings = tied
    model, base, out = VlmForConditionalGeneration(tiny_config), str(tmp_path / "base"), str(tmp_path / "out")
    save_checkpoint(open_gates_(model), tiny_processor, base)
    assert cli.main(["quantize", base, out, "--to", kind]) == 0
    loaded = AutoModelForImageTextToText.from_pretrained(out)
    assert quantization_of(loaded) == loaded.config.quantization == kind
    assert torch.equal(logits(loaded), logits(load(base, quantization=kind).model))
    assert torch.equal(logits(load(out).model), logits(loaded))


def test_what_is_quantized_can_be_stored_in_another_form_and_is_told_of(base, tmp_path, capsys):
    for name, source, kind in (("a", base, "int8"), ("b", tmp_path / "a", "int4"), ("c", tmp_path / "b", "none")):
        capsys.readouterr()
        assert cli.main(["quantize", str(source), str(tmp_path / name), "--to", kind]) == 0
        assert ("rounded twice" in capsys.readouterr().err) == (kind == "int4")
    one, other = (load(str(tmp_path / name)).model for name in "bc")
    torch.testing.assert_close(logits(one), logits(other), rtol=0.1, atol=0.3)  # int4 is multiplied in bf16
    assert quantization_of(other) == other.config.quantization == "none"


def test_a_merged_model_can_be_quantized(base, adapter, tmp_path):
    merged, out = str(tmp_path / "merged"), str(tmp_path / "small")
    assert cli.main(["merge", base, adapter(), merged]) == 0
    assert cli.main(["quantize", merged, out, "--to", "int8"]) == 0
    small = load(out).model
    assert quantization_of(small) == "int8" and small.config.lora_ranks
    torch.testing.assert_close(logits(small), logits(load(merged).model), rtol=0.1, atol=0.5)


def test_nothing_is_overwritten_and_nothing_half_written(base, adapter, tmp_path, capsys, monkeypatch):
    folder, before = adapter(), sorted(path.name for path in tmp_path.iterdir())
    for command in (["merge", base, folder, base], ["quantize", base, base, "--to", "int8"]):
        assert cli.main(command) == 2
        assert f"error: {base} is there already" in capsys.readouterr().err

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("vlm.processing_vlm.VlmProcessor.save_pretrained", fail)
    assert cli.main(["merge", base, folder, str(tmp_path / "merged")]) == 2
    assert "the disk is full" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["quantize", "BASE", "OUT", "--to", "int3"], "quantization 'int3' does not exist: choose one of none, int8"),
        (["quantize", "no/such", "OUT", "--to", "int8"], "there is no model 'no/such'"),
        (["merge", "BASE", "no/such", "OUT"], "no adapter 'no/such'"),
        (["quantize", "BASE", "BASE/config.json/x", "--to", "int8"], "cannot be written"),
    ],
)
def test_what_is_impossible_is_named(base, tmp_path, capsys, words, message):
    places = {"BASE": base, "OUT": str(tmp_path / "out"), "BASE/config.json/x": f"{base}/config.json/x"}
    assert cli.main([places.get(word, word) for word in words]) == 2
    assert message in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_width_that_cannot_be_quantized_is_named(tiny_config, tiny_processor, tmp_path, capsys):
    text = LlamaConfig(**{**tiny_config.text_config.to_dict(), "hidden_size": 24, "head_dim": 8})
    config = VlmConfig(**{**tiny_config.to_dict(), "text_config": text.to_dict()})
    save_checkpoint(VlmForConditionalGeneration(config), tiny_processor, tmp_path / "odd")
    assert cli.main(["quantize", str(tmp_path / "odd"), str(tmp_path / "out"), "--to", "int4"]) == 2
    assert "int4 needs matrices with a multiple of 32 input features" in capsys.readouterr().err


def test_an_adapter_of_another_model_is_named(base, adapter, tiny_config, tiny_processor, tmp_path, capsys):
    folder = adapter()
    tiny_config.text_config.num_hidden_layers = 2
    tiny_config.cross_attention_layers = [0]
    save_checkpoint(VlmForConditionalGeneration(tiny_config), tiny_processor, tmp_path / "other")
    assert cli.main(["merge", str(tmp_path / "other"), folder, str(tmp_path / "out")]) == 2
    assert f"error: the adapter {folder} does not fit this model" in capsys.readouterr().err


def test_plain_peft_loads_an_adapter_and_applies_it_to_every_token_unless_it_is_told_not_to(base, adapter):
    folder = adapter()
    ours = load(base, adapter=folder).model
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        adapted = PeftModel.from_pretrained(VlmForConditionalGeneration.from_pretrained(base), folder)
    bare = logits(load(base).model, blind=True)
    assert not torch.equal(logits(adapted, blind=True), bare)
    silence_unseeing_(adapted)
    assert torch.equal(logits(adapted, blind=True), bare)
    torch.testing.assert_close(logits(adapted), logits(ours), rtol=1e-4, atol=1e-4)
