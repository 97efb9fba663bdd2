"""Weights are mapped into memory from their files; what is not needed any more of that need not stay there.

The engine multiplies with weights in its kernels' own layout, made from others or lying beside them in a file. Pages
of these others would count as memory of the process for as long as it runs.
"""

import re
from pathlib import Path

from .allocator import let_go

MAPPING = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r.-p .*(?:\.safetensors|/weights\.data)$")


def release_weight_files() -> int:
    """Let go of what has been read of weight files; it comes back from the file when it is looked at. Bytes let go.

    A file of which anything was changed in memory stays. Does nothing where there is no /proc.
    """
    try:
        lines = Path("/proc/self/smaps").read_text(encoding="utf-8").splitlines()
    except OSError:
        return 0
    released = 0
    for number, line in enumerate(lines):
        if (found := MAPPING.match(line)) is None:
            continue
        fields = {}
        for field in lines[number + 1 :]:
            name, colon, value = field.partition(":")
            if not colon or not name.isidentifier():
                break
            fields[name] = value
        start, end = (int(address, 16) for address in found.groups())
        is_unchanged = fields["Anonymous"].split() == ["0", "kB"]
        if is_unchanged and let_go(start, end - start):
            released += int(fields["Rss"].split()[0]) * 1024
    return released
