"""Several servers as one: start them, say when all of them really answer, stop them together."""

import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from dataclasses import dataclass
from http import HTTPStatus

POLL_SECONDS = 0.2
STOP_SECONDS = 10.0
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@dataclass(frozen=True)
class Part:
    """One server: what starts it, where a person finds it, and the URL that answers 200 when it is ready."""

    name: str
    command: list[str]
    environment: dict[str, str]
    address: str
    health: str
    is_quiet: bool = False  # its standard output is dropped; errors are always shown


def run_together(*parts: Part) -> int:
    """Run until a signal comes (exit code 0) or one of the parts ends (1). Either way all of them are stopped."""
    stop = threading.Event()
    handlers = {number: signal.signal(number, lambda *_: stop.set()) for number in SIGNALS}
    processes: list[tuple[Part, subprocess.Popen[bytes]]] = []
    try:
        for part in parts:
            # A session of its own: Ctrl-C in the terminal reaches this process only, which then stops each part once.
            stdout = subprocess.DEVNULL if part.is_quiet else None
            process = subprocess.Popen(part.command, env=part.environment, stdout=stdout, start_new_session=True)
            processes.append((part, process))
        return _watch(processes, stop)
    finally:
        for _, process in processes:
            process.terminate()
        for _, process in processes:
            _wait(process)
        for number, handler in handlers.items():
            signal.signal(number, handler)


def _watch(processes: list[tuple[Part, "subprocess.Popen[bytes]"]], stop: threading.Event) -> int:
    starting = [part for part, _ in processes]
    while not stop.wait(POLL_SECONDS):
        for part, process in processes:
            if (code := process.poll()) is not None:
                _say(f"The {part.name} has stopped (exit code {code}), so everything stops.")
                return 1
        if starting and not (starting := [part for part in starting if not _answers(part.health)]):
            width = max(len(part.name) for part, _ in processes)
            addresses = "\n".join(f"  {part.name:<{width}}  {part.address}" for part, _ in processes)
            _say(f"\nReady:\n{addresses}\nCtrl-C stops everything.\n")
    _say("Stopping.")
    return 0


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _answers(url: str) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))  # this machine needs no proxy
    try:
        with opener.open(url, timeout=1) as response:
            return bool(response.status == HTTPStatus.OK)
    except OSError:  # refused, reset, timed out, or another status
        return False


def _wait(process: "subprocess.Popen[bytes]") -> None:
    try:
        process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
