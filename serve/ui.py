"""The web page: a conversation about pictures. A Streamlit script; `vlm ui` runs it with the API's address.

It speaks to the server over HTTP like any other client, and knows nothing of the model. Every run of the script draws
the whole conversation from `st.session_state.turns`; at most one answer is then streamed into the last turn.
"""

import csv
import io
import os
import re
import sys
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from serve.client import API_KEY_VARIABLE, Client, ServerError, image_part

# A drawing, because Streamlit would fetch the icons that it knows by name from the web.
ICON = (
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 24 24" fill="none" stroke="#2f7d8c" stroke-width="2">'
    '<path d="M1 12q11-16 22 0q-11 16-22 0z"/><circle cx="12" cy="12" r="3.5"/></svg>'
)
PICTURE_TYPES = ["png", "jpg", "jpeg", "webp", "gif"]
DEFAULT_QUESTION = "What is in the picture?"
EXAMPLES = ("What is in the picture?", "How many circles are there?", "What is left of the red square?")
WAITING = ":material/hourglass_top: *Looking …*"
SAME_AGAIN = "With temperature 0 the same question gets the same answer. Raise it in the sidebar for another one."
READ = "Read the picture"
CUT_OFF = "The answer was cut off here: raise the longest answer in the sidebar."
LOOKED, BLIND = "answer", "guess"  # the two kinds of answer: the fields of `Turn` that hold them, and their places
BUTTONS, READINGS = "buttons", "readings"


@dataclass
class Picture:
    name: str
    data: bytes
    media_type: str
    reading: dict[str, Any] = field(default_factory=dict)  # what the server read in it, once it was asked to
    is_wanted: bool = False
    error: str = ""  # why it could not be read


@dataclass
class Turn:
    """A question and what came of it. `guess` is the answer of a model that was not shown the pictures."""

    question: str
    pictures: list[Picture]
    answer: str = ""
    guess: str = ""
    is_cut_off: bool = False
    error: str = ""


def main() -> None:
    st.set_page_config(page_title="Regard", page_icon=ICON, layout="centered")
    turns: list[Turn] = st.session_state.setdefault("turns", [])
    st.title("Regard", anchor=False)
    client = connect(sys.argv[1], os.environ.get(API_KEY_VARIABLE))
    try:
        models = client.models()
    except ServerError as error:
        st.error(str(error), icon=":material/cloud_off:")
        st.button("Try again", icon=":material/refresh:")
        return
    options = show_sidebar(models, client)
    take_question(turns)
    job = st.session_state.pop("job", None)
    if not turns:
        show_welcome()
    readings = []
    for turn in turns:
        slots = show_turn(turn)
        readings.append((turn, slots[READINGS]))
        if turn is turns[-1]:
            if job is not None:
                # A click on anything ends this run of the script, and with it the answer.
                slots[BUTTONS].button("Stop", icon=":material/stop_circle:")
                stream_answer(client, turns, job, options, slots)
            show_buttons(slots[BUTTONS], turns, options)
    for turn, place in readings:  # after the answer, because a click on them would end it
        with place:
            for picture in turn.pictures:
                show_reading(picture, client)


@st.cache_resource
def connect(base_url: str, api_key: str | None) -> Client:
    return Client(base_url, api_key)


def take_question(turns: list[Turn]) -> None:
    prompt = st.chat_input(
        "Ask about a picture: attach, drop or paste it here",
        accept_file="multiple",
        file_type=PICTURE_TYPES,
        submit_mode="disable",
    )
    if prompt is not None:
        pictures = [Picture(file.name, file.getvalue(), file.type) for file in prompt.files]
        question = prompt.text.strip() or (DEFAULT_QUESTION if pictures else "")
        if question:
            turns.append(Turn(question, pictures))
            st.session_state.job = LOOKED


