"""A training run as a picture: what its metrics file says over time, for people to look at while it runs."""

import json
from itertools import groupby
from pathlib import Path

HELD_OUT = (
    ("eval_loss", "held out"),
    ("eval_loss_wrong", "held out, wrong pictures"),
    ("eval_loss_blind", "held out, grey pictures"),
)
SMOOTH = 0.9  # of the line through the losses of single steps


def draw_curves(metrics: Path) -> Path:
    """`curves.png` beside a metrics.jsonl: the loss, and a panel for each group of "eval/GROUP/NAME" measurements.

    The score of held-out questions ("eval_METRIC") has a panel as well.

    Loss on held-out rows ("eval_loss", with wrong pictures and with grey ones) stands with the training loss.
    """
    from matplotlib.figure import Figure  # not pyplot: no window, no global state

    records = [json.loads(line) for line in metrics.read_text(encoding="utf-8").splitlines()]
    found_names = sorted({name for record in records for name in record})
    names = [name for name in found_names if name.startswith("eval/")]
    groups = [(group, list(members)) for group, members in groupby(names, key=lambda name: name.split("/")[1])]
    scores = [name for name in found_names if name.startswith("eval_") and not name.startswith("eval_loss")]
    groups += [("held-out questions", scores)] if scores else []
    columns, rows = min(3, 1 + len(groups)), -(-(1 + len(groups)) // 3)
    figure = Figure(figsize=(max(8, 4 * columns), 3 * rows), layout="constrained")
    axes = figure.subplots(rows, columns, squeeze=False).flatten()
    _draw_losses(axes[0], records)
    for axis, (group, members) in zip(axes[1:], groups, strict=False):
        for name in members:
            found = [(record["step"], 100 * record[name]) for record in records if name in record]
            axis.plot(*zip(*found, strict=True), marker=".", label=name.removeprefix("eval_").split("/", 2)[-1])
        axis.set(title=group, ylim=(0, 103), ylabel="% right", xlabel="step")
        axis.legend(fontsize=7, loc="lower right")
    for axis in axes[1 + len(groups) :]:
        axis.set_axis_off()
    path = metrics.with_name("curves.png")
    figure.savefig(path, dpi=90)
    return path


def _draw_losses(axis, records: list[dict[str, float]]) -> None:
    steps, losses = [record["step"] for record in records], [record["loss"] for record in records]
    smooth, mean = [], losses[0]
    for loss in losses:
        mean = SMOOTH * mean + (1 - SMOOTH) * loss
        smooth.append(mean)
    axis.plot(steps, losses, linewidth=0.5, alpha=0.4)
    axis.plot(steps, smooth, label="training")
    for name, label in HELD_OUT:
        if found := [(record["step"], record[name]) for record in records if name in record]:
            axis.plot(*zip(*found, strict=True), marker="o", label=label)
    axis.set(title="loss", xlabel="step", yscale="log")
    axis.legend(fontsize=7, loc="upper right")  # to look for the best place takes long
