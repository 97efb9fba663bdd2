"""What answers are worth, by the measures that data sets are published with; one answer at a time, from 0 to 1.

- vqa: VQAv2's accuracy (https://visualqa.org/evaluation.html): the share of ten people who say the same, three are all.
- anls: average normalised Levenshtein similarity, of documents (https://arxiv.org/abs/1905.13648).
- relaxed: numbers within 5 %, of charts (https://arxiv.org/abs/2203.10244).
- choice: the letter of an option, however it is said.
"""

import re
from collections.abc import Callable, Sequence
from typing import Literal

from vlm.loading import PartNotFoundError

from .scoring import exact_match, normalise

Metric = Literal["exact", "vqa", "anls", "relaxed", "choice", "yes_no", "bleu", "chrf"]

NUMBERS = {"none": "0", "zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
           "seven": "7", "eight": "8", "nine": "9", "ten": "10"}  # fmt: skip
ARTICLES = {"a", "an", "the"}
PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
COMMA_IN_NUMBER = re.compile(r"\d,\d")
FULL_STOP = re.compile(r"\.(?!\d)")
# What VQAv2 writes with an apostrophe, whether or not the answer does: "dont" and "don't" are the same.
CONTRACTIONS = frozenset(
    "aint arent cant couldve couldnt didnt doesnt dont hadnt hasnt havent hed hes howd howll hows isnt itd itll maam"
    " mightnt mightve mustnt mustve neednt notve oclock oughtnt shant shouldve shouldnt somebodyll somebodys someoned"
    " someonell someones somethingd somethingll thats thered therere theres theyd theyll theyre theyve twas wasnt weve"
    " werent whatll whatre whats whatve whens whered wheres whereve whod wholl whos whove whyll whyre whys wont"
    " wouldve wouldnt yall youd youll youre youve".split()
)
RELAXED = 0.05
NUMBER = re.compile(r"[-+]?[$€£]?(\d+(\.\d*)?|\.\d+)(e[-+]?\d{1,3})?%?", re.ASCII | re.IGNORECASE)
THOUSANDS = re.compile(r"[-+]?[$€£]?\d{1,3}(,\d{3})+(\.\d+)?%?", re.ASCII)
OPTION = re.compile(r"^\s*\(?([A-Z])[).:]\s*(.+?)\s*$", re.MULTILINE)  # a line of a question: "B. a dog", "(B) a dog"
CHOSEN = (
    re.compile(r"^\W*([A-Za-z])\W*$"),  # "B", "(B)."
    re.compile(r"^\W*([A-Z])[).:]"),  # "B. a dog"
    re.compile(r"\b(?:answer|option|choice)\s*(?:is|:)?\s*\(?([A-Z])\b", re.IGNORECASE),
)


def vqa_normalise(answer: str) -> str:
    """VQAv2's normal form: no punctuation, articles or number words, lower case.

    Its table of contractions is a set here: both sides of a comparison lose their apostrophes, instead of getting them.
    """
    text = " ".join(answer.split())
    spread = COMMA_IN_NUMBER.search(text) is None
    result = text
    for mark in PUNCTUATION:
        apart = f"{mark} " in text or f" {mark}" in text
        result = result.replace(mark, " " if spread and not apart else "")
    words = FULL_STOP.sub("", result).lower().split()
    words = [NUMBERS.get(word, word) for word in words]
    bare = ((word, word.replace("'", "")) for word in words if word not in ARTICLES)
    return " ".join(short if short in CONTRACTIONS else word for word, short in bare)


def vqa_accuracy(answer: str, answers: Sequence[str]) -> float:
    """min(1, people who say so / 3), averaged over leaving each of them out; of a single answer, exact match.

    All answers are normalised; the official script leaves them as they are where all of them are the same.
    """
    said, others = vqa_normalise(answer), [vqa_normalise(other) for other in answers]
    if len(others) == 1:
        return float(said == others[0])
    count = others.count(said)
    return sum(min(1.0, (count - (other == said)) / 3) for other in others) / len(others)