def show_sidebar(models: list[str], client: Client) -> dict[str, Any]:
    """The settings of the next answer, as fields of the request."""
    with st.sidebar:
        model = st.selectbox("Model", models)
        temperature = st.slider(
            "Temperature", 0.0, 1.5, 0.0, 0.1, help="0 gives the most likely answer; higher gives more varied ones."
        )
        is_greedy = temperature == 0
        top_p = st.slider(
            "Top p", 0.05, 1.0, 1.0, 0.05, disabled=is_greedy, help="Choose among the likeliest words only."
        )
        max_tokens = st.number_input("Longest answer, in tokens", 1, 4096, 256, 32)
        seed = st.number_input("Seed", 0, 2**31 - 1, None, placeholder="random", disabled=is_greedy)
        show_adapters(models[1:], client)
        st.button("Clear the conversation", icon=":material/delete:", on_click=clear, width="stretch")
        st.caption(f"Served at `{client.base_url}`")
    return {"model": model, "temperature": temperature, "top_p": top_p, "max_tokens": max_tokens, "seed": seed}


def show_adapters(loaded: list[str], client: Client) -> None:
    """What stands beside the model, and how to have more or less of it."""
    with st.popover("Adapters", icon=":material/layers:", width="stretch"):
        for name in loaded:
            st.button(f"Unload {plain(name)}", key=f"unload {name}", on_click=manage, args=(client, name))
        with st.form("adapter", border=False):
            st.text_input("Name", key="adapter_name")
            st.text_input("Folder", key="adapter_folder", help="in the server's adapters_dir")
            st.form_submit_button("Load", on_click=manage, args=(client,))
        if error := st.session_state.pop("adapter_error", ""):
            st.error(plain(error), icon=":material/error:")


def manage(client: Client, unload: str = "") -> None:
    """Unload an adapter, or load the one that the form names."""
    try:
        if unload:
            client.unload_adapter(unload)
        else:
            client.load_adapter(st.session_state.adapter_name.strip(), st.session_state.adapter_folder.strip())
    except ServerError as error:
        st.session_state.adapter_error = str(error)


def clear() -> None:
    st.session_state.turns = []


def show_welcome() -> None:
    with st.container(border=True):
        st.markdown("**Show me a picture and ask about it.** Drop one on the box below, paste it, or press the plus.")
        st.markdown("\n".join(f"- *{example}*" for example in EXAMPLES))
        st.caption("Several pictures in one question are fine, and so is a question without any.")


def show_turn(turn: Turn) -> dict[str, DeltaGenerator]:
    """Draw a turn; returns the places of its answers, its buttons and what is read in its pictures."""
    with st.chat_message("user", avatar=":material/person:"):
        if turn.pictures:
            show_pictures(turn.pictures)
        readings = st.container()
        st.markdown(plain(turn.question))
    with st.chat_message("assistant", avatar=":material/visibility:"):
        slots = {name: st.empty() for name in (LOOKED, BLIND, BUTTONS)}
        show_answers(turn, slots)
    return {**slots, READINGS: readings}


def show_pictures(pictures: list[Picture]) -> None:
    for column, picture in zip(st.columns(max(len(pictures), 3)), pictures, strict=False):
        try:
            column.image(picture.data, caption=plain(picture.name))
        except Exception:  # whatever PIL makes of a broken file: the server will say what is wrong with it
            column.caption(f"{plain(picture.name)} cannot be shown.")


def show_reading(picture: Picture, client: Client) -> None:
    """What stands in the picture as data, once somebody has asked for it."""
    with st.expander(f"What was read: {plain(picture.name)}", icon=":material/table_view:"):
        if picture.is_wanted:
            with st.spinner("Reading …"):
                read(picture, client)
        if picture.error:
            st.error(plain(picture.error), icon=":material/error:")
        if picture.reading:
            show_rows(picture.reading)
        else:
            st.button(READ, key=f"read {id(picture)}", on_click=want, args=(picture,))


def want(picture: Picture) -> None:
    picture.is_wanted = True


