"""The whole check of a data set: every row is read, every picture decoded, and what is found told by row."""

import time
from array import array
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any

from PIL import Image
from tqdm import tqdm

from vlm.processing_vlm import VlmProcessor

from ..readers import Problem, Reader, Row, RowsConfig, open_rows
from ..readers.row import Messages, parts_of, pictures_of, text_of
from ..truncation import fit
from .pictures import Look, alike, look_at_paths, look_at_rows, look_in_parallel
from .report import Finding, Report
from .rows import NO_PAIR, RowCheck
from .texts import TextCheck, questions_of

MARKUP = 32  # tokens that a chat template writes around a message, at most
DOT = Image.new("RGB", (1, 1))


@dataclass(frozen=True)
class Limits:
    """What a training run takes."""

    max_tokens: int = 1024  # as TrainConfig.max_row_tokens
    max_pictures: int = 8
    processor: Callable[[], VlmProcessor] | None = None  # of the model; asked for where a row may be too long
    pairs: bool | None = False  # it learns from chosen and rejected answers; None: if any row has a rejected one


DEFAULT_LIMITS = Limits()


@dataclass
class Pictures:
    """The different pictures of a data set, and which rows have them."""

    reader: Reader
    paths: dict[str, int] = field(default_factory=dict)  # path -> number of the picture
    embedded: dict[int, int] = field(default_factory=dict)  # index of a row -> number of its first picture
    rows: array = field(default_factory=lambda: array("q"))  # number of a row, and of a picture that it has
    uses: array = field(default_factory=lambda: array("q"))
    count: int = 0

    def add(self, row: Row, index: int) -> None:
        for _, part in pictures_of(row.messages):
            number = self.count
            if "path" in part:
                number = self.paths.setdefault(part["path"], self.count)
            else:
                self.embedded.setdefault(index, self.count)
            self.count += number == self.count
            self.rows.append(row.number)
            self.uses.append(number)

    def look(self, config: RowsConfig, workers: int, compared: bool) -> list[Look]:
        """Every picture, by its number; what it is `compared` by is kept where it is wanted."""
        looks = [Look()] * self.count
        paths = list(self.paths)
        found = look_in_parallel(partial(look_at_paths, self.reader.folder), paths, workers, "pictures")
        for path, one in zip(paths, found, strict=True):
            looks[self.paths[path]] = one if compared else replace(one, small=b"")
        source = config.model_dump_json() if workers > 1 else self.reader
        inside = look_in_parallel(partial(look_at_rows, source), list(self.embedded), workers, "pictures in rows")
        for first, several in zip(self.embedded.values(), inside if self.embedded else (), strict=True):
            for offset, one in enumerate(several[: self.count - first]):
                looks[first + offset] = one if compared else replace(one, small=b"")
        return looks


def check(config: RowsConfig, against: RowsConfig | None, limits: Limits, workers: int) -> Report:
    """Raises DataError for a data set that cannot be read at all."""
    started = time.monotonic()
    report, texts, pictures, looks = _read(config, limits, workers, compared=against is not None)
    report.blind = texts.blind.shares()
    if against is not None:
        _, their_texts, their_pictures, their_looks = _read(against, limits, workers, compared=True)
        report.against = str(their_pictures.reader.path)
        report.blind_against = texts.blind.shares_of(their_texts.blind)
        report.findings += _overlap(pictures, looks, their_pictures, their_looks)
    report.findings += texts.finish(report.blind)
    report.seconds = time.monotonic() - started
    return report


def _read(
    config: RowsConfig, limits: Limits, workers: int, compared: bool
) -> tuple[Report, TextCheck, Pictures, list[Look]]:
    reader = open_rows(config)
    report, texts, pictures = Report(str(reader.path), reader.unit, len(reader)), TextCheck(), Pictures(reader)
    checked, single = RowCheck(reader, limits.max_pictures, limits.pairs), array("q")
    for index, found in enumerate(tqdm(reader.scan(), "rows", len(reader), unit="row", dynamic_ncols=True)):
        number = reader.number(index)
        try:
            row = checked.check(found)
        except Problem as problem:
            report.findings.append(Finding(problem.kind, str(problem), number))
            continue
        report.findings += [*texts.add(row), *_too_long(row, limits)]
        pictures.add(row, index)
        if not row.rejected.strip():
            single.append(row.number)
    if limits.pairs is None and checked.has_pairs:
        report.findings += [Finding("pair", NO_PAIR, number) for number in single]
    looks = pictures.look(config, workers, compared)
    report.pictures = len(looks)
    report.findings += [
        Finding(looks[picture].kind, looks[picture].problem, number)
        for number, picture in zip(pictures.rows, pictures.uses, strict=True)
        if looks[picture].kind
    ]
    report.answers, report.histograms = texts.answers, texts.histograms
    report.histograms["longer side of a picture"] = Counter(max(one.width, one.height) for one in looks if one.digest)
    report.histograms["rows with a picture"] = Counter(Counter(pictures.uses).values())
    return report, texts, pictures, looks


