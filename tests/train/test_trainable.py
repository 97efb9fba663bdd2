import json

import pytest
import torch
from pydantic import ValidationError

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train.config import TrainConfig
from train.data import build_rows
from train.loop import start, train, train_step
from train.safety import GateWatch
from train.trainable import add_adapters, dropouts, parameter_groups, trainable_parameters, trainable_set
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.run_config import ConfigError

ENCODER = r".*vision_tower\..*\.(q|v)_proj"


@pytest.fixture
def config(tmp_path):
    return config_for(write_rows(tmp_path, 8), tmp_path / "run")


def changed(config, **values):
    return TrainConfig.model_validate({**config.model_dump(), **values})


def new_model(tiny_config, config):
    torch.manual_seed(0)
    return add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)


def test_the_vision_tower_is_trained_by_a_switch_and_at_a_pace_of_its_own(tiny_config, config):
    parts = ("multi_modal_projector", "cross_attention", "vision_tower")
    model = new_model(tiny_config, changed(config, trainable=parts, encoder_learning_rate=1e-6))
    whole = {name for name, _ in model.get_base_model().vision_tower.named_parameters() if "modules_to_save" in name}
    trained = {name for name, _ in trainable_parameters(model) if "vision_tower" in name}
    assert whole and {name.partition("vision_tower.")[2] for name in trained} == whole
    groups = parameter_groups(model, changed(config, encoder_learning_rate=1e-6))
    rates = {id(p): group["lr"] for group in groups for p in group["params"]}
    for name, parameter in trainable_parameters(model):
        assert (rates[id(parameter)] == 1e-6) == ("vision_tower" in name), name


def test_a_lora_may_be_laid_over_the_vision_tower(tiny_config, config):
    model = new_model(tiny_config, changed(config, trainable=(), lora={"rank": 2, "target_modules": ENCODER}))
    names = {name for name, _ in trainable_parameters(model)}
    assert names and all("vision_tower" in name and ".lora_" in name for name in names)


def test_nothing_to_train_is_refused(config):
    with pytest.raises(ValidationError, match="nothing is trained"):
        changed(config, trainable=(), lora=None)
    with pytest.raises(ValidationError, match="use_dora needs the weights themselves"):
        changed(config, quantization="nf4", lora={"use_dora": True})


@pytest.mark.parametrize(
    ("pattern", "words"),
    [
        (
            r".*cross_attention\.(query|value)",
            "and all of cross_attention is trained or kept whole: take cross_attention",
        ),
        (r".*no_such_layer", "is the whole name of no layer"),
        (r"(", "is no regular expression"),
    ],
)
def test_a_lora_that_has_no_place_is_told_with_the_keys(tiny_config, config, pattern, words):
    with pytest.raises(ConfigError, match=r"lora\.target_modules") as error:
        new_model(tiny_config, changed(config, lora={"rank": 2, "target_modules": pattern}))
    assert words in str(error.value)


def test_a_lora_may_be_laid_over_cross_attention_that_is_not_trained_whole(tiny_config, config):
    lora = {"rank": 2, "target_modules": r".*cross_attention\.(query|value)"}
    model = new_model(tiny_config, changed(config, trainable=("multi_modal_projector",), lora=lora))
    assert any("cross_attention.query.lora_A" in name for name, _ in trainable_parameters(model))


def test_rslora_scales_by_the_root_of_the_rank(tiny_config, config):
    def scaling(**lora):
        model = new_model(tiny_config, changed(config, lora={"rank": 4, "alpha": 8, **lora}))
        return {m.scaling["default"] for m in model.modules() if hasattr(m, "lora_A")}

    assert scaling() == {2.0} and scaling(use_rslora=True) == {4.0}


def test_dora_trains_a_size_beside_each_direction(tiny_config, tiny_processor, config):
    config = changed(config, lora={"rank": 2, "use_dora": True}, max_steps=1, save_every=1)
    model = new_model(tiny_config, config)
    sizes = [name for name, _ in trainable_parameters(model) if "lora_magnitude_vector" in name]
    assert len(sizes) == 2 * tiny_config.text_config.num_hidden_layers
    train(model, tiny_processor, config)
    assert json.loads((config.output_dir / "trainable.json").read_text()) == trainable_set(model)


def test_gradients_are_the_same_when_layers_are_computed_twice(tiny_config, tiny_processor, config):
    def gradients(**values):
        settings = changed(config, lora={"rank": 2, "dropout": 0.5}, **values)
        model = new_model(tiny_config, settings)
        run, _ = start(model, tiny_processor, settings)
        run.openings = None  # or else dropout would fall on other tokens
        run.optimizer = torch.optim.SGD([p for _, p in trainable_parameters(model)], lr=1.0)
        before = {name: p.detach().clone() for name, p in trainable_parameters(model)}
        packed = build_rows(settings, tiny_processor)[0][0]
        torch.manual_seed(1)
        computed = []
        layer = model.get_base_model().language_model.get_decoder().layers[1]
        layer.self_attn.register_forward_hook(lambda *_: computed.append(1))
        train_step(run, packed, 1, GateWatch(model, settings))
        return len(computed), {name: before[name] - p for name, p in trainable_parameters(model)}

    (once, plain), (twice, checkpointed) = gradients(), gradients(gradient_checkpointing=True)
    assert (once, twice) == (1, 2)
    for name, value in plain.items():
        torch.testing.assert_close(checkpointed[name], value, rtol=1e-4, atol=1e-6)


def test_dropout_is_for_training_alone(tiny_config, tiny_processor, config):
    settings = changed(config, lora={"rank": 2, "dropout": 0.5})
    model = new_model(tiny_config, settings)
    run, _ = start(model, tiny_processor, settings)
    packed = build_rows(settings, tiny_processor)[0][0]
    for name, parameter in trainable_parameters(model):
        if "lora_B" in name:
            torch.nn.init.ones_(parameter)
    assert len(dropouts(model)) == 2 * tiny_config.text_config.num_hidden_layers
    assert run.loss(packed).item() != run.loss(packed).item()
    with torch.no_grad():
        assert run.loss(packed).item() == run.loss(packed).item()
