"""`Decoder` by ONNX Runtime: the same forward pass over the same slots, about twice as fast, with 8-bit weights.

What a token gets has the same bits whatever else is in the batch, and a prompt in whatever parts it is read. Tokens of
an answer are read by other kernels than those of a prompt, though (one query at a time, in the attention), and so may
differ in the last bits from the same tokens in a prompt.
"""

import logging
import math
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from ..mapped_files import release_weight_files
from ..modeling_vlm import VlmForConditionalGeneration
from .decoder import Decoder, SlotDecoder
from .graph_store import MODEL, forget, kept_graphs, open_graph, why_no_graph
from .looking import Looking
from .slots import Slots
from .variants import Variant, make_variant

logger = logging.getLogger(__name__)

TIMED = ((1, 64), (1, 1), (4, 1))  # sequences, and tokens of each: a prompt, an answer, a batch of answers
ROUNDS = 5
LEAST = 2  # tokens of a part of a prompt: one alone would be read as an answer's


@dataclass
class Call:
    """What a graph is called with, bound to memory that stays where it is, so that it can be called again."""

    binding: Any
    x: Tensor  # [B, T, D]
    lengths: np.ndarray
    longest: np.ndarray
    logits: Tensor  # [R, V]
    image_mask: Tensor | None  # [B, 1, T, P]
    others: list[Any]  # what else must stay


@dataclass(eq=False)
class Graph:
    """A session, what it was opened from, and the cross-attention that is in it.

    Of the model itself one session is two graphs: for what sees pictures, and for what sees none.
    """

    source: Path | bytes
    session: Any
    looking: Looking | None
    sees: bool | None = None  # which of the two it is; None where it is the only one
    # Of answers, by first slot and sequences: the calls that can be made again while the slots do not move.
    calls: dict[tuple[int, int], Call] = field(default_factory=dict)
    where: tuple[Slots, int] | None = None
    logits: Tensor = field(default_factory=lambda: torch.empty(0))  # [S, V] of these calls, a row for each slot


