"""What vLLM's Transformers modeling backend asks of a model and its processor, as far as it shows without vLLM."""

import json

import pytest
import torch
from transformers import AutoConfig, AutoModel, AutoProcessor
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from tests.tiny import open_gates_
from vlm.backend import MODULE, VlmModel, prepare_checkpoint
from vlm.loading import make_processor
from vlm.modeling_vlm import VlmForConditionalGeneration


@pytest.fixture
def folder(tiny_config, byte_tokenizer, tmp_path):
    """A checkpoint with fusion `prefix`."""
    tiny_config.fusion = "prefix"
    open_gates_(VlmForConditionalGeneration(tiny_config).eval()).save_pretrained(tmp_path)
    make_processor(tiny_config, byte_tokenizer).save_pretrained(tmp_path)
    return tmp_path


@pytest.fixture
def whole(folder):
    return VlmForConditionalGeneration.from_pretrained(folder).eval()


@pytest.fixture
def base(folder):
    return AutoModel.from_pretrained(folder).eval()


@pytest.fixture
def inputs(folder, picture):
    processor = AutoProcessor.from_pretrained(folder)
    other = picture.transpose(0)
    return processor(text="Look: <image> and <image>.", images=[picture, other], return_mm_token_type_ids=True)


def images_first(inputs):
    return {name: inputs[name] for name in ("input_ids", "pixel_values")}


@torch.no_grad()
def test_it_is_the_same_network_up_to_the_head(whole, base, inputs):
    assert isinstance(base, VlmModel) and base.is_backend_compatible()
    hidden = base(**images_first(inputs)).last_hidden_state
    assert torch.equal(whole.get_output_embeddings()(hidden), whole(**images_first(inputs)).logits)


@torch.no_grad()
def test_an_engine_that_puts_the_features_in_their_places_itself_gets_the_same(base, inputs):
    features = base.get_image_features(inputs["pixel_values"]).pooler_output  # [N, P, D]
    is_image = inputs["mm_token_type_ids"].bool()
    embeds = base.get_input_embeddings()(inputs["input_ids"].masked_fill(is_image, 0))
    embeds[is_image] = features.flatten(0, 1)
    positions = torch.arange(embeds.shape[1])[None]
    hidden = base(input_ids=None, inputs_embeds=embeds, position_ids=positions, use_cache=False, return_dict=False)[0]
    assert torch.equal(hidden, base(**images_first(inputs)).last_hidden_state)


@torch.no_grad()
def test_an_engine_replaces_attention_and_is_handed_its_keywords(base, inputs, monkeypatch):
    seen = []

    def attention(module, query, key, value, attention_mask, **kwargs):
        seen.append((module.layer_idx, kwargs["attention_instances"]))
        return sdpa_attention_forward(module, query, key, value, None, **{**kwargs, "is_causal": True})

    monkeypatch.setitem(ALL_ATTENTION_FUNCTIONS._global_mapping, "engine", attention)
    expected = base(**images_first(inputs)).last_hidden_state
    base.config.get_text_config()._attn_implementation = "engine"
    hidden = base(**images_first(inputs), attention_instances="ours", use_cache=False).last_hidden_state
    assert seen == [(layer, "ours") for layer in range(base.config.text_config.num_hidden_layers)]
    torch.testing.assert_close(hidden, expected)


def test_an_engine_finds_the_parts_by_their_names(base):
    assert base.get_decoder() is base.language_model
    assert base.get_encoder(modality="image") is base.vision_tower
    embedding = torch.nn.Embedding(3, 4)
    base.set_input_embeddings(embedding)
    assert base.get_input_embeddings() is embedding
    assert base.config.get_text_config() is base.config.text_config


def test_it_can_be_made_without_weights(folder):
    with torch.device("meta"):
        model = AutoModel.from_config(AutoConfig.from_pretrained(folder))
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_the_processor_tells_what_stands_for_each_picture(folder, picture):
    processor = AutoProcessor.from_pretrained(folder)
    length = processor.image_seq_length
    text = f"a{processor.image_token}b"
    asked = {"return_mm_token_type_ids": True, "return_text_replacement_offsets": True}
    found = processor(text=[text], images=[picture], **asked)
    assert found["input_ids"].tolist()[0][1:-1] == [processor.image_token_id] * length
    assert found["mm_token_type_ids"].tolist() == [[0, *[1] * length, 0]]
    ((told,),) = found["text_replacement_offsets"]
    assert (told["type"], told["replacement"]) == ("image", processor.image_token * length)
    counted = processor._get_num_multimodal_tokens(image_sizes=[(16, 20), (4000, 30)])
    assert (counted["num_image_tokens"], counted["num_image_patches"]) == ([length] * 2, [1, 1])
    assert processor.image_token_ids == [processor.image_token_id]


def test_a_prepared_checkpoint_brings_its_classes_along(folder, tmp_path_factory, monkeypatch):
    monkeypatch.setattr("transformers.dynamic_module_utils.HF_MODULES_CACHE", str(tmp_path_factory.mktemp("modules")))
    prepare_checkpoint(folder)
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    prepare_checkpoint(folder)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    assert json.loads(before["config.json"])["auto_map"]["AutoModel"] == f"{MODULE}.VlmModel"
    assert type(AutoModel.from_pretrained(folder, trust_remote_code=True)) is VlmModel
    AutoProcessor.from_pretrained(folder, trust_remote_code=True)


@pytest.mark.parametrize("fusion", ["cross_attention", "both"])
def test_what_is_more_than_one_sequence_is_refused(tiny_config, tmp_path, fusion):
    tiny_config.fusion = fusion
    tiny_config.save_pretrained(tmp_path)
    with pytest.raises(ValueError, match=f"fusion '{fusion}', not 'prefix'"):
        prepare_checkpoint(tmp_path)
    tiny_config.fusion = "prefix"
    tiny_config.lora_ranks = {"model.layers.0.self_attn.q_proj": 2}
    with pytest.raises(ValueError, match="lora_ranks"):
        VlmModel(tiny_config)
