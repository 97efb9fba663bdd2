"""Bring an adapter or a checkpoint to the Hugging Face hub, with a card that says what is known of it.

vlm push runs/own me/own-adapter --eval runs/eval-own
vlm push models/merged me/own --run runs/own --private
vlm push runs/own me/own-adapter --dry-run to-look-at

With --dry-run everything that would be pushed is written into a folder, and nothing leaves this machine.
"""

import argparse
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx2
from huggingface_hub import HfApi, get_token
from huggingface_hub.errors import HfHubHTTPError, HFValidationError
from huggingface_hub.utils import validate_repo_id

from vlm.commands import CommandError
from vlm.run_config import ConfigError, read_yaml
from vlm.standalone import check_is_new

from .checkpoint import checkpoints
from .model_card import Origin, name_only, write_card

# What belongs to a model; a checkpoint of a run also holds what only the run needs.
FILES = ("*.json", "*.safetensors", "*.jinja", "*.model", "*.txt")
OF_THE_RUN = {"optimizer.safetensors", "state.json", "trainable.json"}
ADAPTER, CHECKPOINT = "adapter_config.json", "config.json"


def find_model(folder: Path) -> Path:
    """The folder itself, or the last checkpoint of a run. Raises CommandError."""
    for candidate in (folder, *checkpoints(folder)[-1:]):
        if any((candidate / name).is_file() for name in (ADAPTER, CHECKPOINT)):
            return candidate
    raise CommandError(f"{folder} holds no model: give a run of vlm train, an adapter, or what vlm merge wrote")


def find_origin(model: Path, run: Path | None, evaluation: Path | None) -> Origin:
    """What is known of a model. Raises CommandError where a named folder does not hold what it should."""
    is_adapter = (model / ADAPTER).is_file()
    run_folder = run or (model if (model / "config.yaml").is_file() else model.parent)
    config: dict[str, Any] = {}
    if (run_folder / "config.yaml").is_file():
        try:
            config = read_yaml(run_folder / "config.yaml")
        except ConfigError as error:
            raise CommandError(str(error)) from None
    elif run is not None:
        raise CommandError(f"{run} is no run of vlm train: there is no config.yaml in it")
    base = str(config.get("model") or "")
    if not base and is_adapter:
        base = str(_read_json(model / ADAPTER).get("base_model_name_or_path") or "")
    return Origin(is_adapter, base, config, _losses(run_folder), _scores(evaluation))


def _losses(run: Path) -> dict[str, float]:
    try:
        lines = (run / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
        measured = [record for record in map(json.loads, lines) if "eval_loss" in record]
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in measured[-1].items() if name.startswith("eval_")} if measured else {}


def _scores(folder: Path | None) -> str:
    if folder is None:
        return ""
    try:
        return (folder / "table.md").read_text(encoding="utf-8")
    except OSError:
        raise CommandError(f"{folder} is no report of vlm eval: there is no table.md in it") from None


def _read_json(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError):
        raise CommandError(f"{path} is not JSON that can be read") from None


def stage(model: Path, card: str, folder: Path) -> None:
    """Everything that is pushed, into an empty folder."""
    for path in sorted({path for pattern in FILES for path in model.glob(pattern)}):
        if path.name not in OF_THE_RUN:
            shutil.copy(path, folder / path.name)
    adapter = folder / ADAPTER
    if adapter.is_file():
        config = _read_json(adapter)
        if isinstance(base := config.get("base_model_name_or_path"), str):  # at times a place on this machine
            config["base_model_name_or_path"] = name_only(base)
        adapter.write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")
    (folder / "README.md").write_text(card, encoding="utf-8")


def push(folder: Path, repo: str, private: bool) -> str:
    """Make the repository, if need be, and upload a folder to it; returns its address. Raises CommandError."""
    if get_token() is None:
        raise CommandError("there is no token for the Hugging Face hub: run `hf auth login`, or set $HF_TOKEN")
    api = HfApi()
    try:
        api.create_repo(repo, private=private, exist_ok=True)
        api.upload_folder(repo_id=repo, folder_path=folder, commit_message="Pushed with vlm push")
    except HfHubHTTPError as error:
        raise CommandError(f"the hub refuses {repo}: {error.server_message or error}") from None
    except (httpx2.HTTPError, OSError) as error:
        raise CommandError(f"the Hugging Face hub cannot be reached ({error}); try --dry-run OUT meanwhile") from None
    return f"{api.endpoint}/{repo}"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm push", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", metavar="FOLDER", type=Path, help="a run, an adapter or a checkpoint")
    parser.add_argument("repo", metavar="REPO", help="OWNER/NAME on the hub")
    parser.add_argument("--run", type=Path, metavar="RUN", help="the run that it comes from (default: where it lies)")
    parser.add_argument("--eval", type=Path, metavar="REPORT", help="what vlm eval wrote of it: its scores")
    parser.add_argument("--private", action="store_true", help="if the repository is new, only you can see it")
    parser.add_argument("--dry-run", type=Path, metavar="OUT", help="write what would be pushed into this new folder")
    args = parser.parse_args(argv)
    try:
        validate_repo_id(args.repo)
        run(args)
    except HFValidationError as error:
        print(f"error: {args.repo!r} is no name on the hub: {error}", file=sys.stderr)
        return 2
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def run(args: argparse.Namespace) -> None:
    model = find_model(args.folder)
    card = write_card(find_origin(model, args.run, args.eval), args.repo)
    if args.dry_run is not None:
        check_is_new(args.dry_run)
        args.dry_run.mkdir(exist_ok=True)
        stage(model, card, args.dry_run)
        print(f"nothing was pushed; what would be is in {args.dry_run}")
        return
    with tempfile.TemporaryDirectory(prefix="regard-push-") as folder:
        stage(model, card, Path(folder))
        print(f"pushed to {push(Path(folder), args.repo, args.private)}")
