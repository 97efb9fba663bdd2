import math
import random

import pytest

from train.intervals import compare_paired, mcnemar, measures, yes_no_measures


def test_yes_no_measures_are_those_of_the_confusion_table():
    said = [True] * 6 + [False] * 3 + [None]
    true = [True] * 4 + [False] * 2 + [True] + [False] * 3
    found = {measure.name: measure for measure in yes_no_measures(said, true)}
    assert found["accuracy"].value == pytest.approx(6 / 10)
    assert found["precision"].value == pytest.approx(4 / 6)
    assert found["recall"].value == pytest.approx(4 / 5)
    assert found["F1"].value == pytest.approx(2 * (4 / 6) * (4 / 5) / (4 / 6 + 4 / 5))
    assert found["yes ratio"].value == pytest.approx(6 / 10)
    assert all(measure.low <= measure.value <= measure.high for measure in found.values())


def test_precision_of_a_model_that_never_says_yes_is_unknown():
    precision = yes_no_measures([False] * 3, [True, False, False])[1]
    assert math.isnan(precision.value) and (precision.low, precision.high) == (0, 1)


@pytest.mark.parametrize("metric", ["exact", "vqa", "anls", "relaxed", "choice", "yes_no", "bleu", "chrf"])
def test_every_measure_has_an_interval_around_it_that_narrows(metric):
    if metric in ("bleu", "chrf"):
        pytest.importorskip("sacrebleu")
    rng, widths = random.Random(0), []
    for count in (40, 800):
        answers = [rng.choice(("yes a red cat sits", "no a red dog sat")) for _ in range(count)]
        scores = [
            float(answer.startswith("yes")) * rng.choice((1, 0.5 if metric in ("vqa", "anls") else 1))
            for answer in answers
        ]
        main = measures(metric, scores, answers, [("yes a red cat sits",)] * count)[0]
        assert main.low <= main.value <= main.high
        widths.append(main.high - main.low)
    assert 0 < widths[1] < widths[0]


def test_mcnemar_is_the_binomial_test():
    assert mcnemar(0, 0) == 1
    assert mcnemar(5, 0) == pytest.approx(2 / 2**5)
    assert mcnemar(8, 2) == mcnemar(2, 8) == pytest.approx(2 * (1 + 10 + 45) / 2**10)
    assert 0 < mcnemar(6000, 4000) < 1e-80


@pytest.mark.parametrize("scale", [1, 0.5])  # McNemar, sign flips
def test_a_real_difference_is_told_from_none(scale):
    rng = random.Random(0)
    base = [float(rng.random() < 0.5) for _ in range(300)]
    better = [max(value, float(rng.random() < 0.3)) * scale for value in base]
    flipped = {i for wanted in (0, 1) for i in [i for i, value in enumerate(base) if value == wanted][:30]}
    other = [1 - value if i in flipped else value for i, value in enumerate(base)]
    base, other = [value * scale for value in base], [value * scale for value in other]
    real, none = compare_paired(base, better), compare_paired(base, other)
    assert real.p_value < 0.001 and real.difference.low > 0 and real.worse == 0
    assert none.p_value > 0.05 and none.difference.low < 0 < none.difference.high
    assert compare_paired(better, base).difference.value == pytest.approx(-real.difference.value)


def test_a_run_does_not_differ_from_itself():
    found = compare_paired([0.5, 1, 0], [0.5, 1, 0])
    assert (found.better, found.worse, found.difference.value) == (0, 0, 0) and found.p_value == 1
