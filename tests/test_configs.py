"""Every YAML file that is shipped: it loads as the class that its first line names, and says which command reads it."""

import pkgutil
import re
from importlib import import_module
from pathlib import Path

import pytest
import yaml
from accelerate.commands.config.config_args import load_config_from_file

import serve
import train
import vlm
from vlm.cli import COMMANDS
from vlm.run_config import ConfigError, RunConfig, configs_dir, find_config, load_config

CONFIGS = sorted(path for path in configs_dir().rglob("*.yaml") if path.parent.name != "accelerate")
FIRST_LINE = re.compile(r"# (?P<cls>\w+): .*\bvlm (?P<command>[a-z]+)")


@pytest.fixture(scope="module")
def config_classes() -> dict[str, type[RunConfig]]:
    for package in (vlm, train, serve):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if module.name not in ("vlm.__main__", "serve.ui"):
                import_module(module.name)
    return {cls.__name__: cls for cls in RunConfig.__subclasses__()}


@pytest.fixture(params=CONFIGS, ids=lambda path: str(path.relative_to(configs_dir())))
def path(request) -> Path:
    return request.param


def test_there_are_configs_to_test():
    assert {path.parent.name for path in CONFIGS} >= {"model", "train", "serve"}


@pytest.mark.parametrize(("name", "kind"), [("ddp", "MULTI_GPU"), ("fsdp", "FSDP")])
def test_what_is_for_accelerate_is_loaded_by_it(name, kind):
    config = load_config_from_file(str(find_config(f"accelerate/{name}")))
    assert config.distributed_type == kind and config.num_processes == 2


def test_it_loads_as_the_class_that_its_first_line_names(path, config_classes):
    first_line = FIRST_LINE.match(path.read_text(encoding="utf-8"))
    assert first_line, f"{path}: the first line must be like `# TrainConfig: what it is; vlm train CONFIG`"
    assert first_line["command"] in COMMANDS
    assert isinstance(load_config(config_classes[first_line["cls"]], path), RunConfig)


def test_an_unknown_key_is_named(path, config_classes, tmp_path):
    text = path.read_text(encoding="utf-8")
    changed = tmp_path / "changed.yaml"
    changed.write_text(f"{text}\nunheard_of: 1\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"\n  unheard_of: Extra inputs are not permitted"):
        load_config(config_classes[FIRST_LINE.match(text)["cls"]], changed)


def test_what_it_refers_to_is_shipped_too(path):
    def strings(node):
        children = node.values() if isinstance(node, dict) else node if isinstance(node, list) else []
        return [node] if isinstance(node, str) else [text for child in children for text in strings(child)]

    for text in strings(yaml.safe_load(path.read_text(encoding="utf-8"))):
        assert not text.endswith((".yaml", ".yml")) or find_config(text)
