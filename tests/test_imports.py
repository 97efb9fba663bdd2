"""The dependency rule of the repository: serve -> vlm, train -> vlm, and nothing else; and importing does nothing."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import vlm

ROOT = Path(__file__).parent.parent
FORBIDDEN = {"vlm": {"train", "serve"}, "train": {"serve"}, "serve": {"train"}}
FILES = sorted(path for package in FORBIDDEN for path in (ROOT / package).rglob("*.py"))
SCRIPTS = {"serve.ui", "vlm.__main__"}  # run, never imported

SNAPSHOT = """
import json, logging, os, random, signal, sys, warnings
import bitsandbytes, easy_vqa, fastapi, numpy, peft, PIL.Image, streamlit, torch, transformers, uvicorn  # not ours
def look():
    return {
        "environment": dict(os.environ), "sys.path": sys.path[:], "folder": os.getcwd(),
        "loggers": [str(logging.root.handlers), logging.root.level, str(logging.getLogger("vlm").handlers)],
        "warnings": len(warnings.filters), "random": [hash(random.getstate()), torch.initial_seed()],
        "torch": [torch.get_num_threads(), str(torch.get_default_dtype()), str(torch.get_default_device())],
        "signals": [str(signal.getsignal(number)) for number in (signal.SIGINT, signal.SIGTERM)],
    }
def run(names):
    before = look()
    for name in names:
        __import__(name)
    after = look()
    return [key for key in before if before[key] != after[key]]
print(json.dumps(run(sys.argv[1:])))
"""


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported_names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []


def run_python(code: str, *arguments: str) -> str:
    command = [sys.executable, "-W", "ignore", "-c", code, *arguments]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("package", FORBIDDEN)
def test_package_imports_only_downwards(package):
    for path in (ROOT / package).rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            bad = {name.partition(".")[0] for name in imported_names(node)} & FORBIDDEN[package]
            assert not bad, f"{path.relative_to(ROOT)}:{node.lineno} imports {bad}"


def test_the_web_page_knows_the_server_only_through_its_client():
    tree = ast.parse((ROOT / "serve" / "ui.py").read_text(encoding="utf-8"))
    ours = [name for node in ast.walk(tree) for name in imported_names(node) if name.partition(".")[0] in FORBIDDEN]
    assert ours == ["serve.client"]
    assert not any(isinstance(node, ast.ImportFrom) and node.level for node in ast.walk(tree))


@pytest.mark.parametrize("path", FILES, ids=module_name)
def test_no_star_import_and_no_drawer_for_everything(path):
    tree = ast.parse(path.read_text(encoding="utf-8"))
    stars = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.names[0].name == "*"]
    assert not stars
    assert path.stem not in {"utils", "common", "helpers", "misc"}


def test_importing_changes_nothing():
    names = sorted({module_name(path) for path in FILES} - SCRIPTS)
    assert json.loads(run_python(SNAPSHOT, *names)) == []


@pytest.mark.parametrize("name", ["vlm", "vlm.cli", "vlm.images", "vlm.run_config", "serve.client", "serve.config"])
def test_a_light_module_imports_no_torch(name):
    loaded = run_python("import sys; __import__(sys.argv[1]); print(*sys.modules)", name).split()
    assert name in loaded
    assert not {"torch", "transformers", "numpy"} & set(loaded)


def test_every_public_name_is_there():
    assert {"load", "VlmConfig", "VlmForConditionalGeneration", "VlmProcessor"} <= set(vlm.__all__) <= set(dir(vlm))
    assert all(getattr(vlm, name).__module__ == f"vlm.{module}" for name, module in vlm._MODULES.items())


def test_type_checkers_see_the_names_where_they_are():
    tree = ast.parse((ROOT / "vlm" / "__init__.py").read_text(encoding="utf-8"))
    seen = {a.name: n.module for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level for a in n.names}
    assert seen == vlm._MODULES


def test_an_unknown_public_name_is_an_attribute_error():
    with pytest.raises(AttributeError, match="'vlm' has no attribute 'lod'"):
        vlm.lod  # noqa: B018 - the attribute is the test
