import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from vlm import cold_start, loading
from vlm.loading import load_checkpoint, load_weights, make_processor, save_checkpoint

ROOT = Path(__file__).parents[2]
# Top-level packages, and parts of torch, that no answer needs.
HEAVY = {"accelerate", "matplotlib", "pandas", "peft", "scipy", "skimage", "sklearn", "sympy", "torchvision"}
HEAVY_PARTS = {"torch._dynamo", "torch._inductor", "torch.distributed.tensor", "torch.distributed.fsdp"}

ASK = "from vlm.cli import main; assert main(sys.argv[1:]) == 0"


@pytest.fixture
def checkpoint(tiny_config, open_gates, byte_tokenizer, tmp_path):
    save_checkpoint(open_gates, make_processor(tiny_config, byte_tokenizer), tmp_path / "model")
    return tmp_path / "model"


def run_python(code: str, *arguments: object, cache: Path) -> list[str]:
    """What `code` printed, line by line, in a process of its own with its own cache folder."""
    environment = {"PATH": "", "XDG_CACHE_HOME": str(cache), "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-c", f"import sys\n{code}", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, env=environment)
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


def test_asking_imports_nothing_that_no_answer_needs(checkpoint, picture, tmp_path):
    picture.save(tmp_path / "picture.png")
    code = f"{ASK}\nimport json; print(json.dumps(sorted(sys.modules)))"
    *_, modules = run_python(
        code, "ask", "--model", checkpoint, tmp_path / "picture.png", "What?", "--max-tokens=2", cache=tmp_path
    )
    imported = set(json.loads(modules))
    assert {"vlm.cold_start", "transformers.modeling_utils"} <= imported
    assert not {name.partition(".")[0] for name in imported} & HEAVY
    assert not imported & HEAVY_PARTS
    assert len(list(tmp_path.glob("regard/transformers-*.names"))) == 1


def test_loading_what_reads_pictures_imports_nothing_that_no_answer_needs(tmp_path):
    code = """
from vlm.cold_start import import_loading
import_loading()
from vlm.objects import load_tower
from vlm.reading import load_reader
load_tower(), load_reader()
import json; print(json.dumps(sorted(sys.modules)))"""
    imported = set(json.loads(run_python(code, cache=tmp_path)[-1]))
    assert not {name.partition(".")[0] for name in imported} & HEAVY
    assert not imported & HEAVY_PARTS


@pytest.mark.slow
def test_the_answer_is_the_same_with_and_without(checkpoint, picture, tmp_path):
    picture.save(tmp_path / "picture.png")
    arguments = ["ask", "--model", checkpoint, tmp_path / "picture.png", "What?", "--max-tokens=9"]
    plain = "from vlm import cold_start; cold_start.WRITTEN_FOR['transformers'] = '0.'\n"
    with_heavy = f"{plain}{ASK}\nassert 'scipy' in sys.modules and 'torch._dynamo' in sys.modules"
    first, second = (run_python(code, *arguments, cache=tmp_path) for code in (ASK, with_heavy))
    assert first == second != []


@pytest.mark.slow
def test_what_was_left_out_is_there_for_whoever_wants_it(tmp_path):
    code = """
from vlm.cold_start import import_loading
import_loading()
import torch
from transformers import is_torch_available, LlamaConfig, LlamaForCausalLM  # lazily, as ever
import accelerate, peft, scipy.optimize, sympy, transformers.models.clip.modeling_clip
assert scipy.optimize.linear_sum_assignment and torch.distributed.is_available()
assert torch.compile(lambda x: x + 1, backend="eager", fullgraph=True)(torch.ones(1)) == 2
from transformers.integrations.eager_paged import eager_paged_attention_forward as disabled
assert torch._dynamo.is_compiling() is False and torch._dynamo.__file__.endswith("__init__.py")
import gc; assert gc.isenabled()
"""
    run_python(code, cache=tmp_path)  # fails with what the code says
    assert len(list(tmp_path.glob("regard/transformers-*.names"))) == 1


