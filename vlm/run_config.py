"""How train and serve read a YAML file into a frozen, closed object, and where the shipped and the kept files lie."""

import os
from collections.abc import Hashable, Sequence
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

PACKAGE = Path(__file__).parent


class ConfigError(ValueError):
    """A config file that cannot be used. The message names the file and every bad key."""


class RunConfig(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


Config = TypeVar("Config", bound=RunConfig)


def configs_dir() -> Path:
    """The shipped configs: `vlm/configs/` in an installed wheel, `configs/` beside the packages in the source tree."""
    installed = PACKAGE / "configs"
    return installed if installed.is_dir() else PACKAGE.parent / "configs"


def cache_folder() -> Path:
    """Where assembled models are kept: `$XDG_CACHE_HOME/regard`, by default `~/.cache/regard`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "regard"


def find_config(name_or_path: str | Path) -> Path:
    """The file of that path, else the shipped one of that name: `configs/train/mini.yaml`, in short `train/mini`."""
    path = Path(name_or_path)
    if path.is_file():
        return path
    shipped = configs_dir()
    name = Path(*path.parts[1:]) if path.parts[:1] == ("configs",) else path
    for candidate in (shipped / name, shipped / f"{name}.yaml"):
        if candidate.is_file():
            return candidate
    names = "\n".join(f"  {found.relative_to(shipped)}" for found in sorted(shipped.rglob("*.yaml")))
    raise ConfigError(f"no config file {name_or_path}; these come with the package:\n{names}")


def read_yaml(path: Path) -> dict[str, Any]:
    """The mapping in a YAML file; syntax errors, repeated keys and anything but a mapping are a ConfigError."""
    try:
        values = yaml.load(path.read_text(encoding="utf-8"), _UniqueKeyLoader)  # a SafeLoader: plain data only
    except yaml.YAMLError as error:
        raise ConfigError(f"{path} is not valid YAML: {_where_and_what(error)}") from None
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path} is not UTF-8 text (byte {error.start})") from None
    if not isinstance(values, dict):
        raise ConfigError(f"{path} must hold `key: value` lines, found {_kind(values)}")
    return values


def load_config(cls: type[Config], name_or_path: str | Path, overrides: Sequence[str] = ()) -> Config:
    """Find and read a file, apply `key.sub=value` overrides (values are YAML), and validate the result as `cls`."""
    path = find_config(name_or_path)
    values = read_yaml(path)
    for override in overrides:
        _apply(values, override)
    try:
        return cls.model_validate(values)
    except ValidationError as error:
        problems = "\n".join(f"  {'.'.join(map(str, e['loc'])) or cls.__name__}: {e['msg']}" for e in error.errors())
        raise ConfigError(f"{path} is not a valid {cls.__name__}:\n{problems}") from None


def _apply(values: dict[str, Any], override: str) -> None:
    dotted_key, equals, text = override.partition("=")
    if not equals:
        raise ConfigError(f"override {override!r} is not of the form key=value")
    *parents, leaf = dotted_key.split(".")
    node = values
    for depth, parent in enumerate(parents, start=1):
        node = node.setdefault(parent, {})
        if not isinstance(node, dict):
            raise ConfigError(
                f"override {override!r} reaches into {'.'.join(parents[:depth])}, which is {_kind(node)};"
                f" give the whole of it instead: {'.'.join(parents[:depth])}='{{...}}'"
            )
    try:
        node[leaf] = yaml.load(text, _UniqueKeyLoader)
    except yaml.YAMLError as error:
        raise ConfigError(f"the value of override {override!r} is not valid YAML: {_where_and_what(error)}") from None


class _UniqueKeyLoader(yaml.SafeLoader):
    """YAML lets a later key win in silence; in a config that is a slip, so it is an error here."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        lines: dict[Hashable, int] = {}
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if isinstance(key, Hashable) and key in lines:
                raise yaml.MarkedYAMLError(
                    problem=f"{key} is given twice, first in line {lines[key]}", problem_mark=key_node.start_mark
                )
            if isinstance(key, Hashable):
                lines[key] = key_node.start_mark.line + 1
        return super().construct_mapping(node, deep)


def _where_and_what(error: yaml.YAMLError) -> str:
    mark, problem = getattr(error, "problem_mark", None), getattr(error, "problem", None) or str(error)
    return f"line {mark.line + 1}, column {mark.column + 1}: {problem}" if mark else problem


def _kind(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}: {str(value)[:40]!r}"
