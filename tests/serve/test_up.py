"""Two servers as one, with small stand-ins for them; run in a process of its own, because it takes over signals."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager

import pytest

SERVER = """
import http.server, sys, threading
class Handler(http.server.BaseHTTPRequestHandler):
    asked = 0
    def do_GET(self):
        Handler.asked += 1
        self.send_response(200 if Handler.asked > 2 else 503)  # it listens before it is ready
        self.end_headers()
    def log_message(self, *args): pass
    def handle_one_request(self):
        super().handle_one_request()
        {after}
http.server.HTTPServer(("127.0.0.1", int(sys.argv[1])), Handler).serve_forever()
"""

RUN = """
import os, socket, sys
from serve.up import Part, run_together
def part(name, after):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    code = {server!r}.replace("{{after}}", after)
    url = f"http://127.0.0.1:{{port}}"
    return Part(name, [sys.executable, "-c", code, str(port)], dict(os.environ), address=url, health=url + "/health")
sys.exit(run_together(part("API", {api!r}), part("web page", {page!r})))
"""


@contextmanager
def running(api="pass", page="pass"):
    code = RUN.format(server=SERVER, api=api, page=page)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", code], **pipes, text=True, start_new_session=True) as process:
        try:
            yield process
        finally:
            process.terminate()


def read_until(process, word):
    lines = []
    for line in process.stdout:
        lines.append(line)
        if word in line:
            break
    return "".join(lines)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_both_are_ready_when_it_says_so_and_gone_when_it_ends(number):
    with running() as process:
        said = read_until(process, "Ctrl-C")
        addresses = [word for word in said.split() if word.startswith("http")]
        assert len(addresses) == 2
        for address in addresses:
            assert is_answering(address)
        os.killpg(process.pid, number)  # to the whole group, as a terminal does
        _, errors = process.communicate(timeout=20)
        assert process.returncode == 0 and errors == ""  # the parts did not see it themselves
    assert not any(is_answering(address) for address in addresses)


def test_when_one_stops_the_other_is_stopped_and_the_first_is_named():
    with running(page="import os; os._exit(7)") as process:
        said = process.communicate(timeout=20)[0]
    assert process.returncode == 1
    assert "The web page has stopped (exit code 7)" in said and "API has stopped" not in said


def is_answering(address):
    import urllib.error
    import urllib.request

    try:
        with urllib.request.urlopen(address, timeout=20):
            return True
    except urllib.error.URLError:
        return False
