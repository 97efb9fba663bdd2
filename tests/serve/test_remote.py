"""Pictures from the web: only from hosts that were named, at addresses that were checked (`tests/serve/web.py`)."""

import asyncio
import shutil
import ssl
import subprocess

import pytest

from serve.config import ServeConfig
from serve.remote import MAX_REDIRECTS, connect_tls, resolve_name
from tests.serve.web import PICTURE, PUBLIC, URL
from vlm.run_config import ConfigError, load_config


def test_a_picture_on_a_named_host_is_loaded_from_the_address_that_was_checked(web):
    assert web.fetch(URL, "data:image/png;base64,AAAA", URL) == {URL: PICTURE}
    assert web.looked_up == ["pictures.example"]  # once: a second answer could be another one
    assert web.connected == [(PUBLIC, "pictures.example")]
    ((path, headers),) = web.requests
    headers = {name.lower(): value for name, value in headers.items()}
    assert path == "/cat.png" and headers["host"] == "pictures.example"
    assert not {"cookie", "authorization", "proxy-authorization", "referer"} & headers.keys()


def test_the_next_address_is_tried_where_one_does_not_answer(web):
    web.addresses["pictures.example"] = ["8.8.8.8", PUBLIC]
    assert web.fetch(URL) == {URL: PICTURE}
    assert [address for address, _ in web.connected] == ["8.8.8.8", PUBLIC]


def test_nothing_is_loaded_unless_a_host_is_named(web):
    assert web.fetch(URL, domains=()) == {}
    assert web.looked_up == []


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/cat.png",
        "https://pictures.example.evil.example/cat.png",
        "https://evilpictures.example/cat.png",
        "https://sub.pictures.example/cat.png",
        "https://pictures.example./cat.png",
        "https://127.0.0.1/cat.png",
    ],
)
def test_a_host_that_is_not_named_is_not_even_looked_up(web, url):
    assert web.refusal(url) == "image_host_not_allowed"
    assert web.looked_up == []


@pytest.mark.parametrize(
    "url",
    [
        "https://user@pictures.example/cat.png",
        "https://user:pass@pictures.example/cat.png",
        "https://evil.example\\@pictures.example/cat.png",
        "https://pictures.example\\@evil.example/cat.png",
        "https:\\\\pictures.example\\cat.png",
        "https:/pictures.example/cat.png",
        "https:pictures.example",
        "https:///cat.png",
        "https://pictures.example:8443/cat.png",
        "https://pictures.example:/cat.png",
        "https://[::1]/cat.png",
        "https://pictures.example/a b.png",
        "https://pictures.example/a\r\nhost: evil.example",
        "https://pictures.example/\x00",
        "https://pictures.example?cat.png",
        "https://pictures.example/cat.png#x",
        "https://pictures.example/\u00e9.png",
        "https://p\u0456ctures.example/cat.png",
        "https://pictures.example/" + "x" * 2048,
    ],
)
def test_a_url_that_could_be_read_in_two_ways_is_not_read(web, url):
    assert web.refusal(url) == "invalid_image_url"
    assert web.looked_up == []


def test_the_longest_url_is_read_and_one_character_more_is_not(web):
    path = "/" + "x" * (2048 - len("https://pictures.example/"))
    web.pages[path] = web.pages["/cat.png"]
    assert len(f"https://pictures.example{path}") == 2048
    assert web.fetch(f"https://pictures.example{path}")
    assert web.refusal(f"https://pictures.example{path}x") == "invalid_image_url"


@pytest.mark.parametrize("spelling", ["HTTPS://Pictures.EXAMPLE/cat.png", "https://pictures.example:443/cat.png"])
def test_spellings_of_the_same_place_are_one_place(web, spelling):
    assert web.fetch(spelling) == {spelling: PICTURE}
    assert web.requests[0][1]["host"] == "pictures.example"


