"""POST /v1/read with a reader that has its answer ready; how a real one reads is tested in tests/vlm/reading."""

import json
import queue
import socket
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

import httpx2
import pytest

from serve.reading import read_picture, take_picture
from tests.readings import bar_chart, graph, reading
from vlm.structure import Reading

PATH = "/v1/read"


@pytest.fixture
def admitted(monkeypatch):
    """Gets an item when a request has its place in the line and its body is there."""
    items = queue.SimpleQueue()

    def take_and_tell(body, config):
        items.put(body)
        return take_picture(body, config)

    monkeypatch.setattr("serve.app.take_picture", take_and_tell)
    return items


def post(client, url, **fields):
    return client.post(PATH, json={"image": url, **fields})


def error(response):
    body = response.json()["error"]
    return response.status_code, body["param"], body["code"]


def test_a_picture_becomes_data_rows_and_facts(client, reader, data_url):
    response = post(client, data_url("blue"))
    body = response.json()
    assert response.status_code == 200 and response.headers["x-request-id"]
    assert list(body) == ["object", "family", "confidence", "structure", "words", "turned", "rows", "facts"]
    assert body["object"] == "reading"
    assert body["rows"] == {"header": ["category", "value"], "rows": [["A", "3"], ["B", "7"]]}
    assert "highest: B, 7" in body["facts"] and body["facts"][-1].endswith("uncertain")
    fields = {name: body[name] for name in Reading.model_fields}
    assert Reading.model_validate_json(json.dumps(fields)) == reader.reading
    assert reader.seen[0].getpixel((0, 0)) == (0, 0, 255)


def test_where_nothing_is_found_there_are_no_rows_and_it_is_no_error(client, reader, data_url):
    reader.reading = reading(None)
    body = post(client, data_url()).json()
    assert (body["family"], body["structure"], body["rows"]) == ("none", None, None)
    assert body["words"][0]["text"] == "word"
    assert "no structure found" in body["facts"][0]


def test_a_number_that_json_cannot_say_is_null(client, reader, data_url):
    reader.reading = reading(bar_chart(3, 7, 5).model_copy(update={"plot": (0, 0, float("inf"), 1)}))
    assert post(client, data_url()).json()["structure"]["plot"] == [0, 0, None, 1]


def test_words_of_any_script_arrive(client, reader, data_url):
    reader.reading = reading(graph("Größe-茶\u2028"))
    assert post(client, data_url()).json()["rows"]["rows"][0][:2] == ["Größe", "茶"]


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({}, (400, "image", None)),
        ({"image": None}, (400, "image", None)),
        ({"image": 7}, (400, "image", None)),
        ({"image": {"url": "data:image/png;base64,AAAA"}}, (400, "image", None)),
        ({"image": "http://127.0.0.1/x.png"}, (400, "image", "invalid_image_url")),
        ({"image": "/etc/passwd"}, (400, "image", "invalid_image_url")),
        ({"image": "data:image/png;base64,%%%"}, (400, "image", "invalid_base64")),
        ({"image": "data:image/png;base64,AAAA"}, (400, "image", "image_unsupported")),
    ],
)
def test_a_request_that_is_not_one_names_its_field(client, reader, body, expected):
    assert error(client.post(PATH, json=body)) == expected
    assert reader.seen == []


def test_bytes_pixels_and_the_body_have_the_limits_of_a_chat(make_client, data_url):
    assert error(post(make_client(max_image_bytes=10), data_url())) == (400, "image", "image_too_large")
    assert error(post(make_client(max_image_pixels=15), data_url())) == (400, "image", "image_too_large")
    assert error(post(make_client(max_total_pixels=15), data_url())) == (400, "image", "image_too_large")
    assert post(make_client(max_body_bytes=20), data_url()).status_code == 413


@pytest.mark.parametrize("text", ["", "[]", "nonsense", '{"image": NaN}', '{"image": "\\ud800"}', "[" * 2000])
def test_what_is_not_a_json_object_is_refused(client, text):
    response = client.post(PATH, content=text, headers={"content-type": "application/json"})
    assert error(response) == (400, None, "invalid_json")


