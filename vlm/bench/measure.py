"""What is measured, in four parts, and the rows that it makes."""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, field

import torch

from ..loading import load
from . import llama
from .ours import Ours
from .profile import Profile, profile_step
from .rows import Measured, Row, in_rounds
from .server import Server, p99_over_p50, seconds_between_tokens, send_mixed_requests
from .smolvlm import TILES, SmolVlm

STREAMS = llama.SEQUENCES
DTYPES = {"bf16": torch.bfloat16, "fp32": torch.float32}
MB = 1_000_000
LESS = {"is_less_better": True}

ROWS = {
    "decode": (
        Row("decode, one stream, text only", "tokens/s", "decode text", "llama.cpp decode", 1.5, 1.0),
        Row("decode, one stream, looking at a picture", "tokens/s", "decode picture", "llama.cpp decode", 1.3, 0.85),
        Row(f"{STREAMS} streams about pictures, in all", "tokens/s", "decode many", "llama.cpp many", 2.5, 1.1),
        Row(f"{STREAMS} streams over one", "tokens/s", "decode many", "decode picture", 4.0, 2.5),
    ),
    "prefill": (Row("prefill of 600 tokens", "tokens/s", "prefill", "llama.cpp prefill", 4.0, 1.5),),
    "picture": (
        Row("first token, new picture, SmolVLM unsplit", "s", "new picture", "SmolVLM unsplit", 6.0, 4.0,
            inverted=True),
        Row(f"first token, new picture, SmolVLM in {TILES} tiles", "s", "new picture", "SmolVLM in tiles", 100.0, 50.0,
            inverted=True),
        Row("first token, next question, without a picture", "s", "next about a picture", "next", 1.1, 1.5, **LESS),
    ),
    "server": (
        Row("between tokens beside long prompts, p99 over p50", "", "p99 over p50", None, 3.0, 6.0, **LESS),
        Row("peak memory after mixed requests", "MB", "peak memory", None, 700.0, 1000.0, **LESS),
        Row("ready from a cold start", "s", "start", None, 4.0, 8.0, **LESS),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Sizes:
    """How much is measured."""

    rounds: int = 5
    requests: int = 1000  # to the server, for its memory
    prompt_words: int = 40
    decode_tokens: int = 96
    prefill_tokens: int = 600
    gap_tokens: int = 300
    long_prompt_words: int = 1200
    profile_steps: int = 20
    streams: int = STREAMS  # as many as the rows say, but in tests


@dataclass
class Bench:
    """One run: `measured` and `notes`, which say how, are filled in part by part."""

    model: str
    sizes: Sizes = Sizes()
    measured: Measured = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)
    profiles: list[Profile] = field(default_factory=list)

    def run(self, parts: list[str]) -> None:
        if set(parts) - {"server"}:
            ours = Ours(load(self.model, device="cpu"), self.sizes.streams)
            if {"decode", "prefill"} & set(parts):
                self._measure_text(ours, parts)
            if "picture" in parts:
                self._measure_pictures(ours)
            if "decode" in parts:
                self.profiles = [self._profile(ours, streams) for streams in (1, self.sizes.streams)]
        if "server" in parts:
            self._measure_server()

    def _measure_text(self, ours: Ours, parts: list[str]) -> None:
        sizes = self.sizes
        words, count = sizes.prompt_words, sizes.decode_tokens
        measures: dict[str, Callable[[], float]] = {}
        if "decode" in parts:
            measures["decode text"] = lambda: ours.tokens_per_second(words, count)
            measures["decode picture"] = lambda: ours.tokens_per_second(words, count, pictures=1)
            measures["decode many"] = lambda: ours.tokens_per_second(words, count // 2, sizes.streams, pictures=4)
        if "prefill" in parts:
            measures["prefill"] = lambda: sizes.prefill_tokens / ours.seconds_of_prefill(sizes.prefill_tokens)
        library = llama.import_llama()
        forms = []
        if library is None:
            self.notes["llama.cpp"] = f"llama.cpp is not installed; to have it beside:\n  {llama.how_to_get()}"
        else:
            threads = torch.get_num_threads()
            forms = [llama.LlamaCpp(library, form, threads) for form in llama.FORMS]
            prompt, long_prompt = ours.prompt_ids(words), ours.prompt_ids(sizes.prefill_tokens)
            for form in forms:
                measures |= self._measures_of_llama(form, parts, prompt, long_prompt[: sizes.prefill_tokens])
        self.measured |= in_rounds(measures, sizes.rounds)
        for form in forms:
            form.close()
        self._choose_references()

    def _measures_of_llama(
        self, model: llama.LlamaCpp, parts: list[str], prompt: list[int], long_prompt: list[int]
    ) -> dict[str, Callable[[], float]]:
        count = self.sizes.decode_tokens
        measures: dict[str, Callable[[], float]] = {}
        if "decode" in parts:
            measures[f"llama.cpp {model.form} decode"] = lambda: model.tokens_per_second(prompt, count)
            measures[f"llama.cpp {model.form} many"] = lambda: model.tokens_per_second(
                prompt, count // 2, self.sizes.streams
            )
        if "prefill" in parts:
            measures[f"llama.cpp {model.form} prefill"] = lambda: (
                len(long_prompt) / model.seconds_of_prefill(long_prompt)
            )
        return measures

    def _choose_references(self) -> None:
        """For each figure the fastest of the forms that lose little."""
        for figure in ("decode", "many", "prefill"):
            found = {
                form: self.measured[key]
                for form in llama.REFERENCES
                if (key := f"llama.cpp {form} {figure}") in self.measured
            }
            if found:
                best = max(found, key=lambda form: statistics.median(found[form]))
                self.measured[f"llama.cpp {figure}"] = found[best]
                self.notes[figure] = f"llama.cpp {figure}: {best} is the reference (of {', '.join(found)})."

    def _measure_pictures(self, ours: Ours) -> None:
        question = ours.prompt_ids(6)
        models = {name: SmolVlm(dtype) for name, dtype in DTYPES.items()}
        measures: dict[str, Callable[[], float]] = {
            "new picture": ours.seconds_of_a_new_picture,
            "next about a picture": lambda: ours.seconds_of_the_next_question(with_picture=True),
            "next": lambda: ours.seconds_of_the_next_question(with_picture=False),
        }
        for name, model in models.items():
            measures[f"SmolVLM {name} unsplit"] = lambda model=model: model.seconds(1, question)  # type: ignore[misc]
        found = in_rounds(measures, self.sizes.rounds)
        best = min(models, key=lambda name: statistics.median(found[f"SmolVLM {name} unsplit"]))
        found["SmolVLM unsplit"] = found[f"SmolVLM {best} unsplit"]
        found["SmolVLM in tiles"] = [models[best].seconds(TILES, question) for _ in range(min(2, self.sizes.rounds))]
        self.notes["SmolVLM"] = f"SmolVLM: {best} is the faster here (of {', '.join(models)})."
        self.measured |= found

    def _profile(self, ours: Ours, streams: int) -> Profile:
        what = "one answer about a picture" if streams == 1 else f"{streams} answers about a picture"
        return profile_step(ours, what, words=self.sizes.prompt_words, steps=self.sizes.profile_steps, streams=streams)

    def _measure_server(self) -> None:
        sizes = self.sizes
        starts = []
        for _ in range(min(3, sizes.rounds)):
            with Server(self.model) as server:
                starts.append(server.start_seconds)
        self.measured["start"] = starts
        with Server(self.model) as server:
            gaps = [
                seconds_between_tokens(server, sizes.gap_tokens, sizes.long_prompt_words)
                for _ in range(min(3, sizes.rounds))
            ]
            self.measured["p99 over p50"] = [p99_over_p50(one) for one in gaps]
            self.measured["p50 between tokens"] = [statistics.median(one) for one in gaps]
            statuses = send_mixed_requests(server, sizes.requests)
            self.measured["peak memory"] = [server.memory("VmHWM") / MB]
            self.measured["memory afterwards"] = [server.memory("VmRSS") / MB]
        told = ", ".join(f"{count} with status {status}" for status, count in sorted(statuses.items()))
        self.notes["server"] = f"Mixed requests to the server: {told}."
