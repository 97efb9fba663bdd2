"""The commands with an assistant that answers from a script; how a real one answers is tested in test_generation.py."""

import errno
import io
import itertools
import os
import sys

import pytest
from PIL import Image

from vlm import cli, commands
from vlm.generation import Chunk, GenerationRequest, RequestError
from vlm.loading import PartNotFoundError


class ScriptedAssistant:
    """Streams the given pieces; a piece that is an exception is raised."""

    name = "scripted"

    def __init__(self):
        self.script: list[str | BaseException] = ["It is", " red."]
        self.reason = "stop"
        self.requests: list[GenerationRequest] = []
        self.open_streams = 0

    def stream(self, request):
        self.requests.append(request)
        self.open_streams += 1
        try:
            for count, piece in enumerate(self.script, start=1):
                if isinstance(piece, BaseException):
                    raise piece
                yield Chunk(piece, self.reason if count == len(self.script) else None, 1, count)
        finally:
            self.open_streams -= 1


@pytest.fixture
def assistant(monkeypatch):
    assistant = ScriptedAssistant()
    assistant.loaded_with = None

    def load(name, **options):
        assistant.loaded_with = {"name": name, **options}
        return assistant

    monkeypatch.setattr("vlm.loading.load", load)
    return assistant


@pytest.fixture
def picture(tmp_path):
    path = tmp_path / "red.png"
    Image.new("RGB", (4, 3), "red").save(path)
    return str(path)


@pytest.fixture
def talk(monkeypatch):
    """Runs `vlm chat` with these lines typed in."""

    def talk(*lines: str, pictures=()):
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        return cli.main(["chat", *pictures])

    return talk


def texts(messages):
    """Messages without their pictures, which stand as their colours."""

    def show(part):
        return part["text"] if part["type"] == "text" else part["image"].getpixel((0, 0))

    return [
        (m["role"], m["content"] if isinstance(m["content"], str) else [show(part) for part in m["content"]])
        for m in messages
    ]


RED = (255, 0, 0)


def test_ask_shows_the_pictures_before_the_question_and_streams_the_answer(assistant, picture, capsys):
    assert cli.main(["ask", picture, picture, "Which colour is it?"]) == 0
    assert texts(assistant.requests[0].messages) == [("user", [RED, RED, "Which colour is it?"])]
    assert capsys.readouterr() == ("It is red.\n", "")


def test_each_piece_is_on_the_terminal_before_the_next_is_made(assistant, picture, capsys):
    seen = []

    def watched(pieces):
        for piece in pieces:
            seen.append(capsys.readouterr().out)
            yield piece

    assistant.script, unwatched = ["one", " two", ""], assistant.stream
    assistant.stream = lambda request: watched_stream(request)

    def watched_stream(request):
        yield from watched(unwatched(request))

    cli.main(["ask", picture, "Count."])
    assert seen == ["", "one", " two"]


def test_ask_without_a_picture_asks_the_text_alone(assistant):
    assert cli.main(["ask", "Who are you?"]) == 0
    assert texts(assistant.requests[0].messages) == [("user", ["Who are you?"])]


def test_options_may_stand_anywhere_and_all_arrive(assistant, picture):
    command = "--model other --adapter runs/a --quantization int8 --device cpu --max-tokens 7 --temperature 0.5"
    assert (
        cli.main(["ask", *command.split(), picture, "--top-p=0.9", "--seed", "3", "What?", "--blind", "--hints=off"])
        == 0
    )
    assert assistant.loaded_with == {"name": "other", "quantization": "int8", "device": "cpu", "adapter": "runs/a"}
    request = assistant.requests[0]
    assert (request.max_new_tokens, request.temperature, request.top_p, request.seed) == (7, 0.5, 0.9, 3)
    assert request.blind and request.hints == "off"


def test_an_answer_that_was_cut_says_so_beside_it(assistant, capsys):
    assistant.reason = "length"
    assert cli.main(["ask", "Tell me a story.", "--max-tokens", "2"]) == 0
    assert capsys.readouterr() == ("It is red.\n", "(cut after 2 tokens: --max-tokens allows more)\n")


def test_an_answer_cannot_drive_the_terminal(assistant, capsys):
    assistant.script = ["\x1b]0;owned\x07ok\n", "\ttwo\x9b2J\r"]
    cli.main(["ask", "?"])
    assert capsys.readouterr().out == "]0;ownedok\n\ttwo2J\n"


def test_what_the_terminal_cannot_show_is_replaced(monkeypatch):
    monkeypatch.setattr(sys, "stdout", io.TextIOWrapper(io.BytesIO(), encoding="ascii"))
    assert commands.printable("a café") == "a caf?"


