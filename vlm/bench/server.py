"""What is measured of `vlm serve` as a process of its own, over HTTP: its start, its memory, its evenness."""

import base64
import http.client
import io
import itertools
import json
import random
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Any

from PIL import Image, ImageDraw

from .ours import new_picture, some_text

READY_SECONDS, POLL_SECONDS = 120.0, 0.02
CLIENTS = 8
PICTURES = 40  # different ones among the requests
ENDLESS = {"0": -100, "2": -100}  # logit_bias: SmolLM2's ends of a turn


class Server:
    """`vlm serve` on a free port, from the start of the process until it is ready (`start_seconds`)."""

    def __init__(self, model: str):
        self.model = model
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        command = [sys.executable, "-m", "vlm", "serve", f"model={model}", f"port={self.port}"]
        started = time.perf_counter()
        self.process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while not self._is_ready():
            if self.process.poll() is not None or time.perf_counter() - started > READY_SECONDS:
                self.__exit__(None, None, None)
                raise RuntimeError(f"the server does not start: {' '.join(command)} says why")
            time.sleep(POLL_SECONDS)
        self.start_seconds = time.perf_counter() - started

    def __enter__(self) -> "Server":
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.process.terminate()
        self.process.wait()

    def _is_ready(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/ready")
            return connection.getresponse().status == http.client.OK
        except OSError:
            return False
        finally:
            connection.close()

    def ask(self, body: dict[str, Any], path: str = "/v1/chat/completions", stop_after: int | None = None) -> int:
        """Send a request and read what comes, at most `stop_after` lines of it; the status."""
        for line in self.lines({"model": Path(self.model).name, **body}, path):
            if stop_after is not None and (stop_after := stop_after - 1) < 0:
                break
            del line
        return self._status

    def lines(self, body: dict[str, Any], path: str = "/v1/chat/completions") -> Iterator[bytes]:
        """The lines of an answer as they come; leaving early closes the connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=600)
        try:
            connection.request("POST", path, json.dumps(body), {"content-type": "application/json"})
            response = connection.getresponse()
            self._status = response.status
            while line := response.readline():
                yield line
        finally:
            connection.close()

    def memory(self, kind: str = "VmHWM") -> int:
        """Bytes that the process holds (VmRSS), or has held at most (VmHWM)."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        (line,) = [line for line in status.splitlines() if line.startswith(f"{kind}:")]
        return int(line.split()[1]) * 1024


def seconds_between_tokens(server: Server, tokens: int, long_prompt: int) -> list[float]:
    """Of one answer of at most so many, while new prompts of so many words arrive one by one."""
    dice = random.Random(1)
    body = {"max_tokens": tokens, "stream": True, "logit_bias": ENDLESS, **_say(some_text(20, dice))}
    times: list[float] = []
    is_over = threading.Event()

    def disturb() -> None:
        while not is_over.wait(0.3):
            server.ask({"max_tokens": 1, **_say(some_text(long_prompt, dice))})

    disturber = threading.Thread(target=disturb)
    for line in server.lines({"model": Path(server.model).name, **body}):
        if line.startswith(b"data: {") and b'"content":"' in line:
            times.append(time.perf_counter())
            if len(times) == 10:
                disturber.start()
    is_over.set()
    if disturber.ident is not None:
        disturber.join()
    return [after - before for before, after in itertools.pairwise(times[10:])]


def p99_over_p50(seconds: list[float]) -> float:
    return statistics.quantiles(seconds, n=100)[98] / statistics.median(seconds)


def send_mixed_requests(server: Server, count: int) -> dict[int, int]:
    """All kinds of them -> how many were answered with each status."""
    dice = random.Random(2)
    pictures = [_data_url(_picture(number, dice)) for number in range(PICTURES)]
    statuses: dict[int, int] = {}
    lock = threading.Lock()

    def send(number: int) -> None:
        own = random.Random(number)
        path, body, stop_after = _mixed(number, own, pictures)
        status = server.ask(body, path, stop_after)
        with lock:
            statuses[status] = statuses.get(status, 0) + 1

    with ThreadPoolExecutor(CLIENTS) as clients:
        list(clients.map(send, range(count)))
    return statuses


def _mixed(number: int, dice: random.Random, pictures: list[str]) -> tuple[str, dict[str, Any], int | None]:
    chat, tokens = "/v1/chat/completions", {"max_tokens": dice.choice([4, 8, 16])}
    kind = number % 10
    if kind < 3:
        return chat, {**_say(some_text(dice.choice([5, 50, 300]), dice)), **tokens}, None
    if kind == 3:
        return "/v1/read", {"image": dice.choice(pictures)}, None
    if kind == 4:
        return chat, {**_say("Leave early.", dice.choice(pictures)), "max_tokens": 64, "stream": True}, 5
    if kind == 5:
        return chat, {**_say("Two answers.", dice.choice(pictures)), **tokens, "n": 2, "temperature": 1.0}, None
    if kind == 6:
        return chat, {**_say("Not a picture.", "data:image/png;base64,AAAA"), **tokens}, None
    hints = {"hints": "off"} if kind == 7 else {}
    shown = dice.sample(pictures, 2 if kind == 8 else 1)
    return chat, {**_say("What is this?", *shown), **tokens, "stream": kind == 9, **hints}, None


def _say(text: str, *urls: str) -> dict[str, Any]:
    parts = [*({"type": "image_url", "image_url": {"url": url}} for url in urls), {"type": "text", "text": text}]
    return {"messages": [{"role": "user", "content": parts}]}


def _picture(number: int, dice: random.Random) -> Image.Image:
    """Every fourth a drawing with words, every tenth as large as a camera's."""
    if number % 10 == 9:
        return new_picture(dice, (4000, 3000))
    image = new_picture(dice)
    if number % 4 == 0:
        draw = ImageDraw.Draw(image)
        for row in range(12):
            draw.text((40, 40 + 44 * row), some_text(6, dice), fill="black", font_size=28)
    return image


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.save(file, "JPEG", quality=85)
    return "data:image/jpeg;base64," + base64.b64encode(file.getvalue()).decode("ascii")