class GraphDecoder(SlotDecoder):
    """`forward` over `Slots`; see `Decoder`. A variant keeps the graph that was made for it."""

    def __init__(self, model: VlmForConditionalGeneration, base: Variant, folder: Path):
        super().__init__(model, base)
        self._folder = folder
        base.graph = self._open(folder / MODEL, base.looking, sees=True)
        self._plain = Graph(base.graph.source, base.graph.session, None, sees=False)
        if (looking := base.looking) is not None:  # what is bound where none is seen, and not read
            self._no_pictures = [torch.zeros(2, 1, looking.heads, 1, looking.head_size)] * looking.count

    def prepare(self, variant: Variant) -> None:
        """Make the graph of a variant before it is needed; from any thread."""
        from .graph import LanguageModelGraph, known_weights

        if not self._folder.is_dir():  # it was forgotten while this process ran on
            kept_graphs(self.model, self.base, lambda _: None)
        known = known_weights(self._folder / MODEL)
        own = (".update.",) if variant.looking is self.base.looking else (".update.", "blocks.")
        known = {name: weight for name, weight in known.items() if not any(part in name for part in own)}
        graph = LanguageModelGraph(self.model, variant.looking, variant.updates, known).build()
        variant.graph = self._open(graph.SerializeToString(), variant.looking)

    @contextmanager
    def profiled(self, folder: Path) -> Iterator[None]:
        """Have ONNX Runtime write into `folder` what its operators take, without adapters."""
        before = self._plain, self.base.graph
        session = open_graph(self.base.graph.source, self._folder, folder)
        self._plain, self.base.graph = (Graph(graph.source, session, graph.looking, graph.sees) for graph in before)
        try:
            yield
        finally:
            session.end_profiling()
            self._plain, self.base.graph = before

    def _open(self, source: Path | bytes, looking: Looking | None, sees: bool | None = None) -> Graph:
        release_weight_files()  # what was read of them to find or make the graph ...
        graph = Graph(source, open_graph(source, self._folder), looking, sees)
        release_weight_files()  # ... and to open it: all that together would be the most memory at any time
        return graph

    @torch.inference_mode()
    def forward(
        self, embeddings: Tensor, slots: Slots, first: int, starts: list[int], visible: Tensor, keep: int,
        variants: Sequence[Variant] = (),
    ) -> Tensor:  # fmt: skip
        """One step for slots `first`, `first + 1`, ... of which each has read `starts` tokens -> logits [B*keep, V].

        As `Decoder.forward`. What is one token and wants logits is an answer's, and these hold until the next step;
        all else is of a prompt.
        """
        variants = variants or [self.base] * len(starts)
        found = []
        for rows, tokens in self._pieces(visible, variants):
            graph = self._graph(variants[rows.start], bool(visible[rows.start, tokens.start]))
            is_last = tokens.stop == visible.shape[1]
            logits = self._run(
                graph, embeddings[rows, tokens], slots, first + rows.start,
                [start + tokens.start for start in starts[rows]], visible[rows, tokens],
                keep if is_last else 0, is_prompt=visible.shape[1] > 1 or not keep,
            )  # fmt: skip
            if is_last:
                found.append(logits)
        return found[0] if len(found) == 1 else torch.cat(found)

    def _graph(self, variant: Variant, sees: bool) -> Graph:
        graph: Graph = variant.graph if sees else self._plain
        return graph

    def _pieces(self, visible: Tensor, variants: Sequence[Variant]) -> Iterator[tuple[slice, slice]]:
        """Neighbouring sequences, or parts of one, that the same graph is for."""
        batch, tokens = visible.shape
        if batch == 1:  # what a token sees, those after it see
            unseeing = int((visible[0] == 0).sum())
            ends = sorted({0, unseeing, tokens})
            yield from ((slice(0, 1), slice(*part)) for part in pairwise(ends))
            return
        start = 0
        for _, run in groupby(range(batch), key=lambda i: self._graph(variants[i], bool(visible[i, 0]))):
            count = len(list(run))
            yield slice(start, start + count), slice(0, tokens)
            start += count

    def _run(
        self, graph: Graph, x: Tensor, slots: Slots, first: int, starts: list[int], visible: Tensor, keep: int,
        is_prompt: bool,
    ) -> Tensor:  # fmt: skip
        last = x.shape[1] - 1
        if is_prompt and x.shape[1] < LEAST:  # what the token too many writes, the next one writes over
            x, visible = torch.cat([x, x], dim=1), torch.cat([visible, visible], dim=1)
        batch, tokens = x.shape[:2]
        rows = np.arange(keep * batch, dtype=np.int64) * tokens + last
        if is_prompt:
            logits = torch.empty(max(len(rows), 1), self.config.vocab_size)  # of none, too, an address is asked for
            call = self._bind(graph, slots, first, batch, tokens, rows, logits)
        else:
            call = self._known_call(graph, slots, first, batch, rows)
        call.x.copy_(x)
        call.lengths[:] = [start + tokens - 1 for start in starts]
        call.longest[...] = max(starts) + tokens
        if graph.looking is not None and call.image_mask is not None:
            pictures = call.image_mask.shape[-1] // graph.looking.places
            call.image_mask.copy_(graph.looking.mask(visible, pictures).unsqueeze(1))
        graph.session.run_with_iobinding(call.binding)
        return call.logits

    def _known_call(self, graph: Graph, slots: Slots, first: int, batch: int, rows: np.ndarray) -> Call:
        """The call of answers in these slots: the one before, or a new one."""
        if graph.where != (slots, slots.moves):
            graph.where, graph.calls = (slots, slots.moves), {}
            graph.logits = torch.empty(slots.text[0].shape[1], self.config.vocab_size)
        if (first, batch) not in graph.calls:
            logits = graph.logits[first : first + batch]
            graph.calls[first, batch] = self._bind(graph, slots, first, batch, 1, rows, logits)
        return graph.calls[first, batch]

    def _bind(
        self, graph: Graph, slots: Slots, first: int, batch: int, tokens: int, rows: np.ndarray, logits: Tensor
    ) -> Call:
        config, binding = self.config, graph.session.io_binding()
        x = torch.empty(batch, tokens, config.hidden_size)
        lengths, longest = np.empty(batch, np.int32), np.empty((), np.int32)
        for name, array in (("lengths", lengths), ("longest", longest), ("last", rows)):
            binding.bind_input(name, "cpu", 0, array.dtype.type, array.shape, array.ctypes.data)
        _bind(binding.bind_input, "x", x)
        binding.bind_output("logits", "cpu", 0, np.float32, (len(rows), config.vocab_size), logits.data_ptr())
        for i, layer in enumerate(slots.text):
            for what, tensor in zip(("keys", "values"), layer[:, first : first + batch], strict=True):
                _bind(binding.bind_input, f"{what}.{i}", tensor)
                _bind(binding.bind_output, f"new_{what}.{i}", tensor)  # the same memory: it is written in place
        mask, is_sink = None, None
        if self.looking is not None:
            seen = [block[:, first : first + batch] for block in slots.images]
            images = self._no_pictures if graph.looking is None else seen
            for i, block in enumerate(images):
                for what, tensor in zip(("keys", "values"), block, strict=True):
                    _bind(binding.bind_input, f"image_{what}.{i}", tensor)
            is_sink = torch.zeros(images[0].shape[3])
            is_sink[0] = 1
            mask = torch.empty(batch, 1, tokens, len(is_sink))
            _bind(binding.bind_input, "is_sink", is_sink)
            _bind(binding.bind_input, "image_mask", mask)
        sees = np.array(graph.sees)
        if graph.sees is not None:
            binding.bind_input("sees", "cpu", 0, np.bool_, (), sees.ctypes.data)
        return Call(binding, x, lengths, longest, logits[: len(rows)], mask, [rows, is_sink, sees])


