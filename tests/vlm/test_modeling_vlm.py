import pytest
import torch
from torch import nn
from transformers import AutoModelForCausalLM, AutoModelForImageTextToText, Dinov2WithRegistersConfig, TextStreamer

from tests.tiny import open_gates_, tiny_text_config
from vlm.configuration_vlm import VlmConfig
from vlm.cross_attention import GatedCrossAttention
from vlm.modeling_vlm import VlmForConditionalGeneration


def prompts(config, *, images=1, batch=2):
    """[batch, T]: some text, then the picture, then text; later pictures follow with text in between."""
    mark = [config.image_token_id] * config.image_seq_length
    turns = [[*mark, 20, 30 + i] for i in range(images)]
    return torch.tensor([[5 + row, 9 + row, *(token for turn in turns for token in turn)] for row in range(batch)])


@pytest.fixture
def pixel_values():
    return torch.randn(2, 1, 3, 16, 16)


@torch.no_grad()
def test_closed_gates_leave_the_language_model_unchanged(tiny_model, pixel_values):
    input_ids = prompts(tiny_model.config)
    with_picture = tiny_model(input_ids=input_ids, pixel_values=pixel_values).logits
    assert torch.equal(with_picture, tiny_model(input_ids=input_ids).logits)


@torch.no_grad()
def test_text_alone_is_answered_exactly_like_the_language_model(fused_model):
    """Text-only turns never go through the adapters, open or not."""
    language_model = AutoModelForCausalLM.from_config(fused_model.config.text_config).eval()
    own = {n.replace(".decoder_layer.", "."): p for n, p in fused_model.language_model.state_dict().items()}
    language_model.load_state_dict({n: p for n, p in own.items() if ".cross_attention." not in n})
    input_ids = torch.tensor([[5, 6, 7, 8]])
    assert torch.equal(fused_model(input_ids=input_ids).logits, language_model(input_ids=input_ids).logits)


@torch.no_grad()
def test_text_before_the_picture_does_not_depend_on_it_and_text_after_does(fused_model, pixel_values):
    input_ids = prompts(fused_model.config)
    logits = fused_model(input_ids=input_ids, pixel_values=pixel_values).logits
    other = fused_model(input_ids=input_ids, pixel_values=-pixel_values).logits
    changed = (logits != other).any(dim=-1)
    assert not changed[:, :2].any()
    assert changed[:, -2:].all()


@torch.no_grad()
def test_text_sees_every_earlier_picture_and_no_later_one(fused_model):
    config = fused_model.config
    input_ids, pixel_values = prompts(config, images=2, batch=1), torch.randn(1, 2, 3, 16, 16)
    before = fused_model(input_ids=input_ids, pixel_values=pixel_values).logits[0]
    between = 2 + config.image_seq_length  # the first text token after the first picture
    for number, expected in ((0, [True, True]), (1, [False, True])):
        other = pixel_values.clone()
        other[:, number] *= -1
        changed = (fused_model(input_ids=input_ids, pixel_values=other).logits[0] != before).any(dim=-1)
        assert changed[[between, -1]].tolist() == expected


@torch.no_grad()
def test_swapping_two_pictures_changes_the_answer(fused_model):
    """Keys and values do not know the order; the ordinal does."""
    input_ids, pixel_values = prompts(fused_model.config, images=2, batch=1), torch.randn(1, 2, 3, 16, 16)
    logits = fused_model(input_ids=input_ids, pixel_values=pixel_values).logits[0, -1]
    swapped = fused_model(input_ids=input_ids, pixel_values=pixel_values.flip(1)).logits[0, -1]
    assert not torch.allclose(logits, swapped, atol=1e-3)


@torch.no_grad()
def test_what_is_read_of_a_picture_does_not_depend_on_its_place(fused_model):
    """So it can be cached by the picture alone."""
    one, two = torch.randn(2, 1, 3, 16, 16)
    together = fused_model.encode_images(torch.stack([one, two], dim=1))
    alone = fused_model.encode_images(two.unsqueeze(1))
    torch.testing.assert_close(together.features[:, 1:], alone.features)
    for ours, theirs in zip(together.key_values, alone.key_values, strict=True):
        torch.testing.assert_close(ours.key[:, :, 1:], theirs.key)
        torch.testing.assert_close(ours.value[:, :, 1:], theirs.value)


@torch.no_grad()
def test_samples_with_fewer_pictures_are_answered_as_alone(fused_model):
    """A batch of one and two pictures; the missing one is zeros that nothing looks at."""
    config = fused_model.config
    two, one = prompts(config, images=2, batch=1)[0], prompts(config, images=1, batch=1)[0]
    pixel_values = torch.randn(2, 2, 3, 16, 16)
    alone = fused_model(input_ids=one[None], pixel_values=pixel_values[1:, :1]).logits[0]
    padded = torch.cat([one, torch.zeros(len(two) - len(one), dtype=torch.long)])
    batch = fused_model(input_ids=torch.stack([two, padded]), pixel_values=pixel_values).logits[1, : len(one)]
    torch.testing.assert_close(batch, alone)


