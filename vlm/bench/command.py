"""`vlm bench`: measure all of it, print the table, write it as JSON and as a Markdown page."""

import argparse
import json
import time
from dataclasses import asdict
from pathlib import Path

from ..loading import DEFAULT_MODEL
from . import llama
from .machine import machine
from .measure import ROWS, Bench, Sizes
from .page import page
from .rows import as_json, as_text, evaluate


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm bench",
        description="Measure speed and memory beside llama.cpp and transformers, on this machine, in one run.",
        epilog=f"llama.cpp is built once:\n  {llama.how_to_get()}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--model", default=DEFAULT_MODEL, help=f"as vlm serve takes it (default: {DEFAULT_MODEL})")
    parser.add_argument("--out", type=Path, default=Path("runs/bench"), metavar="FOLDER", help="default: runs/bench")
    parser.add_argument("--parts", nargs="+", choices=[*ROWS], default=[*ROWS], help="what to measure (default: all)")
    sizes = Sizes()
    parser.add_argument("--rounds", type=int, default=sizes.rounds, help=f"default: {sizes.rounds}")
    parser.add_argument(
        "--requests", type=int, default=sizes.requests, help=f"to the server for its memory (default: {sizes.requests})"
    )
    args = parser.parse_args(argv)
    if min(args.rounds, args.requests) < 1:
        parser.error("--rounds and --requests must be at least 1")
    run(Bench(args.model, Sizes(rounds=args.rounds, requests=args.requests)), args.parts, args.out)
    return 0


def run(bench: Bench, parts: list[str], out: Path) -> None:
    """Measure, print the table, and write `bench.json` and `bench.md` into the folder."""
    facts = machine()
    started = time.perf_counter()
    bench.run(parts)
    facts["took"] = f"{time.perf_counter() - started:.0f} s"
    results = evaluate([row for part in parts for row in ROWS[part]], bench.measured)
    print("\n".join([as_text(results), *bench.notes.values()]))
    out.mkdir(parents=True, exist_ok=True)
    everything = {
        "machine": facts, "sizes": asdict(bench.sizes), "notes": bench.notes, "rows": as_json(results),
        "measured": bench.measured, "profiles": [asdict(profile) for profile in bench.profiles],
    }  # fmt: skip
    (out / "bench.json").write_text(json.dumps(everything, indent=1), encoding="utf-8")
    (out / "bench.md").write_text(page(facts, bench, results), encoding="utf-8")
    print(f"written: {out / 'bench.json'}, {out / 'bench.md'}")
