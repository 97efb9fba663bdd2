"""Data sets in the forms that people have them in, read row by row from disk, in one internal form (`row.py`)."""

from pathlib import Path

from .captions import CaptionRows, find_captions
from .config import Format, RowsConfig
from .forms import Form
from .json_files import JsonRows
from .pictures import find_picture, open_picture
from .row import DataError, Messages, Problem, Reader, Row

__all__ = [
    "DataError",
    "Messages",
    "Problem",
    "Reader",
    "Row",
    "RowsConfig",
    "find_picture",
    "open_picture",
    "open_rows",
]

SUFFIXES: dict[str, Format] = {
    ".jsonl": "jsonl", ".ndjson": "jsonl", ".csv": "csv", ".tsv": "csv", ".parquet": "parquet", ".txt": "captions",
}  # fmt: skip


def open_rows(config: RowsConfig) -> Reader:
    """The rows that `config` names. Raises DataError."""
    form = Form(config.columns, config.question)
    if config.dataset is not None:
        from .hub import HubRows

        return HubRows(config.dataset, config.images or Path("."), form, config.split)
    assert config.path is not None
    path, kind = config.path, config.format
    if path.is_dir():
        if any((path / name).is_file() for name in ("dataset_info.json", "dataset_dict.json")):
            from .hub import HubRows

            return HubRows(str(path), config.images or path, form, config.split, saved=True)
        path = find_captions(path)
    kind = kind or recognise(path)
    folder = config.images or path.parent
    if kind == "vqav2":
        from .vqa import VqaRows

        return VqaRows(path, folder, form, config.annotations)
    if kind == "csv":
        from .csv_files import CsvRows

        return CsvRows(path, folder, form)
    if kind == "parquet":
        from .parquet_files import ParquetRows

        return ParquetRows(path, folder, form)
    if kind == "captions":
        return CaptionRows(path, folder, form)
    return JsonRows(path, folder, form, lines=kind == "jsonl")


def recognise(path: Path) -> Format:
    """The format of a file, by its first bytes and its name. Raises DataError."""
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise DataError(f"cannot read {path}: {error.strerror}; give a file or a folder of data") from None
    if head[:4] == b"PAR1":
        return "parquet"
    if path.suffix.lower() == ".json":
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
        if text[:1] == b"[":
            return "json"
        first = text.partition(b"\n")[0].rstrip()
        is_lines = first[-1:] == b"}" and first[:1] == b"{" and text[len(first) :].lstrip()[:1] in (b"{", b"")
        return "jsonl" if is_lines and b'"questions"' not in first else "vqav2"
    if path.suffix.lower() not in SUFFIXES:
        raise DataError(
            f"{path} is of no known format: name it with `format` (jsonl, json, vqav2, csv, parquet or captions)"
        )
    return SUFFIXES[path.suffix.lower()]