@torch.no_grad()
def test_generate_with_and_without_kv_cache_agree(fused_model, pixel_values):
    generate = dict(
        input_ids=prompts(fused_model.config), pixel_values=pixel_values, max_new_tokens=6, do_sample=False,
        eos_token_id=None,
    )  # fmt: skip
    with_cache = fused_model.generate(**generate, use_cache=True)
    assert torch.equal(with_cache, fused_model.generate(**generate, use_cache=False))


@torch.no_grad()
def test_a_streamer_gets_every_token_as_it_is_made(fused_model, tiny_processor, picture):
    class Streamer(TextStreamer):
        def __init__(self, tokenizer):
            super().__init__(tokenizer, skip_prompt=True, skip_special_tokens=True)
            self.pieces, self.has_ended = [], False

        def on_finalized_text(self, text, stream_end=False):
            self.pieces.append(text)
            self.has_ended = stream_end

    content = [{"type": "image", "image": picture}, {"type": "text", "text": "What?"}]
    inputs = tiny_processor.apply_chat_template([{"role": "user", "content": content}])
    streamer = Streamer(tiny_processor.tokenizer)
    ids = fused_model.generate(**inputs, max_new_tokens=8, do_sample=False, eos_token_id=None, streamer=streamer)
    told = tiny_processor.tokenizer.decode(ids[0, inputs["input_ids"].shape[1] :], skip_special_tokens=True)
    assert streamer.has_ended and len(streamer.pieces) == 9 and "".join(streamer.pieces) == told


@torch.no_grad()
def test_generating_for_a_batch_padded_on_the_left_is_generating_one_by_one(fused_model):
    config = fused_model.config
    long, short = prompts(config, batch=1)[0], prompts(config, batch=1)[0][1:]
    pixel_values = torch.randn(2, 1, 3, 16, 16)
    batch = torch.stack([long, torch.cat([torch.zeros(1, dtype=torch.long), short])])
    mask = torch.ones_like(batch)
    mask[1, 0] = 0
    options = dict(max_new_tokens=5, do_sample=False, eos_token_id=None)
    together = fused_model.generate(input_ids=batch, attention_mask=mask, pixel_values=pixel_values, **options)
    alone = fused_model.generate(input_ids=short[None], pixel_values=pixel_values[1:], **options)
    assert together[1, len(long) :].tolist() == alone[0, len(short) :].tolist()


@torch.no_grad()
def test_several_answers_to_one_picture_can_be_sampled(fused_model, pixel_values):
    input_ids = prompts(fused_model.config, batch=1)
    answers = fused_model.generate(
        input_ids=input_ids, pixel_values=pixel_values[:1], max_new_tokens=4, do_sample=True, num_return_sequences=3
    )
    assert answers.shape[0] == 3


@torch.no_grad()
def test_attention_weights_tell_where_each_token_looked(open_gates):
    config = open_gates.config
    input_ids, pixel_values = prompts(config, images=2, batch=1), torch.randn(1, 2, 3, 16, 16)
    outputs = open_gates(input_ids=input_ids, pixel_values=pixel_values, output_cross_attentions=True)
    assert len(outputs.cross_attentions) == len(config.cross_attention_layers)
    weights = outputs.cross_attentions[0]  # [B, N, T, I, P]
    assert weights.shape == (1, 2, input_ids.shape[1], 2, config.num_image_features)
    looked = weights.sum(dim=(-2, -1))
    assert looked.min() > 0 and looked.max() < 1  # the rest went to the sink
    assert weights[:, :, 3, 1].max() == 0  # a token between the pictures does not look at the second


@torch.no_grad()
def test_a_head_that_finds_nothing_reads_nothing(tiny_config):
    block, features = GatedCrossAttention(tiny_config), torch.randn(1, 1, 4, tiny_config.text_config.hidden_size)
    nn.init.ones_(block.attn_gate)
    text, mask = torch.randn(1, 3, features.shape[-1]), torch.ones(1, 3, 1, dtype=torch.bool)
    nn.init.constant_(block.sink, 30.0)
    same, weights = block(text, block.read(features), mask)
    assert weights.sum() < 1e-3
    torch.testing.assert_close(same, text, rtol=0, atol=1e-3)


@torch.no_grad()
def test_an_open_block_brings_the_words_that_a_feature_is_made_of(tiny_config):
    width = tiny_config.text_config.hidden_size
    block = GatedCrossAttention(VlmConfig(**tiny_config.to_dict() | {"cross_attention_hidden_size": width}))
    block.start_looking_(gate=1.0)
    block.sink.fill_(-1e4)  # it must look
    feature, token = torch.randn(2, 1, 1, width)
    brought = block(token, block.read(feature[None]), torch.ones(1, 1, 1, dtype=torch.bool))[0] - token
    assert torch.nn.functional.cosine_similarity(brought, feature, dim=-1) > 0.999


