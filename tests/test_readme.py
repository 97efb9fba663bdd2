"""The README tells the truth about commands, configs and files. (Its numbers come from `vlm eval`.)"""

import re
from pathlib import Path

import pytest

from vlm.cli import COMMANDS
from vlm.run_config import find_config

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = [*ROOT.glob("vlm/*.py"), *ROOT.glob("train/**/*.py"), *ROOT.glob("serve/*.py"), *ROOT.glob("configs/**/*.yaml")]


def test_every_command_exists():
    assert set(re.findall(r"^ *vlm (\w+)", TEXT, re.MULTILINE)) <= set(COMMANDS)
    targets = (ROOT / "Makefile").read_text(encoding="utf-8")
    assert all(f"{name}:" in targets for name in re.findall(r"^make (\S+)", TEXT, re.MULTILINE))


@pytest.mark.parametrize("name", sorted(set(re.findall(r"configs/\w+/[\w-]+\.yaml", TEXT))))
def test_every_config_exists(name):
    assert find_config(name).is_file()


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_file_has_its_line_in_the_tree(path):
    assert re.search(rf"^ *{re.escape(path.name)} +\S", TEXT, re.MULTILINE), f"the tree does not name {path}"


def test_every_link_in_the_tree_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", TEXT):
        assert (ROOT / target).is_file(), target
