"""The web page against the real server with a scripted model, through Streamlit's own test driver."""

import base64
import socket
import sys
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

import serve
from tests.adapters import save_adapter
from tests.hub import save
from tests.readings import bar_chart, reading, table
from vlm.loading import load, save_checkpoint

PAGE = Path(serve.__file__).with_name("ui.py")
ANSWER = "A red circle — ready."


@pytest.fixture
def open_page(monkeypatch):
    def make(address):
        monkeypatch.setattr(sys, "argv", ["ui.py", f"{address}/v1"])
        # Streamlit puts the page in its place and leaves it there: processes that are spawned later would run it.
        monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
        return AppTest.from_file(PAGE, default_timeout=30).run()

    return make


@pytest.fixture
def page(open_page, live_server):
    return open_page(live_server())


@pytest.fixture
def picture(data_url):
    return base64.b64decode(data_url("red").partition(",")[2])


def ask(page, text, *pictures):
    box = page.chat_input[0]
    for number, data in enumerate(pictures):
        box.upload(f"{number}.png", data, "image/png")
    if text is not None:
        box.set_value(text)
    page.run()
    assert not page.exception
    return page


def shown(page):
    """Who said what, in order, as (name, texts)."""
    return [
        (message.name, [element.value.replace("\\", "") for element in message.markdown])
        for message in page.chat_message
    ]


def press(page, label):
    (button,) = [button for button in page.button if button.label == label]
    button.click().run()
    assert not page.exception
    return page


def labels(page):
    return [button.label for button in page.button]


def test_a_model_of_transformers_own_answers_on_the_page(open_page, live_server, tmp_path, picture):
    model = load(save("smolvlm", tmp_path))
    page = open_page(live_server(model=model, default_max_tokens=4))
    assert page.selectbox[0].options == [model.name]
    ask(page, "What is it?", picture)
    question, answer = shown(page)
    assert question[1] == ["What is it?"] and len(answer[1]) >= 1
    assert not page.error


def test_the_empty_page_says_what_to_do(page):
    assert page.title[0].value == "Regard"
    assert any("Show me a picture" in text.value for text in page.markdown)
    assert page.selectbox[0].options == ["fake"]
    assert shown(page) == []


def test_a_question_about_pictures_is_answered_and_both_are_shown(page, picture, assistant):
    ask(page, "What is it?", picture, picture)
    (question, answer) = shown(page)
    assert question[1] == ["What is it?"] and answer[1] == [ANSWER]
    assert len(page.chat_message[0].image) == 2
    assert [part["type"] for part in assistant.seen[0].messages[0]["content"]] == ["image", "image", "text"]


def test_a_picture_without_words_gets_the_plain_question(page, picture, assistant):
    ask(page, None, picture)
    assert assistant.seen[0].messages[0]["content"][1]["text"] == "What is in the picture?"


def test_a_second_question_comes_with_what_was_said(page, picture, assistant):
    ask(page, "first", picture)
    ask(page, "second")
    assert [message["role"] for message in assistant.seen[1].messages] == ["user", "assistant", "user"]
    assert assistant.seen[1].messages[1]["content"][0]["text"] == ANSWER
    assert len(shown(page)) == 4


def test_the_settings_are_sent(page, assistant):
    assert page.slider[1].disabled and page.number_input[1].disabled  # of no effect at temperature 0
    page.slider[0].set_value(0.7).run()
    page.slider[1].set_value(0.5)
    page.number_input[0].set_value(3)
    page.number_input[1].set_value(11)
    ask(page, "hi")
    request = assistant.seen[0]
    assert (request.temperature, request.top_p, request.max_new_tokens, request.seed) == (0.7, 0.5, 3, 11)
    assert any("cut off" in caption.value for caption in page.caption)
    assert not page.slider[1].disabled


def test_the_first_settings_are_greedy(page, assistant):
    ask(page, "hi")
    request = assistant.seen[0]
    assert (request.temperature, request.top_p, request.seed, request.blind) == (0.0, 1.0, None, False)


