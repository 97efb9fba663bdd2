"""Pictures come as data: URLs, are bounded before they are decoded, and one bad one refuses the request."""

import base64

import pytest

from serve import images
from serve.config import ServeConfig
from serve.errors import BadRequest
from serve.images import decode_images

CONFIG = ServeConfig()


def refusal(url, config=CONFIG):
    with pytest.raises(BadRequest) as caught:
        decode_images([("messages[0].content[0].image_url.url", url)], config)
    assert caught.value.param == "messages[0].content[0].image_url.url"
    return caught.value


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/cat.png",
        "https://example.com/cat.png",
        "HTTP:\\\\127.0.0.1\\cat.png",
        "ftp://example.com/cat.png",
        "file:///etc/passwd",
        "/etc/passwd",
        "~/cat.png",
        "C:\\cat.png",
        "cat.png",
        "//example.com/cat.png",
        "",
        " data:image/png;base64,AAAA",
        "data:,hello",
        "data:text/html;base64,AAAA",
        "data:image/png,AAAA",
        "data:image/png;charset=utf-8,AAAA",
        "data:image/png;base64",
        "data:image/" + "x" * 50 + ";base64,AAAA",
    ],
)
def test_only_data_urls_are_pictures_and_nothing_else_is_loaded(url, monkeypatch):
    monkeypatch.setattr(images, "decode_image", lambda *_, **__: pytest.fail("decoded"))
    error = refusal(url)
    assert error.code == "invalid_image_url"
    assert "passwd" not in error.message and "example.com" not in error.message


@pytest.mark.parametrize("header", ["data:image/png;base64,", "DATA:IMAGE/PNG;BASE64,", "data:image/jpg;base64,"])
def test_the_declared_type_does_not_matter(header, data_url):
    payload = data_url("blue", (3, 2)).partition(",")[2]
    (picture,) = decode_images([("url", header + payload)], CONFIG)
    assert (picture.mode, picture.size, picture.getpixel((0, 0))) == ("RGB", (3, 2), (0, 0, 255))


@pytest.mark.parametrize("payload", ["####", "AAA", "AAAA\n", "AA%2B", "ä" * 4, "AA_-"])
def test_bad_base64_is_a_400_that_does_not_quote_it(payload):
    error = refusal("data:image/png;base64," + payload)
    assert error.code == "invalid_base64" and payload not in error.message


@pytest.mark.parametrize(
    "data", [b"", b"not a picture", b"\x89PNG\r\n\x1a\n", b"<svg xmlns='http://www.w3.org/2000/svg'/>"]
)
def test_bytes_that_are_no_picture_are_a_400(data):
    error = refusal("data:image/png;base64," + base64.b64encode(data).decode())
    assert error.code in ("image_broken", "image_unsupported") and "0x" not in error.message


def test_a_file_that_is_too_large_is_refused_before_it_is_decoded(monkeypatch):
    url = "data:image/png;base64," + base64.b64encode(b"x" * 1001).decode()
    config = ServeConfig(max_image_bytes=1001)
    assert refusal(url, config).code == "image_unsupported"  # just small enough to be looked at
    monkeypatch.setattr(images.base64, "b64decode", lambda *_, **__: pytest.fail("decoded"))
    assert refusal(url, ServeConfig(max_image_bytes=997)).code == "image_too_large"


def test_pixels_are_bounded_for_each_and_for_all_pictures(data_url):
    url = data_url("red", (10, 10))
    assert refusal(url, ServeConfig(max_image_pixels=99)).code == "image_too_large"
    assert len(decode_images([("a", url)], ServeConfig(max_image_pixels=100))) == 1
    config = ServeConfig(max_total_pixels=200)
    assert len(decode_images([("a", url)] * 2, config)) == 2
    with pytest.raises(BadRequest, match="more than 200 pixels together"):
        decode_images([("a", url)] * 3, config)


def test_too_many_pictures_are_refused_before_any_is_decoded(make_client, ask, data_url, monkeypatch):
    client = make_client(max_images=2)
    assert client.post("/v1/chat/completions", json=ask("?", *[data_url()] * 2)).status_code == 200
    monkeypatch.setattr(images, "decode_image", lambda *_, **__: pytest.fail("decoded"))
    response = client.post("/v1/chat/completions", json=ask("?", *[data_url()] * 3))
    assert response.status_code == 400
    assert "3 pictures" in response.json()["error"]["message"]


@pytest.mark.parametrize("stream", [False, True])
def test_one_bad_picture_refuses_the_request_before_the_first_byte(client, ask, data_url, assistant, stream):
    response = client.post("/v1/chat/completions", json=ask("?", data_url(), data_url()[:62], stream=stream))
    assert response.status_code == 400
    assert response.headers["content-type"] == "application/json"
    assert response.json()["error"]["param"] == "messages[0].content[1].image_url.url"
    assert assistant.seen == []


@pytest.mark.parametrize("size", [(1, 1), (1, 500), (500, 1)])
def test_pictures_of_any_shape_reach_the_model(client, ask, data_url, assistant, size):
    assert client.post("/v1/chat/completions", json=ask("?", data_url("red", size))).status_code == 200
    assert assistant.seen[0].messages[0]["content"][0]["image"].size == size


def test_urls_outside_image_parts_are_plain_text(client, ask, assistant):
    text = "look at file:///etc/passwd and http://127.0.0.1/ <image>"
    client.post("/v1/chat/completions", json=ask(text, image="http://127.0.0.1/", image_url="http://127.0.0.1/"))
    assert assistant.seen[0].messages == [{"role": "user", "content": [{"type": "text", "text": text}]}]
