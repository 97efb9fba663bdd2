import math

import pytest
import torch
from transformers import (
    LogitsProcessorList,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from vlm.sampling import RequestError, Sampler, SamplingError, SamplingOptions

SIZE = 600  # more than the shortlist


def sampler(prompt=(1, 2, 3), size=SIZE, number=0, **options):
    return Sampler(SamplingOptions(**options), list(prompt), size, number)


def draws(logits, count, **options):
    one = sampler(size=len(logits), **options)
    return [one.choose(logits)[0] for _ in range(count)]


@pytest.mark.parametrize(
    "options, warpers",
    [
        ({"temperature": 0.7}, [TemperatureLogitsWarper(0.7)]),
        ({"temperature": 1.0, "top_k": 5}, [TopKLogitsWarper(5)]),
        ({"temperature": 1.5, "top_p": 0.6}, [TemperatureLogitsWarper(1.5), TopPLogitsWarper(0.6)]),
        ({"temperature": 2.0, "top_p": 0.99}, [TemperatureLogitsWarper(2.0), TopPLogitsWarper(0.99)]),
        ({"temperature": 1.0, "min_p": 0.2}, [MinPLogitsWarper(0.2)]),
        (
            {"temperature": 0.9, "top_k": 20, "top_p": 0.8},
            [TemperatureLogitsWarper(0.9), TopKLogitsWarper(20), TopPLogitsWarper(0.8)],
        ),
        (
            {"temperature": 1.0, "repetition_penalty": 1.5, "top_k": 300, "top_p": 0.999},
            [RepetitionPenaltyLogitsProcessor(1.5), TopKLogitsWarper(300), TopPLogitsWarper(0.999)],
        ),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, dict) else "",
)
def test_what_may_be_drawn_and_how_likely_is_as_in_transformers(options, warpers):
    logits = 2 * torch.randn(SIZE)
    expected = LogitsProcessorList(warpers)(torch.tensor([[1, 2, 3]]), logits[None])[0].softmax(dim=-1)
    one = sampler(**options)
    penalised = one._penalise(logits)
    weights, tokens = one._candidates(((penalised - penalised.max()) / options["temperature"]).exp())
    found = torch.zeros(SIZE)
    found[torch.arange(SIZE) if tokens is None else tokens] = weights / weights.sum()
    torch.testing.assert_close(found, expected, atol=1e-6, rtol=1e-5)


def test_draws_are_as_frequent_as_they_are_likely():
    logits = torch.tensor([0.0, 1.0, 2.0, -1.0])
    counts = torch.bincount(torch.tensor(draws(logits, 4000, temperature=1.0, seed=1)), minlength=4)
    torch.testing.assert_close(counts / 4000, logits.softmax(dim=0), atol=0.03, rtol=0)


def test_temperature_zero_is_the_likeliest_and_needs_no_seed():
    logits = torch.randn(SIZE)
    assert set(draws(logits, 5, top_k=3, top_p=0.5)) == {int(logits.argmax())}


def test_a_seed_fixes_the_draws_and_each_answer_has_its_own():
    logits = torch.randn(SIZE)
    options = dict(temperature=1.5, seed=7)
    assert draws(logits, 20, **options) == draws(logits, 20, **options)
    assert draws(logits, 20, **options, number=1) == draws(logits, 20, temperature=1.5, seed=8)
    assert draws(logits, 20, **options) != draws(logits, 20, temperature=1.5, seed=8)
    assert draws(logits, 20, temperature=1.5, seed=-1) == draws(logits, 20, temperature=1.5, seed=-1)


def test_penalties_are_on_what_the_answer_has_said():
    logits = torch.tensor([3.0, 2.9, 0.0])
    assert draws(logits, 4) == [0, 0, 0, 0]
    assert draws(logits, 4, presence_penalty=1.0) == [0, 1, 0, 0]
    assert draws(logits, 4, frequency_penalty=1.0) == [0, 1, 0, 1]
    assert draws(logits, 4, frequency_penalty=-1.0) == [0, 0, 0, 0]


def test_the_repetition_penalty_counts_the_prompt_but_not_its_image_tokens():
    logits = torch.tensor([3.0, 2.9, -1.0])
    assert sampler((0, 3), size=3, repetition_penalty=1.5).choose(logits)[0] == 1


def test_a_bias_forces_and_forbids():
    logits = torch.randn(SIZE)
    assert sampler(logit_bias={17: 100.0}).choose(logits)[0] == 17
    assert sampler(logit_bias={int(logits.argmax()): -100.0}).choose(logits)[0] != int(logits.argmax())


def test_likelihoods_are_those_of_the_model_before_anything_is_changed():
    logits = torch.randn(SIZE)
    token, found = sampler(top_logprobs=3, logit_bias={17: 100.0}, temperature=0.5).choose(logits)
    expected = logits.log_softmax(dim=0)
    assert (token, found.token) == (17, 17)
    assert found.logprob == pytest.approx(float(expected[17]))
    assert [token for token, _ in found.top] == expected.topk(3).indices.tolist()
    assert sampler(top_logprobs=0).choose(logits)[1].top == ()
    assert sampler().choose(logits)[1] is None


@pytest.mark.parametrize("temperature", [0.0, 1.0])
@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
def test_logits_that_are_not_numbers_are_an_error(value, temperature):
    logits = torch.full((SIZE,), value) if value < 0 else torch.randn(SIZE)
    logits[5] = value
    with pytest.raises(SamplingError):
        sampler(temperature=temperature).choose(logits)


@pytest.mark.parametrize(
    "options",
    [
        {"temperature": 2.1}, {"temperature": math.nan}, {"top_p": 0.0}, {"top_p": math.nan}, {"top_k": -1},
        {"min_p": 1.1}, {"repetition_penalty": 0.0}, {"presence_penalty": 2.1}, {"frequency_penalty": -2.1},
        {"logit_bias": {1: 101.0}}, {"logit_bias": {1: math.nan}}, {"top_logprobs": 21}, {"top_logprobs": -1},
    ],
    ids=str,
)  # fmt: skip
def test_a_value_out_of_range_is_named(options):
    with pytest.raises(RequestError, match=next(iter(options))):
        SamplingOptions(**options)


def test_more_biases_than_allowed_and_unknown_tokens_are_refused():
    SamplingOptions(logit_bias=dict.fromkeys(range(1024), 1.0))
    with pytest.raises(RequestError, match="1025"):
        SamplingOptions(logit_bias=dict.fromkeys(range(1025), 1.0))
    with pytest.raises(RequestError, match="token 600"):
        sampler(logit_bias={600: 1.0})