def test_regenerate_asks_the_last_question_again_and_replaces_the_answer(page, assistant):
    ask(page, "first")
    ask(page, "second")
    assistant.pieces = ("Something else.",)
    press(page, "Regenerate")
    assert assistant.seen[2].messages == assistant.seen[1].messages
    assert [text for _, text in shown(page)] == [["first"], [ANSWER], ["second"], ["Something else."]]
    assert "stays the same" in page.toast[0].value or "same answer" in page.toast[0].value


def test_without_the_picture_is_a_second_answer_that_is_not_part_of_the_conversation(page, picture, assistant):
    ask(page, "What is it?", picture)
    assistant.pieces = ("A guess.",)
    press(page, "Without the picture")
    assert assistant.seen[1].blind and assistant.seen[1].messages == assistant.seen[0].messages
    assert shown(page)[1][1] == [ANSWER, "A guess."]
    ask(page, "And now?")
    assert not assistant.seen[2].blind
    assert "A guess." not in str(assistant.seen[2].messages)


def test_only_a_conversation_with_pictures_offers_to_hide_them(page, picture):
    ask(page, "hi")
    assert "Without the picture" not in labels(page) and "Regenerate" in labels(page)
    ask(page, "look", picture)
    ask(page, "and?")
    assert "Without the picture" in labels(page)


def test_clear_starts_anew(page, picture, assistant):
    ask(page, "hi", picture)
    press(page, "Clear the conversation")
    assert shown(page) == []
    ask(page, "again")
    assert len(assistant.seen[1].messages) == 1


def test_an_error_keeps_the_words_before_it_and_can_be_tried_again(page, assistant):
    assistant.pieces = ("A ", "red ", RuntimeError("broken"))
    ask(page, "hi")
    assert shown(page)[1][1] == ["A red"]
    assert "The server failed on this request" in page.error[0].value
    assistant.pieces = ("Fine.",)
    press(page, "Regenerate")
    assert shown(page)[1][1] == ["Fine."]
    assert not page.error


def test_a_broken_picture_is_told_in_the_servers_words_and_does_not_spoil_the_next_question(page, picture, assistant):
    ask(page, "What is it?", b"this is not a picture")
    assert "PNG, JPEG, WebP or GIF" in page.error[0].value
    assert any("cannot be shown" in caption.value for caption in page.caption)
    ask(page, "And this?", picture)
    assert len(assistant.seen[0].messages) == 1
    assert shown(page)[3][1] == [ANSWER]


def test_a_stopped_answer_is_kept_and_its_generation_ends(page, assistant, log_lines, monkeypatch):
    from streamlit.delta_generator import DeltaGenerator
    from streamlit.runtime.scriptrunner_utils.exceptions import StopException

    markdown = DeltaGenerator.markdown

    def stop_at_second_piece(self, text, *args, **kwargs):
        if text == "A red ":
            raise StopException  # what a click does: Streamlit raises this from the next call of the script
        return markdown(self, text, *args, **kwargs)

    monkeypatch.setattr(DeltaGenerator, "markdown", stop_at_second_piece)
    assistant.hold()
    assistant.allow(2)
    ask(page, "hi")
    while "chat/completions" not in (line := log_lines.get(timeout=20)):
        pass
    assert "finish_reason=cancelled" in line
    assistant.allow(100)
    monkeypatch.undo()
    assert page.session_state.turns[0].answer == "A red "


def test_markup_in_texts_is_shown_and_not_obeyed(page, assistant):
    text = "![p](http://x/p.png) $5 <b> :red[x] [l](http://x)\nnext"
    assistant.pieces = (text,)
    ask(page, text)
    for message in page.chat_message:
        assert message.markdown[0].value == (
            "!\\[p](http\\://x/p.png) \\$5 \\<b> \\:red\\[x] \\[l](http\\://x)  \nnext"
        )


