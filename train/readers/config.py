"""Which rows: the keys that a training source, an evaluation suite and `vlm data check` have in common."""

from pathlib import Path
from typing import Literal

from pydantic import Field

from vlm.run_config import RunConfig

Format = Literal["jsonl", "json", "vqav2", "csv", "parquet", "captions", "dataset"]


class RowsConfig(RunConfig):
    """One data set. With `path` alone, its format shows in the file's name and content."""

    path: Path | None = None  # a file, or a folder: pictures with a captions file, or a saved dataset
    dataset: str | None = None  # a name on the Hugging Face hub, in place of a path
    split: str = "train"  # of a dataset
    format: Format | None = None
    images: Path | None = None  # where picture paths start; None: where the file lies
    annotations: Path | None = None  # of VQAv2 questions; None: the file beside them
    columns: dict[Literal["image", "question", "answer", "type"], str] = Field(default_factory=dict)
    question: str | None = None  # asked of every picture, where the data have captions or labels alone
