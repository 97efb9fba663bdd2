from pathlib import Path

import pytest

from serve import API_KEY_VARIABLE
from serve.config import ServeConfig, read_api_key
from vlm.run_config import ConfigError, load_config


@pytest.mark.parametrize("path", sorted(Path("configs/serve").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_is_valid(path):
    load_config(ServeConfig, path)


def test_the_default_config_is_open_to_this_machine_only():
    config = load_config(ServeConfig, "serve/default")
    assert config == ServeConfig()
    assert config.host == "127.0.0.1" and config.allowed_origins == ()


def test_a_misspelt_key_is_named():
    with pytest.raises(ConfigError, match=r"\n  prot: "):
        load_config(ServeConfig, "serve/default", ["prot=80"])


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ("127.0.0.1", "http://127.0.0.1:8000/v1"),
        ("0.0.0.0", "http://127.0.0.1:8000/v1"),
        ("::", "http://[::1]:8000/v1"),
        ("192.168.0.5", "http://192.168.0.5:8000/v1"),
    ],
)
def test_the_address_is_one_that_a_client_here_can_open(host, url):
    assert ServeConfig(host=host).base_url == url


def test_the_key_comes_from_the_file_else_from_the_environment(tmp_path, monkeypatch):
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    assert read_api_key(ServeConfig()) is None
    monkeypatch.setenv(API_KEY_VARIABLE, "from-environment")
    assert read_api_key(ServeConfig()) == "from-environment"
    path = tmp_path / "key"
    path.write_text("from-file \nsecond line\n")
    assert read_api_key(ServeConfig(api_key_file=path)) == "from-file"


def test_a_key_file_without_a_key_is_an_error_not_an_open_server(tmp_path, monkeypatch):
    monkeypatch.setenv(API_KEY_VARIABLE, "from-environment")
    empty = tmp_path / "empty"
    empty.write_text("\nkey\n")
    with pytest.raises(ConfigError, match="empty first line"):
        read_api_key(ServeConfig(api_key_file=empty))
    with pytest.raises(ConfigError, match="cannot be read"):
        read_api_key(ServeConfig(api_key_file=tmp_path / "missing"))


def test_an_empty_key_in_the_environment_is_an_error_not_an_open_server(monkeypatch):
    monkeypatch.setenv(API_KEY_VARIABLE, " ")
    with pytest.raises(ConfigError, match=API_KEY_VARIABLE):
        read_api_key(ServeConfig())