@torch.no_grad()
def test_save_and_load_is_lossless(fused_model, pixel_values, tmp_path):
    fused_model.save_pretrained(tmp_path)
    loaded = AutoModelForImageTextToText.from_pretrained(tmp_path).eval()
    inputs = dict(input_ids=prompts(fused_model.config), pixel_values=pixel_values)
    assert torch.equal(loaded(**inputs).logits, fused_model(**inputs).logits)


def test_pictures_that_do_not_fit_the_image_tokens_are_an_error(tiny_model, pixel_values):
    with pytest.raises(ValueError, match=r"\[2\] image tokens .* 1 picture"):
        tiny_model(input_ids=prompts(tiny_model.config, images=2, batch=1), pixel_values=pixel_values[:1])


def test_a_picture_with_only_some_of_its_image_tokens_is_an_error(tiny_config, pixel_values):
    tiny_config.fusion = "prefix"
    model = VlmForConditionalGeneration(tiny_config)
    with pytest.raises(ValueError, match=r"\[3\] image tokens .*, 16 for each"):
        model(input_ids=torch.tensor([[tiny_config.image_token_id] * 3 + [5]]), pixel_values=pixel_values[:1])


@pytest.mark.parametrize("projector", ["mlp", "pixel_shuffle", "perceiver"])
@pytest.mark.parametrize("fusion", ["cross_attention", "prefix", "both"])
def test_every_fusion_and_projector_learns_and_generates(tiny_config, pixel_values, fusion, projector):
    tiny_config.fusion, tiny_config.projector = fusion, projector
    model = open_gates_(VlmForConditionalGeneration(tiny_config))
    input_ids = prompts(tiny_config)
    labels = input_ids.masked_fill(input_ids == tiny_config.image_token_id, -100)
    model(input_ids=input_ids, pixel_values=pixel_values, labels=labels).loss.backward()
    for name, parameter in model.named_parameters():
        if "multi_modal_projector" in name or "cross_attention" in name:
            assert parameter.grad is not None and parameter.grad.abs().sum() > 0, name
    answer = model.generate(input_ids=input_ids, pixel_values=pixel_values, max_new_tokens=2, eos_token_id=None)
    assert answer.shape == (2, input_ids.shape[1] + 2)


def test_the_loss_is_that_of_all_logits_at_the_labels(open_gates, pixel_values):
    input_ids = prompts(open_gates.config)
    labels = input_ids.clone()
    labels[0, :4], labels[1, :3] = -100, -100
    logits = open_gates(input_ids=input_ids, pixel_values=pixel_values).logits
    expected = torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten())
    loss = open_gates(input_ids=input_ids, pixel_values=pixel_values, labels=labels).loss
    torch.testing.assert_close(loss, expected)


def test_gradient_checkpointing_changes_no_gradient(open_gates, pixel_values):
    def gradient():
        open_gates.zero_grad()
        input_ids = prompts(open_gates.config)
        open_gates(
            input_ids=input_ids, pixel_values=pixel_values, labels=input_ids % 90, use_cache=False
        ).loss.backward()
        return open_gates.multi_modal_projector.linear_1.weight.grad.clone()

    expected = gradient()
    open_gates.train()
    open_gates.activation_checkpointing_enable()
    torch.testing.assert_close(gradient(), expected)


def test_parts_that_are_handed_in_keep_their_weights(tiny_config):
    language_model = AutoModelForCausalLM.from_config(tiny_text_config(tiny_config.text_config.vocab_size))
    with torch.no_grad():
        language_model.model.norm.weight.fill_(3.0)  # `post_init` would make it 1
    for module in language_model.modules():
        module._is_hf_initialized = False  # as after filling a model by hand
    VlmForConditionalGeneration(tiny_config, None, language_model)
    assert (language_model.model.norm.weight == 3.0).all()


def test_impossible_networks_are_named(tiny_config):
    with pytest.raises(ValueError, match=r"fusion must be one of .*, got 'late'"):
        type(tiny_config)(**{**tiny_config.to_dict(), "fusion": "late"})
    with pytest.raises(ValueError, match=r"cross_attention_layers .* 0 to 3, got \[4\]"):
        type(tiny_config)(**{**tiny_config.to_dict(), "cross_attention_layers": [4]})
    with pytest.raises(ValueError, match=r"pixel_shuffle_factor .* \(4 x 4\), got 3"):
        type(tiny_config)(**{**tiny_config.to_dict(), "projector": "pixel_shuffle", "pixel_shuffle_factor": 3})


def test_class_and_register_tokens_are_not_taken_for_patches(tiny_config):
    vision = Dinov2WithRegistersConfig(
        hidden_size=24, num_hidden_layers=1, num_attention_heads=2, image_size=16, patch_size=4, num_register_tokens=2
    )
    tiny_config.vision_config = vision
    model = VlmForConditionalGeneration(tiny_config)
    assert model.get_image_features(torch.randn(1, 3, 16, 16)).shape == (1, 16, 64)
