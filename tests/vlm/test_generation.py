import pytest
import torch

from vlm.generation import GenerationRequest, RequestError, first_stop, generate, held_back


@pytest.fixture
def talker(open_gates, tiny_processor):
    """A model that never ends its turn by itself."""
    open_gates.generation_config.eos_token_id = None
    return open_gates, tiny_processor


def messages(picture, words="What is it?"):
    return [{"role": "user", "content": [{"type": "image", "image": picture}, {"type": "text", "text": words}]}]


def answer(model, processor, **options):
    return "".join(chunk.text for chunk in generate(model, processor, GenerationRequest(**options)))


def test_the_stream_says_what_generate_says(talker, picture):
    model, processor = talker
    inputs = processor.apply_chat_template(messages(picture))
    ids = model.generate(**inputs, max_new_tokens=12, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    expected = processor.tokenizer.decode(ids, skip_special_tokens=True)
    streamed = answer(model, processor, messages=messages(picture), max_new_tokens=12)
    assert streamed == expected.rstrip("\N{REPLACEMENT CHARACTER}")


def test_the_last_chunk_says_why_it_ended_and_counts_the_tokens(talker, picture):
    chunks = list(generate(*talker, GenerationRequest(messages(picture), max_new_tokens=5)))
    assert [chunk.finish_reason for chunk in chunks[:-1]] == [None] * (len(chunks) - 1)
    assert (chunks[-1].finish_reason, chunks[-1].completion_tokens) == ("length", 5)
    assert chunks[-1].prompt_tokens == len(
        talker[1].encode_chat(messages(picture), add_generation_prompt=True).input_ids
    )


def test_an_end_of_turn_token_ends_the_answer_and_is_not_shown(talker, picture):
    model, processor = talker
    inputs = processor.apply_chat_template(messages(picture))
    ids = model.generate(**inputs, max_new_tokens=6, do_sample=False)[0, inputs["input_ids"].shape[1] :].tolist()
    model.generation_config.eos_token_id = [ids[3]]
    last = list(generate(model, processor, GenerationRequest(messages(picture))))[-1]
    assert (last.finish_reason, last.completion_tokens) == ("stop", ids.index(ids[3]) + 1)


def test_a_stop_string_ends_the_answer_before_it(talker, picture):
    whole = answer(*talker, messages=messages(picture), max_new_tokens=12, temperature=1.0, seed=3)
    stop = whole[4:6]
    chunks = list(
        generate(
            *talker,
            GenerationRequest(messages(picture), max_new_tokens=12, temperature=1.0, seed=3, stop=(stop, "zzz")),
        )
    )
    assert "".join(chunk.text for chunk in chunks) == whole[: whole.index(stop)]
    assert chunks[-1].finish_reason == "stop"


def test_a_chunk_comes_after_every_token_even_while_its_text_is_held_back(talker, picture):
    whole = answer(*talker, messages=messages(picture), max_new_tokens=8)
    request = GenerationRequest(messages(picture), max_new_tokens=8, stop=(whole + "more",))
    chunks = list(generate(*talker, request))
    assert [chunk.completion_tokens for chunk in chunks] == [1, 2, 3, 4, 5, 6, 7, 8]
    assert not any(chunk.text for chunk in chunks[:-1]) and chunks[-1].text == whole


def test_what_may_begin_a_stop_string_or_is_half_a_character_waits():
    assert held_back("so <|en", ("<|end|>",)) == 4
    assert held_back("caf\N{REPLACEMENT CHARACTER}", ()) == 1
    assert held_back("so <|\N{REPLACEMENT CHARACTER}", ("<|\N{SNOWMAN}",)) == 3
    assert held_back("done", ("<|end|>",)) == 0
    assert first_stop("a b a", ("b", "a")) == 0
    assert first_stop("a", ("b",)) is None


def test_a_seed_fixes_a_sampled_answer_and_temperature_zero_needs_none(talker, picture):
    def sampled(seed):
        return answer(*talker, messages=messages(picture), max_new_tokens=8, temperature=1.5, seed=seed)

    assert sampled(1) == sampled(1) != sampled(2)
    greedy = dict(messages=messages(picture), max_new_tokens=8)
    assert answer(*talker, **greedy, seed=1) == answer(*talker, **greedy, seed=2)


def test_a_top_p_near_zero_is_greedy(talker, picture):
    options = dict(messages=messages(picture), max_new_tokens=8)
    assert answer(*talker, **options, temperature=2.0, top_p=1e-6, seed=5) == answer(*talker, **options)


def test_a_blind_answer_does_not_depend_on_the_picture(talker, picture):
    options = dict(max_new_tokens=8)
    other = picture.transpose(0).point(lambda value: 255 - value)
    assert answer(*talker, messages=messages(picture), **options) != answer(
        *talker, messages=messages(other), **options
    )
    blind = {answer(*talker, messages=messages(image), blind=True, **options) for image in (picture, other)}
    assert len(blind) == 1


def test_closing_the_stream_stops_the_model(talker, picture, monkeypatch):
    model, processor = talker
    steps = []
    forward = model.forward
    monkeypatch.setattr(model, "forward", lambda *a, **k: steps.append(1) or forward(*a, **k))
    stream = generate(model, processor, GenerationRequest(messages(picture), max_new_tokens=50))
    next(stream)
    seen = len(steps)
    stream.close()
    assert len(steps) == seen < 50


def test_two_answers_can_be_streamed_side_by_side(talker, picture):
    """Nothing of a request is kept on the model."""
    other = picture.transpose(0)
    requests = [GenerationRequest(messages(image), max_new_tokens=8) for image in (picture, other)]
    alone = [answer(*talker, messages=request.messages, max_new_tokens=8) for request in requests]
    texts = ["", ""]
    streams = [generate(*talker, request) for request in requests]
    while any(streams):
        for i, stream in enumerate(streams):
            if stream is not None and (chunk := next(stream, None)) is not None:
                texts[i] += chunk.text
            else:
                streams[i] = None
    assert texts == alone


def test_what_cannot_be_answered_is_refused_before_anything_is_computed(talker, picture):
    model, processor = talker
    model.config.text_config.max_position_embeddings = 20
    with pytest.raises(RequestError, match=r"tokens long and the model reads 20"):
        generate(model, processor, GenerationRequest(messages(picture)))
    with pytest.raises(RequestError, match=r"4 pictures; the model can tell 3 apart"):
        generate(model, processor, GenerationRequest(messages(picture) * 4))
    for options, message in (
        ({"temperature": -1}, "temperature"), ({"top_p": 0}, "top_p"), ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"stop": ("",)}, "stop"),
    ):  # fmt: skip
        with pytest.raises(RequestError, match=message):
            GenerationRequest(messages(picture), **options)
    with pytest.raises(RequestError, match="no message"):
        GenerationRequest([])


def test_an_answer_never_grows_beyond_what_the_model_reads(talker, picture):
    model, processor = talker
    prompt = len(processor.encode_chat(messages(picture), add_generation_prompt=True).input_ids)
    model.config.text_config.max_position_embeddings = prompt + 3
    last = list(generate(model, processor, GenerationRequest(messages(picture), max_new_tokens=50)))[-1]
    assert (last.completion_tokens, last.finish_reason) == (3, "length")
    assert torch.is_grad_enabled()
