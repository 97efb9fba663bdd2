"""What `vlm read` does: what pictures show, as a table, CSV, JSON, Markdown or Mermaid."""

import argparse
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from .commands import CommandError, printable, read_picture

if TYPE_CHECKING:
    from PIL.Image import Image

    from .structure import Reading

FORMATS = ("table", "csv", "json", "markdown", "mermaid")
NOTHING = 1  # the exit code where no structure was found in some picture


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm read",
        description="Read charts, flowcharts, tables, labelled drawings and signs: what a picture shows, as data.",
        epilog="Behind what is uncertain stands a ? in table and markdown; json has every confidence. The exit code"
        " is 1 where no structure was found.",
        allow_abbrev=False,
    )
    parser.add_argument("pictures", nargs="+", metavar="PICTURE", help="picture files")
    help = "how it is written (default: table on a terminal, csv into a file or a pipe); mermaid is for graphs alone"
    parser.add_argument("--format", choices=FORMATS, help=help)
    parser.add_argument("--overlay", metavar="FILE", type=Path, help="also draw what was recognised onto the picture")
    parser.add_argument("--no-ocr", action="store_true", help="do not read the words in the picture")
    args = parser.parse_args(argv)
    try:
        return run(args)
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def run(args: argparse.Namespace) -> int:
    form = args.format or ("table" if sys.stdout.isatty() else "csv")
    if len(args.pictures) > 1 and (form in ("csv", "mermaid") or args.overlay):
        what = "--overlay" if args.overlay else form
        raise CommandError(f"{what} is for one picture, found {len(args.pictures)}: try --format json")
    images = [read_picture(name) for name in args.pictures]
    from .ocr import is_installed
    from .reading import load_reader
    from .structure.export import escape_markdown, to_json, to_json_list
    from .structure.facts import describe

    if not (args.no_ocr or is_installed()):
        print("words are not read, for which pip install 'regard[read]' is needed", file=sys.stderr)
    reader = load_reader()
    readings = [
        (name, reader.read(image, () if args.no_ocr else None))
        for name, image in zip(args.pictures, images, strict=True)
    ]
    if args.overlay:
        save_overlay(images[0], readings[0][1], args.overlay)
    if form == "json":
        print(to_json(readings[0][1]) if len(readings) == 1 else to_json_list(readings), end="")
    else:
        for name, reading in readings:
            if len(readings) > 1:
                print(f"## {escape_markdown(printable(name))}\n" if form == "markdown" else f"{printable(name)}:")
            show(reading, form)
            if len(readings) > 1:
                print()
    missing = [(name, reading) for name, reading in readings if reading.structure is None]
    for name, reading in missing:
        print(f"{name}: {describe(reading)[0]}", file=sys.stderr)
    return NOTHING if missing else 0


def show(reading: "Reading", form: str) -> None:
    from .structure import export
    from .structure.facts import describe

    if reading.structure is None:
        return
    writers = {
        "table": export.to_text, "csv": export.to_csv, "markdown": export.to_markdown,
        "mermaid": export.graph_to_mermaid,
    }  # fmt: skip
    try:
        text = writers[form](reading.structure)
    except export.ExportError as error:
        raise CommandError(str(error)) from None
    print(printable(text.replace("\r\n", "\n")).rstrip("\n"))
    if form == "table":
        print("\n" + "\n".join(printable(line) for line in describe(reading)))


def save_overlay(image: "Image", reading: "Reading", path: Path) -> None:
    from .structure.overlay import draw_overlay

    try:
        draw_overlay(image, reading).save(path)
    except (OSError, ValueError) as error:
        raise CommandError(f"{path} cannot be written: {error}; name a .png file in a folder that exists") from None
