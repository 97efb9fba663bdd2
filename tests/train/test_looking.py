from random import Random

import pytest
import torch
from PIL import Image

from tests.tiny import open_gates_
from train.alignment import ATTRIBUTES
from train.config import TrainConfig
from train.data_engine.shapes_kinds import HELD_OUT_SHAPES
from train.data_engine.shapes_phrases import Phrase, phrase
from train.looking import ANY, Questions, align_looking, looking_loss, looks, loss_on_row, meant, read_questions
from train.trainable import add_adapters
from vlm.modeling_vlm import VlmForConditionalGeneration

CIRCLE, STAR = (ATTRIBUTES["kind"].index(kind) for kind in ("circle", "star"))
RED, BLUE = (ATTRIBUTES["colour"].index(colour) for colour in ("red", "blue"))

PLAIN = next(seed for seed in range(9) if Random(seed).random() > 0.65)  # the question stays as it is


def config(tmp_path, **changes):
    return TrainConfig(model="unused", data=({"family": "shapes"},), output_dir=tmp_path, max_steps=1, **changes)


def questions(*words):
    kind, colour = (torch.tensor(values) for values in zip(*words, strict=True))
    return Questions(torch.zeros(0), kind, colour)


def test_a_phrase_means_the_patches_with_all_of_its_words():
    kind, colour = torch.tensor([[CIRCLE, CIRCLE, STAR, 0]]), torch.tensor([[RED, BLUE, RED, RED]])
    found = meant(kind, colour, questions((CIRCLE, RED), (CIRCLE, ANY), (ANY, RED), (STAR, BLUE)))[0]
    assert found.int().tolist() == [[1, 0, 0, 0], [1, 1, 0, 0], [1, 0, 1, 0], [0, 0, 0, 0]]


def test_phrases_stand_in_their_questions_and_name_only_what_training_shows():
    phrases = [phrase(Random(seed)) for seed in range(300)]
    assert all(asked.last in asked.question.lower() for asked in phrases)
    assert HELD_OUT_SHAPES.isdisjoint((asked.kind, asked.colour) for asked in phrases)
    for asked in phrases:
        named = [word for word in (asked.kind, asked.colour) if word]
        assert named and all(word in asked.question.lower() for word in named)


def test_the_loss_is_least_for_looking_at_what_is_meant_and_else_at_nothing():
    is_meant = torch.tensor([[[True, False, False], [False, False, False]]])  # the first question's thing is there
    right = torch.zeros(1, 1, 2, 2, 3)
    right[:, :, 0, :, 0] = 1.0
    at_another, everywhere = right.roll(1, dims=-1), torch.full_like(right, 1 / 3)
    assert looking_loss(right, is_meant) < 1e-6
    assert looking_loss(at_another, is_meant) > 1 and looking_loss(everywhere, is_meant) > 1


@torch.no_grad()
def test_the_look_that_is_taught_is_that_of_the_model(tiny_config, tiny_processor, tmp_path):
    model = open_gates_(VlmForConditionalGeneration(tiny_config)).eval()
    for block in model.cross_attention_blocks():
        block.ordinal_key.zero_()  # with several pictures it tells them apart; here there is one
    pixel_values, text = torch.randn(1, 1, 3, 16, 16), "Is there a red circle?"
    asked = Phrase(text, "red circle", "circle", "red")
    read = read_questions(model, tiny_processor, [asked], config(tmp_path), Random(PLAIN))
    content = [{"type": "image", "image": Image.new("RGB", (16, 16))}, {"type": "text", "text": text}]
    chat = tiny_processor.encode_chat([{"role": "user", "content": content}], add_generation_prompt=True)
    weights = model(
        input_ids=torch.tensor([chat.input_ids]), pixel_values=pixel_values, output_cross_attentions=True
    ).cross_attentions[0]
    taught = looks(model.cross_attention_blocks()[0], read.hidden_states[0], model.get_image_features(pixel_values[0]))
    written = [tiny_processor.tokenizer.decode(chat.input_ids[: i + 1]) for i in range(len(chat.input_ids))]
    end = next(i for i, so_far in enumerate(written) if so_far.endswith("circle"))
    torch.testing.assert_close(taught[0, :, 0], weights[0, :, [end, -1], 0])


def test_looking_is_learnt_and_nothing_else_changes(tiny_config, tiny_processor, tmp_path, monkeypatch):
    monkeypatch.setattr("train.looking.PICTURES", 8)
    monkeypatch.setattr("train.looking.QUESTIONS", 64)
    run = config(tmp_path, alignment_steps=1, looking_steps=3)
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), run)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    align_looking(model, tiny_processor, run)
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    ends = ("query.weight", "key.weight", "attn_norm.weight", "image_norm.weight", "sink")
    assert len(changed) == len(ends) * len(model.get_base_model().cross_attention_blocks())
    assert all(name.endswith(ends) and "modules_to_save" in name for name in changed)


def test_looking_follows_an_alignment(tmp_path):
    with pytest.raises(ValueError, match="looking_steps needs alignment_steps"):
        config(tmp_path, looking_steps=1)


def test_while_answers_are_learnt_phrases_are_put_to_fresh_pictures(tiny_config, tiny_processor, tmp_path):
    """Half of them name something in the picture, and the gradients reach query and key of every block."""
    run = config(tmp_path, alignment_steps=1, looking_steps=1, looking_rows=1)
    model = add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), run)
    loss_on_row(model, tiny_processor, "shapes", run, index=0).backward()
    for block in model.get_base_model().cross_attention_blocks():
        assert block.query.weight.grad.abs().max() > 0 and block.key.weight.grad.abs().max() > 0
    first, again, second = (loss_on_row(model, tiny_processor, "shapes", run, index).item() for index in (0, 0, 1))
    assert first == again != second
