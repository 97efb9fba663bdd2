"""Two evaluations of the same questions: is one better, and on which rows.

vlm eval --compare runs/eval-a runs/eval-b
"""

import argparse
import json
import sys
from collections import Counter
from itertools import groupby
from pathlib import Path
from typing import Any

from .intervals import compare_paired
from .readers import DataError

PREDICTIONS = "predictions.jsonl"
FIELDS: dict[str, Any] = {
    "suite": str,
    "picture": str,
    "prompt": str,
    "expected": str,
    "answer": str,
    "score": (int, float),
}
SHOWN = 10  # rows that became better, and as many that became worse

Key = tuple[str, str, str, int]


def main(argv: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm eval", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    help = f"folders that vlm eval wrote, or their {PREDICTIONS}"
    parser.add_argument("--compare", nargs=2, type=Path, metavar=("A", "B"), required=True, help=help)
    parser.add_argument("--out", type=Path, metavar="FILE", help="write every row that changed, one JSON object a line")
    args = parser.parse_args(argv)
    try:
        before, after = (read_predictions(path) for path in args.compare)
        shared = sorted(before.keys() & after.keys())
        if not shared:
            raise DataError(f"{args.compare[0]} and {args.compare[1]} have no question in common")
        if args.out:
            changed = [changed_row(before[key], after[key]) for key in shared if differs(before[key], after[key])]
            args.out.write_text("".join(json.dumps(row) + "\n" for row in changed), encoding="utf-8")
    except (DataError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(as_table(before, after, shared))
    print(as_rows(before, after, shared))
    for path, rows in zip(args.compare, (before, after), strict=True):
        if len(rows) > len(shared):
            print(f"{len(rows) - len(shared)} rows of {path} are not in the other and were left out")
    return 0


def read_predictions(path: Path) -> dict[Key, dict[str, Any]]:
    """Rows by suite, picture and prompt; the fourth part of the key counts those that share all three."""
    file = path / PREDICTIONS if path.is_dir() else path
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise DataError(f"cannot read {file}: give a folder that `vlm eval` wrote") from None
    rows: dict[Key, dict[str, Any]] = {}
    seen: Counter[tuple[str, str, str]] = Counter()
    for number, line in enumerate(lines, 1):
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict) or not all(isinstance(row.get(k), kind) for k, kind in FIELDS.items()):
            raise DataError(f"{file}, line {number} is no prediction: it must have {', '.join(FIELDS)}")
        key = row["suite"], row["picture"], row["prompt"]
        rows[*key, seen[key]] = row
        seen[key] += 1
    return rows


def differs(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["answer"] != other["answer"]


def changed_row(one: dict[str, Any], other: dict[str, Any]) -> dict[str, Any]:
    kept = {name: one[name] for name in ("suite", "picture", "prompt", "expected")}
    return kept | {
        f"{name}_{run}": row[name] for run, row in (("a", one), ("b", other)) for name in ("answer", "score")
    }


def as_table(before: dict[Key, Any], after: dict[Key, Any], shared: list[Key]) -> str:
    """Markdown: one row a suite."""
    lines = ["| suite | questions | A | B | B - A | 95 % interval | better | worse | p |", "|" + "---|" * 9]
    for suite, keys in groupby(shared, key=lambda key: key[0]):
        chosen = list(keys)
        ones, others = ([rows[key]["score"] for key in chosen] for rows in (before, after))
        found = compare_paired(ones, others)
        gap = found.difference
        means = [f"{100 * sum(scores) / len(scores):.1f} %" for scores in (ones, others)]
        lines.append(
            f"| {suite} | {len(chosen)} | {means[0]} | {means[1]} | {100 * gap.value:+.1f} % |"
            f" {100 * gap.low:+.1f} to {100 * gap.high:+.1f} % | {found.better} | {found.worse} |"
            f" {found.p_value:.2g} ({found.test}) |"
        )
    return "\n".join(lines)


def as_rows(before: dict[Key, Any], after: dict[Key, Any], shared: list[Key]) -> str:
    """The first rows that became better, and those that became worse."""
    lines = []
    for title, sign in (("better", 1), ("worse", -1)):
        changed = [key for key in shared if sign * (after[key]["score"] - before[key]["score"]) > 0]
        lines.append(f"\n{len(changed)} became {title}" + (f", the first {SHOWN}:" if len(changed) > SHOWN else ":"))
        for key in changed[:SHOWN]:
            one, other = before[key], after[key]
            lines.append(f"  {key[1]}: {key[2]!r} ({one['expected']!r}): {one['answer']!r} -> {other['answer']!r}")
    return "\n".join(lines)