def anls(answer: str, answers: Sequence[str], threshold: float = 0.5) -> float:
    """1 - edit distance / length to the nearest answer; 0 where half or more of it is wrong."""
    said = " ".join(answer.lower().split())
    best = 0.0
    for other in (" ".join(other.lower().split()) for other in answers):
        longest = max(len(said), len(other))
        distance = levenshtein(said, other) / longest if longest else 0.0
        best = max(best, 1 - distance if distance < threshold else 0.0)
    return best


def levenshtein(one: str, other: str) -> int:
    """Characters to insert, delete or replace, to make one text of the other."""
    row = list(range(len(other) + 1))
    for i, left in enumerate(one, 1):
        previous, row[0] = row[0], i
        for j, right in enumerate(other, 1):
            previous, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, previous + (left != right))
    return row[-1]


def relaxed_accuracy(answer: str, expected: str) -> float:
    """A number may be 5 % off; other answers must be the same."""
    said, true = as_number(answer), as_number(expected)
    if said is None or true is None:
        return exact_match(answer, expected)
    return float(abs(said - true) <= RELAXED * abs(true))


def as_number(text: str) -> float | None:
    """A number as a person writes it: with thousands apart, a percent sign, a full stop at the end."""
    text = text.strip().rstrip(".").replace(" ", "")
    text = text.replace(",", "") if THOUSANDS.fullmatch(text) else text
    if not NUMBER.fullmatch(text):
        return None
    number = float(re.sub(r"[$€£%]", "", text))
    return number / 100 if text.endswith("%") else number


def choice_accuracy(answer: str, expected: str, question: str) -> float:
    """Whether the option that the answer names is the expected one; both may be a letter, or an option's text."""
    options = {letter: normalise(text) for letter, text in OPTION.findall(question)}
    chosen, right = chosen_option(answer, options), chosen_option(expected, options)
    return float(chosen == right) if chosen and right else exact_match(answer, expected)


def chosen_option(answer: str, options: dict[str, str]) -> str | None:
    """The letter that an answer names, or whose text it has; None where it names none, or several."""
    for pattern in CHOSEN:
        if (match := pattern.search(answer)) and (not options or match[1].upper() in options):
            return match[1].upper()
    same = [letter for letter, text in options.items() if text == normalise(answer)]
    named = same or [letter for letter, text in options.items() if re.search(rf"\b{re.escape(text)}\b", answer.lower())]
    return named[0] if len(named) == 1 else None


def said_yes(answer: str) -> bool | None:
    """Yes, no, or (None) neither: by the first word, else by the only one of them that is said."""
    words = re.findall(r"[a-z]+", answer.lower())
    if words[:1] in (["yes"], ["no"]):
        return words[0] == "yes"
    found = {word for word in words if word in ("yes", "no")}
    return found == {"yes"} if len(found) == 1 else None


def sentence_score(metric: Literal["bleu", "chrf"]) -> Callable[[str, Sequence[str]], float]:
    """sacrebleu's score of one answer."""
    scorer = sacrebleu_metric(metric, effective_order=True)
    return lambda answer, answers: scorer.sentence_score(answer, list(answers)).score / 100


def sacrebleu_metric(metric: Literal["bleu", "chrf"], effective_order: bool = False):
    """sacrebleu's BLEU or chrF. Raises PartNotFoundError with what to install."""
    try:
        from sacrebleu.metrics import BLEU, CHRF
    except ImportError:
        raise PartNotFoundError("BLEU and chrF need a library: pip install 'regard[metrics]'") from None
    return BLEU(effective_order=effective_order) if metric == "bleu" else CHRF()


def score(metric: Metric, answer: str, answers: Sequence[str], question: str = "") -> float:
    """What one answer is worth, from 0 to 1; the best of several references where the measure takes one."""
    if metric == "vqa":
        return vqa_accuracy(answer, answers)
    if metric == "anls":
        return anls(answer, answers)
    if metric in ("bleu", "chrf"):
        return sentence_score(metric)(answer, answers)
    if metric == "yes_no":
        said = said_yes(answer)
        return float(said is not None and any(said == said_yes(other) for other in answers))
    if metric == "choice":
        return max(choice_accuracy(answer, other, question) for other in answers)
    return max((relaxed_accuracy if metric == "relaxed" else exact_match)(answer, other) for other in answers)