def test_marks_work_without_a_compiler_and_leave_no_trace(monkeypatch):
    monkeypatch.delitem(sys.modules, "torch._dynamo", raising=False)
    monkeypatch.delattr(torch, "_dynamo", raising=False)
    with cold_start._compiler_put_off():
        plain = torch.compiler.disable(lambda x: x + 1)
        partly = torch.compiler.disable(recursive=False)(lambda x: x + 2)
        allowed = torch.compiler.allow_in_graph(len)
    assert (plain(1), partly(1), allowed) == (2, 3, len)
    assert "torch._dynamo" not in sys.modules


def test_what_the_files_define_is_read_once(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "models").mkdir()
    found = {"llama": {frozenset({"torch"}): {"modeling_llama": {"LlamaModel"}}}}
    calls = []
    remembered = cold_start._remember(lambda path: calls.append(path) or found)
    assert remembered(str(tmp_path / "models")) == remembered(str(tmp_path / "models")) == found
    assert len(calls) == 1
    (file,) = (tmp_path / "cache" / "regard").iterdir()
    file.write_bytes(file.read_bytes()[:20])
    assert remembered(str(tmp_path / "models")) == found
    assert len(calls) == 2
    remembered(str(tmp_path))  # one model's folder: quick, and not kept
    assert len(calls) == 3
    assert list((tmp_path / "cache" / "regard").iterdir()) == [file]


def test_a_cache_that_cannot_be_written_is_done_without(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    (tmp_path / "models").mkdir()
    assert cold_start._remember(lambda path: {"a": 1})(str(tmp_path / "models")) == {"a": 1}


def everything(model: torch.nn.Module) -> dict[str, torch.Tensor]:
    return {**dict(model.named_parameters()), **dict(model.named_buffers())}


@pytest.mark.parametrize(("quantization", "tied"), [("none", False), ("none", True), ("int8", False), ("int4", False)])
def test_weights_are_loaded_as_from_pretrained_loads_them(tiny_config, byte_tokenizer, tmp_path, quantization, tied):
    tiny_config.text_config.tie_word_embeddings = tied
    model = loading.VlmForConditionalGeneration(tiny_config)
    loading.quantize_(model.language_model, quantization)
    model.config.quantization = quantization
    save_checkpoint(model, make_processor(tiny_config, byte_tokenizer), tmp_path)
    expected = loading.VlmForConditionalGeneration.from_pretrained(tmp_path)
    loaded, _ = load_checkpoint(str(tmp_path))
    assert {n: t.requires_grad for n, t in everything(loaded).items()} == {
        n: t.requires_grad for n, t in everything(expected).items()
    }
    assert all(torch.equal(tensor, everything(expected)[name]) for name, tensor in everything(loaded).items())
    assert loaded.config.to_dict() == expected.config.to_dict()
    assert loaded.generation_config.to_dict() == expected.generation_config.to_dict()
    assert not any(module.training for module in loaded.modules())
    if quantization == "none":
        assert (loaded.get_output_embeddings().weight is loaded.get_input_embeddings().weight) == tied


@pytest.mark.parametrize("change", ["missing", "renamed"])
def test_a_checkpoint_that_is_not_quite_ours_goes_to_from_pretrained(checkpoint, monkeypatch, change):
    from safetensors.torch import load_file, save_file

    state = load_file(checkpoint / "model.safetensors")
    name = next(iter(state))
    tensor = state.pop(name).clone()
    if change == "renamed":
        state[f"{name}_old"] = tensor
    save_file(state, checkpoint / "model.safetensors", metadata={"format": "pt"})
    monkeypatch.setattr(loading.VlmForConditionalGeneration, "from_pretrained", lambda folder, config: "asked")
    assert load_weights(loading.AutoConfig.from_pretrained(checkpoint), str(checkpoint)) == "asked"
