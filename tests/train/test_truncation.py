"""What is left out of a conversation that is too long, and that a picture never loses its question."""

import json

import pytest

from tests.train.colours import config_for
from train.checking.check import Limits, check
from train.collator import IGNORE
from train.data import build_rows
from train.readers import DataError, RowsConfig
from train.truncation import fit

LONG = "A long story. " * 10


def user(text, *pictures):
    return {"role": "user", "content": [*pictures, {"type": "text", "text": text}]}


def assistant(text):
    return {"role": "assistant", "content": text}


@pytest.fixture
def image(picture):
    return {"type": "image", "image": picture}


@pytest.fixture
def talk(image):
    return [
        {"role": "system", "content": "Be kind."},
        user("First?"), assistant("one"),
        user("Look.", image), assistant("two"),
        user("Third?"), assistant("three"),
        user("Last?"), assistant("The end."),
    ]  # fmt: skip


def text(processor, chat):
    return processor.tokenizer.decode([i for i in chat.input_ids if i != processor.image_token_id])


def length(processor, messages):
    return len(processor.encode_chat(messages).input_ids)


def test_what_fits_stays_as_it_is(tiny_processor, talk):
    fitted = fit([talk], tiny_processor, length(tiny_processor, talk))
    assert fitted.is_whole and fitted.chats[0] == tiny_processor.encode_chat(talk)


def test_early_turns_go_first_and_one_with_a_picture_stays(tiny_processor, talk):
    without_first = [talk[0], *talk[3:]]
    fitted = fit([talk], tiny_processor, length(tiny_processor, talk) - 1)
    assert fitted.turns == 1 and fitted.chats[0] == tiny_processor.encode_chat(without_first)
    fitted = fit([talk], tiny_processor, length(tiny_processor, without_first) - 1)
    assert fitted.turns == 2 and fitted.chats[0] == tiny_processor.encode_chat([talk[0], *talk[3:5], *talk[7:]])


def test_then_the_last_answer_loses_its_end_and_does_not_learn_to_stop_there(tiny_processor, talk, image):
    shortest = length(tiny_processor, [talk[0], *talk[3:5], *talk[7:]])
    fitted = fit([talk], tiny_processor, shortest - 4)
    assert len(fitted.chats[0].input_ids) == shortest - 4
    assert text(tiny_processor, fitted.chats[0]).endswith("Last?<|im_end|>\n<|im_start|>assistant\nThe en")
    assert fitted.lost == "d.<|im_end|>"
    assert fitted.chats[0].input_ids.count(tiny_processor.image_token_id) == tiny_processor.image_seq_length


@pytest.mark.parametrize("room", [0, 1])
def test_a_picture_and_its_question_are_never_cut(tiny_processor, image, room):
    messages = [user("What is it?", image), assistant("A cat.")]
    prompt = tiny_processor.encode_chat(messages).is_answer.index(True)
    fitted = fit([messages], tiny_processor, prompt + room)
    assert len(fitted.chats[0].input_ids) == (prompt + 1 if room else length(tiny_processor, messages))
    assert fitted.prompt == (0 if room else prompt)


def test_of_a_pair_the_same_turns_are_left_out(tiny_processor, talk):
    other = [*talk[:-1], assistant("The end, which is longer.")]
    fitted = fit([talk, other], tiny_processor, length(tiny_processor, talk))
    assert fitted.turns == 1 and not fitted.lost
    assert fitted.chats == [tiny_processor.encode_chat([talk[0], *one[3:]]) for one in (talk, other)]


@pytest.fixture
def write(tmp_path, picture):
    picture.save(tmp_path / "a.png")

    def write(*rows):
        lines = [json.dumps({"messages": messages}) for messages in rows]
        (tmp_path / "data.jsonl").write_text("\n".join(lines))
        return tmp_path / "data.jsonl"

    return write


FILE = {"type": "image", "path": "a.png"}
SHORT = [user("What?", FILE), assistant("A cat.")]


def test_training_cuts_what_the_check_says(tmp_path, tiny_processor, write):
    data = write(SHORT, [user("What?", FILE), assistant(LONG + "The end.")])
    report = check(RowsConfig(path=data), None, Limits(120, processor=lambda: tiny_processor), 1)
    (finding,) = report.findings
    assert (finding.kind, finding.row) == ("too_long", 2) and "The end." in finding.message
    config = config_for(data, tmp_path / "run", max_row_tokens=120)
    rows = build_rows(config, tiny_processor)[0][0]
    learnt = ["".join(tiny_processor.tokenizer.decode([i for i in row.labels if i != IGNORE])) for row in rows]
    assert learnt[0] == "A cat.<|im_end|>" and LONG.startswith(learnt[1]) and len(rows) == 2
    assert max(len(row.input_ids) for row in rows) == 119  # the last of 120 is only to be foretold
    assert all(tiny_processor.image_token_id in row.input_ids for row in rows)


def test_a_prompt_that_is_too_long_alone_is_refused_before_training_with_its_row(tmp_path, tiny_processor, write):
    data = write(SHORT, [user(LONG, FILE), assistant("A cat.")])
    with pytest.raises(DataError, match=r"line 2: before the answer it has \d+ tokens, and a training row 120"):
        build_rows(config_for(data, tmp_path / "run", max_row_tokens=120), tiny_processor)


def test_a_talk_that_is_cut_before_its_picture_does_not_share_a_row(tmp_path, tiny_processor, write):
    start = [user("Hello, are you there?"), assistant("Yes.")]
    data = write([*start, *SHORT], [*start, user("What?", FILE), assistant("A cat on a mat.")])
    full = [user("Hello, are you there?"), assistant("Yes."), user("What?"), assistant("A cat.")]
    most = length(tiny_processor, full) + tiny_processor.image_seq_length
    config = config_for(data, tmp_path / "run", max_row_tokens=most)
    rows = build_rows(config, tiny_processor)[0][0]
    assert len(rows) == 2 and all(tiny_processor.image_token_id in row.input_ids for row in rows)
