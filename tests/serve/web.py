"""A web of pictures: the server is real and on this machine; only the look-up of names and the last step, from a
checked address to a socket, are made up, so that a public address can lead here.
"""

import asyncio
import http.server
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from serve.errors import BadRequest
from serve.remote import RemoteImages
from tests.serve.fakes import png

PUBLIC = "93.184.216.34"
URL = "https://pictures.example/cat.png"
PICTURE = png("lime")


class Web:
    """A server on this machine, and a name service that leads to it. `pages` are path -> (status, headers, body)."""

    def __init__(self, port):
        self.port = port
        self.pages = {"/cat.png": (200, {"content-type": "image/png"}, PICTURE)}
        self.addresses = {"pictures.example": [PUBLIC], "other.example": ["1.1.1.1"]}
        self.looked_up, self.connected, self.requests = [], [], []
        self.release = threading.Event()  # what a page that hangs waits for

    async def resolve(self, host):
        self.looked_up.append(host)
        if host not in self.addresses:
            raise socket.gaierror("unknown")
        return self.addresses[host]

    async def connect(self, address, host):
        self.connected.append((address, host))
        if address == "8.8.8.8":
            raise ConnectionRefusedError
        return await asyncio.open_connection("127.0.0.1", self.port)

    def images(self, max_bytes=10_000, timeout=20.0, domains=("pictures.example", "other.example")):
        return RemoteImages(domains, max_bytes, timeout, resolve=self.resolve, connect=self.connect)

    def fetch(self, *urls, **settings):
        pairs = [(f"messages[{i}]", url) for i, url in enumerate(urls)]
        return asyncio.run(self.images(**settings).fetch(pairs))

    def refusal(self, *urls, **settings):
        with pytest.raises(BadRequest) as caught:
            self.fetch(*urls, **settings)
        error = caught.value
        for secret in (*urls, PUBLIC, "127.0.0.1", "pictures.example"):
            assert secret not in error.message
        return error.code


@contextmanager
def serving() -> Iterator[Web]:
    """A web that answers until the block ends."""

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self):
            web.requests.append((self.path, dict(self.headers)))
            status, headers, body = web.pages[self.path]
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if "content-length" not in headers and "transfer-encoding" not in headers:
                self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)
            if "hangs" in self.path:
                self.wfile.flush()
                web.release.wait(20)
            self.close_connection = True

        def log_message(self, *args):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.handle_error = lambda *_: None  # clients here leave in the middle
    web = Web(server.server_port)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield web
    web.release.set()
    server.shutdown()
    thread.join()
    server.server_close()
