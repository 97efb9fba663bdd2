"""`vlm compose` writes a model whole or not at all, and `vlm info` tells what one is made of."""

import pytest
import yaml

from vlm import __version__, cli, loading
from vlm.loading import load


@pytest.fixture
def parts(tmp_path, tiny_parts):
    """A YAML of parts, as in configs/model."""
    (tmp_path / "parts.yaml").write_text(yaml.safe_dump({**tiny_parts, "network": {"cross_attention_layers": [1]}}))
    return str(tmp_path / "parts.yaml")


def test_a_composed_model_is_saved_and_answers(parts, tmp_path, picture, capsys):
    folder = tmp_path / "models" / "mine"
    assert cli.main(["compose", parts, str(folder), "quantization=int8"]) == 0
    told = capsys.readouterr().out
    assert f"saved            {folder}" in told and "int8, of the language model" in told
    assert isinstance(load(str(folder)).ask(picture, "What?", max_new_tokens=2), str)
    assert [path.name for path in folder.parent.iterdir()] == ["mine"]


def test_without_a_folder_nothing_is_saved(parts, tmp_path, capsys):
    before = sorted(tmp_path.iterdir())
    assert cli.main(["compose", parts]) == 0
    assert "saved" not in capsys.readouterr().out and sorted(tmp_path.iterdir()) == before


def test_nothing_is_overwritten_and_nothing_half_written(parts, tmp_path, capsys, monkeypatch):
    before = sorted(tmp_path.rglob("*"))
    assert cli.main(["compose", parts, str(tmp_path / "llm")]) == 2
    assert "is there already; name a new folder" in capsys.readouterr().err

    def killed(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr("vlm.processing_vlm.VlmProcessor.save_pretrained", killed)
    assert cli.main(["compose", parts, str(tmp_path / "mine")]) == 130
    assert sorted(tmp_path.rglob("*")) == before


def test_a_place_that_cannot_be_written_to_is_named_before_anything_is_loaded(parts, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(loading, "compose_from_config", lambda config: pytest.fail("loaded"))
    (tmp_path / "file").write_text("")
    assert cli.main(["compose", parts, str(tmp_path / "file" / "mine")]) == 2
    assert "cannot be written" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["a.yaml", "b", "c"], ["seed=1"]])
def test_words_that_are_not_wanted_are_named(words, capsys):
    assert cli.main(["compose", *words]) == 2
    assert "wanted are CONFIG [FOLDER] [key=value ...], found" in capsys.readouterr().err


def test_info_tells_parts_sizes_quantization_and_device(parts, tmp_path, capsys):
    folder = str(tmp_path / "mine")
    assert cli.main(["compose", parts, folder]) == 0
    capsys.readouterr()
    assert cli.main(["info", "--model", folder, "--quantization", "int8", "--device", "cpu"]) == 0
    lines = {line[:17].strip(): line[17:] for line in capsys.readouterr().out.splitlines()}
    assert lines["model"] == "mine"
    for name, words in {
        "language model": "Llama", "vision tower": "Siglip", "projector": "mlp",
        "cross-attention": "before layers 1", "fusion": "cross_attention, ",
        "quantization": "int8, of the language model", "device": "cpu, ", "versions": f"regard {__version__}, torch ",
    }.items():  # fmt: skip
        assert lines[name].startswith(words), lines[name]
    assert all(
        "M parameters" in lines[name] for name in ("language model", "vision tower", "projector", "cross-attention")
    )
