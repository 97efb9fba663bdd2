import json
import logging

import pytest

from tests.tiny import open_gates_
from tests.train.colours import config_for, write_rows
from train.canary import ENOUGH, looks, pair_up, sureness, verdict
from train.checkpoint import checkpoints
from train.data import build_rows
from train.loop import train
from train.safety import TrainingStopped
from train.trainable import add_adapters
from vlm.modeling_vlm import VlmForConditionalGeneration


def new_model(tiny_config, config):
    return add_adapters(open_gates_(VlmForConditionalGeneration(tiny_config)), config)


def any_answer(number):
    """Has nothing to do with the colour."""
    return ("yes", "no")[number // 4 % 2]


def record(step, wrong, canary, rows=10):
    return {"step": step, "loss": 1.0, "eval_loss": 1.0, "eval_loss_blind": 1.2, "eval_loss_wrong": wrong,
            "canary": canary, "canary_rows": rows}  # fmt: skip


def test_every_held_out_row_gets_another_rows_picture(tmp_path, tiny_processor):
    config = config_for(write_rows(tmp_path, 24), tmp_path / "run")
    pairs = pair_up(build_rows(config, tiny_processor)[1], 12)
    assert len(pairs) == 6  # a quarter of the rows, each once, though twelve were asked for
    for pair in pairs:
        assert pair.wrong.input_ids == pair.row.input_ids and pair.wrong.labels == pair.row.labels
        assert pair.wrong.images[0].tobytes() != pair.row.images[0].tobytes()


def test_rows_about_one_and_the_same_picture_have_no_wrong_one(tmp_path, tiny_processor):
    path = write_rows(tmp_path, 2)
    path.write_text(path.read_text().replace("1.png", "0.png"))
    config = config_for(path, tmp_path / "run")
    assert [pair.wrong for pair in pair_up(build_rows(config, tiny_processor)[1], 4)] == [None]


def test_a_difference_counts_when_it_is_sure_and_not_tiny():
    assert sureness([0.0, 0.0]) == 0 and sureness([0.1, 0.1]) == 99 and sureness([-0.1, -0.1]) == -99
    assert sureness([1.0, -1.0, 1.0, -1.0]) == 0
    assert sureness([1.0, 2.0, 3.0]) == pytest.approx(2 * 3**0.5)
    assert looks(record(1, 1.3, 4.0))
    assert not looks(record(1, 1.3, 1.0))  # not sure
    assert not looks(record(1, 1.001, 30.0))  # steady, and of no weight
    assert not looks(record(1, 1.3, 4.0, rows=ENOUGH - 1))


@pytest.mark.parametrize(
    ("records", "kind"),
    [
        ([], "unknown"),
        ([{"step": 100, "loss": 1.0, "eval_loss": 1.0}], "unknown"),  # no pictures
        ([record(100, 1.0, 0.0, rows=2)], "unknown"),
        ([record(50, 1.0, 0.0)], "early"),
        ([record(50, 1.3, 5.0)], "looks"),
        ([record(50, 1.3, 5.0), record(100, 1.0, 0.0)], "blind"),  # what comes early may be chance
        ([record(100, 1.0, 0.0)], "blind"),
        ([record(100, 1.3, 5.0), record(200, 1.0, 0.0)], "looks"),  # learnt by heart since: another matter
    ],
)
def test_the_verdict_is_of_the_measurements_from_canary_steps_on(records, kind, tmp_path):
    config = config_for(tmp_path / "none.jsonl", tmp_path / "run", canary_steps=100)
    assert verdict(records, config)[0] == kind


def test_answers_that_do_not_depend_on_the_picture_stop_the_run(tmp_path, tiny_config, tiny_processor, caplog):
    path = write_rows(tmp_path, 32, any_answer)
    config = config_for(path, tmp_path / "run", canary_steps=4, max_steps=8, save_every=100)
    with pytest.raises(TrainingStopped, match=r"(?s)Nothing shows .*after 4 steps .*vlm data check"):
        train(new_model(tiny_config, config), tiny_processor, config)
    assert [folder.name for folder in checkpoints(config.output_dir)] == ["step-000004"]
    with caplog.at_level(logging.WARNING):  # it goes on from there where that is wanted
        train(new_model(tiny_config, config), tiny_processor, config.model_copy(update={"canary": "warn"}))
    assert "shows that the model learns from the pictures: after 8 steps" in caplog.text
    lines = (config.output_dir / "metrics.jsonl").read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == list(range(1, 9))
