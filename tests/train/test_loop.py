import json
import shutil

import pytest
import torch
from PIL import Image
from safetensors.torch import load_file

from tests.tiny import open_gates_, with_lora_
from train import loop
from train.checkpoint import checkpoints
from train.collator import collate
from train.config import TrainConfig
from train.data import build_rows
from train.loop import start, train
from train.safety import GateWatch
from train.schedule import schedule
from train.trainable import add_adapters, parameter_groups, trainable_parameters
from vlm.adapters import merge_adapter
from vlm.modeling_vlm import VlmForConditionalGeneration


@pytest.fixture
def dataset(tmp_path):
    """Four pictures with two questions each; the answer is the picture's colour."""
    lines = []
    for name, colour in (
        ("red", (220, 20, 20)),
        ("green", (20, 200, 30)),
        ("blue", (20, 30, 220)),
        ("white", (255,) * 3),
    ):
        Image.new("RGB", (16, 16), colour).save(tmp_path / f"{name}.png")
        for question in ("Colour?", "Say its colour."):
            content = [{"type": "image", "path": f"{name}.png"}, {"type": "text", "text": question}]
            messages = [{"role": "user", "content": content}, {"role": "assistant", "content": name}]
            lines.append(json.dumps({"messages": messages}))
    path = tmp_path / "data.jsonl"
    path.write_text("\n".join(lines))
    return path


@pytest.fixture
def config(tmp_path, dataset):
    (tmp_path / "run").mkdir()
    return TrainConfig(
        model="unused", data=({"path": dataset, "held_out": 0},), output_dir=tmp_path / "run", max_steps=4,
        global_batch_size=4, micro_batch_size=2, learning_rate=3e-3, save_every=2, eval_every=2, eval_rows=2,
        report_questions=0, report_to=(),
        lora={"rank": 2, "target_modules": r".*language_model\..*\.self_attn\.(q|v)_proj"},
    )  # fmt: skip


def new_model(tiny_config, config):
    torch.manual_seed(0)
    return add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)


def weights(model):
    return {name: parameter.detach().clone() for name, parameter in trainable_parameters(model)}


def test_exactly_the_adapters_are_trained(tiny_config, config):
    names = {name for name, _ in trainable_parameters(new_model(tiny_config, config))}
    assert names and all(
        "multi_modal_projector" in name or "cross_attention" in name or "lora_" in name for name in names
    )
    assert not [name for name in names if "vision_tower" in name]
    assert sum("lora_A" in name for name in names) == 2 * tiny_config.text_config.num_hidden_layers


def test_the_trainer_can_open_the_attention_gates(tiny_config, config):
    torch.manual_seed(0)
    settings = config.model_copy(update={"initial_attn_gate": 0.5})
    model = add_adapters(VlmForConditionalGeneration(tiny_config), settings)
    gates = [parameter.item() for name, parameter in trainable_parameters(model) if name.endswith("attn_gate")]
    assert gates == [0.5] * len(tiny_config.cross_attention_layers)


def test_without_a_lora_the_language_model_is_not_touched(tiny_config, config):
    model = new_model(tiny_config, config.model_copy(update={"lora": None}))
    assert not [name for name, _ in model.named_parameters() if "lora_" in name]


def test_gates_and_lora_have_learning_rates_of_their_own(tiny_config, config):
    model = new_model(tiny_config, config)
    rates = {id(p): group["lr"] for group in parameter_groups(model, config) for p in group["params"]}
    for name, parameter in trainable_parameters(model):
        expected = config.gate_learning_rate if name.endswith("_gate") else config.learning_rate
        assert rates[id(parameter)] == (config.lora_learning_rate if "lora_" in name else expected), name


def test_what_alignment_has_taught_is_changed_slowly(tiny_config, config):
    config = config.model_copy(update={"aligned_learning_rate": 1e-5})
    model = new_model(tiny_config, config)
    rates = {id(p): group["lr"] for group in parameter_groups(model, config) for p in group["params"]}
    slow = {name for name, p in trainable_parameters(model) if rates[id(p)] == config.aligned_learning_rate}
    assert all("multi_modal_projector" in name or "cross_attention" in name for name in slow)
    for part, is_slow in (("query", True), ("sink", True), ("attn_gate", True), ("mlp_gate", False), ("value", False)):
        names = [name for name, _ in trainable_parameters(model) if f".{part}" in name]
        assert names and all((name in slow) == is_slow for name in names), part


def test_training_changes_the_adapters_and_nothing_else(tiny_config, tiny_processor, config):
    model = new_model(tiny_config, config)
    before = {name: parameter.detach().clone() for name, parameter in model.named_parameters()}
    train(model, tiny_processor, config)
    changed = {name for name, parameter in model.named_parameters() if not torch.equal(parameter, before[name])}
    trained = {name for name, _ in trainable_parameters(model)}
    assert changed <= trained
    assert len(changed) > 0.8 * len(trained)  # a new ordinal may have no second picture to learn from


def test_a_resumed_run_ends_with_exactly_the_weights_of_an_uninterrupted_one(tiny_config, tiny_processor, config):
    whole = new_model(tiny_config, config)
    train(whole, tiny_processor, config)
    shutil.rmtree(checkpoints(config.output_dir)[-1])  # as if it had been killed after the second step
    resumed = new_model(tiny_config, config)
    train(resumed, tiny_processor, config)
    expected = weights(whole)
    assert all(torch.equal(value, expected[name]) for name, value in weights(resumed).items())