def test_only_json_by_post_with_the_key_is_taken(make_client, data_url):
    client = make_client(api_keys=("sesame",))
    assert post(client, data_url()).status_code == 401
    client.headers["authorization"] = "Bearer sesame"
    assert post(client, data_url()).status_code == 200
    assert client.get(PATH).status_code == 405
    assert client.post(PATH, content="{}", headers={"content-type": "text/plain"}).status_code == 415


def test_a_field_that_is_not_known_is_ignored_and_logged_without_its_value(client, data_url, caplog):
    caplog.set_level("INFO", "serve.wire")
    assert post(client, data_url(), colour="secret").status_code == 200
    assert "colour" in caplog.text and "secret" not in caplog.text


def test_a_reader_that_fails_costs_one_request_and_tells_nothing(client, reader, data_url, caplog):
    reader.reading = RuntimeError("at 0x7f0000000000")
    response = post(client, data_url())
    assert error(response) == (500, None, "internal_error") and "0x7f" not in response.text
    assert "a picture could not be read" in caplog.text
    reader.reading = reading(None)
    assert post(client, data_url()).status_code == 200


def test_one_picture_is_read_at_a_time_and_the_server_answers_meanwhile(live_server, reader, admitted, data_url):
    address = live_server(max_waiting=1)
    reader.hold()
    with ThreadPoolExecutor(3) as pool, httpx2.Client(base_url=address, trust_env=False, timeout=20) as client:
        first = pool.submit(post, client, data_url("red"))
        assert reader.started.get(timeout=20)
        second = pool.submit(post, client, data_url("blue"))
        assert admitted.get(timeout=20) and admitted.get(timeout=20)
        third = post(client, data_url())
        assert error(third) == (429, None, "queue_full") and third.headers["retry-after"]
        assert client.get("/health").status_code == client.get("/v1/models").status_code == 200
        assert reader.started.empty()  # the second one waits for its turn
        reader.allow(2)
        assert first.result(20).status_code == second.result(20).status_code == 200
    assert [image.getpixel((0, 0)) for image in reader.seen] == [(255, 0, 0), (0, 0, 255)]


def test_a_client_that_leaves_gives_up_its_place(live_server, reader, admitted, data_url, log_lines):
    address = live_server(max_waiting=1)
    reader.hold()
    with ThreadPoolExecutor(2) as pool, httpx2.Client(base_url=address, trust_env=False, timeout=20) as client:
        first = pool.submit(post, client, data_url("red"))
        assert reader.started.get(timeout=20)
        leaves = socket_with_request(address, data_url("blue"))
        assert admitted.get(timeout=20) and admitted.get(timeout=20)
        assert post(client, data_url()).status_code == 429
        leaves.close()
        while " 499 " not in log_lines.get(timeout=20):
            pass
        third = pool.submit(post, client, data_url("white"))
        reader.allow(2)
        assert first.result(20).status_code == third.result(20).status_code == 200
    assert [image.getpixel((0, 0)) for image in reader.seen] == [(255, 0, 0), (255, 255, 255)]


def test_a_chat_is_answered_while_a_picture_is_read(live_server, reader, data_url, ask):
    address = live_server()
    reader.hold()
    with ThreadPoolExecutor(1) as pool, httpx2.Client(base_url=address, trust_env=False, timeout=20) as client:
        first = pool.submit(post, client, data_url())
        assert reader.started.get(timeout=20)
        assert client.post("/v1/chat/completions", json=ask()).status_code == 200
        reader.allow()
        assert first.result(20).status_code == 200


def test_the_network_is_loaded_with_the_first_picture_and_not_before():
    code = "import sys, serve.reading; print(*sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "vlm.structure.facts" in loaded
    assert not {"torch", "vlm.reading", "vlm.ocr"} & set(loaded)


def test_what_reads_by_default_is_the_package(monkeypatch, data_url):
    import vlm.reading

    monkeypatch.setattr(vlm.reading, "read", lambda image: ("read", image))
    assert read_picture("a picture") == ("read", "a picture")


def socket_with_request(address, url):
    """A connection that has sent a request and not read its answer."""
    body = json.dumps({"image": url}).encode()
    connection = socket.create_connection((urlsplit(address).hostname, urlsplit(address).port))
    connection.sendall(
        b"POST /v1/read HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    )
    return connection