def test_ctrl_c_while_asking_stops_the_model(assistant, capsys):
    assistant.script = ["It is", KeyboardInterrupt()]
    assert cli.main(["ask", "?"]) == 130
    assert assistant.open_streams == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["{tmp}/none.png", "What?"], "there is no picture file '{tmp}/none.png' (a question of several words"),
        (["{picture}", "what", "is", "it"], "there is no picture file 'what' (a question of several words stands in"),
        (["{picture}"], 'what do you want to know about {picture}? The question comes last: vlm ask {picture} "..."'),
        (["{tmp}", "What?"], "{tmp} cannot be read: Is a directory"),
        (["{tmp}/broken.png", "What?"], "{tmp}/broken.png: "),
    ],
)
def test_what_cannot_be_asked_is_told_in_a_line_before_a_model_is_loaded(
    words, message, assistant, picture, tmp_path, capsys
):
    (tmp_path / "broken.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert cli.main(["ask", *[word.format(tmp=tmp_path, picture=picture) for word in words]]) == 2
    out, err = capsys.readouterr()
    assert err.startswith(f"error: {message.format(tmp=tmp_path, picture=picture)}")
    assert err.count("\n") == 1
    assert (out, assistant.loaded_with) == ("", None)


@pytest.mark.parametrize("command", ["ask", "chat"])
@pytest.mark.parametrize(("option", "message"), [("--temperature=5", "between 0 and 2"), ("--top-p=0", "above 0")])
def test_a_sampling_option_out_of_range_is_told_before_a_model_is_loaded(command, option, message, assistant, capsys):
    assert cli.main([command, option, *(["?"] if command == "ask" else [])]) == 2
    assert message in capsys.readouterr().err
    assert assistant.loaded_with is None


def test_a_full_disk_is_told_in_words(monkeypatch, capsys):
    def load(name, **options):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), "model.safetensors")

    monkeypatch.setattr("vlm.loading.load", load)
    assert cli.main(["info"]) == 2
    assert capsys.readouterr().err.startswith("error: the disk is full; make room and try again")


@pytest.mark.parametrize("error", [RequestError("too long"), PartNotFoundError("no such part")])
def test_what_the_user_can_mend_is_no_traceback(error, assistant, capsys):
    assistant.script = [error]
    assert cli.main(["ask", "?"]) == 2
    assert capsys.readouterr().err == f"error: {error}\n"


def test_what_nobody_expected_is_a_traceback(assistant):
    assistant.script = [ValueError("a slip of ours")]
    with pytest.raises(ValueError, match="a slip of ours"):
        cli.main(["ask", "?"])


def test_a_chat_remembers_turns_and_shows_a_picture_once(assistant, picture, talk, capsys):
    assert talk("What is it?", "", "And now?", pictures=[picture]) == 0
    first, second = (texts(request.messages) for request in assistant.requests)
    assert first == [("user", [RED, "What is it?"])]
    assert second == [*first, ("assistant", "It is red."), ("user", ["And now?"])]
    assert capsys.readouterr().out == "It is red.\n" * 2


def test_image_adds_a_picture_and_clear_forgets_all(assistant, picture, talk):
    assert talk(f"/image {picture}", "One?", f"/image {picture}", "Two?", f"/image {picture}", "/clear", "Three?") == 0
    assert [texts(request.messages)[-1] for request in assistant.requests] == [
        ("user", [RED, "One?"]),
        ("user", [RED, "Two?"]),
        ("user", ["Three?"]),
    ]
    assert [len(request.messages) for request in assistant.requests] == [1, 3, 1]


def test_quit_leaves_and_help_lists_every_command(assistant, talk, capsys):
    assert talk("/help", "/quit", "Never asked.") == 0
    err = capsys.readouterr().err
    assert all(word in err for word in ("/image", "/clear", "/help", "/quit"))
    assert assistant.requests == []


@pytest.mark.parametrize("line", ["/imgae x", "/image", "/image none.png"])
def test_a_slip_in_a_chat_costs_nothing(line, assistant, talk, capsys):
    assert talk(line, "Still there?") == 0
    assert capsys.readouterr().err.startswith("error: ")
    assert texts(assistant.requests[0].messages) == [("user", ["Still there?"])]


def test_a_turn_that_failed_is_not_remembered_and_its_picture_is_not_lost(assistant, picture, talk, capsys):
    scripts = itertools.chain([[RequestError("too long")]], itertools.repeat(["Yes."]))
    stream = assistant.stream

    def next_script(request):
        assistant.script = next(scripts)
        return stream(request)

    assistant.stream = next_script
    assert talk("A long one?", "A short one?", pictures=[picture]) == 0
    assert texts(assistant.requests[1].messages) == [("user", [RED, "A short one?"])]
    assert capsys.readouterr() == ("Yes.\n", "error: too long\n")


def test_ctrl_c_in_a_chat_stops_the_answer_and_the_talk_goes_on(assistant, talk, capsys):
    assistant.script = ["It is", KeyboardInterrupt()]
    assert talk("What is it?", "And?") == 0
    assert texts(assistant.requests[1].messages) == [
        ("user", ["What is it?"]),
        ("assistant", "It is"),
        ("user", ["And?"]),
    ]
    assert assistant.open_streams == 0
    assert capsys.readouterr().out == "It is\nIt is\n"
