"""What a word looks like as text: hashed pieces of it, and a few marks of its kind. No vocabulary, no language model.

Shape letters: N words, G pieces of the longest word.
"""

import re
import zlib
from collections.abc import Sequence

import torch
from torch import Tensor

NGRAMS = 2048  # rows of the table that pieces are hashed into; row 0 stands for none
LONGEST_TEXT = 24  # characters that are looked at
MARKS = (
    r"^[^a-zA-Z]*\d[^a-zA-Z]*$",  # a number
    r"\d",
    r"[A-Za-z]{2}",
    r"%",
    r"^[$€£¥]|[$€£¥]$",
    r"\?$",
    r"^.$",
    r"\s",
    r":",
    r"[kKMB]$",
    r"^[A-Z][a-z]",
    r"^[A-Z0-9 ]+$",
)
FLAGS = len(MARKS) + 2  # and: how much of it is digits, how long it is


def pieces(text: str) -> list[int]:
    """The rows of the one- and two-letter pieces of a text; every digit counts as the same."""
    plain = re.sub(r"\d", "0", f"^{text[:LONGEST_TEXT].lower()}$")
    grams = [plain[i : i + length] for length in (2, 3) for i in range(len(plain) - length + 1)]
    return [1 + zlib.crc32(gram.encode()) % (NGRAMS - 1) for gram in grams]


def marks(text: str) -> list[float]:
    digits = sum(character.isdigit() for character in text) / max(1, len(text))
    return [*(float(re.search(mark, text) is not None) for mark in MARKS), digits, min(len(text), 60) / 20]


def word_features(texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Rows of pieces int64 [N, G], padded with 0, and marks float32 [N, FLAGS]."""
    rows = [pieces(text) for text in texts]
    longest = max(map(len, rows), default=1)
    ngrams = torch.tensor([row + [0] * (longest - len(row)) for row in rows], dtype=torch.int64).reshape(-1, longest)
    return ngrams, torch.tensor([marks(text) for text in texts], dtype=torch.float32).reshape(-1, FLAGS)
