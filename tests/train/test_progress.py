import logging
import sys
from importlib.machinery import ModuleSpec
from types import ModuleType, SimpleNamespace

import pytest
from accelerate import tracking

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train import devices
from train.loop import train
from train.progress import peak_memory_gb, read_metrics
from train.sft import start_run
from train.trainable import add_adapters
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.run_config import ConfigError


@pytest.fixture
def config(tmp_path):
    return config_for(write_rows(tmp_path, 8), tmp_path / "run", max_steps=2, eval_every=2, canary="warn")


def run(tiny_config, tiny_processor, config):
    train(add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config), tiny_processor, config)
    return read_metrics(config.output_dir / "metrics.jsonl")


def test_every_step_tells_its_loss_speed_and_memory(tiny_config, tiny_processor, config, capsys):
    records = run(tiny_config, tiny_processor, config)
    assert [record["step"] for record in records] == [1, 2]
    assert all(record["tokens_per_second"] > 0 and record["memory_gb"] > 0 for record in records)
    assert ["eval_loss" in record for record in records] == [False, True]
    bars = [line for line in capsys.readouterr().err.replace("\n", "\r").split("\r") if "2/2" in line]
    assert bars and all(word in bars[-1] for word in ("<00:00", "loss=", "held out=", "tok/s=", "GB="))


def test_memory_is_counted_in_gigabytes():
    assert 0.01 < peak_memory_gb() < 1000


def test_a_line_that_a_kill_cut_off_is_no_record(tmp_path):
    (tmp_path / "metrics.jsonl").write_text('{"step": 1}\n{"step": 2, "lo')
    assert read_metrics(tmp_path / "metrics.jsonl") == [{"step": 1}]
    assert read_metrics(tmp_path / "none.jsonl") == []


def test_without_tensorboard_one_line_says_how_to_get_it(config, monkeypatch, caplog):
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    with caplog.at_level(logging.INFO):
        devices.start_devices(config.model_copy(update={"report_to": ("tensorboard",)}))
    assert caplog.text.count("pip install 'regard[tensorboard]'") == 1


def test_a_tracker_that_was_asked_for_and_is_not_there_is_an_error(config, monkeypatch):
    monkeypatch.setattr(devices, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match="wandb, which is not installed: run pip install wandb"):
        devices.start_devices(config.model_copy(update={"report_to": ("wandb",)}))


def test_tensorboard_gets_every_measurement_at_its_step(tiny_config, tiny_processor, config):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    records = run(tiny_config, tiny_processor, config.model_copy(update={"report_to": ("tensorboard",)}))
    events = EventAccumulator(str(config.output_dir / "regard"))
    events.Reload()
    for name in ("loss", "eval_loss_wrong"):
        told = {event.step: event.value for event in events.Scalars(name)}
        assert told == pytest.approx({record["step"]: record[name] for record in records if name in record})


@pytest.mark.parametrize("name", ["wandb", "trackio"])
def test_other_trackers_get_the_config_every_measurement_and_the_end(
    tiny_config, tiny_processor, config, monkeypatch, name
):
    told: dict = {"logged": {}}

    class Run:
        def log(self, values, step=None):
            told["logged"][step] = values

        def finish(self):
            told["is_finished"] = True

    def init(project, **options):
        told["project"] = project
        return Run()

    stub = ModuleType(name)
    stub.__spec__ = ModuleSpec(name, None)
    stub.init = init
    stub.config = SimpleNamespace(update=lambda values, **options: told.update(config=values))
    monkeypatch.setitem(sys.modules, name, stub)
    monkeypatch.setattr(tracking, "_available_trackers", [tracking.LoggerType(name)])
    records = run(tiny_config, tiny_processor, config.model_copy(update={"report_to": (name,)}))
    assert told["project"] == "regard" and told["config"]["learning_rate"] == config.learning_rate
    assert told["logged"] == {record.pop("step"): record for record in records}
    assert told["is_finished"]


def test_a_batch_that_does_not_divide_over_the_processes_is_told(config):
    with pytest.raises(ConfigError, match=r"global_batch_size \(3\) must be a multiple of 1 processes"):
        devices.start_devices(config.model_copy(update={"global_batch_size": 3}))


def test_the_settings_that_no_weight_depends_on_may_change_when_a_run_goes_on(config):
    start_run(config)
    start_run(config.model_copy(update={"canary": "stop", "keep_checkpoints": 1}))
    with pytest.raises(ConfigError, match="another config"):
        start_run(config.model_copy(update={"seed": 7}))
