"""Several answers, how likely they are and what steers them: a real, tiny model behind OpenAI's own client."""

import openai
import pytest

from vlm.answers import GenerationRequest
from vlm.engine.graph_decoder import LEAST

SAMPLED = {"temperature": 1.0, "seed": 11, "max_tokens": 6}


@pytest.fixture
def served(make_client, tiny_assistant, tiny_batch, openai_over):
    return openai_over(make_client(model=tiny_assistant, batch=tiny_batch))


@pytest.fixture
def question(ask, data_url):
    return {**ask("What is it?", data_url("red", (8, 6))), "model": "tiny", "max_tokens": 6}


def generated(assistant, question, picture=None, **options):
    """What the model says by itself, as one chunk of each of its pieces."""
    parts = [*([] if picture is None else [{"type": "image", "image": picture}]), {"type": "text", "text": question}]
    return list(assistant.stream(GenerationRequest([{"role": "user", "content": parts}], **options)))


def gathered(chunks):
    """index -> (text, finish reasons) of a stream."""
    found = {}
    for chunk in chunks:
        for choice in chunk.choices:
            text, reasons = found.setdefault(choice.index, ["", []])
            found[choice.index][0] = text + (choice.delta.content or "" if hasattr(choice, "delta") else choice.text)
            reasons.extend([choice.finish_reason] if choice.finish_reason else [])
    return {index: tuple(one) for index, one in found.items()}


def test_several_answers_have_an_index_and_are_the_same_streamed_or_not(served, question):
    options = {**question, **SAMPLED, "n": 3}
    answer = served.chat.completions.create(**options)
    texts = [choice.message.content for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1, 2] and len(set(texts)) == 3
    assert [choice.finish_reason for choice in answer.choices] == ["length"] * 3
    assert answer.usage.completion_tokens == 18
    *chunks, last = served.chat.completions.create(**options, stream=True, stream_options={"include_usage": True})
    assert gathered(chunks) == {index: (text, ["length"]) for index, text in enumerate(texts)}
    assert last.choices == [] and last.usage.completion_tokens == 18
    assert last.usage.prompt_tokens_details.cached_tokens > 0
    alone = [served.chat.completions.create(**{**question, **SAMPLED, "seed": 11 + i}) for i in range(3)]
    assert [one.choices[0].message.content for one in alone] == texts


def test_completions_have_several_too(served):
    options = {"model": "tiny", "prompt": "Once", "n": 2, **SAMPLED}
    answer = served.completions.create(**options)
    texts = [choice.text for choice in answer.choices]
    assert [choice.index for choice in answer.choices] == [0, 1] and texts[0] != texts[1]
    assert gathered(served.completions.create(**options, stream=True)) == {
        index: (text, ["length"]) for index, text in enumerate(texts)
    }


def test_a_chat_tells_how_likely_each_token_was(served, question, tiny_assistant):
    options = {**question, "messages": [{"role": "user", "content": "Hello"}], "logprobs": True, "top_logprobs": 2}
    answer = served.chat.completions.create(**options)
    found = answer.choices[0].logprobs.content
    expected = [
        one for chunk in generated(tiny_assistant, "Hello", max_new_tokens=6, top_logprobs=2) for one in chunk.logprobs
    ]
    assert len(found) == len(expected) == 6
    for one, likelihood in zip(found, expected, strict=True):
        assert (one.token, bytes(one.bytes)) == tiny_assistant.spell(likelihood.token)
        assert one.logprob == pytest.approx(likelihood.logprob, abs=1e-4)
        assert [top.token for top in one.top_logprobs] == [
            tiny_assistant.spell(token)[0] for token, _ in likelihood.top
        ]
        assert one.top_logprobs[0].logprob == one.logprob  # it is greedy
    said = b"".join(bytes(one.bytes) for one in found).decode(errors="replace")
    assert said.startswith(answer.choices[0].message.content)
    chunks = list(served.chat.completions.create(**options, stream=True))
    streamed = [one for chunk in chunks if chunk.choices[0].logprobs for one in chunk.choices[0].logprobs.content]
    assert streamed == found


def test_likelihoods_are_told_only_when_asked_for_and_alone_where_no_others_are(served, question):
    plain, bare = (served.chat.completions.create(**question, **more) for more in ({}, {"logprobs": True}))
    assert plain.choices[0].logprobs is None
    assert [one.top_logprobs for one in bare.choices[0].logprobs.content] == [[]] * 6


