from pathlib import Path

import pytest

from serve import API_KEY_VARIABLE
from serve.config import ServeConfig, read_api_keys
from vlm.run_config import ConfigError, load_config


@pytest.mark.parametrize("path", sorted(Path("configs/serve").glob("*.yaml")), ids=lambda path: path.name)
def test_every_shipped_config_is_valid(path):
    assert load_config(ServeConfig, path).model == "mini"


def test_the_default_config_is_open_to_this_machine_only():
    config = load_config(ServeConfig, "serve/default")
    assert config == ServeConfig()
    assert config.host == "127.0.0.1" and config.allowed_origins == ()


@pytest.mark.parametrize(
    "origin", ["page.example", "https://page.example/", "https://*.example", "ftp://a.b", "null", ""]
)
def test_an_origin_that_no_browser_sends_is_refused_at_start(origin):
    with pytest.raises(ConfigError, match=r"\n  allowed_origins.0: "):
        load_config(ServeConfig, "serve/default", [f"allowed_origins=['{origin}']"])


@pytest.mark.parametrize("origin", ["https://page.example", "http://localhost:5173", "*"])
def test_an_origin_as_browsers_send_it_is_taken(origin):
    assert ServeConfig(allowed_origins=(origin,)).allowed_origins == (origin,)


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


@pytest.fixture
def key_file(tmp_path):
    """key_file(text, mode) -> the config of a server with that file of keys."""

    def make(text, mode=0o600):
        path = tmp_path / "keys"
        path.write_text(text, encoding="utf-8")
        path.chmod(mode)
        return ServeConfig(api_keys_file=path)

    return make


def test_keys_come_from_the_file_else_from_the_environment(key_file, monkeypatch):
    monkeypatch.delenv(API_KEY_VARIABLE, raising=False)
    assert read_api_keys(ServeConfig()) == ()
    monkeypatch.setenv(API_KEY_VARIABLE, "one")
    assert read_api_keys(ServeConfig()) == ("one",)
    monkeypatch.setenv(API_KEY_VARIABLE, "one, two\nthree")
    assert read_api_keys(ServeConfig()) == ("one", "two", "three")
    assert read_api_keys(key_file("# Ada\nfirst \n\n  # Grace\nsecond#2")) == ("first", "second#2")


@pytest.mark.parametrize("text", ["", "\n \n", "# only a comment\n"])
def test_a_key_file_without_a_key_is_an_error_not_an_open_server(key_file, text, monkeypatch):
    monkeypatch.setenv(API_KEY_VARIABLE, "from-environment")
    with pytest.raises(ConfigError, match=r"api_keys_file .* holds no key"):
        read_api_keys(key_file(text))


def test_a_key_file_that_cannot_be_used_is_told(key_file, tmp_path):
    with pytest.raises(ConfigError, match="cannot be read: No such file"):
        read_api_keys(ServeConfig(api_keys_file=tmp_path / "missing"))
    with pytest.raises(ConfigError, match="line 2: a key cannot have spaces") as caught:
        read_api_keys(key_file("sesame\nopen sesame\n"))
    assert "open sesame" not in str(caught.value)


@pytest.mark.parametrize(("mode", "is_safe"), [(0o600, True), (0o640, True), (0o644, False), (0o620, False)])
def test_a_key_file_that_others_can_read_is_refused(key_file, mode, is_safe):
    config = key_file("sesame", mode)
    if is_safe:
        assert read_api_keys(config) == ("sesame",)
    else:
        with pytest.raises(ConfigError, match=rf"mode {mode:o}\): chmod 600"):
            read_api_keys(config)


@pytest.mark.parametrize("value", ["", " ", ", "])
def test_an_empty_key_in_the_environment_is_an_error_not_an_open_server(monkeypatch, value):
    monkeypatch.setenv(API_KEY_VARIABLE, value)
    with pytest.raises(ConfigError, match=API_KEY_VARIABLE):
        read_api_keys(ServeConfig())
