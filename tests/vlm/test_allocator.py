import subprocess
import sys

import pytest

CODE = """
import re, threading, torch
from pathlib import Path
from vlm.allocator import give_back_freed_memory

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

if {told}:
    assert give_back_freed_memory()
torch.ones(7 * 2**20).sum()  # 28 MB, which glibc learns from
before, kept = resident(), []
def work():
    parts = [torch.ones(5 * 2**20) for _ in range(8)]  # of 20 MB
    kept.append(torch.ones(64))
    del parts
threads = [threading.Thread(target=work) for _ in range(4)]
[thread.start() for thread in threads], [thread.join() for thread in threads]
print(resident() - before)
"""


def test_large_buffers_that_are_freed_go_back():
    held = subprocess.run([sys.executable, "-c", CODE.format(told=True)], capture_output=True, text=True, check=True)
    assert int(held.stdout) < 16, held.stdout


GAPS = """
import re, torch
from pathlib import Path
from vlm.allocator import give_back_gaps

def resident():
    return int(re.search(r"VmRSS:\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) // 1024

parts = [torch.ones(2**14) for _ in range(1024)]  # 64 MB
kept = parts[::8]
del parts
before = resident()
give_back_gaps()
print(before - resident())
"""


@pytest.mark.skipif(sys.platform != "linux", reason="it is measured by /proc")
def test_what_was_freed_between_things_in_use_goes_back():
    returned = subprocess.run([sys.executable, "-c", GAPS], capture_output=True, text=True, check=True)
    assert int(returned.stdout) > 48, returned.stdout
