"""The README tells the truth about commands, configs and files. (Its numbers come from `vlm eval`.)"""

import re
import subprocess
from pathlib import Path

import pytest

from vlm.cli import COMMANDS
from vlm.run_config import find_config

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text(encoding="utf-8")
FILES = [
    *(path for package in ("vlm", "train", "serve") for path in ROOT.glob(f"{package}/**/*.py")),
    *ROOT.glob("configs/**/*.yaml"),
]
TOP = {
    "vlm", "train", "serve", "configs", "tests", "README.md", "CHANGELOG.md", "LICENSE", "Makefile", "constraints.txt",
    "pyproject.toml", ".ci", ".github", ".gitignore", ".pre-commit-config.yaml",
}  # fmt: skip


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


def test_nothing_else_stands_at_the_top_of_the_tree():
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if kept.returncode:
        pytest.skip("not a checkout of git")
    assert {path.partition("/")[0] for path in kept.stdout.split("\0") if path} == TOP


def test_every_link_in_the_tree_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", TEXT):
        assert (ROOT / target).is_file(), target
