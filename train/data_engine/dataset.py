"""Drawn pictures as files: `make` writes a folder in the messages format that training reads, `show` a page to look at,
`transfer` a set that other programs draw, for evaluation only; `easy-vqa` a small set to try fine-tuning with.
`check` says what is wrong with rows of your own.

vlm data make shapes --count 1000 --out data/shapes
vlm data show data/shapes
vlm data transfer --out data/transfer
vlm data easy-vqa --out data/easy-vqa
vlm data check data/shapes --html report.html
"""

import argparse
import html
import json
import os
import sys
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any, get_args

from tqdm import tqdm

from train.checking.command import add_parser, run
from train.readers import DataError

from . import FAMILIES, Split, draw
from .family import Question

LINES = "data.jsonl"
PAGE = "index.html"
STYLE = """\
body { font: 15px sans-serif; display: grid; grid-template-columns: repeat(auto-fill, minmax(34em, 1fr)); gap: 1em }
section { display: flex; gap: 1em; border: 1px solid #ccc; padding: .5em }
div { min-width: 15em } img { width: 15em; image-rendering: pixelated } p { margin: .2em 0 } b { color: #236 }"""


class DatasetError(ValueError):
    """A folder that cannot be written or read as a dataset; the message says which and what to do."""


def make(family: str, split: Split, count: int, out: Path, workers: int = 1) -> int:
    """Writes samples 0 to `count - 1` to `out`: images/*.png, and in data.jsonl a line per question; returns how many.

    data.jsonl appears when everything else is there, so a folder that has one is complete. What is written does not
    depend on the number of `workers` (processes).
    """
    lines = out / LINES
    if lines.exists():
        raise DatasetError(f"{lines} exists already: choose another folder for --out, or remove this one")
    (out / "images").mkdir(parents=True, exist_ok=True)
    unfinished = lines.with_suffix(".part")
    written = 0
    # Fresh processes, not forks of this one: it may have threads (of torch, say) that a fork would leave hanging.
    with unfinished.open("w", encoding="utf-8") as file, get_context("spawn").Pool(workers) as pool:
        drawn = pool.imap(partial(_draw_to, out, family, split), range(count), chunksize=16)
        for conversations in tqdm(drawn, family, total=count, unit="picture", dynamic_ncols=True):
            file.writelines(json.dumps(line) + "\n" for line in conversations)
            written += len(conversations)
    os.replace(unfinished, lines)
    return written


def _draw_to(out: Path, family: str, split: Split, seed: int) -> list[dict[str, Any]]:
    """Saves the picture of one sample; returns its lines of data.jsonl."""
    sample = draw(family, seed, split)
    path = f"images/{seed:06d}.png"
    sample.image.save(out / path)
    return [conversation(question, path) for question in sample.questions]


def conversation(question: Question, path: str) -> dict[str, Any]:
    """One line: a user's question about the picture at `path` and the answer as a sentence; the rest is for scoring."""
    content = [{"type": "image", "path": path}, {"type": "text", "text": question.text}]
    line: dict[str, Any] = {
        "messages": [
            {"role": "user", "content": content},
            {"role": "assistant", "content": [{"type": "text", "text": question.sentence}]},
        ],
        "images": [path],
        "type": question.type,
        "answer": question.answer,
    }
    if question.elements:
        line["elements"] = list(question.elements)
    return line


def show(folder: Path, count: int) -> Path:
    """Writes a page with the first `count` pictures of a folder and what is said about each; returns its path."""
    lines = folder / LINES
    if not lines.is_file():
        raise DatasetError(f"there is no {lines}: give a folder that `vlm data make` or you have written")
    pictures: dict[tuple[str, ...], list[str]] = {}
    for number, text in enumerate(lines.read_text(encoding="utf-8").splitlines(), start=1):
        try:
            line = json.loads(text)
            paths, said = _picture_paths(line), _as_html(line)
        except (ValueError, KeyError, TypeError):
            expected = '{"messages": [{"role": ..., "content": ...}, ...]}'
            raise DatasetError(f"line {number} of {lines} is not of the form {expected}: {text[:80]!r}") from None
        if paths in pictures or len(pictures) < count:
            pictures.setdefault(paths, []).append(said)
    sections = []
    for paths, paragraphs in pictures.items():
        images = "".join(f'<img src="{html.escape(path)}">' for path in paths)
        sections.append(f"<section><div>{images}</div><div>{''.join(paragraphs)}</div></section>\n")
    page = folder / PAGE
    title = html.escape(folder.resolve().name)
    head = f'<!doctype html><meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>\n'
    page.write_text(head + "".join(sections), encoding="utf-8")
    return page


def _parts(message: dict[str, Any]) -> list[dict[str, Any]]:
    content = message["content"]
    return [{"type": "text", "text": content}] if isinstance(content, str) else content


def _picture_paths(line: dict[str, Any]) -> tuple[str, ...]:
    return tuple(part["path"] for message in line["messages"] for part in _parts(message) if part["type"] == "image")


def _as_html(line: dict[str, Any]) -> str:
    """One paragraph: what the assistant says in bold, the rest as it is."""
    said = []
    for message in line["messages"]:
        text = html.escape(" ".join(part["text"] for part in _parts(message) if part["type"] == "text"))
        said.append(f"<b>{text}</b>" if message["role"] == "assistant" else text)
    return f"<p>{' '.join(said)}</p>\n"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm data", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="command", required=True)
    making = commands.add_parser("make", help="draw pictures with questions and answers into a folder")
    making.add_argument("family", choices=sorted(FAMILIES))
    making.add_argument("--split", choices=get_args(Split), default="train", help="default: %(default)s")
    making.add_argument("--count", type=_positive, default=100, help="how many pictures (default: %(default)s)")
    making.add_argument("--workers", type=_positive, default=os.cpu_count() or 1, help="processes (default: all cores)")
    making.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    showing = commands.add_parser("show", help=f"write a page ({PAGE}) with the pictures and what is said about them")
    showing.add_argument("folder", type=Path, metavar="DIR")
    showing.add_argument("--count", type=_positive, default=100, help="at most so many pictures (default: %(default)s)")
    transferring = commands.add_parser("transfer", help="write what other programs draw, to evaluate on")
    transferring.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    trying = commands.add_parser("easy-vqa", help="write the questions and pictures of the package easy-vqa")
    trying.add_argument("--out", type=Path, required=True, metavar="DIR", help="the folder to write")
    add_parser(commands)
    args = parser.parse_args(argv)
    try:
        if args.command == "check":
            return run(args)
        if args.command == "transfer":
            from train.transfer.build import build

            pictures, questions = build(args.out)
            print(f"{pictures} pictures with {questions} questions in {args.out}")  # noqa: T201
        elif args.command == "easy-vqa":
            from train.easy_vqa import write

            print(f"{write(args.out)} questions in {args.out}")  # noqa: T201
        elif args.command == "make":
            written = make(args.family, args.split, args.count, args.out, args.workers)
            print(f"{args.count} pictures with {written} questions in {args.out}")  # noqa: T201
        else:
            print(show(args.folder, args.count))  # noqa: T201
    except (DatasetError, DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)  # noqa: T201
        return 2
    return 0


def _positive(text: str) -> int:
    number = int(text)
    if number <= 0:
        raise argparse.ArgumentTypeError(f"expected a number above 0, found {number}")
    return number


if __name__ == "__main__":
    sys.exit(main())