def _bind(bind: Any, name: str, tensor: Tensor) -> None:
    assert tensor.is_contiguous()
    bind(name, "cpu", 0, np.float32, tuple(tensor.shape), tensor.data_ptr())


def make_decoder(model: VlmForConditionalGeneration) -> Decoder | GraphDecoder:
    """The fastest decoder that there is for a model which `why_not` says None of."""
    decoder = _make_graph_decoder(model) or Decoder(model)
    release_weight_files()
    return decoder


def _make_graph_decoder(model: VlmForConditionalGeneration) -> GraphDecoder | None:
    """None, with the reason in the log, where there is trouble of any kind: torch can do without."""
    if (reason := why_no_graph(model)) is not None:
        logger.debug("ONNX Runtime does not run this model: %s", reason)
        return None
    base, folder = make_variant(model), None
    try:
        folder = kept_graphs(model, base, lambda folder: why_unfit(GraphDecoder(model, base, folder)))
        return GraphDecoder(model, base, folder)
    except Exception as error:  # a disk that is full or cannot be written, a damaged file, another version: ORT's own
        reason = str(error)
        if folder is not None:
            forget(folder)  # what is damaged is made anew the next time
    logger.warning("ONNX Runtime is left out: %s", reason)
    return None


def why_unfit(decoder: GraphDecoder) -> str | None:
    """Why torch is the better choice on this machine; None where it is not."""
    if not is_independent(decoder):
        return "on this CPU its rows depend on each other"
    if not is_faster(decoder, Decoder(decoder.model)):
        return "on this machine it is slower than torch"
    return None


@torch.inference_mode()
def is_faster(one: GraphDecoder, other: Decoder) -> bool:
    """Whether a prompt, an answer and a batch of answers take less time with `one` than with `other`, all in all."""
    ours, theirs = zip(*(_seconds(one, other, *shape) for shape in TIMED), strict=True)
    return sum(ours) < sum(theirs)


def _seconds(one: GraphDecoder, other: Decoder, batch: int, tokens: int) -> list[float]:
    """What each takes for a step of so many sequences and tokens: the best of some rounds, as other things run, too."""
    x, visible = torch.zeros(batch, tokens, one.config.hidden_size), torch.zeros(batch, tokens, dtype=torch.long)
    slots = one.slots(batch, 2**26)
    slots.reserve(batch, tokens, 0)
    fastest = [math.inf, math.inf]
    for _ in range(ROUNDS):
        for number, forward in enumerate((one.forward, other.forward)):
            started = time.perf_counter()
            forward(x, slots, 0, [0] * batch, visible, keep=1)
            fastest[number] = min(fastest[number], time.perf_counter() - started)
    return fastest


@torch.inference_mode()
def is_independent(decoder: GraphDecoder) -> bool:
    """Whether tokens get the same bits alone and together here, and a prompt in one part and in two.

    The kernels that a CPU gets are chosen by ONNX Runtime, and that they do so is no promise of theirs.
    """
    return all(_is_independent(decoder, pictures) for pictures in (0, 1))


def _is_independent(decoder: GraphDecoder, pictures: int) -> bool:
    random, batch, length = torch.Generator().manual_seed(0), 3, 12
    x = torch.randn(batch, length + 1, decoder.config.hidden_size, generator=random)
    visible = torch.full((batch, length + 1), pictures)
    slots = decoder.slots(batch, 2**26)
    slots.reserve(batch, length + LEAST, 1)
    for tensor in slots.images:
        tensor.normal_(generator=random)

    def read(rows: slice, tokens: slice) -> Tensor:
        starts = [tokens.start] * (rows.stop - rows.start)
        return decoder.forward(x[rows, tokens], slots, rows.start, starts, visible[rows, tokens], keep=1).clone()

    row = [slice(i, i + 1) for i in range(batch)]
    whole = [read(row[i], slice(0, length)) for i in range(batch)]
    read(row[0], slice(0, 5))
    parts = read(row[0], slice(5, length))
    answer = slice(length, length + 1)
    alone = torch.cat([read(row[i], answer) for i in range(batch)])
    together = read(slice(0, batch), answer)
    return torch.equal(whole[0], parts) and torch.equal(alone, together)
