"""The commands: what they refuse before they load anything, and how they start the servers."""

import socket
import subprocess
import sys

import pytest

from serve import API_KEY_VARIABLE, main
from serve.config import ServeConfig


@pytest.fixture
def busy_port():
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        yield listener.getsockname()[1]


@pytest.mark.parametrize("command", [main.serve_main, main.ui_main, main.up_main])
def test_a_bad_config_is_told_with_every_bad_key(command, capsys):
    assert command(["serve/default", "prot=80", "port=0"]) == 2
    error = capsys.readouterr().err
    assert "\n  prot: " in error and "\n  port: " in error


@pytest.mark.parametrize("command", [main.serve_main, main.ui_main, main.up_main])
def test_a_config_that_is_not_there_is_told_with_those_that_are(command, capsys):
    assert command(["serve/nothing"]) == 2
    assert "serve/default.yaml" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("command", "key"),
    [(main.serve_main, "port"), (main.up_main, "port"), (main.up_main, "ui_port"), (main.ui_main, "ui_port")],
)
def test_a_busy_port_is_told_before_anything_is_loaded(command, key, busy_port, capsys):
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        free = {"port": other.getsockname()[1], "ui_port": other.getsockname()[1]}
    settings = {**free, key: busy_port}
    assert command([f"{name}={port}" for name, port in settings.items()]) == 2
    error = capsys.readouterr().err
    assert f"127.0.0.1:{busy_port}" in error and f"{key}=NUMBER" in error


def test_a_flag_is_another_way_to_write_its_key(monkeypatch):
    seen = []
    monkeypatch.setattr(main, "_serve", lambda config, words: seen.append((config, words)) or 0)
    flags = ["--model", "123", "--port", "8080", "--allow-image-domains", "a.example, b.example"]
    assert main.serve_main([*flags, "serve/default", "host=localhost"]) == 0
    config, words = seen[0]
    assert (config.model, config.port, config.host) == ("123", 8080, "localhost")
    assert config.allow_image_domains == ("a.example", "b.example")
    monkeypatch.setattr(main, "_up", lambda config, words: seen.append((config, words)) or 0)
    assert main.up_main(words) == 0  # what `vlm up` hands to the process that serves
    assert seen[1][0] == config


@pytest.mark.parametrize(
    ("flags", "key"), [(["--port", "0"], "port"), (["--port", "x"], "port"), (["--allow-image-domains", "*"], "allow_")]
)
def test_a_flag_with_a_wrong_value_is_told_by_its_key(flags, key, capsys):
    assert main.serve_main(flags) == 2
    assert f"\n  {key}" in capsys.readouterr().err


def test_a_flag_that_there_is_not_is_refused(capsys):
    with pytest.raises(SystemExit) as caught:
        main.serve_main(["--prot", "80"])
    assert caught.value.code == 2 and "--prot" in capsys.readouterr().err


def test_a_model_that_cannot_be_loaded_stops_the_server_and_is_told(monkeypatch, capsys):
    def load_engine(config):
        raise OSError("there is no such folder")

    monkeypatch.setattr("serve.engine.load_engine", load_engine)
    monkeypatch.setattr("serve.logs.set_up", lambda log_format: None)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    assert main.serve_main(["model=nothing", f"port={port}"]) == 2
    assert "'nothing' cannot be loaded: there is no such folder" in capsys.readouterr().err


def test_both_together_wait_for_the_model_and_stop_soon(monkeypatch):
    seen = []
    monkeypatch.setattr("serve.up.run_together", lambda *parts: seen.extend(parts) or 0)
    monkeypatch.setattr(main, "check_port", lambda *_: None)
    monkeypatch.setenv(API_KEY_VARIABLE, "sesame,hazel")
    assert main.up_main(["port=9000"]) == 0
    api, page = seen
    assert api.health == "http://127.0.0.1:9000/ready"  # not /health, which answers while the model is loaded
    assert api.command[-3:] == ["serve/default", "port=9000", "drain_seconds=3.0"]
    assert api.environment[API_KEY_VARIABLE] == "sesame,hazel" and page.environment[API_KEY_VARIABLE] == "sesame"


def test_help_lists_the_keys_with_their_defaults(capsys):
    with pytest.raises(SystemExit) as caught:
        main.serve_main(["--help"])
    assert caught.value.code == 0
    help_text = capsys.readouterr().out
    assert "port=8000" in help_text and "[CONFIG] [key=value ...]" in help_text


def test_the_commands_are_known_without_torch_or_the_web_frameworks():
    heavy = ("torch", "fastapi", "uvicorn", "streamlit", "httpx2")
    code = f"import sys, serve.main; print([name for name in {heavy} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_what_is_not_installed_is_told_with_the_extra_that_brings_it(monkeypatch, capsys):
    monkeypatch.setattr(main, "find_spec", lambda name: None)
    assert main.ui_main([]) == 2
    assert "pip install 'regard[ui]'" in capsys.readouterr().err


def test_what_is_started_imports_these_packages_and_nothing_from_the_current_folder(tmp_path):
    (tmp_path / "serve.py").write_text("raise SystemExit('the wrong one')")
    command = [*main.PYTHON, "serve.main", "serve", "nothing"]
    done = subprocess.run(command, cwd=tmp_path, env=main.environment(), capture_output=True, text=True)
    assert done.returncode == 2 and "serve/default.yaml" in done.stderr


def test_the_page_is_for_this_machine_and_reports_nothing_to_anyone():
    command = main.ui_command(ServeConfig(host="0.0.0.0", port=9000, ui_port=9001))
    for option in (
        "server.address=127.0.0.1",
        "server.port=9001",
        "server.headless=true",
        "browser.gatherUsageStats=false",
    ):
        assert f"--{option}" in command
    assert command[-2:] == ["--", "http://127.0.0.1:9000/v1"]


def test_a_key_is_handed_to_the_page_outside_its_command_line(tmp_path, monkeypatch):
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    assert API_KEY_VARIABLE not in main.ui_environment(ServeConfig())
    path = tmp_path / "keys"
    path.write_text("sesame\nother\n")
    path.chmod(0o600)
    config = ServeConfig(api_keys_file=path)
    assert main.ui_environment(config)[API_KEY_VARIABLE] == "sesame"
    assert "sesame" not in " ".join(main.ui_command(config))


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "box.example"])
def test_a_server_for_other_machines_does_not_start_without_a_key(host, monkeypatch, capsys):
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    assert main.serve_main([f"host='{host}'"]) == 2
    assert "no API key is set" in capsys.readouterr().err
