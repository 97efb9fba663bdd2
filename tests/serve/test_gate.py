"""Who may talk to the server, and what the log tells of it."""

import logging
import re

import pytest

from tests.serve.test_body import raw


def test_only_our_own_names_pass_as_host(make_client):
    client = make_client(allowed_hosts=("box.example",))
    for host in ("127.0.0.1:8000", "localhost", "LOCALHOST:1", "[::1]:8000", "[::1]", "box.example:80"):
        assert client.get("/health", headers={"host": host}).status_code == 200, host
    for host in (
        "evil.example",
        "evil.example:8000",
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "localhost:8000@evil.example",
        "evil.example@localhost",
        "[::1].evil.example",
        "[::1",
        "localhost.",
        "",
        "0x7f000001",
    ):
        response = client.get("/health", headers={"host": host})
        assert response.status_code == 403, host
        assert response.json()["error"]["code"] == "host_not_allowed"


def test_a_request_without_a_host_is_refused(live_server):
    assert raw(live_server(), b"GET /health HTTP/1.0\r\n\r\n").startswith("HTTP/1.1 403")


def test_a_server_for_the_network_takes_any_host_unless_names_are_given(make_client):
    evil = {"host": "evil.example"}
    assert make_client(host="0.0.0.0", allowed_hosts=()).get("/health", headers=evil).status_code == 200
    assert make_client(host="0.0.0.0", allowed_hosts=("a.example",)).get("/health", headers=evil).status_code == 403


def test_every_route_but_health_wants_the_key(make_client, ask):
    client = make_client(api_keys=("sesame",))
    assert client.get("/health").status_code == 200
    for method, path in (
        ("GET", "/v1/models"),
        ("GET", "/v1/models/fake"),
        ("POST", "/v1/chat/completions"),
        ("GET", "/health/"),
        ("GET", "//health"),
        ("GET", "/nowhere"),
        ("OPTIONS", "/v1/models"),
    ):
        response = client.request(method, path)
        assert response.status_code == 401, path
        assert response.json()["error"]["code"] == "invalid_api_key"
    good = {"authorization": "Bearer sesame"}
    assert client.get("/v1/models", headers=good).status_code == 200
    assert client.post("/v1/chat/completions", json=ask(), headers=good).status_code == 200


@pytest.mark.parametrize("header", ["", "sesame", "Bearer", "Bearer sesam", "Bearer sesame2", "Basic sesame"])
def test_a_wrong_key_is_refused(make_client, header):
    assert make_client(api_keys=("sesame",)).get("/v1/models", headers={"authorization": header}).status_code == 401


def test_each_of_several_keys_opens(make_client):
    client = make_client(api_keys=("sesame", "hazel"))
    status = {
        key: client.get("/v1/models", headers={"authorization": f"Bearer {key}"}).status_code
        for key in ("sesame", "hazel", "sesamehazel", "sesame hazel", "sesame,hazel")
    }
    assert status == {"sesame": 200, "hazel": 200, "sesamehazel": 401, "sesame hazel": 401, "sesame,hazel": 401}


def test_a_key_may_be_any_text_and_a_wrong_one_any_bytes(make_client):
    client = make_client(api_keys=("schlüssel",))
    right, wrong = "Bearer schlüssel".encode(), b"Bearer \xff\xfe"
    assert client.get("/v1/models", headers={"authorization": right}).status_code == 200
    assert client.get("/v1/models", headers={"authorization": wrong}).status_code == 401


def test_the_key_is_asked_for_before_the_body_is_read(live_server):
    head = b"POST /v1/chat/completions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n"
    assert raw(live_server(api_keys=("sesame",)), head).startswith("HTTP/1.1 401")


def test_other_web_pages_are_not_let_in_by_default(client, ask):
    origin = {"origin": "https://evil.example"}
    preflight = client.options("/v1/chat/completions", headers={**origin, "access-control-request-method": "POST"})
    simple = client.post("/v1/chat/completions", content=str(ask()), headers={**origin, "content-type": "text/plain"})
    assert preflight.status_code == 405 and simple.status_code == 415
    for response in (preflight, simple, client.get("/v1/models", headers=origin)):
        assert not [name for name in response.headers if name.startswith("access-control")]


def test_a_web_page_that_is_allowed_may_ask_and_still_needs_the_key(make_client):
    client = make_client(api_keys=("sesame",), allowed_origins=("https://page.example",))
    asks = {"access-control-request-method": "POST", "access-control-request-headers": "authorization,content-type"}
    preflight = client.options("/v1/chat/completions", headers={"origin": "https://page.example", **asks})
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://page.example"
    assert client.get("/v1/models", headers={"origin": "https://page.example"}).status_code == 401
    other = client.options("/v1/chat/completions", headers={"origin": "https://evil.example", **asks})
    assert "access-control-allow-origin" not in other.headers


def test_the_log_has_one_line_a_request_with_sizes_and_times(client, ask, caplog):
    with caplog.at_level(logging.INFO, logger="serve.access"):
        response = client.post("/v1/chat/completions", json=ask())
        client.get("/nowhere%0A%3Cb%3E")
        client.get("/health")
    first, second = caplog.messages
    times = (
        r"prompt_tokens=7 completion_tokens=5 seconds_to_first_token=[\d.]+ tokens_per_second=[\d.]+"
        r" finish_reason=stop"
    )
    assert re.fullmatch(rf"{response.headers['x-request-id']} POST /v1/chat/completions 200 [\d.]+ {times}", first)
    assert re.fullmatch(r"[0-9a-f]{32} GET /nowhere\\n<b> 404 [\d.]+ error=not_found", second)


@pytest.mark.parametrize("broken", [False, True])
def test_no_picture_and_no_text_gets_into_the_log(client, ask, data_url, caplog, broken):
    url = data_url("red")[: -10 if broken else None]
    with caplog.at_level(logging.DEBUG):
        response = client.post("/v1/chat/completions", json=ask("a private question", url, unknown_field=url))
    assert response.status_code == (400 if broken else 200)
    assert len(caplog.messages) >= 1
    assert url[40:80] not in caplog.text and "private question" not in caplog.text


@pytest.mark.parametrize("own", ["abc-123", "0" * 128, "a/b:c=d+e@f"])
def test_an_id_of_the_client_comes_back_and_goes_into_answer_and_log(client, ask, caplog, own):
    with caplog.at_level(logging.INFO, logger="serve.access"):
        response = client.post("/v1/chat/completions", json=ask(), headers={"x-request-id": own})
    assert response.headers["x-request-id"] == own
    assert response.json()["id"] == f"chatcmpl-{own}"
    assert caplog.messages[0].startswith(f"{own} POST ")


@pytest.mark.parametrize("bad", ["", "0" * 129, "two words", "caf\u00e9", "a\tb", "\x7f"])
def test_an_id_that_is_not_safe_to_repeat_is_replaced(client, bad):
    response = client.get("/health", headers={"x-request-id": bad.encode("latin-1")})
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_two_ids_are_none(client):
    response = client.get("/health", headers=[("x-request-id", "one"), ("x-request-id", "two")])
    assert re.fullmatch("[0-9a-f]{32}", response.headers["x-request-id"])


def test_a_refused_request_has_its_id_too(make_client):
    response = make_client(api_keys=("sesame",)).get("/v1/models", headers={"x-request-id": "mine"})
    assert response.status_code == 401 and response.headers["x-request-id"] == "mine"
