from pathlib import Path

import pytest

from train.command import choose_kind, run_command
from train.config import TrainConfig
from train.evaluate import EvalConfig
from train.seeing.config import SceneConfig
from train.seeing.evaluate import ReadEvalConfig
from vlm.run_config import RunConfig, load_config

CONFIGS = Path("configs")
KINDS = {
    "train": ((TrainConfig, print), (SceneConfig, print)),
    "eval": ((EvalConfig, print), (ReadEvalConfig, print)),
}


class Boat(RunConfig):
    oars: int
    name: str = "boat"


class Car(RunConfig):
    wheels: int
    seats: int = 4


@pytest.mark.parametrize("path", sorted([*CONFIGS.glob("train/*.yaml"), *CONFIGS.glob("eval/*.yaml")]), ids=str)
def test_every_config_is_of_the_kind_that_it_names(path):
    cls, _ = choose_kind(path, KINDS[path.parent.name])
    assert path.read_text().startswith(f"# {cls.__name__}:")
    load_config(cls, path, ())


@pytest.mark.parametrize(("text", "cls"), [("wheels: 4\nseats: 2", Car), ("oars: 2", Boat), ("name: x", Boat)])
@pytest.mark.parametrize("order", [1, -1])
def test_required_fields_tell_the_kind_and_else_it_is_the_first(tmp_path, text, cls, order):
    (tmp_path / "a.yaml").write_text(text)
    kinds = ((Boat, print), (Car, print))[::order]
    expected = cls if text[:4] in ("whee", "oars") else kinds[0][0]
    assert choose_kind(tmp_path / "a.yaml", kinds)[0] is expected


def run(tmp_path, text, *overrides):
    done = []
    (tmp_path / "a.yaml").write_text(text)
    kinds = ((Boat, lambda config: done.append(config)), (Car, lambda config: done.append(config)))
    return run_command("row", "Rows.", kinds, [str(tmp_path / "a.yaml"), *overrides]), done


def test_the_work_of_the_kind_is_done_with_its_overrides(tmp_path):
    code, done = run(tmp_path, "wheels: 4", "seats=2")
    assert code == 0 and done == [Car(wheels=4, seats=2)]


def test_what_the_user_can_mend_is_said_and_ends_with_2(tmp_path, capsys):
    code, done = run(tmp_path, "oars: 2\nsails: 1")
    assert code == 2 and not done and "sails" in capsys.readouterr().err
    assert run_command("row", None, ((Boat, print),), [str(tmp_path / "missing.yaml")]) == 2
    assert "missing.yaml" in capsys.readouterr().err