def test_a_completion_tells_it_in_its_own_form(served):
    options = {"model": "tiny", "prompt": "Once", "max_tokens": 6, "temperature": 1.0, "seed": 1, "logprobs": 2}
    found = served.completions.create(**options).choices[0].logprobs
    assert len(found.tokens) == len(found.token_logprobs) == len(found.top_logprobs) == 6
    for token, logprob, top in zip(found.tokens, found.token_logprobs, found.top_logprobs, strict=True):
        assert top[token] == logprob and max(top.values()) >= logprob
    assert found.text_offset == [sum(map(len, found.tokens[:i])) for i in range(6)]
    streamed = [chunk.choices[0].logprobs for chunk in served.completions.create(**options, stream=True)]
    for name in ("tokens", "token_logprobs", "top_logprobs", "text_offset"):
        assert [value for one in streamed if one for value in getattr(one, name)] == getattr(found, name)


def test_options_of_both_kinds_reach_the_model(served, question, tiny_assistant):
    options = {"frequency_penalty": 1.5, "presence_penalty": 1.0, "logit_bias": {70: 3.0}}
    extensions = {"top_k": 40, "min_p": 0.01, "repetition_penalty": 1.3}
    body = {**question, "messages": [{"role": "user", "content": "Hello"}], "temperature": 1.0, "seed": 3}
    answer = served.chat.completions.create(**body, **options, extra_body=extensions)
    expected = generated(tiny_assistant, "Hello", max_new_tokens=6, temperature=1.0, seed=3, **options, **extensions)
    assert answer.choices[0].message.content == "".join(chunk.text for chunk in expected)
    assert answer.choices[0].message.content != served.chat.completions.create(**body).choices[0].message.content


def test_guidance_changes_an_answer_about_a_picture(served, question):
    plain, guided = (
        served.chat.completions.create(
            **{**question, **SAMPLED, "max_tokens": 10}, extra_body={"visual_guidance": strength}
        )
        for strength in (0, 5)
    )
    assert plain.choices[0].message.content != guided.choices[0].message.content


@pytest.mark.parametrize("options", [{"n": 2}, {"extra_body": {"visual_guidance": 1.0}}])
def test_a_model_that_answers_one_at_a_time_says_what_it_cannot(
    make_client, tiny_assistant, question, openai_over, options
):
    tiny_assistant.model.config.text_config.rope_parameters["rope_type"] = "dynamic"  # which the engine cannot run
    one_at_a_time = openai_over(make_client(model=tiny_assistant))
    with pytest.raises(openai.BadRequestError, match="need the batching engine"):
        one_at_a_time.chat.completions.create(**question, **options)
    answer = one_at_a_time.chat.completions.create(**question, logprobs=True, top_logprobs=1)
    assert len(answer.choices[0].logprobs.content) == 6


def test_more_answers_than_there_are_slots_are_refused(served, question):
    with pytest.raises(openai.BadRequestError, match="7 answers"):
        served.chat.completions.create(**question, n=7)


def test_the_tokens_that_stand_for_pictures_are_in_the_usage(
    served, make_client, tiny_assistant, openai_over, question
):
    for client in (served, openai_over(make_client(model=tiny_assistant))):
        usage = client.chat.completions.create(**question).usage
        assert usage.prompt_tokens_details.image_tokens == 1  # this model looks at its pictures from beside the text
        text = client.chat.completions.create(**{**question, "messages": [{"role": "user", "content": "hi"}]}).usage
        assert text.prompt_tokens_details.image_tokens == 0


def test_cached_tokens_are_in_the_usage_of_every_route(served, question):
    first, again = (served.chat.completions.create(**question).usage for _ in range(2))
    assert first.prompt_tokens_details.cached_tokens == 0
    assert again.prompt_tokens_details.cached_tokens == again.prompt_tokens - LEAST
    texts = [served.completions.create(model="tiny", prompt="Once upon", max_tokens=1).usage for _ in range(2)]
    assert [usage.prompt_tokens_details.cached_tokens for usage in texts] == [0, 7]
    responses = [
        served.responses.create(model="tiny", input="A question of its own", max_output_tokens=1).usage
        for _ in range(2)
    ]
    assert responses[1].input_tokens_details.cached_tokens == responses[1].input_tokens - LEAST


def test_a_request_that_names_an_unknown_token_is_a_400(served, question):
    with pytest.raises(openai.BadRequestError, match="names token 99999"):
        served.chat.completions.create(**question, logit_bias={"99999": 1})


def test_the_log_counts_the_tokens_of_all_answers(served, question, log_lines):
    served.chat.completions.create(**{**question, **SAMPLED, "n": 2})
    line = log_lines.get(timeout=20)
    assert "completion_tokens=12 " in line and line.endswith("finish_reason=length")