@pytest.mark.parametrize("url", ["http://pictures.example/cat.png", "ftp://pictures.example/", "file:///etc/passwd"])
def test_no_other_scheme_is_loaded(make_client, ask, web, url):
    client = make_client(remote=web.images())
    response = client.post("/v1/chat/completions", json=ask("?", url))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_image_url")
    assert web.looked_up == []


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["169.254.169.254"], ["::1"], [PUBLIC, "10.0.0.1"], ["::ffff:10.0.0.1"], []]
)
def test_a_name_with_any_address_that_is_not_public_is_not_connected_to(web, addresses):
    web.addresses["pictures.example"] = addresses
    assert web.refusal(URL) == "image_not_loaded"
    assert web.connected == []


def test_a_name_that_nobody_knows_and_a_host_that_does_not_answer_are_told_alike(web):
    del web.addresses["pictures.example"]
    assert web.refusal(URL) == "image_not_loaded"
    web.addresses["pictures.example"] = ["8.8.8.8"]
    assert web.refusal(URL) == "image_not_loaded"


def redirect(place, status=302):
    return status, {"location": place}, b""


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_followed_through_the_same_checks(web, status):
    web.pages["/old"] = redirect("https://other.example/cat.png", status)
    web.pages["/older"] = redirect("/old", status)
    url = "https://pictures.example/older"
    assert web.fetch(url) == {url: PICTURE}
    assert web.looked_up == ["pictures.example", "pictures.example", "other.example"]
    assert web.connected[-1] == ("1.1.1.1", "other.example")


@pytest.mark.parametrize(
    ("place", "code"),
    [
        ("https://evil.example/cat.png", "image_host_not_allowed"),
        ("//evil.example/cat.png", "invalid_image_url"),
        ("http://pictures.example/cat.png", "invalid_image_url"),
        ("https://user@pictures.example/", "invalid_image_url"),
        ("file:///etc/passwd", "invalid_image_url"),
        ("cat.png", "invalid_image_url"),
        ("", "invalid_image_url"),
    ],
)
def test_a_redirect_to_what_would_not_be_loaded_is_not_loaded(web, place, code):
    web.pages["/old"] = redirect(place)
    assert web.refusal("https://pictures.example/old") == code
    assert len(web.requests) == 1


def test_a_redirect_to_a_name_that_now_leads_inside_is_not_followed(web):
    web.pages["/old"] = redirect("https://other.example/cat.png")
    web.addresses["other.example"] = ["127.0.0.1"]
    assert web.refusal("https://pictures.example/old") == "image_not_loaded"
    assert len(web.connected) == 1


def test_redirects_have_a_limit(web):
    for i in range(5):
        web.pages[f"/{i}"] = redirect(f"/{i - 1}") if i else web.pages["/cat.png"]
    assert web.fetch(f"https://pictures.example/{MAX_REDIRECTS}")
    assert web.refusal(f"https://pictures.example/{MAX_REDIRECTS + 1}") == "image_not_loaded"


@pytest.mark.parametrize(
    ("status", "headers", "body", "code"),
    [
        (404, {"content-type": "image/png"}, PICTURE, "image_not_loaded"),
        (206, {"content-type": "image/png"}, PICTURE, "image_not_loaded"),
        (302, {"content-type": "image/png"}, PICTURE, "image_not_loaded"),
        (200, {}, PICTURE, "image_unsupported"),
        (200, {"content-type": "text/html"}, PICTURE, "image_unsupported"),
        (200, {"content-type": "image/svg+xml"}, PICTURE, "image_unsupported"),
        (200, {"content-type": "image/png", "content-encoding": "gzip"}, PICTURE, "image_not_loaded"),
        (200, {"content-type": "image/png", "content-length": "ten"}, PICTURE, "image_not_loaded"),
        (200, {"content-type": "image/png", "content-length": "999"}, PICTURE, "image_not_loaded"),
        (200, {"content-type": "image/png", "x": "x" * 40_000}, PICTURE, "image_not_loaded"),
    ],
)
def test_an_answer_that_is_not_plainly_a_picture_is_refused(web, status, headers, body, code):
    web.pages["/cat.png"] = (status, headers, body)
    assert web.refusal(URL) == code


