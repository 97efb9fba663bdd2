"""Do two forms of a model say the same? Base and adapter, merged, quantized, served: any two, on twenty pictures.

vlm parity mini+runs/own/step-000100 models/merged
vlm parity models/merged models/small --max-difference 3 --min-agreement 0.9
vlm parity models/merged http://127.0.0.1:8000/v1#own --pictures photographs/

Each side answers for itself, greedily and without hints; the largest difference of logits is that over the answers of
A, where both sides are here. The exit code is 1 where they differ by more than is allowed.
"""

import argparse
import base64
import io
import json
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import torch
from PIL.Image import Image
from torch import Tensor
from tqdm import tqdm

from vlm.commands import CommandError, plain_errors, read_picture
from vlm.generation import GenerationRequest
from vlm.loading import Assistant, load

from .data_engine import FAMILIES, draw

PICTURES = 20
SUFFIXES = {".png", ".jpg", ".jpeg", ".webp", ".gif"}
QUESTION = "What is in the picture?"
MAX_TOKENS = 32  # of an answer
SECONDS = 600.0  # that a server may take for one
API_KEY_VARIABLE = "REGARD_API_KEY"  # of a server that wants one; as in serve, which is not for us to see
SERVED = ("http://", "https://")
BEYOND = 1  # the exit code where the two differ by more than is allowed


@dataclass(frozen=True)
class Asked:
    """A question about a picture."""

    image: Image  # RGB
    question: str

    @property
    def messages(self) -> list[dict[str, Any]]:
        content = [{"type": "image", "image": self.image}, {"type": "text", "text": self.question}]
        return [{"role": "user", "content": content}]


class Side(Protocol):
    """A model in one of its forms."""

    def answer(self, asked: Asked) -> str: ...


class Here:
    """A model in this process."""

    def __init__(self, assistant: Assistant):
        self.assistant = assistant

    def answer(self, asked: Asked) -> str:
        request = GenerationRequest(asked.messages, max_new_tokens=MAX_TOKENS, hints="off")
        return "".join(chunk.text for chunk in self.assistant.stream(request))

    @torch.inference_mode()
    def logits(self, asked: Asked, answer: str) -> Tensor:
        """Of every token of an answer: fp32 [T, V]."""
        model, processor = self.assistant.model, self.assistant.processor
        chat = processor.encode_chat([*asked.messages, {"role": "assistant", "content": answer}])
        places = [i - 1 for i, is_answer in enumerate(chat.is_answer) if is_answer]  # where a token is foretold
        inputs = processor.collate([chat]).to(model.device)
        return model(**inputs, logits_to_keep=torch.tensor(places)).logits[0].float().cpu()


class Served:
    """A model behind an OpenAI-compatible API, by its address, and its name where it is not the first."""

    def __init__(self, address: str):
        url, _, self.model = address.partition("#")
        self.url = url.rstrip("/").removesuffix("/v1") + "/v1"
        self.model = self.model or str(self._ask("models")["data"][0]["id"])

    def answer(self, asked: Asked) -> str:
        file = io.BytesIO()
        asked.image.save(file, "PNG")
        url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode('ascii')}"
        content = [{"type": "image_url", "image_url": {"url": url}}, {"type": "text", "text": asked.question}]
        body = {"messages": [{"role": "user", "content": content}], "temperature": 0, "hints": "off"}
        found = self._ask("chat/completions", {**body, "model": self.model, "max_tokens": MAX_TOKENS})
        return str(found["choices"][0]["message"]["content"])

    def _ask(self, path: str, body: dict[str, Any] | None = None) -> Any:
        key = os.environ.get(API_KEY_VARIABLE)
        headers = {"content-type": "application/json", **({"authorization": f"Bearer {key}"} if key else {})}
        data = None if body is None else json.dumps(body).encode()
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            request = urllib.request.Request(f"{self.url}/{path}", data, headers)
            with opener.open(request, timeout=SECONDS) as response:
                return json.load(response)
        except urllib.error.HTTPError as error:
            raise CommandError(f"{self.url} answers {error.code}: {_message(error.read())}") from None
        except (OSError, ValueError) as error:
            raise CommandError(f"{self.url} does not answer as a server of models: {error}") from None


