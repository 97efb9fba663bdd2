"""How the scene encoder learns: words, targets, losses, the loop, and how readings are scored."""

import math
from random import Random

import pytest
import torch

from train.checkpoint import checkpoints
from train.command import choose_kind
from train.config import TrainConfig
from train.data_engine import FAMILIES, draw
from train.evaluate import EvalConfig
from train.progress import read_metrics
from train.safety import TrainingStopped
from train.seeing.config import SceneConfig
from train.seeing.evaluate import ReadEvalConfig
from train.seeing.loop import VOCABULARY, new_reader, train
from train.seeing.losses import losses, total
from train.seeing.pictures import picture
from train.seeing.scores import Counts, Judgement, calibration_error, f1, judge_chart, match_edges, true_chart
from train.seeing.words import spoil_words, words_of
from vlm.reading.weights import load_weights
from vlm.structure import Chart


def config(tmp_path, **options) -> SceneConfig:
    given = {"families": {"shapes": 1.0}, "output_dir": tmp_path, "max_steps": 2, "batch_size": 2, "workers": 1}
    return SceneConfig(**{**given, **options})


@pytest.fixture(scope="module")
def reader():
    return new_reader(0)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_of_a_drawn_picture_has_a_role_and_spoiling_invents_none(family):
    for seed in range(5):
        words = words_of(draw(family, seed).truth)
        assert all(word.role for word in words)
        spoiled = spoil_words(words, Random(seed))
        assert len(spoiled) >= 0.6 * len(words)
        assert {word.label for word in spoiled} <= {word.label for word in words} | {None}


@pytest.mark.parametrize("family", [*FAMILIES, "none"])
def test_every_loss_is_finite_and_reaches_the_trunk(family, reader, tmp_path):
    given, targets = picture(family, 3, "train", config(tmp_path), VOCABULARY)
    found = losses(reader, reader(given), targets, Random(0))
    assert all(loss.isfinite() for loss in found.values())
    last = reader.encoder.stages[-1][0].project.weight
    (gradient,) = torch.autograd.grad(total(found), [last])
    assert gradient.abs().max() > 0


def test_a_resumed_run_ends_with_exactly_the_weights_of_an_uninterrupted_one(tmp_path):
    whole = config(tmp_path / "whole", save_every=1, eval_pictures=1, warmup_steps=0)
    train(whole)
    parts = config(tmp_path / "parts", save_every=1, eval_pictures=1, warmup_steps=0)
    train(parts)
    last = checkpoints(tmp_path / "parts")[-1]
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    train(parts)  # goes on after the first step
    one, two = (load_weights(checkpoints(tmp_path / name)[-1])[0].state_dict() for name in ("whole", "parts"))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert torch.equal(one["encoder.stem.weight"], new_reader(0).encoder.stem.weight)
    records = [read_metrics(tmp_path / name / "metrics.jsonl") for name in ("whole", "parts")]
    expected, resumed = ([(record["step"], record["loss"]) for record in some] for some in records)
    assert resumed == expected and [step for step, _ in resumed] == [1, 2]  # none doubled, none missing
    assert all(record["pictures_per_second"] > 0 and record["memory_gb"] > 0 for record in records[1])


def test_a_loss_that_is_not_finite_stops_before_anything_is_spoilt(tmp_path):
    wild = config(tmp_path, learning_rate=1e30, trunk_learning_rate=1e30, warmup_steps=0, save_every=1, max_steps=5)
    with pytest.raises(
        TrainingStopped, match=r"(?s)learning rates are too high.*\(learning_rate, trunk_learning_rate\)"
    ):
        train(wild)
    losses = [record["loss"] for record in read_metrics(tmp_path / "metrics.jsonl")]
    assert losses and all(map(math.isfinite, losses))
    weights = load_weights(checkpoints(tmp_path)[-1])[0].state_dict()
    assert all(tensor.isfinite().all() for tensor in weights.values())


def test_an_unknown_family_is_named(tmp_path):
    with pytest.raises(ValueError, match="unknown cubes"):
        config(tmp_path, families={"cubes": 1})


def test_the_truth_is_right_and_what_is_off_is_wrong():
    chart = draw("charts", 1).truth
    assert isinstance(chart, Chart)
    true = true_chart(chart)
    assert all(one.right for one in judge_chart(true, chart))
    assert not any(one.right for one in judge_chart(true, None))
    off = [mark.model_copy(update={"value": mark.value + 0.06 * true.reach}) for mark in chart.marks]
    assert not any(one.right for one in judge_chart(true, chart.model_copy(update={"marks": tuple(off)})))


def test_arrows_have_a_direction():
    graph = draw("graphs", 1).truth
    texts, edges = [node.text for node in graph.nodes], [(edge.source, edge.target) for edge in graph.edges]
    assert f1([match_edges(texts, edges, True, graph)[0]]) == 1
    turned = [edge.model_copy(update={"source": edge.target, "target": edge.source}) for edge in graph.edges]
    assert f1([match_edges(texts, edges, True, graph.model_copy(update={"edges": tuple(turned)}))[0]]) < 1
    assert f1([Counts(4, 2, 2)]) == pytest.approx(2 / 3)


def test_confidences_that_are_right_as_often_as_they_say_are_calibrated():
    right = [Judgement(i < 8, 0.8) for i in range(10)]
    assert calibration_error(right) == pytest.approx(0)
    assert calibration_error([Judgement(False, 0.9)] * 10) == pytest.approx(0.9)


@pytest.mark.parametrize(
    ("name", "cls"),
    [
        ("train/mini", TrainConfig),
        ("train/scene", SceneConfig),
        ("eval/mini", EvalConfig),
        ("eval/read", ReadEvalConfig),
    ],
)
def test_a_config_says_by_its_keys_what_it_is(name, cls):
    kinds = tuple((kind, print) for kind in (TrainConfig, SceneConfig, EvalConfig, ReadEvalConfig))
    assert choose_kind(f"configs/{name}.yaml", kinds)[0] is cls
