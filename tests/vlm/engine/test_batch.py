"""Answers in a batch are the answers alone, token for token; and what one of them does wrong is its own."""

from dataclasses import replace

import pytest
import torch
from PIL import Image

from tests.tiny import open_gates_
from vlm.answers import GenerationRequest
from vlm.engine.batch import BUSY_PART, Batch
from vlm.generation import generate
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.quantization import quantize_
from vlm.sampling import RequestError, SamplingError

TOKENS = 10
SAMPLED = dict(temperature=1.3, top_p=0.9, top_k=50, repetition_penalty=1.2, frequency_penalty=0.5)


@pytest.fixture(params=["cross_attention", "prefix", "both", "int4"])
def talker(request, tiny_config, tiny_processor):
    """A model that never ends its turn by itself, and its processor."""
    tiny_config.fusion = "cross_attention" if request.param == "int4" else request.param
    model = open_gates_(VlmForConditionalGeneration(tiny_config).eval())
    if request.param == "int4":
        quantize_(model.language_model, "int4")
    model.generation_config.eos_token_id = None
    tiny_processor.image_seq_length = tiny_config.image_seq_length
    return model, tiny_processor


@pytest.fixture
def pictures(picture):
    return picture, picture.transpose(Image.Transpose.ROTATE_90), picture.point(lambda value: 255 - value)


def turn(text, *images):
    parts = [{"type": "image", "image": image} for image in images]
    return {"role": "user", "content": [*parts, {"type": "text", "text": text}]}


def ask(text, *images, **options):
    return GenerationRequest([turn(text, *images)], **{"max_new_tokens": TOKENS, "top_logprobs": 3, **options})


def some_requests(pictures):
    one, other, third = pictures
    return [
        ask("What is it?", one),
        ask("And these two?", other, one, seed=3, **SAMPLED),
        ask("No picture here, and a prompt that is a good deal longer than the others are. " * 2, max_new_tokens=4),
        ask("What is it?", third, temperature=1.0, seed=5, min_p=0.01),
        ask("What is it?", one, blind=True, presence_penalty=1.0, logit_bias={40: 5.0, 41: -100.0}),
    ]


def run(batch, requests, arrivals=()):
    """Every request's chunks; request i joins as soon as there is room after step `arrivals[i]`."""
    chunks = {i: [] for i in range(len(requests))}
    arrivals = [*arrivals, *[0] * (len(requests) - len(arrivals))]
    waiting = [(i, batch.prepare(request)) for i, request in enumerate(requests)]
    for step in range(1000):
        for i, prompt in list(waiting):
            if arrivals[i] <= step and batch.can_join(prompt):
                batch.join(i, prompt)
                waiting.remove((i, prompt))
        for owner, item in batch.step():
            chunks[owner].append(item)
        if not waiting and not batch.rows:
            return list(chunks.values())
    raise AssertionError("the batch never came to an end")


def seen(chunks):
    """What a client can see of an answer: text and exact likelihoods."""
    return [(chunk.text, chunk.finish_reason, chunk.index, chunk.logprobs) for chunk in chunks]


def test_when_all_have_left_the_memory_of_many_is_given_back(talker, pictures):
    batch = Batch(*talker)
    run(batch, some_requests(pictures))
    assert batch.slots.text == batch.slots.images == []
    (again,) = run(batch, some_requests(pictures)[:1])
    assert batch.slots.text[0].shape[1] == 1  # of one it is kept
    assert seen(again) == seen(run(Batch(*talker), some_requests(pictures)[:1])[0])


# Tokens of an answer and of a prompt are multiplied alike by torch alone: see graph_decoder.py.
by_torch = pytest.mark.parametrize("talker", ["cross_attention", "prefix", "both"], indirect=True)


@by_torch
def test_a_request_alone_gets_what_generate_says(talker, pictures):
    for request in some_requests(pictures):
        (found,) = run(Batch(*talker), [request])
        expected = list(generate(*talker, request))
        assert [chunk.text for chunk in found] == [chunk.text for chunk in expected]
        assert [[likelihood.token for likelihood in chunk.logprobs] for chunk in found] == [
            [likelihood.token for likelihood in chunk.logprobs] for chunk in expected
        ]
        assert found[-1].finish_reason == expected[-1].finish_reason
        assert found[-1].prompt_tokens == expected[-1].prompt_tokens


def test_together_is_alone_to_the_last_bit_whenever_they_come_and_go(talker, pictures):
    requests = some_requests(pictures)
    alone = [seen(run(Batch(*talker), [request])[0]) for request in requests]
    for order, arrivals in (((0, 1, 2, 3, 4), ()), ((4, 2, 1, 3, 0), (0, 2, 9, 9, 12))):
        found = run(Batch(*talker), [requests[i] for i in order], arrivals)
        assert [seen(chunks) for chunks in found] == [alone[i] for i in order]


