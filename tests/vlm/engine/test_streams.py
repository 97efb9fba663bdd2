"""Answers as generators: each is what the batch says, however several of them are read."""

import pytest

from tests.vlm.engine.test_batch import ask, run, seen, turn
from vlm.answers import GenerationRequest
from vlm.engine.batch import Batch
from vlm.engine.streams import Streams
from vlm.loading import Assistant
from vlm.modeling_vlm import VlmForConditionalGeneration
from vlm.perception import Perceived
from vlm.sampling import RequestError
from vlm.structure import Label, Reading

WORDS = (Label(text="exit", box=(0, 0, 9, 9)),)


@pytest.fixture
def talker(open_gates, tiny_processor):
    open_gates.generation_config.eos_token_id = None
    return open_gates, tiny_processor


def test_two_answers_that_are_read_in_turn_are_those_of_each_alone(talker, picture):
    requests = [ask("What is it?", picture), ask("And now?", max_new_tokens=4, n=2, temperature=1.0, seed=1)]
    alone = [seen(run(Batch(*talker), [request])[0]) for request in requests]
    streams = Streams(Batch(*talker))
    reading = [streams.stream(request) for request in requests]
    found = [[], []]
    while reading != [None, None]:
        for number, stream in enumerate(reading):
            if stream is not None and (chunk := next(stream, None)) is not None:
                found[number].append(chunk)
            elif stream is not None:
                reading[number] = None
    assert [seen(chunks) for chunks in found] == alone


def test_an_answer_that_is_closed_makes_room(talker, picture):
    batch = Batch(*talker, max_answers=1)
    streams = Streams(batch)
    first = streams.stream(ask("What is it?", picture))
    next(first)
    first.close()
    assert batch.rows == []
    assert len(list(streams.stream(ask("And?", max_new_tokens=3)))) == 3


def test_one_that_waits_for_room_lets_the_other_finish(talker):
    streams = Streams(Batch(*talker, max_answers=1))
    first, second = (streams.stream(ask(text, max_new_tokens=3)) for text in ("One", "Two"))
    next(first)
    assert len(list(second)) == 3
    assert len(list(first)) == 2


def test_what_cannot_be_answered_is_told_at_once(talker):
    with pytest.raises(RequestError, match="no adapter"):
        Streams(Batch(*talker)).stream(ask("What?", adapter="other"))


def test_what_an_assistant_has_read_it_does_not_read_again(talker, picture):
    assistant = Assistant("tiny", *talker)
    first = ask("What is it?", picture, max_new_tokens=5)
    answer = "".join(chunk.text for chunk in assistant.stream(first))
    more = [*first.messages, {"role": "assistant", "content": answer}, turn("And then?")]
    chunk, *_ = assistant.stream(GenerationRequest(more, max_new_tokens=2))
    assert chunk.cached_tokens > 0 and chunk.pictures[0].is_cached


def test_a_model_that_the_engine_cannot_run_is_run_by_transformers(talker, picture):
    model: VlmForConditionalGeneration = talker[0]
    expected = "".join(chunk.text for chunk in Assistant("tiny", *talker).stream(ask("What is it?", picture)))
    model.config.text_config.rope_parameters["rope_type"] = "dynamic"
    assert "".join(chunk.text for chunk in Assistant("tiny", *talker).stream(ask("What is it?", picture))) == expected


def test_guidance_compares_with_a_prompt_without_hints(talker, picture):
    """As on a server: what was read in a picture is part of seeing it."""

    class Seer:
        def see(self, image, glance):
            return Perceived(Reading(family="none", confidence=1, structure=None, words=WORDS), ())

    request = ask("What is it?", picture, visual_guidance=1.0)
    assistant = Assistant("tiny", *talker, Seer())
    found = [seen([chunk]) for chunk in assistant.stream(request)]
    batch = Batch(*talker, with_hints=assistant.with_hints)
    assert found == [seen([chunk]) for chunk in run(batch, [request])[0]]
