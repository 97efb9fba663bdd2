"""The commands `vlm serve`, `vlm ui` and `vlm up`. Each takes [CONFIG] [key=value ...], the keys of `ServeConfig`."""

import argparse
import json
import logging
import os
import socket
import sys
import threading
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from vlm.run_config import ConfigError, load_config

from . import API_KEY_VARIABLE
from .config import LOOPBACK, MIB, ServeConfig, read_admin_keys, read_api_keys

if TYPE_CHECKING:
    import uvicorn

    from .service import Service

DEFAULT_CONFIG = "serve/default"
UI_HOST = "127.0.0.1"
PYTHON = [sys.executable, "-P", "-m"]  # -P: a file in the current folder must not stand in for one of ours
# The few keys that people change have flags too.
LISTS = ("allow_image_domains",)
NUMBERS = ("port", "ui_port")
FLAGS = ("model", "quantization", "host", "port", "ui_port", "api_keys_file", "allow_image_domains")
UP_DRAIN_SECONDS = 3.0  # `vlm up` is for one person, who waits for it to stop

logger = logging.getLogger(__name__)


class StartError(Exception):
    """Why a server cannot start, and what to do about it."""


def serve_main(argv: list[str] | None = None) -> int:
    """`vlm serve`: load the model and answer until Ctrl-C."""
    return _run("serve", "Serve the model over an OpenAI-compatible HTTP API.", _serve, argv)


def ui_main(argv: list[str] | None = None) -> int:
    """`vlm ui`: the web page, for a server that `vlm serve` started with the same config."""
    return _run("ui", "Open the web page to the server at host:port, on 127.0.0.1:ui_port.", _ui, argv)


def up_main(argv: list[str] | None = None) -> int:
    """`vlm up`: the API and the web page together."""
    return _run("up", "Start the API and the web page together, until Ctrl-C.", _up, argv)


