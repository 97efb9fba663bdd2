"""What `vlm merge` and `vlm quantize` do: a model as a checkpoint of its own, which plain `from_pretrained` loads.

A checkpoint is written beside its place and renamed into it: what stands there is complete, and nothing is overwritten.
"""

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from .commands import CommandError, plain_errors

if TYPE_CHECKING:
    from .modeling_vlm import VlmForConditionalGeneration
    from .processing_vlm import VlmProcessor


def merge_main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm merge",
        description="Make a model and an adapter one checkpoint, which needs no peft.",
        epilog="A LoRA stays beside the weights that it changes, silent where no picture is seen, and these stay"
        " quantized as they are. One of DoRA becomes part of them: they are then stored unquantized.",
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="a name, a folder or a hub id")
    parser.add_argument("adapter", metavar="ADAPTER", help="a folder that vlm train wrote, or any in peft's format")
    parser.add_argument("out", metavar="OUT", type=Path, help="the new folder")
    return _run(merge, parser, argv)


def quantize_main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm quantize",
        description="Store the language model of a checkpoint in another form; the other parts stay as they are.",
        epilog="int8 and int4 run on the CPU, nf4 and bnb-int8 need bitsandbytes. What is quantized already is rounded"
        " a second time: start from unquantized weights where you have them.",
        allow_abbrev=False,
    )
    parser.add_argument("model", metavar="MODEL", help="a name, a folder or a hub id")
    parser.add_argument("out", metavar="OUT", type=Path, help="the new folder")
    parser.add_argument("--to", required=True, metavar="KIND", help="none, int8, int4, nf4 or bnb-int8")
    return _run(quantize, parser, argv)


def _run(work: Callable[[argparse.Namespace], None], parser: argparse.ArgumentParser, argv: list[str]) -> int:
    args = parser.parse_args(argv)
    try:
        with plain_errors():
            work(args)
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def merge(args: argparse.Namespace) -> None:
    check_is_new(args.out)
    from .loading import load

    try:
        assistant = load(args.model, device="cpu", adapter=args.adapter)
    except ValueError as error:  # among them: an adapter of another model
        raise CommandError(str(error)) from None
    _write(assistant.model, assistant.processor, args.out)


def quantize(args: argparse.Namespace) -> None:
    check_is_new(args.out)
    from .loading import load, requantize_
    from .quantization import check_quantization

    check_quantization(args.to)
    assistant = load(args.model, device="cpu")
    before = assistant.model.config.quantization
    if before != args.to:
        requantize_(assistant.model, args.to)
    if before not in ("none", args.to) and args.to != "none":
        print(f"the weights were {before} before, so they have been rounded twice", file=sys.stderr)
    _write(assistant.model, assistant.processor, args.out)


def check_is_new(folder: Path) -> None:
    """Raises CommandError for a place where something stands, or that cannot be written to."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise CommandError(f"{folder} is there already; name a new folder for the model")
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-"):
            pass
    except OSError as error:
        raise CommandError(f"{folder} cannot be written: {error.strerror}") from None


def _write(model: "VlmForConditionalGeneration", processor: "VlmProcessor", folder: Path) -> None:
    from .summary import summarize

    print(summarize(model))
    write_new(model, processor, folder)


def write_new(model: "VlmForConditionalGeneration", processor: "VlmProcessor", folder: Path) -> None:
    """Write a complete checkpoint to a new or empty folder, or nothing at all, and say so."""
    from .loading import save_checkpoint

    with tempfile.TemporaryDirectory(dir=folder.parent, prefix=".partial-") as partial:
        save_checkpoint(model, processor, Path(partial, "checkpoint"))
        try:
            Path(partial, "checkpoint").rename(folder)
        except OSError as error:
            raise CommandError(f"{folder} cannot be written: {error.strerror}") from None
    print(f'saved            {folder}: vlm ask --model {folder} PICTURE "QUESTION"')