def test_what_does_not_speak_http_is_refused(web):
    async def connect(address, host):
        reader, writer = await asyncio.open_connection("127.0.0.1", web.port)
        reader.feed_data(b"SSH-2.0-OpenSSH_9.2\r\n")
        return reader, writer

    web.connect = connect
    assert web.refusal(URL) == "image_not_loaded"


def test_a_picture_from_the_web_is_asked_about_like_any_other(make_client, ask, assistant, web, data_url):
    client = make_client(remote=web.images())
    response = client.post("/v1/chat/completions", json=ask("?", data_url("red"), URL))
    assert response.status_code == 200
    pictures = [part["image"] for part in assistant.seen[0].messages[0]["content"] if part["type"] == "image"]
    assert [picture.getpixel((0, 0)) for picture in pictures] == [(255, 0, 0), (0, 255, 0)]


@pytest.mark.parametrize("stream", [False, True])
def test_a_picture_that_cannot_be_loaded_refuses_the_request_and_frees_its_place(make_client, ask, web, stream):
    client = make_client(remote=web.images(), max_waiting=0)
    for _ in range(2):
        response = client.post("/v1/chat/completions", json=ask("?", "https://evil.example/", stream=stream))
        assert response.status_code == 400
        assert response.json()["error"]["param"] == "messages[0].content[0].image_url.url"


def test_pixels_and_damage_are_checked_as_in_any_picture(make_client, ask, web):
    client = make_client(remote=web.images(), max_image_pixels=15)
    assert client.post("/v1/chat/completions", json=ask("?", URL)).json()["error"]["code"] == "image_too_large"
    web.pages["/cat.png"] = (200, {"content-type": "image/png"}, b"not a picture")
    assert client.post("/v1/chat/completions", json=ask("?", URL)).json()["error"]["code"] == "image_unsupported"


def test_only_pictures_of_user_messages_are_loaded(make_client, ask, web):
    client = make_client(remote=web.images())
    assert client.post("/v1/chat/completions", json=ask(URL, image=URL, image_url=URL)).status_code == 200
    assert client.post("/v1/read", json={"image": URL}).status_code == 400
    for role in ("system", "assistant"):
        messages = [{"role": role, "content": [{"type": "image_url", "image_url": {"url": URL}}]}]
        assert client.post("/v1/chat/completions", json={"model": "fake", "messages": messages}).status_code == 400
    assert web.looked_up == []


def test_without_the_setting_a_url_is_refused_unread(client, ask):
    response = client.post("/v1/chat/completions", json=ask("?", URL))
    assert (response.status_code, response.json()["error"]["code"]) == (400, "invalid_image_url")


@pytest.mark.parametrize(
    "domain", ["*", "*.example", "https://a.example", "a.example:443", "a.example/", "A.example", "a", "127.0.0.1", ""]
)
def test_a_domain_that_is_not_a_plain_host_name_is_refused_at_start(domain):
    with pytest.raises(ConfigError, match=r"\n  allow_image_domains.0: "):
        load_config(ServeConfig, "serve/default", [f"allow_image_domains=['{domain}']"])


def test_the_systems_resolver_is_asked_for_every_address():
    assert set(asyncio.run(resolve_name("localhost"))) <= {"127.0.0.1", "::1"}


@pytest.mark.skipif(shutil.which("openssl") is None, reason="makes a certificate with openssl")
@pytest.mark.parametrize(("host", "is_right"), [("pictures.example", True), ("other.example", False)])
def test_the_certificate_must_be_of_the_host_whatever_the_address(tmp_path, monkeypatch, host, is_right):
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"]
    subject = ["-subj", "/CN=pictures.example", "-addext", "subjectAltName=DNS:pictures.example"]
    subprocess.run([*command, *subject, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr("serve.remote._tls", lambda: trusting)
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(certificate, key)

    async def run():
        server = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", 0, ssl=serving)
        monkeypatch.setattr("serve.remote.HTTPS_PORT", server.sockets[0].getsockname()[1])
        async with server:
            _, writer = await connect_tls("127.0.0.1", host)
            writer.transport.abort()

    if is_right:
        asyncio.run(run())
    else:
        with pytest.raises(ssl.SSLCertVerificationError):
            asyncio.run(run())