def _too_long(row: Row, limits: Limits) -> Iterator[Finding]:
    """A row beyond a training row's length, with what training leaves out of it."""
    # A token stands for at least one byte, so most rows are short enough without being tokenised.
    most = sum(len(text_of(message).encode()) + MARKUP for message in row.messages) + len(row.rejected.encode())
    if limits.processor is None or most + MARKUP + 256 * len(pictures_of(row.messages)) <= limits.max_tokens:
        return
    processor = limits.processor()
    try:
        told = _with_dots(row.messages)
        other = [[*told[:-1], {"role": "assistant", "content": row.rejected}]] if row.rejected else []
        fitted = fit([told, *other], processor, limits.max_tokens)
    except ValueError as error:  # more pictures than this very model can tell apart
        yield Finding("pictures", str(error), row.number)
        return
    if fitted.prompt:
        message = (
            f"before the answer it has {fitted.prompt} tokens, and a training row {limits.max_tokens}: shorten it, or"
            " take longer rows (max_row_tokens; --max-tokens of vlm data check)"
        )
        yield Finding("prompt_too_long", message, row.number)
    elif not fitted.is_whole:
        lost = fitted.lost if len(fitted.lost) < 80 else f"{fitted.lost[:40]} ... {fitted.lost[-30:]}"
        cut = [f"{fitted.turns} early turn(s)"] if fitted.turns else []
        cut += [f"the end of the answer, {lost!r}"] if lost else []
        message = f"has more than the {limits.max_tokens} tokens of a training row: without {' and '.join(cut)}"
        yield Finding("too_long", message, row.number)


def _with_dots(messages: Messages) -> Messages:
    """The conversation with a dot for every picture: a picture's tokens are as many, whatever it shows."""

    def dotted(part: dict[str, Any]) -> dict[str, Any]:
        return part if part["type"] == "text" else {"type": "image", "image": DOT}

    return [{"role": m["role"], "content": [dotted(part) for part in parts_of(m)]} for m in messages]


def _overlap(ours: Pictures, looks: list[Look], theirs: Pictures, their_looks: list[Look]) -> Iterator[Finding]:
    """Rows of ours whose picture a row of the other set has, to the byte or as far as one can see."""
    row_of = dict(zip(reversed(theirs.uses), reversed(theirs.rows), strict=True))  # the first that has it
    digests = {one.digest: number for number, one in reversed([*enumerate(their_looks)]) if one.digest}
    same = {number: digests[one.digest] for number, one in enumerate(looks) if one.digest in digests}
    left = [number for number, one in enumerate(looks) if one.digest and number not in same]
    readable = [number for number, one in enumerate(their_looks) if one.digest]
    pairs = alike([looks[number] for number in left], [their_looks[number] for number in readable])
    similar = {left[one]: readable[other] for one, other in pairs}
    for number, picture in zip(ours.rows, ours.uses, strict=True):
        for kind, found, verb in (("leaked", same, "is"), ("leaked_likely", similar, "looks like")):
            if picture in found:
                other = row_of[found[picture]]
                yield Finding(kind, f"its picture {verb} that of {theirs.reader.unit} {other} of the test set", number)


def sample_rows(reader: Reader, wanted: list[int]) -> Iterator[tuple[int, list[dict[str, Any]], list[tuple[str, str]]]]:
    """Rows for a page: number, picture parts, questions with answers; those that can be read."""
    for index in wanted:
        try:
            row = reader.row(index)
        except Problem:
            continue
        yield row.number, [part for _, part in pictures_of(row.messages)], list(questions_of(row))