def step_of_eight(tiny_config, tiny_processor, config, **values):
    """The loss of a step over eight rows, and by how much it changes each weight: plain descent at a rate of 1."""
    settings = config.model_copy(update={"global_batch_size": 8, **values})
    model = new_model(tiny_config, settings)
    rows, _ = build_rows(settings, tiny_processor)
    packed = [row for index in range(8) for row in rows[index]]
    assert len(packed) == 8
    run, _ = start(model, tiny_processor, settings)
    run.optimizer = torch.optim.SGD([p for _, p in trainable_parameters(model)], lr=1.0)
    before = weights(model)
    loss, _ = loop.train_step(run, packed, 1, GateWatch(model, settings))
    return loss, {name: before[name] - value for name, value in weights(model).items()}


def test_eight_micro_batches_of_one_are_one_of_eight(tiny_config, tiny_processor, config):
    (loss, one), (expected_loss, eight) = (
        step_of_eight(tiny_config, tiny_processor, config, micro_batch_size=size, max_grad_norm=1e9) for size in (1, 8)
    )
    assert loss == pytest.approx(expected_loss, rel=1e-4)
    for name, value in one.items():
        torch.testing.assert_close(value, eight[name], rtol=1e-3, atol=1e-5)


def test_the_gradient_of_a_step_is_clipped_as_a_whole(tiny_config, tiny_processor, config):
    def change(limit):
        _, changes = step_of_eight(tiny_config, tiny_processor, config, max_grad_norm=limit)
        return torch.cat([value.flatten() for value in changes.values()])

    clipped, whole = change(1e-3), change(1e9)
    assert 0.9e-3 < clipped.norm() <= 1.01e-3 < whole.norm()  # a weight of 1 is known to 6e-8
    assert torch.nn.functional.cosine_similarity(clipped, whole, dim=0) > 0.999  # shorter, and not another one


def test_what_pictures_show_is_learnt_and_only_by_looking(tiny_config, tiny_processor, config):
    rates = {"learning_rate": 2e-2, "lora_learning_rate": 1e-2, "gate_learning_rate": 2e-2}
    settings = config.model_copy(update={"max_steps": 150, "eval_every": 150, "save_every": 150, **rates})
    train(new_model(tiny_config, settings), tiny_processor, settings)
    last = json.loads((settings.output_dir / "metrics.jsonl").read_text().splitlines()[-1])
    assert last["eval_loss"] < 1  # of 6 at the start
    assert last["eval_loss_blind"] > 2 * last["eval_loss"]


@pytest.mark.parametrize("prepare", [open_gates_, with_lora_], ids=["the first", "a second"])
def test_a_trained_adapter_laid_over_the_model_is_the_trained_model(tiny_config, tiny_processor, config, prepare):
    def base():
        torch.manual_seed(0)
        return prepare(open_gates_(VlmForConditionalGeneration(tiny_config)))

    settings = config.model_copy(update={"lora_learning_rate": 0.05})
    model = add_adapters(base(), settings)
    folder = train(model, tiny_processor, settings)
    batch = collate(build_rows(settings, tiny_processor)[0][0], tiny_processor)
    del batch["shift_labels"]
    with torch.no_grad():
        merged, untrained = merge_adapter(base().eval(), folder)(**batch).logits, base().eval()(**batch).logits
        expected = model(**batch).logits
    torch.testing.assert_close(merged, expected, rtol=1e-4, atol=1e-4)
    assert (untrained - expected).abs().max() > 0.1


def test_what_is_kept_is_saved_and_not_trained(tiny_config, tiny_processor, config):
    kept = ("multi_modal_projector", "cross_attention")
    settings = config.model_copy(update={"trainable": (), "kept": kept})
    model = new_model(tiny_config, settings)
    assert all("lora_" in name for name in weights(model))
    before = {name: tensor.clone() for name, tensor in model.state_dict().items() if "cross_attention" in name}
    saved = load_file(train(model, tiny_processor, settings) / "adapter_model.safetensors")
    assert all(torch.equal(model.state_dict()[name], tensor) for name, tensor in before.items())
    assert {part for name in saved for part in (*kept, "lora_") if part in name} == {*kept, "lora_"}


def test_only_the_last_checkpoints_are_kept_and_all_are_complete(tiny_config, tiny_processor, config):
    settings = config.model_copy(update={"save_every": 1, "keep_checkpoints": 2})
    (settings.output_dir / "partial-000001").mkdir()  # a killed run has left it
    train(new_model(tiny_config, settings), tiny_processor, settings)
    assert [path.name for path in checkpoints(settings.output_dir)] == ["step-000003", "step-000004"]
    assert not list(settings.output_dir.glob("partial-*"))


def test_a_resumed_run_writes_every_step_once(tiny_config, tiny_processor, config):
    train(new_model(tiny_config, config), tiny_processor, config)
    metrics = config.output_dir / "metrics.jsonl"
    whole = [json.loads(line)["loss"] for line in metrics.read_text().splitlines()]
    shutil.rmtree(checkpoints(config.output_dir)[-1])
    with metrics.open("a") as file:
        file.write('{"step": 5, "lo')  # killed while it wrote
    train(new_model(tiny_config, config), tiny_processor, config)
    records = [json.loads(line) for line in metrics.read_text().splitlines()]
    assert [record["step"] for record in records] == [1, 2, 3, 4]
    assert [record["loss"] for record in records] == whole


def test_the_learning_rate_warms_up_and_ends_at_a_tenth():
    factor = schedule(warmup_steps=4, max_steps=20)
    rates = [factor(step) for step in range(20)]
    assert rates[:4] == [0.25, 0.5, 0.75, 1.0]
    assert rates[4:] == sorted(rates[4:], reverse=True)
    assert factor(20) == pytest.approx(0.1)


def test_a_constant_schedule_warms_up_and_stays():
    factor = schedule(warmup_steps=2, max_steps=20, kind="constant")
    assert [factor(step) for step in range(4)] == [0.5, 1.0, 1.0, 1.0]
