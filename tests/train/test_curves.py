import json

from PIL import Image

from train.curves import draw_curves


def test_a_run_is_drawn_with_a_panel_for_each_group(tmp_path):
    def size(*measured: str) -> int:
        records = [{"step": step, "loss": 2.0 / step, "eval_loss": 1.0} for step in range(1, 5)]
        records[-1] |= dict.fromkeys(measured, 0.5)
        (tmp_path / "metrics.jsonl").write_text("".join(json.dumps(record) + "\n" for record in records))
        with Image.open(draw_curves(tmp_path / "metrics.jsonl")) as picture:
            assert picture.convert("L").getextrema() == (0, 255)
            return picture.height

    alone, many = size(), size("eval/charts/end", "eval/charts/role", "eval/graphs/link", "eval/shapes/kind")
    assert many == 2 * alone  # three panels a row
