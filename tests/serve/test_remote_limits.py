"""Pictures from the web come in bounded time, from a bounded number of addresses, and with so many bytes."""

import asyncio

import pytest

from serve.config import ServeConfig
from serve.errors import BadRequest
from serve.remote import MAX_ADDRESSES, MAX_HEADER_BYTES, RemoteImages
from tests.serve.web import PICTURE, PUBLIC, URL


@pytest.mark.parametrize(
    ("number", "code"), [(MAX_ADDRESSES - 1, None), (MAX_ADDRESSES, None), (MAX_ADDRESSES + 1, "image_not_loaded")]
)
def test_a_host_has_so_many_addresses_and_no_more(web, number, code):
    web.addresses["pictures.example"] = [PUBLIC] * number
    assert web.refusal(URL) == code if code else web.fetch(URL) == {URL: PICTURE}


@pytest.mark.parametrize(("size", "is_taken"), [(MAX_HEADER_BYTES - 400, True), (2 * MAX_HEADER_BYTES + 1, False)])
def test_headers_have_so_many_bytes_and_no_more_than_is_read_at_once_beyond(web, size, is_taken):
    web.pages["/cat.png"] = (200, {"content-type": "image/png", "x-long": "x" * size}, PICTURE)
    assert web.fetch(URL) == {URL: PICTURE} if is_taken else web.refusal(URL) == "image_not_loaded"


@pytest.mark.parametrize(("seconds", "is_taken"), [(0.0, True), (5.0, False)])
def test_the_config_says_how_long_a_picture_may_take(web, seconds, is_taken):
    config = ServeConfig(allow_image_domains=("pictures.example",), image_fetch_timeout=1.0)
    images = RemoteImages.of(config)

    async def resolve(host):
        await asyncio.sleep(seconds)
        return await web.resolve(host)

    images._resolve, images._connect = resolve, web.connect
    if is_taken:
        assert asyncio.run(images.fetch([("image", URL)])) == {URL: PICTURE}
        return
    with pytest.raises(BadRequest) as caught:
        asyncio.run(images.fetch([("image", URL)]))
    assert caught.value.code == "image_timeout"


def chunked(*pieces):
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in (*pieces, b""))


@pytest.mark.parametrize("is_announced", [True, False])
def test_bytes_are_bounded_whether_they_are_announced_or_not(web, is_announced):
    headers = {"content-type": "image/png"} | ({} if is_announced else {"transfer-encoding": "chunked"})
    web.pages["/cat.png"] = (200, headers, PICTURE if is_announced else chunked(PICTURE[:20], PICTURE[20:]))
    for more in (1, 0):
        assert web.fetch(URL, max_bytes=len(PICTURE) + more) == {URL: PICTURE}
    assert web.refusal(URL, max_bytes=len(PICTURE) - 1) == "image_too_large"


def test_too_many_announced_bytes_are_not_waited_for(web):
    web.pages["/hangs"] = (200, {"content-type": "image/png", "content-length": "10001"}, b"")
    assert web.refusal("https://pictures.example/hangs") == "image_too_large"


def test_time_is_bounded_for_all_pictures_together(web):
    web.pages["/hangs"] = (200, {"content-type": "image/png", "content-length": "10"}, b"12345")
    assert web.refusal(URL, "https://pictures.example/hangs", timeout=0.3) == "image_timeout"


def test_a_look_up_that_takes_too_long_is_given_up(web):
    async def resolve(host):
        await asyncio.Event().wait()

    web.resolve = resolve
    assert web.refusal(URL, timeout=0.01) == "image_timeout"