def _run(command: str, description: str, run: Callable[[ServeConfig, list[str]], int], argv: list[str] | None) -> int:
    keys = "\n".join(
        f"  {name}={field.get_default(call_default_factory=True)}" for name, field in ServeConfig.model_fields.items()
    )
    parser = argparse.ArgumentParser(
        prog=f"vlm {command}",
        usage=f"vlm {command} [CONFIG] [key=value ...] [--flag VALUE ...]",
        description=description,
        epilog=f"keys and their defaults:\n{keys}\n\nAPI keys, if any, are in $REGARD_API_KEY or in api_keys_file.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("words", nargs="*", metavar="[CONFIG] [key=value ...]", help=f"default: {DEFAULT_CONFIG}")
    for key in FLAGS:
        parser.add_argument(f"--{key.replace('_', '-')}", metavar="VALUE", help=f"the same as {key}=VALUE")
    help = "a peft folder on top of the model, or beside it: a request names it as its model; NAME=... may be repeated"
    parser.add_argument("--adapter", metavar="[NAME=]FOLDER", action="append", default=[], help=help)
    if command == "serve":
        parser.add_argument("--ray", action="store_true", help="several replicas behind one address: the keys in ray")
    given = vars(parser.parse_intermixed_args(argv))
    words: list[str] = given.pop("words")
    adapters: list[str] = given.pop("adapter")
    if given.pop("ray", False):
        run = _serve_with_ray
    has_config = bool(words) and "=" not in words[0]
    name, overrides = (words[0], words[1:]) if has_config else (DEFAULT_CONFIG, words)
    overrides += [f"{key}={_as_yaml(key, value)}" for key, value in given.items() if value is not None]
    overrides += map(_adapter_as_override, adapters)
    try:
        return run(load_config(ServeConfig, name, overrides), [name, *overrides])
    except (ConfigError, StartError) as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130


def _as_yaml(key: str, value: str) -> str:
    """The value of a flag as an override has it: a list is given with commas, and no text is taken for a number."""
    if key in LISTS:
        return json.dumps([item.strip() for item in value.split(",")])
    return value if key in NUMBERS else json.dumps(value)


def _adapter_as_override(value: str) -> str:
    name, equals, folder = value.partition("=")
    return f"adapters.{name}={json.dumps(folder)}" if equals else f"adapter={json.dumps(value)}"


def _prepare(config: ServeConfig) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """What comes before any serving: the log, the keys and the admin keys (returned), and a free port."""
    _need("serve", "fastapi", "uvicorn", "h11", "prometheus_client")
    from .logs import set_up

    set_up(config.log_format)
    api_keys, admin_keys = read_api_keys(config), read_admin_keys(config)
    if config.host not in LOOPBACK and not (api_keys or admin_keys):
        raise StartError(
            f"host {config.host} is open to other machines, and no API key is set: put one into ${API_KEY_VARIABLE} or"
            " into a file that api_keys_file names, or serve this machine alone with host=127.0.0.1"
        )
    check_port(config.host, config.port, "port")
    return api_keys, admin_keys


def _serve_with_ray(config: ServeConfig, _: list[str]) -> int:
    _need("ray", "ray")
    _prepare(config)
    from .ray_app import run

    run(config)
    return 0


def _serve(config: ServeConfig, _: list[str]) -> int:
    api_keys, admin_keys = _prepare(config)
    from vlm.allocator import give_back_freed_memory
    from vlm.cold_start import import_loading

    give_back_freed_memory()
    import_loading()  # before what else needs transformers: so it comes sooner and takes less memory
    from .app import create_app
    from .server import make_server
    from .service import Service

    service = Service()
    server = make_server(create_app(service, config, api_keys, admin_keys=admin_keys), config, service)
    failed = _load_behind(service, server, config)
    try:
        server.run()
    finally:
        if (engine := service.loaded_engine) is not None:
            engine.close()
    if failed:
        raise StartError(f"the model {config.model!r} cannot be loaded: {failed[0]}") from failed[0]
    return 0


def _load_behind(service: "Service", server: "uvicorn.Server", config: ServeConfig) -> list[Exception]:
    """Load the model in a thread, while the server already says that it is not ready. Where that fails, the server
    stops, and the list that is returned holds why."""
    from .engine import load_engine

    failed: list[Exception] = []

    def load() -> None:
        logger.info("loading %s", config.model)
        try:
            service.give(load_engine(config))
            logger.info("ready at %s", config.base_url)
        except Exception as error:
            if not isinstance(error, ValueError | OSError):  # those are written for people; of others show the place
                logger.exception("loading failed")
            failed.append(error)
            server.should_exit = True

    threading.Thread(target=load, name="regard-loading", daemon=True).start()
    return failed


def _ui(config: ServeConfig, _: list[str]) -> int:
    _need("ui", "streamlit", "httpx2")
    check_port(UI_HOST, config.ui_port, "ui_port")
    command = ui_command(config)
    sys.stdout.flush()
    os.execve(command[0], command, ui_environment(config))


def ui_command(config: ServeConfig) -> list[str]:
    """Streamlit on this machine only: no browser opened, nothing reported to its makers, no tracebacks on the page."""
    options = {
        "server.address": UI_HOST,
        "server.port": config.ui_port,
        "server.headless": "true",
        "server.fileWatcherType": "none",
        "server.maxUploadSize": max(1, config.max_image_bytes // MIB),
        "browser.gatherUsageStats": "false",
        "client.toolbarMode": "minimal",
        "client.showErrorDetails": "none",
        "theme.light.primaryColor": "#2f7d8c",
        "theme.dark.primaryColor": "#5fb3c2",
    }
    flags = [f"--{name}={value}" for name, value in options.items()]
    page = str(Path(__file__).with_name("ui.py"))
    return [*PYTHON, "streamlit", "run", page, *flags, "--", config.base_url]


def environment() -> dict[str, str]:
    """Of a process that we start: it imports these very packages wherever it runs."""
    paths = [str(Path(__file__).parents[1]), *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in paths if path)}


def ui_environment(config: ServeConfig) -> dict[str, str]:
    """Of the web page: it also finds a key, which is not on its command line for everyone on the machine to see."""
    keys = read_api_keys(config)
    return {**environment(), API_KEY_VARIABLE: keys[0]} if keys else environment()


def _up(config: ServeConfig, words: list[str]) -> int:
    _need("serve", "fastapi", "uvicorn", "h11")
    _need("ui", "streamlit", "httpx2")
    check_port(config.host, config.port, "port")
    check_port(UI_HOST, config.ui_port, "ui_port")

    from .up import Part, run_together

    return run_together(
        Part(
            "API",
            [*PYTHON, "serve.main", "serve", *words, f"drain_seconds={min(UP_DRAIN_SECONDS, config.drain_seconds)}"],
            environment(),
            address=config.base_url,
            health=f"{config.base_url.removesuffix('/v1')}/ready",
        ),
        Part(
            "web page",
            ui_command(config),
            ui_environment(config),
            address=f"http://{UI_HOST}:{config.ui_port}",
            health=f"http://{UI_HOST}:{config.ui_port}/_stcore/health",
            is_quiet=True,
        ),
    )


def check_port(host: str, port: int, key: str) -> None:
    """Raise StartError where `port` cannot be listened on; `key` is the setting that changes it."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        with socket.socket(family, kind, protocol) as listener:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
            listener.bind(address)
    except OSError as error:
        raise StartError(
            f"cannot listen on {host}:{port} ({error.strerror}). If Regard already runs there, use or stop that one"
            f" (`ss -ltnp 'sport = :{port}'` shows which program it is); else choose another port with {key}=NUMBER."
        ) from None


def _need(extra: str, *modules: str) -> None:
    if missing := [module for module in modules if find_spec(module) is None]:
        raise StartError(f"{', '.join(missing)} is not installed: pip install 'regard[{extra}]'")


if __name__ == "__main__":
    COMMANDS = {"serve": serve_main, "ui": ui_main, "up": up_main}
    sys.exit(COMMANDS[sys.argv[1]](sys.argv[2:]))
