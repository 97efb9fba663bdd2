import pytest

from vlm import run_config
from vlm.run_config import ConfigError, RunConfig, find_config, load_config


class LoraConfig(RunConfig):
    rank: int = 8


class ExampleConfig(RunConfig):
    steps: int
    rate: float = 0.1
    lora: LoraConfig | None = None


@pytest.fixture
def write(tmp_path):
    def write(text: str | bytes):
        path = tmp_path / "run.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def test_a_file_and_overrides_make_one_frozen_object(write):
    config = load_config(ExampleConfig, write("steps: 3\nlora: {rank: 2}\n"), ("rate=1e-3", "lora.rank=4"))
    assert config == ExampleConfig(steps=3, rate=0.001, lora=LoraConfig(rank=4))
    with pytest.raises(ValueError, match="frozen"):
        config.steps = 4


def test_an_override_makes_the_mapping_that_it_reaches_into(write):
    assert load_config(ExampleConfig, write("steps: 3"), ("lora.rank=4",)).lora == LoraConfig(rank=4)


def test_all_bad_keys_are_named_at_once(write):
    with pytest.raises(ConfigError) as caught:
        load_config(ExampleConfig, write("step: 3\nlora: {rank: high}"))
    message = str(caught.value)
    assert "run.yaml is not a valid ExampleConfig:" in message
    assert "\n  steps: Field required" in message
    assert "\n  step: Extra inputs are not permitted" in message
    assert "\n  lora.rank: Input should be a valid integer" in message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("steps: [1", r"run.yaml is not valid YAML: line 1, column 10: .*expected"),
        ("steps: 1\nrate: 2\nsteps: 3\n", r"not valid YAML: line 3, column 1: steps is given twice, first in line 1"),
        ("{steps: 1, steps: 1}", r"steps is given twice"),
        ("lora:\n  rank: 1\n  rank: 1\n", r"line 3, column 3: rank is given twice"),
        ("a: !!python/object/apply:os.getcwd []", r"could not determine a constructor"),
        ("- steps", r"run.yaml must hold `key: value` lines, found a list: \"\['steps'\]\""),
        ("steps", r"found a str: 'steps'"),
        ("", r"found nothing"),
        (b"steps: \xff", r"run.yaml is not UTF-8 text \(byte 7\)"),
    ],
)
def test_a_file_that_is_no_config_says_where_it_fails(write, text, message):
    with pytest.raises(ConfigError, match=message):
        load_config(ExampleConfig, write(text))


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("steps", r"override 'steps' is not of the form key=value"),
        ("steps=[", r"the value of override 'steps=\[' is not valid YAML: line 1"),
        ("steps=!!python/object/apply:os.getcwd []", r"could not determine a constructor"),
        ("lora.rank=1", r"reaches into lora, which is nothing; give the whole of it instead: lora='\{...\}'"),
        ("steps.a.b=1", r"reaches into steps, which is a int: '1'"),
    ],
)
def test_an_override_that_cannot_be_applied_is_quoted(write, override, message):
    with pytest.raises(ConfigError, match=message):
        load_config(ExampleConfig, write("steps: 1\nlora: null\n"), (override,))


@pytest.mark.parametrize("name", ["configs/serve/default.yaml", "serve/default.yaml", "serve/default"])
def test_a_shipped_config_is_found_by_name_from_any_folder(name, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert find_config(name) == run_config.configs_dir() / "serve" / "default.yaml"


def test_a_file_here_goes_before_a_shipped_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    mine = tmp_path / "configs" / "serve" / "default.yaml"
    mine.parent.mkdir(parents=True)
    mine.write_text("port: 1")
    assert find_config("configs/serve/default.yaml").resolve() == mine


def test_an_installed_package_has_its_configs_inside(tmp_path, monkeypatch):
    inside = tmp_path / "vlm" / "configs"
    (inside / "train").mkdir(parents=True)
    (inside / "train" / "one.yaml").write_text("steps: 1")
    (tmp_path / "configs").mkdir()  # of another distribution
    monkeypatch.setattr(run_config, "PACKAGE", tmp_path / "vlm")
    assert find_config("train/one") == inside / "train" / "one.yaml"


@pytest.mark.parametrize("name", ["train/none", "none", "/none.yaml", "."])
def test_a_missing_config_lists_those_that_exist(name):
    with pytest.raises(ConfigError, match=r"no config file .*\n(.*\n)*  serve/default\.yaml"):
        find_config(name)