def _message(body: bytes) -> str:
    try:
        return str(json.loads(body)["error"]["message"])
    except (ValueError, KeyError, TypeError):
        return "no reason given"


def open_side(name: str) -> Side:
    """A side by name: an address, or what `vlm.load` takes, with +ADAPTER behind it. Raises CommandError."""
    if name.startswith(SERVED):
        return Served(name)
    model, plus, adapter = name.partition("+")
    if Path(name).exists() or not plus:
        model, adapter = name, ""
    try:
        with plain_errors():
            return Here(load(model, adapter=adapter or None))
    except ValueError as error:  # among them: an adapter of another model
        raise CommandError(str(error)) from None


def questions(folder: Path | None) -> Iterator[Asked]:
    """About the first pictures of a folder, or about such as no training has drawn, of every family."""
    if folder is None:
        names = list(FAMILIES)
        for seed in range(PICTURES):
            sample = draw(names[seed % len(names)], seed, "test")
            yield Asked(sample.image, sample.questions[seed % len(sample.questions)].text)
        return
    paths = sorted(path for path in folder.glob("*") if path.suffix.lower() in SUFFIXES)[:PICTURES]
    if not paths:
        raise CommandError(f"there are no pictures in {folder}: give a folder with {', '.join(sorted(SUFFIXES))} files")
    for path in paths:
        yield Asked(read_picture(str(path)), QUESTION)


@dataclass(frozen=True)
class Parity:
    """How far two sides agree."""

    answers: list[tuple[str, str, str]]  # question, and what each side says
    difference: float | None  # the largest of logits; None where one of them is not here

    @property
    def agreement(self) -> float:
        return sum(first == second for _, first, second in self.answers) / len(self.answers)


def compare(first: Side, second: Side, asked: list[Asked]) -> Parity:
    """Ask both sides everything. Raises CommandError for models whose logits cannot be compared."""
    answers: list[tuple[str, str, str]] = []
    differences: list[Tensor] = []
    for one in tqdm(asked, unit="picture", dynamic_ncols=True):
        answers.append((one.question, first.answer(one), second.answer(one)))
        if isinstance(first, Here) and isinstance(second, Here):
            logits, others = (side.logits(one, answers[-1][1]) for side in (first, second))
            if logits.shape != others.shape:
                raise CommandError(
                    "the two do not have the same vocabulary or chat template, so their logits cannot be compared"
                )
            differences.append((logits - others).abs().max())
    return Parity(answers, float(torch.stack(differences).max()) if differences else None)


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="vlm parity", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for side in "AB":
        parser.add_argument(side.lower(), metavar=side, help="MODEL, MODEL+ADAPTER, or http://HOST:PORT/v1[#NAME]")
    parser.add_argument("--pictures", type=Path, metavar="DIR", help=f"ask about its first {PICTURES} pictures instead")
    help = "the largest difference of logits that is allowed (default: 0.05; int8 and int4 need more)"
    parser.add_argument("--max-difference", type=float, default=0.05, metavar="D", help=help)
    help = "the share of answers that must be the same (default: 0.95)"
    parser.add_argument("--min-agreement", type=float, default=0.95, metavar="SHARE", help=help)
    args = parser.parse_args(argv)
    try:
        asked = list(questions(args.pictures))
        found = compare(open_side(args.a), open_side(args.b), asked)
    except CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    for question, one, other in found.answers:
        if one != other:
            print(f"{question}\n  A: {one}\n  B: {other}")
    same = sum(one == other for _, one, other in found.answers)
    print(f"greedy agreement          {same} of {len(asked)} answers ({found.agreement:.0%})")
    if found.difference is not None:
        print(f"largest logit difference  {found.difference:.4g}")
    is_near = found.difference is None or found.difference <= args.max_difference
    return 0 if is_near and found.agreement >= args.min_agreement else BEYOND
