"""Data sets of the Hugging Face hub, and those that `save_to_disk` has written: memory-mapped by the library."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .forms import Form
from .row import DataError, Problem, Reader, Row


class HubRows(Reader):
    """Rows of a `datasets.Dataset`. No code of a data set is run."""

    def __init__(self, name: str, folder: Path, form: Form, split: str = "train", saved: bool = False):
        super().__init__(Path(name), folder)
        self.form = form
        try:
            import datasets
        except ImportError:
            raise DataError(f"the data set {name} needs a library: pip install 'regard[datasets]'") from None
        try:
            data: Any = datasets.load_from_disk(name) if saved else datasets.load_dataset(name, split=split)
        except Exception as error:  # of the library, the hub, the network, Arrow: any kind
            reason = str(error).strip().splitlines() or [type(error).__name__]
            raise DataError(f"cannot load split {split!r} of the data set {name}: {reason[0]}") from None
        if isinstance(data, datasets.DatasetDict):
            if split not in data:
                raise DataError(f"the data set {name} has no split {split!r}; there are {', '.join(map(str, data))}")
            data = data[split]
        self._labels = {n: f.names for n, f in data.features.items() if isinstance(f, datasets.ClassLabel)}
        pictures = [n for n, f in data.features.items() if _holds_pictures(f, datasets.Image)]
        for column in pictures:
            feature = data.features[column]
            one = datasets.Image(decode=False)
            data = data.cast_column(column, one if isinstance(feature, datasets.Image) else datasets.List(one))
        if not {"messages", "conversations"} & set(data.column_names) and (problem := form.missing(data.column_names)):
            raise DataError(f"the data set {name}: {problem}")
        self._data, self._pictures = data, pictures

    def __len__(self) -> int:
        return len(self._data)

    def row(self, index: int) -> Row:
        return self._row(self._data[index], index)

    def _row(self, record: dict[str, Any], index: int) -> Row:
        for name, names in self._labels.items():
            record[name] = names[record[name]] if isinstance(record[name], int) and record[name] >= 0 else None
        return self.form.row(record, index + 1)

    def scan(self) -> Iterator[Row | Problem]:
        # Lists of pictures are read whole: how many there are does not show without them.
        single = [name for name in self._pictures if not hasattr(self._data.features[name], "feature")]
        present = {name: self._data.data.column(name).is_valid().to_pylist() for name in single}
        for index, record in enumerate(self._data.remove_columns(single)):
            record |= {name: {"bytes": b""} if there[index] else None for name, there in present.items()}
            try:
                yield self._row(record, index)
            except Problem as problem:
                yield problem


def _holds_pictures(feature: Any, image: type) -> bool:
    return isinstance(feature, image) or isinstance(getattr(feature, "feature", None), image)
