import pytest
from tokenizers import Tokenizer, decoders, models
from transformers import PreTrainedTokenizerFast

from vlm.answers import HALF, GenerationRequest, TextStream, spell
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


def test_the_bytes_of_tokens_add_up_to_the_text_also_where_they_are_parts_of_characters(byte_tokenizer):
    spelt = [spell(byte_tokenizer, token) for token in byte_tokenizer(TEXT)["input_ids"]]
    assert b"".join(data for _, data in spelt) == TEXT.encode()
    assert spelt[0] == ("Z", b"Z") and spelt[2] == (HALF, "\N{LATIN SMALL LETTER Z WITH DOT ABOVE}".encode()[:1])
    assert spell(byte_tokenizer, byte_tokenizer.eos_token_id) == ("<|im_end|>", b"<|im_end|>")


def test_a_token_keeps_its_space_and_a_byte_its_value_in_tokenizers_of_the_other_kind():
    vocabulary = {"<unk>": 0, "<0xE2>": 1, "\u2581cat": 2}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=[], unk_token="<unk>", byte_fallback=True))
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("\u2581", " "), decoders.ByteFallback(), decoders.Fuse(), decoders.Strip(" ", 1, 0)]
    )
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, unk_token="<unk>")
    assert [spell(fast, token) for token in (1, 2)] == [(HALF, b"\xe2"), (" cat", b" cat")]


def test_a_request_out_of_range_is_refused():
    turn = [{"role": "user", "content": "hi"}]
    for options, message in (({"n": 0}, "n must"), ({"n": 17}, "n must"), ({"visual_guidance": 6}, "visual_guidance")):
        with pytest.raises(RequestError, match=message):
            GenerationRequest(turn, **options)
