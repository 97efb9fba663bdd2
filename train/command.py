"""What `vlm train`, `vlm eval` and `train.pace` share: a config, overrides, and errors in plain words."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from vlm.loading import PartNotFoundError
from vlm.quantization import QuantizationError
from vlm.run_config import ConfigError, RunConfig, find_config, load_config, read_yaml

from .readers import DataError
from .safety import TrainingStopped

Kind = tuple[type[RunConfig], Callable[[Any], None]]  # of config, and what is done with one


def choose_kind(path: Path, kinds: tuple[Kind, ...]) -> Kind:
    """The kind of config whose required fields a file has; the first kind where it has those of none."""
    given = set(read_yaml(find_config(path)))
    required = [{name for name, field in cls.model_fields.items() if field.is_required()} for cls, _ in kinds]
    return next((kind for kind, fields in zip(kinds, required, strict=True) if fields <= given), kinds[0])


def run_command(name: str, description: str | None, kinds: tuple[Kind, ...], argv: list[str] | None) -> int:
    """Read the config that `argv` names and do its work; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog=name, description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help=f"YAML file with a {' or a '.join(cls.__name__ for cls, _ in kinds)}")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="replace single values of the file")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        cls, work = choose_kind(args.config, kinds)
        work(load_config(cls, args.config, tuple(args.overrides)))
    except (ConfigError, DataError, PartNotFoundError, QuantizationError, TrainingStopped, OSError) as error:
        # Of an error in a process that draws rows, torch puts the traceback before the words.
        print(f"error: {str(error).rpartition('DataError: ')[2]}", file=sys.stderr)
        return 2
    return 0
