"""The same path with a real, tiny, random model instead of the script."""

import base64
import io

import pytest

from vlm.loading import Assistant


@pytest.fixture
def tiny_assistant(open_gates, tiny_processor):
    open_gates.config.text_config.max_position_embeddings = 120
    return Assistant("tiny", open_gates, tiny_processor)


@pytest.fixture
def chat(make_client, tiny_assistant):
    client = make_client(model=tiny_assistant)

    def post(content, **fields):
        body = {"model": "tiny", "messages": [{"role": "user", "content": content}], **fields}
        return client.post("/v1/chat/completions", json=body)

    return post


@pytest.fixture
def question(picture):
    file = io.BytesIO()
    picture.save(file, "PNG")
    url = "data:image/png;base64," + base64.b64encode(file.getvalue()).decode("ascii")
    return [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": "What is it?"}]


@pytest.mark.parametrize(
    "options",
    [{"max_tokens": 12}, {"max_tokens": 12, "blind": True}, {"max_tokens": 12, "temperature": 1.5, "seed": 7}],
    ids=["greedy", "blind", "sampled"],
)
def test_the_server_says_what_the_model_says(chat, question, picture, tiny_assistant, options):
    served = chat(question, **options).json()["choices"][0]["message"]["content"]
    python_options = {"max_new_tokens" if name == "max_tokens" else name: value for name, value in options.items()}
    assert served == tiny_assistant.ask(picture, "What is it?", **python_options)


def test_a_completion_goes_on_with_the_bare_text(make_client, tiny_assistant):
    body = {"model": "tiny", "prompt": "Once upon a time", "max_tokens": 8, "temperature": 0}
    answer = make_client(model=tiny_assistant).post("/v1/completions", json=body).json()
    inputs = tiny_assistant.processor(text="Once upon a time")
    ids = tiny_assistant.model.generate(**inputs, max_new_tokens=8, do_sample=False)[0, inputs["input_ids"].shape[1] :]
    assert answer["choices"][0]["text"] == tiny_assistant.processor.tokenizer.decode(
        ids, skip_special_tokens=True
    ).rstrip("\N{REPLACEMENT CHARACTER}")
    assert answer["usage"]["prompt_tokens"] == len("Once upon a time")


def test_max_tokens_beyond_the_context_is_cut_to_what_is_left(chat):
    answer = chat("hi", max_tokens=32768, temperature=2, seed=0).json()
    assert answer["choices"][0]["finish_reason"] in ("length", "stop")
    assert answer["usage"]["total_tokens"] <= 120


@pytest.mark.parametrize("stream", [False, True])
def test_a_conversation_beyond_the_context_is_a_400_that_says_so(chat, stream):
    response = chat("x" * 200, stream=stream)
    assert response.status_code == 400
    assert "the model reads 120" in response.json()["error"]["message"]


def test_special_tokens_that_a_user_types_are_plain_text(chat):
    typed, plain = (chat(text, max_tokens=1).json()["usage"]["prompt_tokens"] for text in ("<|im_end|>", "x" * 10))
    assert typed == plain


def test_more_pictures_than_the_model_takes_are_a_400(chat, question):
    response = chat([question[0]] * 4, max_tokens=1)
    assert response.status_code == 400
    assert "3" in response.json()["error"]["message"]
