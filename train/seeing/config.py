"""What a training run of the scene encoder is."""

from pathlib import Path

from pydantic import Field, field_validator

from vlm.run_config import RunConfig

from ..data_engine import FAMILIES

NOTHING = "none"  # pictures without any structure


class SceneConfig(RunConfig):
    """Training of the scene encoder and its heads on drawn pictures."""

    families: dict[str, float] = Field(min_length=1)  # how often each is drawn, relative to the others
    output_dir: Path
    max_steps: int = Field(gt=0)
    batch_size: int = Field(16, gt=0)  # pictures per step
    workers: int = Field(2, gt=0)  # pictures at the same time, each on one core
    learning_rate: float = Field(1e-3, gt=0)
    trunk_learning_rate: float = Field(3e-4, gt=0)  # of the convolutions, which have learnt to see photographs
    warmup_steps: int = Field(30, ge=0)
    weight_decay: float = Field(0.01, ge=0)
    max_grad_norm: float = Field(1.0, gt=0)
    smallest_scale: float = Field(0.65, gt=0)  # pictures are drawn smaller or larger by a factor from here ...
    largest_scale: float = Field(1.05, gt=0)  # ... to here
    seed: int = 0
    save_every: int = Field(50, gt=0)  # steps between checkpoints
    eval_every: int = Field(100, gt=0)  # steps between measurements on unseen pictures
    eval_pictures: int = Field(16, gt=0)  # of each family

    @field_validator("families")
    @classmethod
    def _known_families(cls, families: dict[str, float]) -> dict[str, float]:
        if unknown := sorted(set(families) - {*FAMILIES, NOTHING}):
            raise ValueError(f"unknown {', '.join(unknown)}; there are {', '.join([*FAMILIES, NOTHING])}")
        return families
