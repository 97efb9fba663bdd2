"""Preference tuning: pairs in every form, answers as if alone, a reference that stays, and a model that learns."""

import json

import pytest
import torch
from PIL import Image

from tests.tiny import open_gates_
from train.before_after import AFTER, read_answers
from train.config import TrainConfig
from train.data import build_rows
from train.loop import train
from train.preference import (
    answer_logprobs,
    collate_pairs,
    margins,
    pack_pairs,
    preference_loss,
    reference_logprobs,
)
from train.progress import read_metrics
from train.readers import DataError, RowsConfig, open_rows
from train.readers.row import text_of
from train.trainable import add_adapters, trainable_parameters
from vlm.modeling_vlm import VlmForConditionalGeneration

COLOURS = {"red": (220, 20, 20), "blue": (20, 30, 220)}
CHAT = [{"role": "user", "content": "Colour?"}]
TURNS = [{"from": "human", "value": "Colour?"}]


def shade(name, amount):
    return Image.new("RGB", (16, 16), tuple(min(255, value + amount) for value in COLOURS[name]))


@pytest.fixture
def pairs_file(tmp_path):
    """Of red and blue pictures people chose the right name. No picture is there twice."""
    lines = []
    for amount in range(0, 24, 4):
        for name, other in (("red", "blue"), ("blue", "red")):
            path = f"{name}{amount}.png"
            shade(name, amount).save(tmp_path / path)
            content = [{"type": "image", "path": path}, {"type": "text", "text": "Colour?"}]
            messages = [{"role": "user", "content": content}, {"role": "assistant", "content": name}]
            lines.append(json.dumps({"messages": messages, "rejected": other}))
    (tmp_path / "pairs.jsonl").write_text("\n".join(lines))
    return tmp_path / "pairs.jsonl"


@pytest.fixture
def config(tmp_path, pairs_file):
    (tmp_path / "run").mkdir()
    return TrainConfig(
        model="unused", data=({"path": pairs_file, "held_out": 0.25},), output_dir=tmp_path / "run", max_steps=12,
        global_batch_size=4, micro_batch_size=4, learning_rate=1e-2, lora_learning_rate=1e-2, save_every=12,
        eval_every=6, eval_rows=6,
        lora={"rank": 2, "target_modules": r".*language_model\..*\.self_attn\.(q|v)_proj"}, preference={"beta": 0.3},
    )  # fmt: skip


@pytest.fixture
def base(tiny_config):
    return open_gates_(VlmForConditionalGeneration(tiny_config).eval())


def pair_about(image, chosen, rejected):
    content = [{"type": "image", "image": image}, {"type": "text", "text": "Colour?"}]
    return [
        [{"role": "user", "content": content}, {"role": "assistant", "content": answer}]
        for answer in (chosen, rejected)
    ]


def batch_of(processor, *pairs):
    chats = [processor.encode_chat(messages) for pair in pairs for messages in pair]
    return collate_pairs(pack_pairs(chats, processor.image_token_id), processor)


@pytest.mark.parametrize(
    "record",
    [
        {"messages": [*CHAT, {"role": "assistant", "content": "red"}], "rejected": "dark blue"},
        {"messages": CHAT, "chosen": "red", "rejected": "dark blue"},
        {"prompt": CHAT, "chosen": [{"role": "assistant", "content": "red"}],
         "rejected": [{"role": "assistant", "content": [{"type": "text", "text": "dark blue"}]}]},
        {"chosen": [*CHAT, {"role": "assistant", "content": "red"}],
         "rejected": [*CHAT, {"role": "assistant", "content": "dark blue"}]},
        {"conversations": TURNS, "chosen": {"from": "gpt", "value": "red"},
         "rejected": {"from": "gpt", "value": "dark blue"}},
        {"question": "Colour?", "chosen": "red", "rejected": "dark blue"},
    ],
)  # fmt: skip
def test_every_form_of_a_pair_is_read_as_the_same(record, tmp_path):
    (tmp_path / "a.jsonl").write_text(json.dumps(record))
    row = open_rows(RowsConfig(path=tmp_path / "a.jsonl")).read(0)
    assert [text_of(message) for message in row.messages] == ["Colour?", "red"]
    assert row.rejected == "dark blue"


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"rejected": 5}, "rejected must be an answer"),
        ({"rejected": ""}, "it has no rejected answer"),
        ({"rejected": None}, "it has no rejected answer"),
        ({"rejected": "red "}, "chosen and rejected are the same"),
        ({"chosen": {"role": "assistant"}}, "chosen must be an answer"),
    ],
)
def test_a_row_that_is_no_pair_is_named_before_anything_starts(config, tiny_processor, pairs_file, change, words):
    first, *rest = pairs_file.read_text().splitlines()
    record = {**json.loads(first), **change}
    pairs_file.write_text("\n".join([json.dumps(record), *rest]))
    with pytest.raises(DataError, match=f"line 1: .*{words}"):
        build_rows(config, tiny_processor)


