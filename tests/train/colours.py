"""Rows about plain pictures, whose answers depend on the picture or do not, and a config to train on them."""

import json
from pathlib import Path
from random import Random

from PIL import Image

from train.config import TrainConfig

COLOURS = {"red": (220, 20, 20), "green": (20, 200, 30), "blue": (20, 30, 220), "white": (255,) * 3}


def write_rows(folder: Path, count: int, answer=None) -> Path:
    """Every picture is another one; the answer is its colour, or what `answer` says of the row's number."""
    rng, lines = Random(0), []
    for number in range(count):
        name = list(COLOURS)[number % len(COLOURS)]
        shade = tuple(max(0, value - rng.randrange(20)) for value in COLOURS[name])
        Image.new("RGB", (16, 16), shade).save(folder / f"{number}.png")
        content = [{"type": "image", "path": f"{number}.png"}, {"type": "text", "text": "Colour?"}]
        said = {"role": "assistant", "content": answer(number) if answer else name}
        lines.append(json.dumps({"messages": [{"role": "user", "content": content}, said]}))
    path = folder / "data.jsonl"
    path.write_text("\n".join(lines))
    return path


def config_for(data: Path, output_dir: Path, **values) -> TrainConfig:
    output_dir.mkdir()
    settings = {
        "max_steps": 4, "global_batch_size": 4, "micro_batch_size": 2, "learning_rate": 2e-2,
        "lora_learning_rate": 1e-2, "gate_learning_rate": 2e-2, "save_every": 2, "eval_every": 2, "eval_rows": 8,
        "lora": {"rank": 2}, "report_to": (),
        "report_questions": 0, **values,
    }  # fmt: skip
    return TrainConfig(model="unused", data=({"path": data, "held_out": 0.25},), output_dir=output_dir, **settings)