def test_a_picture_is_read_only_when_somebody_asks_and_then_shown_as_a_table(page, picture, reader):
    ask(page, "What is it?", picture)
    assert reader.seen == [] and not page.dataframe
    press(page, "Read the picture")
    assert page.dataframe[0].value.to_dict("list") == {"category": ["A", "B"], "value": ["3", "7"]}
    assert page.code[0].value == "category,value\nA,3\nB,7"
    assert any("- highest\\: B, 7" in text.value for text in page.chat_message[0].markdown)
    assert "Read the picture" not in labels(page)
    ask(page, "And now?")
    assert len(reader.seen) == 1 and page.dataframe  # it stays, and is not read again


def test_each_picture_is_read_by_itself(page, picture, reader):
    ask(page, "What are they?", picture, picture)
    assert [expander.label for expander in page.expander] == ["What was read: 0.png", "What was read: 1.png"]
    [button for button in page.button if button.label == "Read the picture"][1].click().run()
    assert len(page.dataframe) == 1 and not page.exception
    press(page, "Read the picture")
    assert len(page.dataframe) == len(reader.seen) == 2


def test_a_picture_in_which_nothing_is_found_says_so_without_a_table(page, picture, reader):
    reader.reading = reading(None)
    ask(page, "What is it?", picture)
    press(page, "Read the picture")
    assert any("no structure found" in text.value for text in page.markdown)
    assert not page.dataframe and not page.code


def test_columns_of_one_name_and_of_none_are_kept_apart(page, picture, reader):
    reader.reading = reading(table("A|A|", "1|2|3"))
    ask(page, "What is it?", picture)
    press(page, "Read the picture")
    assert page.dataframe[0].value.to_dict("list") == {"A 1": ["1"], "A 2": ["2"], "3": ["3"]}
    assert page.code[0].value == "A,A,\n1,2,3"


def test_a_picture_that_could_not_be_read_can_be_tried_again(page, picture, reader):
    reader.reading = RuntimeError("broken")
    ask(page, "What is it?", picture)
    press(page, "Read the picture")
    assert "The server failed on this request" in page.error[0].value
    reader.reading = reading(bar_chart(1, 2))
    press(page, "Read the picture")
    assert page.dataframe and not page.error


def test_without_a_server_the_page_says_what_to_start(open_page):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        page = open_page(f"http://127.0.0.1:{free.getsockname()[1]}")
    assert not page.exception
    assert "Start it with `vlm serve`" in page.error[0].value
    assert labels(page) == ["Try again"]


def test_the_key_is_taken_from_the_environment(open_page, live_server, monkeypatch):
    address = live_server(api_keys=("sesame",))
    assert "API key" in open_page(address).error[0].value
    monkeypatch.setenv(serve.API_KEY_VARIABLE, "sesame")
    assert not open_page(address).error


def test_an_adapter_is_loaded_chosen_and_unloaded_on_the_page(
    open_page, live_server, tiny_assistant, tiny_batch, tmp_path
):
    save_checkpoint(tiny_assistant.model, tiny_assistant.processor, tmp_path / "base")
    base = load(str(tmp_path / "base")).model
    save_adapter(base, tmp_path / "adapters" / "mine", targets=r".*language_model\..*\.q_proj")
    page = open_page(live_server(model=tiny_assistant, batch=tiny_batch, adapters_dir=tmp_path / "adapters"))
    page.text_input(key="adapter_name").set_value("own")
    page.text_input(key="adapter_folder").set_value("nowhere")
    press(page, "Load")
    assert "no such adapter" in page.error[0].value
    page.text_input(key="adapter_folder").set_value("mine")
    press(page, "Load")
    assert not page.error
    assert page.selectbox[0].options == ["tiny", "own"]
    page.selectbox[0].set_value("own")
    page.number_input[0].set_value(3)  # tokens of an answer
    ask(page, "Hello?")
    assert not page.error and shown(page)[-1][1]
    press(page, "Unload own")
    assert page.selectbox[0].options == ["tiny"]