@torch.no_grad()
def test_an_answer_in_a_pair_is_as_likely_as_it_is_alone(base, tiny_processor):
    pairs = [pair_about(shade("red", 0), "red", "dark blue"), pair_about(shade("blue", 0), "a long red answer", "no")]
    found = answer_logprobs(base, batch_of(tiny_processor, *pairs))
    for row, pair in zip(found, pairs, strict=True):
        for likelihood, messages in zip(row, pair, strict=True):
            chat = tiny_processor.encode_chat(messages)
            logits = base(**tiny_processor.collate([chat])).logits[0].log_softmax(dim=-1)
            places = [i for i, is_answer in enumerate(chat.is_answer) if is_answer]
            alone = sum(logits[i - 1, chat.input_ids[i]] for i in places)
            torch.testing.assert_close(likelihood, alone, rtol=1e-4, atol=1e-4)


def test_the_reference_is_the_base_whatever_the_adapters_have_learnt(base, config, tiny_processor):
    batch = batch_of(tiny_processor, pair_about(shade("red", 0), "red", "blue"))
    with torch.no_grad():
        expected = answer_logprobs(base, batch)
    settings = {"trainable": ("cross_attention",), "kept": ("multi_modal_projector",)}
    model = add_adapters(base, config.model_copy(update=settings))
    trained = {name for name, _ in trainable_parameters(model)}
    assert preference_loss(model, model, batch, 0.3).item() == pytest.approx(torch.tensor(2.0).log().item(), abs=1e-5)
    with torch.no_grad():
        for _, parameter in trainable_parameters(model):
            parameter.add_(torch.randn_like(parameter))
        assert torch.equal(reference_logprobs(model, batch), expected)
        assert not torch.equal(answer_logprobs(model, batch), expected)
    preference_loss(model, model, batch, 0.3).backward()
    assert {name for name, _ in trainable_parameters(model)} == trained
    assert all(parameter.grad is not None for name, parameter in trainable_parameters(model) if "lora_" in name)


def test_after_training_the_chosen_answers_are_preferred_for_pictures_that_were_not_trained_on(
    base, config, tiny_processor
):
    model = add_adapters(base, config)
    unseen = [pair_about(shade(name, 26), name, other) for name, other in (("red", "blue"), ("blue", "red"))]
    batch = batch_of(tiny_processor, *unseen)
    train(model, tiny_processor, config)
    records = [json.loads(line) for line in (config.output_dir / "metrics.jsonl").read_text().splitlines()]
    with torch.no_grad():
        grown = margins(answer_logprobs(model, batch), reference_logprobs(model, batch))
        # The two pictures alone tell the pairs apart: without them one of the margins could not grow.
        assert (grown > 0.5).all()
    assert records[-1]["eval_loss"] < 0.6 < records[0]["loss"] + 0.1
    assert records[-1]["eval_loss"] < records[-1]["eval_loss_wrong"]


def test_the_report_asks_each_held_out_question_once_and_expects_what_was_chosen(
    base, config, tiny_processor, pairs_file
):
    text = pairs_file.read_text()  # three questions about each picture
    pairs_file.write_text("\n".join(text.replace("Colour?", asked) for asked in ("Colour?", "Shade?", "Hue?")))
    source = config.data[0].model_copy(update={"held_out": 0.4})
    config = config.model_copy(update={"max_steps": 1, "data": (source,), "eval_rows": 8})
    _, held_out = build_rows(config, tiny_processor)
    expected = {text_of(held_out.conversations(index)[0][-1]) for index in range(8)}
    train(add_adapters(base, config), tiny_processor, config)
    items = read_answers(config.output_dir / AFTER)
    assert len(items) == 12 == 3 * len({item.picture for item in items})
    assert {item.expected for item in items} == expected == {"red", "blue"}
    assert (config.output_dir / "report.html").is_file()


def test_pairs_that_need_no_picture_are_learnt_and_warned_of(base, config, tiny_processor, pairs_file, caplog):
    lines = [json.loads(line) for line in pairs_file.read_text().splitlines()]
    for line in lines:  # the same answer is always the better one
        line["messages"][-1]["content"], line["rejected"] = "yes", "no"
    pairs_file.write_text("\n".join(map(json.dumps, lines)))
    source = config.data[0].model_copy(update={"held_out": 0.5})
    settings = {"data": (source,), "eval_rows": 8, "max_steps": 3, "eval_every": 3, "canary_steps": 1}
    config = config.model_copy(update=settings)
    train(add_adapters(base, config), tiny_processor, config)
    last = read_metrics(config.output_dir / "metrics.jsonl")[-1]
    assert last["canary_rows"] == 6 and {"eval_loss", "eval_loss_wrong", "eval_loss_blind"} <= last.keys()
    assert "shows that the model learns from the pictures" in caplog.text


def test_a_family_has_no_pairs(config):
    with pytest.raises(ValueError, match="preference needs data with chosen and rejected"):
        TrainConfig(**{**config.model_dump(), "data": ({"family": "shapes"},)})
