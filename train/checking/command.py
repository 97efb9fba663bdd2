"""Say what is wrong with a data set, by row: 0 where training can take all of it, else 1 (2: it cannot be read)."""

import argparse
import json
import os
import sys
from functools import cache, partial
from pathlib import Path
from typing import Any, get_args

from ..readers import DataError, RowsConfig, open_rows
from ..readers.config import Format


def add_parser(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """`vlm data check`."""
    parser = commands.add_parser("check", help="say what is wrong with a data set, by row", description=__doc__)
    parser.add_argument("path", metavar="PATH", help="a file or folder of rows, or a name on the Hugging Face hub")
    parser.add_argument("--against", metavar="PATH", help="the test set: none of its pictures may be in the other")
    parser.add_argument(
        "--against-split", metavar="NAME", help="the split of the test set (default: as --split); alone, of PATH itself"
    )
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the report for programs")
    parser.add_argument("--html", type=Path, metavar="FILE", help="write a page with findings, histograms and rows")
    parser.add_argument("--format", choices=get_args(Format), help="default: as name and content show")
    parser.add_argument(
        "--images", type=Path, metavar="DIR", help="where picture paths start (default: beside the file)"
    )
    parser.add_argument("--annotations", type=Path, metavar="FILE", help="of VQAv2 questions")
    parser.add_argument("--split", default="train", help="of a dataset (default: %(default)s)")
    parser.add_argument("--question", metavar="TEXT", help="asked of every picture, of captions or labels alone")
    parser.add_argument(
        "--columns", nargs="+", default=[], metavar="WHAT=NAME", help="image=, question=, answer=, type="
    )
    parser.add_argument("--max-tokens", type=int, default=1024, help="of a training row (default: %(default)s)")
    parser.add_argument(
        "--model", default="mini", metavar="NAME", help="whose tokens are counted (default: %(default)s)"
    )
    parser.add_argument(
        "--workers", type=int, default=os.cpu_count() or 1, metavar="N", help="processes (default: all cores)"
    )


def run(args: argparse.Namespace) -> int:
    """Raises DataError."""
    from .check import Limits, check  # with torch: the other commands of `vlm data` do without
    from .page import make_page

    config = _rows(args, args.path)
    against = None
    if args.against or args.against_split:
        other = {"annotations": None, "split": args.against_split or args.split}
        against = _rows(args, args.against or args.path).model_copy(update=other)
    limits = Limits(args.max_tokens, processor=cache(partial(_processor, args.model)), pairs=None)
    report = check(config, against, limits, max(args.workers, 1))
    if args.json:
        args.json.write_text(json.dumps(report.as_json(), indent=1) + "\n", encoding="utf-8")
    if args.html:
        args.html.write_text(make_page(report, open_rows(config)), encoding="utf-8", errors="replace")
    print(report.as_text().encode(sys.stdout.encoding or "utf-8", "replace").decode(sys.stdout.encoding or "utf-8"))
    return 0 if report.is_usable else 1


def _processor(model: str) -> Any:
    """Asked for only where a row may be too long: it takes a moment."""
    from vlm.loading import PartNotFoundError, load

    try:
        return load(model).processor
    except PartNotFoundError as error:
        raise DataError(f"tokens cannot be counted: {error}") from None


def _rows(args: argparse.Namespace, name: str) -> RowsConfig:
    """The data set that a word on the command line names."""
    columns = dict(word.partition("=")[::2] for word in args.columns)
    if unknown := sorted(set(columns) - {"image", "question", "answer", "type"}):
        raise DataError(f"--columns names image=, question=, answer= or type=, found {', '.join(unknown)}")
    values = {name: getattr(args, name) for name in ("format", "images", "annotations", "split", "question")}
    # owner/name where there is no such file: on the hub
    is_hub = not Path(name).exists() and name.count("/") == 1 and not Path(name).suffix
    place = {"dataset": name} if is_hub or args.format == "dataset" else {"path": Path(name)}
    return RowsConfig.model_validate({**values, **place, "columns": columns})