def test_the_next_question_about_a_picture_neither_encodes_it_nor_reads_the_conversation_again(talker, picture):
    """To the last bit, also where an answer's tokens are read by other kernels than a prompt's."""
    batch = Batch(*talker)
    letters = talker[1].tokenizer("abcdefgh", add_special_tokens=False).input_ids  # so that its text has its tokens
    first = ask("What is it?", picture, top_logprobs=None, max_new_tokens=30, logit_bias=dict.fromkeys(letters, 99.0))
    (answer,) = run(batch, [first])
    text = "".join(chunk.text for chunk in answer)
    assert len(text) == 30
    follow_up = [turn("What is it?", picture.copy()), {"role": "assistant", "content": text}, turn("Why?")]
    second = GenerationRequest(follow_up, max_new_tokens=TOKENS, top_logprobs=3)
    (cached,) = run(batch, [second])
    (uncached,) = run(Batch(*talker), [second])
    assert seen(cached) == seen(uncached)
    assert (batch.stats()["picture_misses"], batch.stats()["picture_hits"]) == (1, 1)
    assert [report.is_cached for report in cached[-1].pictures] == [True]
    assert cached[-1].cached_tokens == answer[-1].prompt_tokens
    assert uncached[-1].cached_tokens == 0


def test_another_picture_shares_no_more_than_what_stands_before_it(talker, pictures):
    batch = Batch(*talker)
    run(batch, [ask("What is it?", pictures[0])])
    (other,) = run(batch, [ask("What is it?", pictures[1])])
    (alone,) = run(Batch(*talker), [ask("What is it?", pictures[1])])
    assert seen(other) == seen(alone)
    prompt = batch.prepare(ask("What is it?", pictures[1]))
    assert other[-1].cached_tokens == prompt.ids.index(talker[0].config.image_token_id)


