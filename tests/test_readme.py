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


def tree() -> set[str]:
    """The paths that the tree gives a line with words, two spaces a level."""
    paths, above = set(), [""]
    for line in TEXT.partition("## The tree\n\n```\n")[2].partition("\n```")[0].splitlines():
        name, _, words = line.strip().partition(" ")
        above[(len(line) - len(line.lstrip())) // 2 :] = [name]
        if words.strip():
            paths.add("".join(above))
    return paths


def test_every_file_has_its_line_in_the_tree():
    assert {str(path.relative_to(ROOT)) for path in FILES} - tree() == set()


def test_every_line_of_the_tree_is_there():
    assert [path for path in tree() if not (ROOT / path).exists()] == []


def test_nothing_else_stands_at_the_top_of_the_tree():
    kept = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True)
    if kept.returncode:
        pytest.skip("not a checkout of git")
    assert {path.partition("/")[0] for path in kept.stdout.split("\0") if path} == TOP


def test_every_link_in_the_tree_leads_somewhere():
    for target in re.findall(r"\]\((?!http)([^)]+)\)", TEXT):
        assert (ROOT / target).is_file(), target