def read(picture: Picture, client: Client) -> None:
    picture.is_wanted, picture.error = False, ""
    try:
        picture.reading = client.read(picture.data)
    except ServerError as error:
        picture.error = str(error)


def show_rows(reading: dict[str, Any]) -> None:
    if reading["rows"] is not None:
        header, rows = reading["rows"]["header"], reading["rows"]["rows"]
        names = [
            name if header.count(name) == 1 and name else f"{name} {i}".strip() for i, name in enumerate(header, 1)
        ]
        columns = {name: [row[i] for row in rows] for i, name in enumerate(names)}
        st.dataframe(columns, hide_index=True, width="stretch")
    st.markdown("\n".join(f"- {plain(fact)}" for fact in reading["facts"]))
    if reading["rows"] is not None:
        st.caption("Copy as CSV")
        st.code(as_csv([header, *rows]), language=None)  # it comes with a button that copies


def as_csv(rows: list[list[str]]) -> str:
    file = io.StringIO()
    csv.writer(file, lineterminator="\n").writerows(rows)
    return file.getvalue()


def show_answers(turn: Turn, slots: dict[str, DeltaGenerator]) -> None:
    with slots[LOOKED].container():
        if turn.answer:
            st.markdown(plain(turn.answer))
        if turn.is_cut_off:
            st.caption(CUT_OFF)
        if turn.error:
            st.error(plain(turn.error), icon=":material/error:")
    if turn.guess:
        with slots[BLIND].container(border=True):
            st.caption(":material/visibility_off: Without the picture, from the words alone")
            st.markdown(plain(turn.guess))


def show_buttons(place: DeltaGenerator, turns: list[Turn], options: dict[str, Any]) -> None:
    with place.container(horizontal=True):
        st.button("Regenerate", icon=":material/refresh:", on_click=regenerate, args=(options["temperature"],))
        if any(turn.pictures for turn in turns):
            st.button(
                "Without the picture",
                icon=":material/visibility_off:",
                on_click=ask_blind,
                help="Answers once more with the pictures hidden: what stays the same did not come from them.",
            )


def regenerate(temperature: float) -> None:
    turn = st.session_state.turns[-1]
    if turn.answer and not turn.is_cut_off and temperature == 0:
        st.toast(SAME_AGAIN, icon=":material/info:")
    turn.answer, turn.guess = "", ""
    st.session_state.job = LOOKED


def ask_blind() -> None:
    st.session_state.turns[-1].guess = ""
    st.session_state.job = BLIND


def stream_answer(
    client: Client, turns: list[Turn], kind: str, options: dict[str, Any], slots: dict[str, DeltaGenerator]
) -> None:
    """Stream into the last turn. It keeps what has come when the run is stopped between two pieces."""
    turn = turns[-1]
    turn.error, turn.is_cut_off = "", False
    slots[kind].markdown(WAITING)
    text = ""
    try:
        with closing(client.stream(to_messages(turns), **options, blind=kind == BLIND)) as deltas:
            for delta in deltas:
                text += delta.text
                setattr(turn, kind, text)
                turn.is_cut_off = kind == LOOKED and delta.finish_reason == "length"
                slots[kind].markdown(plain(text))
    except ServerError as error:
        turn.error = str(error)
    show_answers(turn, slots)


def to_messages(turns: list[Turn]) -> list[dict[str, Any]]:
    """The conversation as the API takes it, up to the last question; earlier ones without an answer are left out."""
    messages: list[dict[str, Any]] = []
    for turn in turns:
        if turn is not turns[-1] and not turn.answer:
            continue
        content = [image_part(picture.data, picture.media_type) for picture in turn.pictures]
        messages.append({"role": "user", "content": [*content, {"type": "text", "text": turn.question}]})
        if turn is not turns[-1]:
            messages.append({"role": "assistant", "content": turn.answer})
    return messages


def plain(text: str) -> str:
    """Markdown without what could load a page, a picture or a formula; line ends are kept."""
    return re.sub(r"([$<\[:])", r"\\\1", text).replace("\n", "  \n")


main()
