"""What belongs together has the same key, and nothing else has."""

import json

import pytest

from serve.affinity import affinity_key

PICTURE, OTHER = "data:image/png;base64,AAAA", "data:image/png;base64,BBBB"


def chat(*turns):
    return {"model": "m", "messages": [{"role": role, "content": content} for role, content in turns]}


def about(picture, text="What is it?"):
    return [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": text}]


def key(body):
    return affinity_key(json.dumps(body).encode())


def test_questions_about_one_picture_belong_together_however_they_are_put():
    first = chat(("user", about(PICTURE)))
    assert first["messages"] and key(first)
    for other in (
        chat(("user", about(PICTURE, "How many?"))),
        chat(("user", about(PICTURE)), ("assistant", "A dog."), ("user", "Which colour?")),
        chat(("user", about(PICTURE)), ("assistant", "A dog."), ("user", about(OTHER))),
        chat(("user", [{"type": "image_url", "image_url": PICTURE}])),
        {"input": [{"role": "user", "content": [{"type": "input_image", "image_url": PICTURE}]}]},
        {"image": PICTURE},
    ):
        assert key(other) == key(first)
    assert key(chat(("user", about(OTHER)))) != key(first)


def test_a_conversation_without_pictures_belongs_to_its_first_question():
    first = chat(("system", "Be brief."), ("user", "Hello."))
    later = chat(("system", "Be brief."), ("user", "Hello."), ("assistant", "Hi."), ("user", "Who are you?"))
    assert key(later) == key(first)
    assert key(chat(("system", "Be brief."), ("user", "Good day."))) != key(first)
    assert key(chat(("system", "Be long."), ("user", "Hello."))) != key(first)


def test_a_text_that_goes_on_belongs_to_its_beginning():
    assert key({"prompt": "x" * 300}) == key({"prompt": "x" * 300 + " and on"})
    assert key({"prompt": "x"}) != key({"prompt": "y"})


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"\xff", b'{"prompt": NaN}'])
def test_what_cannot_be_read_belongs_nowhere(body):
    assert affinity_key(body) == ""


@pytest.mark.parametrize("body", [{}, {"messages": 3}, {"messages": [1, None]}, {"messages": [], "input": {"a": 1}}])
def test_what_is_not_a_request_still_has_a_key(body):
    assert key(body)
