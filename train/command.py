"""What `vlm train` and `vlm eval` share: a config, overrides, and errors in plain words."""

import argparse
import logging
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from vlm.loading import PartNotFoundError
from vlm.run_config import ConfigError, RunConfig, load_config

from .data import DataError

Config = TypeVar("Config", bound=RunConfig)


def run_command(
    name: str, description: str | None, cls: type[Config], work: Callable[[Config], None], argv: list[str] | None
) -> int:
    """Read the config that `argv` names and do the work; the exit code is 2 for what the user can mend."""
    parser = argparse.ArgumentParser(
        prog=f"vlm {name}", description=description, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("config", type=Path, help=f"YAML file with a {cls.__name__}")
    parser.add_argument("overrides", nargs="*", metavar="key=value", help="replace single values of the file")
    args = parser.parse_args(argv)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    try:
        work(load_config(cls, args.config, tuple(args.overrides)))
    except (ConfigError, DataError, PartNotFoundError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0
