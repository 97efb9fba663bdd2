"""What a check found, for programs (JSON) and for the terminal; `page.py` makes a page of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

# Kind -> whether training cannot do with it, and what it is called.
KINDS: dict[str, tuple[bool, str]] = {
    "form": (True, "rows of another form"),
    "encoding": (True, "rows that are not UTF-8 text"),
    "placeholders": (True, "rows whose <image> marks are not as many as their pictures"),
    "pictures": (True, "rows with more pictures than the model can tell apart"),
    "missing": (True, "rows whose picture is not there"),
    "outside": (True, "rows whose picture is outside of the data folder"),
    "unreadable": (True, "rows whose picture cannot be read"),
    "empty": (True, "rows with an empty answer"),
    "pair": (True, "rows that are no pair of a chosen and a rejected answer"),
    "prompt_too_long": (True, "rows whose pictures and question alone are longer than a training row"),
    "leaked": (True, "rows whose picture is in the test set"),
    "leaked_likely": (False, "rows whose picture looks like one of the test set"),
    "too_long": (False, "rows that are cut to the length of a training row"),
    "duplicate": (False, "rows that are there already"),
    "contradiction": (False, "rows that answer the same question about the same picture otherwise"),
    "answer_in_question": (False, "rows whose answer is in the question"),
    "imbalance": (False, "answers that are far more frequent than the others"),
    "blind": (False, "questions that need no picture"),
}
SHOWN = 5  # findings of a kind in the terminal
KEPT = 1000  # messages of a kind in the JSON; all of their row numbers are there


@dataclass(frozen=True)
class Finding:
    kind: str
    message: str
    row: int | None = None  # as it is counted in the file; None: the data set as a whole


@dataclass
class Report:
    """One data set."""

    path: str
    unit: str  # what row numbers count
    rows: int = 0
    pictures: int = 0  # different ones
    against: str | None = None
    findings: list[Finding] = field(default_factory=list)
    # Share of answers that are right without a look: the most frequent answer of all, of the kind of question, of the
    # very question. From the other four fifths of the rows; of a test set, from the training set.
    blind: dict[str, float] = field(default_factory=dict)
    blind_against: dict[str, float] = field(default_factory=dict)
    answers: Counter[str] = field(default_factory=Counter)
    histograms: dict[str, Counter[int]] = field(default_factory=dict)
    seconds: float = 0.0

    def by_kind(self) -> dict[str, list[Finding]]:
        found = {kind: [finding for finding in self.findings if finding.kind == kind] for kind in KINDS}
        return {kind: findings for kind, findings in found.items() if findings}

    @property
    def is_usable(self) -> bool:
        """Whether training would take every row, and no test picture is among them."""
        return not any(KINDS[finding.kind][0] for finding in self.findings)

    @property
    def bad(self) -> dict[int, str]:
        """What is wrong with each row that cannot be trained on, by its number."""
        found = {f.row: f.message for f in reversed(self.findings) if KINDS[f.kind][0] and f.row is not None}
        return dict(sorted(found.items()))

    def as_json(self) -> dict[str, Any]:
        return {
            "path": self.path,
            "against": self.against,
            "usable": self.is_usable,
            "rows": self.rows,
            "bad_rows": len(self.bad),
            "pictures": self.pictures,
            "unit": self.unit,
            "findings": {
                kind: {
                    "level": "error" if KINDS[kind][0] else "warning",
                    "title": KINDS[kind][1],
                    "count": len(findings),
                    "rows": [finding.row for finding in findings if finding.row is not None],
                    "messages": [{"row": f.row, "message": f.message} for f in findings[:KEPT]],
                }
                for kind, findings in self.by_kind().items()
            },
            "blind": self.blind,
            "blind_against": self.blind_against,
            "answers": dict(self.answers.most_common(100)),
            "histograms": {name: dict(sorted(counts.items())) for name, counts in self.histograms.items()},
            "seconds": round(self.seconds, 1),
        }

    def as_text(self) -> str:
        lines = [f"{self.path}: {self.rows} rows, {self.pictures} pictures, {self.seconds:.0f} s"]
        for kind, findings in self.by_kind().items():
            lines.append(f"{'error' if KINDS[kind][0] else 'note'}: {len(findings)} {KINDS[kind][1]}")
            for finding in findings[:SHOWN]:
                where = "" if finding.row is None else f"{self.unit} {finding.row}: "
                lines.append(f"  {where}{finding.message}")
            if len(findings) > SHOWN:
                lines.append(f"  and {len(findings) - SHOWN} more")
        for title, shares in (("of these rows", self.blind), ("of the test set", self.blind_against)):
            if shares:
                told = ", ".join(f"{share:.1%} by the {name}" for name, share in shares.items())
                lines.append(f"answers {title} that the most frequent one gets right, without a look: {told}")
        verdict = "nothing stands against training on it"
        if not self.is_usable:
            verdict = f"{len(self.bad)} of {self.rows} rows are to be mended; training goes on without them: --skip-bad"
        return "\n".join([*lines, verdict])
