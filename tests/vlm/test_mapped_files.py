"""Memory that only mirrors a file is let go of, and nothing is lost."""

import pytest
import torch
from safetensors.torch import load_file, save_file

from vlm.mapped_files import release_weight_files

SIZE = 2**22  # 16 MiB of fp32


@pytest.mark.parametrize("name", ["a.safetensors", "weights.data"])
def test_what_was_read_of_a_weight_file_is_let_go_of_and_comes_back(name, tmp_path):
    save_file({"weight": torch.arange(SIZE, dtype=torch.float32)}, tmp_path / name)
    weight = load_file(tmp_path / name)["weight"]
    assert float(weight.sum()) > 0
    assert release_weight_files() >= 4 * SIZE
    assert torch.equal(weight, torch.arange(SIZE, dtype=torch.float32))


def test_a_file_that_was_changed_in_memory_stays(tmp_path):
    save_file({"weight": torch.zeros(SIZE)}, tmp_path / "b.safetensors")
    weight = load_file(tmp_path / "b.safetensors")["weight"]
    weight[7] = 1.0
    release_weight_files()
    assert weight[7] == 1.0 and float(weight.sum()) == 1.0
