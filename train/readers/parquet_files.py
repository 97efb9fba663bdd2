"""Parquet, as the Hugging Face hub keeps data sets: read one row group at a time."""

from collections.abc import Iterator
from functools import lru_cache
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow
import pyarrow.compute
import pyarrow.parquet

from .forms import Form
from .row import DataError, Problem, Reader, Row


class ParquetRows(Reader):
    """Rows of a Parquet file; pictures are paths, bytes, or {"bytes", "path"}, alone or in lists."""

    def __init__(self, path: Path, folder: Path, form: Form):
        super().__init__(path, folder)
        self.form = form
        try:
            self._file = pyarrow.parquet.ParquetFile(path, memory_map=True)
            schema = self._file.schema_arrow
        except OSError as error:
            raise DataError(f"cannot read {path}: {error.strerror or 'it breaks off'}; save it anew") from None
        except (pyarrow.ArrowException, ValueError):
            raise DataError(f"{path} is not a Parquet file, or breaks off: save it anew") from None
        if not {"messages", "conversations"} & set(schema.names) and (problem := form.missing(schema.names)):
            raise DataError(f"{path}: {problem}")
        pictures = {"image", "images", form.named("image", schema.names)}
        self._embedded = [n for n in schema.names if n in pictures and _holds_bytes(schema.field(n).type)]
        counts = [self._file.metadata.row_group(i).num_rows for i in range(self._file.num_row_groups)]
        self._starts = np.array([0, *accumulate(counts)])
        # The last groups that were read: rows are asked for group by group.
        self._group = lru_cache(maxsize=2)(self._read_group)

    def __len__(self) -> int:
        return int(self._starts[-1])

    def block(self, index: int) -> int:
        return int(np.searchsorted(self._starts, index, side="right")) - 1

    def row(self, index: int) -> Row:
        group = self.block(index)
        return self.form.row(_record(self._group(group), index - int(self._starts[group])), index + 1)

    def _read_group(self, group: int) -> pyarrow.Table:
        try:
            return self._file.read_row_group(group, use_threads=False)
        except (pyarrow.ArrowException, OSError, ValueError):
            raise Problem("form", f"row group {group + 1} of the file is damaged: save it anew") from None

    def scan(self) -> Iterator[Row | Problem]:
        names = [name for name in self._file.schema_arrow.names if name not in self._embedded]
        for group in range(self._file.num_row_groups):
            start, end = int(self._starts[group]), int(self._starts[group + 1])
            try:
                table = self._file.read_row_group(group, columns=names, use_threads=False)
            except (pyarrow.ArrowException, OSError, ValueError):
                problem = Problem("form", f"row group {group + 1} of the file is damaged: save it anew")
                yield from [problem] * (end - start)
                continue
            counts = {name: self._count_pictures(group, name) for name in self._embedded}
            for offset in range(end - start):
                try:
                    record = _record(table, offset)
                    record |= {name: [{"bytes": b""}] * count[offset] for name, count in counts.items()}
                    yield self.form.row(record, start + offset + 1)
                except Problem as problem:
                    yield problem

    def _count_pictures(self, group: int, name: str) -> Any:
        """How many pictures each row of a group has in an embedded column; their bytes are read if they must."""
        paths = [column.path for column in self._file.schema if column.path.partition(".")[0] == name]
        paths = [path for path in paths if not path.endswith(".bytes")] or paths
        column = self._file.read_row_group(group, columns=paths, use_threads=False).column(name)
        if pyarrow.types.is_list(column.type) or pyarrow.types.is_large_list(column.type):
            return pyarrow.compute.list_value_length(column).fill_null(0).to_pylist()
        return [int(valid) for valid in column.is_valid().to_pylist()]


def _record(table: pyarrow.Table, offset: int) -> dict[str, Any]:
    """One row. Raises Problem: that its text is UTF-8 the library takes on trust."""
    try:
        return {name: table.column(name)[offset].as_py() for name in table.column_names}
    except UnicodeDecodeError as error:
        raise Problem(
            "encoding", f"it is not UTF-8 text (byte {error.start + 1} of a cell): save it as UTF-8"
        ) from None


def _holds_bytes(kind: pyarrow.DataType) -> bool:
    if pyarrow.types.is_list(kind) or pyarrow.types.is_large_list(kind):
        kind = kind.value_type
    return pyarrow.types.is_struct(kind) or pyarrow.types.is_binary(kind) or pyarrow.types.is_large_binary(kind)
