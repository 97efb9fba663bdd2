import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest

from vlm import __version__, cli

ROOT = Path(__file__).parents[2]


def run_vlm(*arguments: str, **options) -> subprocess.CompletedProcess:
    return subprocess.run([sys.executable, "-m", "vlm", *arguments], capture_output=True, text=True, **options)


def test_help_is_answered_in_under_half_a_second():
    def cpu_seconds() -> float:  # unlike the time on the wall, it does not depend on what else runs
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        assert run_vlm("--help").returncode == 0
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_seconds() for _ in range(3)) < 0.5


def test_help_needs_nothing_but_the_standard_library():
    code = "import sys; sys.path.insert(0, sys.argv[1]); from vlm.cli import main; main(['--help'])"
    without_packages = ["-I", "-S"]
    done = subprocess.run([sys.executable, *without_packages, "-c", code, ROOT], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == (f"{cli.USAGE}\n", "")


def test_help_and_no_word_at_all_list_every_command(capsys):
    assert cli.main(["--help"]) == cli.main([]) == 0
    out = capsys.readouterr().out
    assert all(out.count(f"\n  {name:<9}{text}\n") == 2 for name, text in cli.COMMANDS.items())


def test_version(capsys):
    assert cli.main(["--version"]) == 0
    assert capsys.readouterr().out == f"regard {__version__}\n"


@pytest.mark.parametrize(("word", "message"), [("aks", "did you mean ask?"), ("zzz", "there are ask, chat,")])
def test_an_unknown_command_is_answered_with_those_that_exist(word, message, capsys):
    assert cli.main([word]) == 2
    assert capsys.readouterr().err.startswith(f"error: vlm has no command '{word}'; {message}")


@pytest.mark.parametrize("name", cli.COMMANDS)
def test_every_command_explains_itself(name, capsys):
    with pytest.raises(SystemExit, match="0"):
        cli.main([name, "--help"])
    assert capsys.readouterr().out.startswith(f"usage: vlm {name}")


@pytest.mark.parametrize("option", ["--unheard-of", "--seed=x", "--max"])
def test_a_wrong_option_ends_with_usage_and_code_2(option, capsys):
    with pytest.raises(SystemExit, match="2"):
        cli.main(["ask", "question", option])
    assert capsys.readouterr().err.startswith("usage: vlm ask")


def test_a_command_whose_extra_is_missing_names_it(monkeypatch, capsys):
    monkeypatch.setitem(cli.ELSEWHERE, "train", ("a_package_that_is_not_there", "main", "train", ""))
    assert cli.main(["train"]) == 2
    assert (
        capsys.readouterr().err == "error: vlm train needs a_package_that_is_not_there: pip install 'regard[train]'\n"
    )


def test_a_slip_of_our_own_is_not_taken_for_a_missing_extra(monkeypatch):
    monkeypatch.setitem(cli.ELSEWHERE, "train", ("train.not_there", "main", "train", ""))
    with pytest.raises(ModuleNotFoundError, match=r"train\.not_there"):
        cli.main(["train"])


def test_ctrl_c_ends_a_command_without_a_traceback(monkeypatch, capsys):
    def interrupted(name):
        raise KeyboardInterrupt

    monkeypatch.setattr(cli, "find_command", interrupted)
    assert cli.main(["up"]) == 130
    assert capsys.readouterr().err == "\n"


def test_a_reader_that_leaves_is_no_error():
    reader, writer = os.pipe()
    os.close(reader)
    buffered = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}
    command = [sys.executable, "-m", "vlm", "--help"]
    done = subprocess.run(command, stdout=writer, stderr=subprocess.PIPE, text=True, env=buffered)
    os.close(writer)
    assert (done.returncode, done.stderr) == (1, "")
