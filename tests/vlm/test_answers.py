import pytest

from vlm.answers import GenerationRequest, TextStream
from vlm.sampling import RequestError

TEXT = "Zażółć gęślą jaźń \N{SNOWMAN}\N{GRINNING FACE} and plain words. " * 5


def streamed(tokenizer, text, stop=(), room=10_000):
    """The pieces of `text`, one for each of its tokens and one for the end of the turn."""
    stream = TextStream(tokenizer, stop, room)
    pieces = []
    for token in [*tokenizer(text)["input_ids"], tokenizer.eos_token_id]:
        piece, reason = stream.push(token, token == tokenizer.eos_token_id)
        pieces.append(piece)
        if reason is not None:
            return pieces, reason
    raise AssertionError("the answer never ended")


def test_pieces_hold_whole_characters_and_add_up_to_the_text_however_long_it_is(byte_tokenizer):
    pieces, reason = streamed(byte_tokenizer, TEXT)
    assert "".join(pieces) == TEXT and reason == "stop"
    assert not any("\N{REPLACEMENT CHARACTER}" in piece for piece in pieces)
    assert "" in pieces  # while a character was not whole


@pytest.mark.parametrize("place", [3, 61, 62, 63, 64, 65, 70, 130])
def test_a_stop_string_is_found_wherever_it_stands_and_never_shown_in_part(byte_tokenizer, place):
    pieces, reason = streamed(byte_tokenizer, "x" * place + "<|end|>more", stop=("<|end|>",))
    assert ("".join(pieces), reason) == ("x" * place, "stop")


def test_an_answer_that_is_cut_ends_with_what_was_held_back_but_no_half_character(byte_tokenizer):
    pieces, reason = streamed(byte_tokenizer, "so <|en", stop=("<|end|>",), room=7)
    assert ("".join(pieces), reason) == ("so <|en", "length")
    assert streamed(byte_tokenizer, "caf\N{LATIN SMALL LETTER E WITH ACUTE}", room=4) == (["c", "a", "f", ""], "length")


def test_a_request_out_of_range_is_refused():
    turn = [{"role": "user", "content": "hi"}]
    for options, message in (({"n": 0}, "n must"), ({"n": 17}, "n must"), ({"visual_guidance": 6}, "visual_guidance")):
        with pytest.raises(RequestError, match=message):
            GenerationRequest(turn, **options)