def test_an_answer_goes_on_with_a_token_each_step_while_a_long_prompt_is_read(talker, picture):
    running, long = ask("What is it?", picture, max_new_tokens=60), ask("A long one. " * 12)
    batch = Batch(*talker)
    batch.join("running", batch.prepare(running))
    while not batch.step():
        pass
    batch.join("long", batch.prepare(long))
    steps = []
    while any(row.is_reading for row in batch.rows):
        steps.append([owner for owner, _ in batch.step()])
    assert len(steps) == -(-len(batch.prepare(long).ids) // BUSY_PART) > 3
    assert steps == [["running"]] * (len(steps) - 1) + [["running", "long"]]


def test_answers_of_one_prompt_share_its_reading_and_differ_as_their_seeds(talker, pictures):
    request = ask("What is it?", pictures[0], n=3, seed=11, **SAMPLED)
    batch = Batch(*talker)
    company = ask("Something else", pictures[1])
    several, _ = run(batch, [request, company])
    assert batch.stats()["prompt_tokens"] == sum(len(batch.prepare(one).ids) for one in (request, company))
    texts = []
    for index in range(3):
        own = [chunk for chunk in several if chunk.index == index]
        single = ask("What is it?", pictures[0], seed=11 + index, **SAMPLED)
        (alone,) = run(Batch(*talker), [single])
        assert [(chunk.text, chunk.logprobs) for chunk in own] == [(chunk.text, chunk.logprobs) for chunk in alone]
        texts.append("".join(chunk.text for chunk in own))
    assert len(set(texts)) == 3


def test_guidance_compares_with_the_model_that_sees_nothing(talker, pictures):
    plain, guided, none = (
        ask("What is it?", *images, visual_guidance=strength, temperature=1.0, seed=1)
        for images, strength in ((pictures[:1], 0.0), (pictures[:1], 3.0), ((), 3.0))
    )
    texts = ["".join(chunk.text for chunk in run(Batch(*talker), [request])[0]) for request in (plain, guided, none)]
    unguided = ask("What is it?", temperature=1.0, seed=1)
    assert texts[0] != texts[1]
    assert texts[2] == "".join(chunk.text for chunk in run(Batch(*talker), [unguided])[0])  # nothing to compare
    together = run(Batch(*talker), [plain, guided])
    assert ["".join(chunk.text for chunk in chunks) for chunks in together] == texts[:2]


def test_what_guidance_compares_with_was_told_nothing_of_the_pictures(talker, pictures):
    def with_hints(request):
        (message,) = request.messages
        parts = [part | {"hint": "[seen: a cat]"} if part["type"] == "image" else part for part in message["content"]]
        return replace(request, messages=[message | {"content": parts}])

    guided = ask("What is it?", *pictures[:2], visual_guidance=1.0)
    blind = ask("What is it?", *pictures[:2], blind=True)
    batch = Batch(*talker, with_hints=with_hints)
    batch.join(0, batch.prepare(guided))
    seeing, unseeing = batch.rows
    bare = Batch(*talker)
    bare.join(0, bare.prepare(blind))
    assert unseeing.text.units == bare.rows[0].text.units
    assert len(seeing.text.units) == len(unseeing.text.units) + 2 * len("[seen: a cat]")
    (answer,) = run(Batch(*talker, with_hints=with_hints), [guided])
    assert answer[-1].completion_tokens == TOKENS


def test_who_leaves_frees_the_rows_and_changes_nobody_else(talker, pictures):
    requests = some_requests(pictures)[:4]
    alone = [seen(run(Batch(*talker), [request])[0]) for request in requests]
    batch = Batch(*talker)
    found = {i: [] for i in range(len(requests))}
    waiting = [(i, batch.prepare(request)) for i, request in enumerate(requests)]
    for step in range(60):
        if waiting and batch.can_join(waiting[0][1]):
            batch.join(*waiting.pop(0))
        if step == 6:
            batch.leave(0)
            assert not batch.is_busy_with(0)
        for owner, chunk in batch.step():
            found[owner].append(chunk)
    assert [seen(found[i]) for i in (1, 2, 3)] == alone[1:]
    assert 0 < len(found[0]) < len(alone[0])
    assert batch.rows == []


class Fault(Exception):
    pass


def test_a_poisoned_request_fails_alone(talker, pictures):
    texts = ("One", "A question that is longer than the two beside it", "Three")
    requests = [ask(text, picture, max_new_tokens=20) for text, picture in zip(texts, pictures, strict=True)]
    alone = [seen(run(Batch(*talker), [request])[0]) for request in requests]
    batch = Batch(*talker)
    found = {i: [] for i in range(len(requests))}
    for i, request in enumerate(requests):
        batch.join(i, batch.prepare(request))
        while any(row.is_reading for row in batch.rows):
            for owner, item in batch.step():
                found[owner].append(item)
    (slot,) = [slot for slot, row in enumerate(batch.rows) if row.answer.owner == 1]
    for tensor in batch.slots.text:
        tensor[:, slot] = float("nan")
    while batch.rows:  # the last row moves into the slot that has held what is not a number
        for owner, item in batch.step():
            found[owner].append(item)
    assert isinstance(found[1][-1], SamplingError)
    assert [seen(found[0]), seen(found[2])] == [alone[0], alone[2]]


def test_an_error_in_a_sampler_or_in_the_forward_pass_of_one_row_is_its_own(talker, pictures, monkeypatch):
    requests = [ask("What is it?", pictures[0]), ask("No picture.")]
    alone = [seen(run(Batch(*talker), [request])[0]) for request in requests]
    for fault in ("sampler", "forward"):
        batch = Batch(*talker)
        prompts = [batch.prepare(request) for request in (requests[0], requests[1], requests[1])]
        found = {i: [] for i in range(3)}
        forward = batch.decoder.forward

        def fail(*_args, **_options):
            raise Fault

        def forward_unless_bad(embeddings, slots, first, starts, *rest, forward=forward, batch=batch):
            if any(row.answer.owner == 1 for row in batch.rows[first : first + len(starts)]):
                raise Fault
            return forward(embeddings, slots, first, starts, *rest)

        for step in range(40):
            if prompts and batch.can_join(prompts[0]):
                batch.join(3 - len(prompts), prompts.pop(0))
            if step == 5:
                (row,) = [row for row in batch.rows if row.answer.owner == 1]
                if fault == "sampler":
                    monkeypatch.setattr(row.answer.sampler, "choose", fail)
                else:
                    monkeypatch.setattr(batch.decoder, "forward", forward_unless_bad)
            for owner, item in batch.step():
                found[owner].append(item)
        assert isinstance(found[1][-1], Fault)
        assert [seen(found[0]), seen(found[2])] == alone
        assert not batch.rows


def test_what_does_not_fit_is_refused_and_what_fits_later_waits(talker, pictures):
    batch = Batch(*talker, max_answers=2, max_bytes=1)
    with pytest.raises(RequestError, match=r"2 answers of up to \d+ tokens"):
        batch.prepare(ask("What is it?", n=2))
    one, other = (batch.prepare(ask("What is it?", picture)) for picture in pictures[:2])
    batch.join("one", one)
    assert not batch.can_join(other)
    while batch.rows:
        batch.step()
    assert batch.can_join(other)
    with pytest.raises(RequestError, match="logit_bias names token 99999"):
        batch.join("bad", batch.prepare(ask("What is it?", logit_bias={99999: 1.0})))
    assert batch.rows == []


def test_the_slots_grow_with_their_sequences_and_keep_what_they_hold(talker, pictures):
    long = "A prompt that is longer than what the first request has made room for. " * 9
    requests = [ask("What is it?", pictures[0], max_new_tokens=30), ask(long, pictures[1], max_new_tokens=5)]
    alone = [seen(run(Batch(*talker), [request])[0]) for request in requests]
    found = run(Batch(*talker), requests, arrivals=(0, 8))
    assert [seen(chunks) for chunks in found] == alone
    assert torch.is_grad_enabled()
