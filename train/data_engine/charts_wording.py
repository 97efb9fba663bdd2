"""How people put questions about charts: many wordings of each.

A template's fields: {it} and {other} name marks or series, {noun} and {them} what is asked for, {chart} is one of
several words; the rest speaks for itself.
"""

from random import Random

from . import shapes_wording

CHART = ("chart", "graph", "diagram", "plot", "figure")

TITLE = (
    "what is the title of the {chart}?", "what is the {chart} called?", "what does the title say?",
    "read the title of the {chart}.", "which title does the {chart} have?", "what is the {chart}'s title?",
    "give the title of this {chart}.",
)  # fmt: skip
AXIS_LABEL = (
    "what is the label of the {axis}?", "what does the label of the {axis} say?", "how is the {axis} labeled?",
    "what is the title of the {axis}?", "what is written along the {axis}?", "read the label of the {axis}.",
)  # fmt: skip
VALUE = (
    "what is the value of {it}?", "what is the value for {it}?", "what value does {it} have?",
    "read the value of {it}.", "how much is {it}?", "which value does the {chart} show for {it}?",
    "what number does the {chart} give for {it}?", "tell me the value of {it}.", "in the {chart}, what is {it}?",
)  # fmt: skip
EXTREME = (
    "which {noun} has the {most} value{where}?", "what is the {noun} with the {most} value{where}?",
    "which {noun} is the {most}{where}?", "name the {noun} with the {most} value{where}.",
    "in the {chart}, which {noun} has the {most} value{where}?", "find the {noun} that has the {most} value{where}.",
)  # fmt: skip
WHICH_OF_TWO = (
    "which is {more}, {it} or {other}?", "{it} or {other}: which is {more}?",
    "which has the {more} value, {it} or {other}?",
    "which of the two is {more}, {it} or {other}?", "in the {chart}, which is {more}: {it} or {other}?",
)  # fmt: skip
IS_MORE = (
    "is {it} {more} than {other}?", "is the value of {it} {more} than that of {other}?",
    "does {it} have a {more} value than {other}?", "in the {chart}, is {it} {more} than {other}?",
    "is it true that {it} is {more} than {other}?", "would you say that {it} is {more} than {other}?",
)  # fmt: skip
CLOSEST = (
    "which {noun} is closest to {value}{where}?", "which {noun} has the value closest to {value}{where}?",
    "what {noun} comes nearest to {value}{where}?", "which {noun} is nearest to {value}{where}?",
)  # fmt: skip
HOW_MANY = (
    "how many {them} are there?", "how many {them} does the {chart} show?", "count the {them}.",
    "how many {them} are in the {chart}?", "what is the number of {them}?", "how many {them} do you see?",
)  # fmt: skip
SUM = (
    "what is the sum of {it} and {other}?", "add the values of {it} and {other}.",
    "how much are {it} and {other} together?",
    "what do {it} and {other} add up to?", "what is the total of {it} and {other}?",
)  # fmt: skip
DIFFERENCE = (
    "what is the difference between {it} and {other}?", "by how much do {it} and {other} differ?",
    "how large is the difference between {it} and {other}?", "how far apart are {it} and {other}?",
)  # fmt: skip
NEXT = (
    "which {noun} comes right {after} {it}?", "what is the {noun} directly {after} {it}?",
    "what {noun} comes immediately {after} {it}?", "which {noun} is next {after} {it}, reading {way}?",
)  # fmt: skip
IS_BESIDE = (
    "is {it} {beside} {other}?", "does {it} stand {beside} {other}?", "in the {chart}, is {it} {beside} {other}?",
    "do you see {it} {beside} {other}?", "can {it} be found {beside} {other}?",
)  # fmt: skip
COLOR_OF = (
    "what {color} is {it}?", "which {color} does {it} have?", "in which {color} is {it} drawn?",
    "what is the {color} of {it}?", "what {color} stands for {it}?", "tell me the {color} of {it}.",
)  # fmt: skip
BY_COLOR = (
    "which {noun} is {hue}?", "which {noun} is shown in {hue}?", "what does {hue} stand for?",
    "what is drawn in {hue}?", "what does the {hue} {mark} show?", "which {noun} is drawn in {hue}?",
)  # fmt: skip
IS_COLOR = (
    "is {it} {hue}?", "is {it} drawn in {hue}?", "is {hue} the {color} of {it}?", "does {hue} stand for {it}?",
    "in the {chart}, is {it} {hue}?",
)  # fmt: skip
IS_NOT_COLOR = (
    "is {it} not {hue}?", "is {it} not drawn in {hue}?", "is {hue} not the {color} of {it}?",
    "does {hue} stand for something else than {it}?", "is it true that {it} is not {hue}?",
    "in the {chart}, is {it} not {hue}?",
)  # fmt: skip
KIND = (
    "what kind of chart is this?", "which type of chart is it?", "what type of chart is shown?",
    "what sort of chart do you see?", "name the type of this chart.", "what kind of chart is in the {picture}?",
)  # fmt: skip
TREND = (
    "does {it} {move} from {first} to {last}?", "did {it} {move} between {first} and {last}?",
    "from {first} to {last}, does {it} {move}?", "in the {chart}, does {it} {move} from {first} to {last}?",
)  # fmt: skip
IS_BEYOND = (
    "is {it} {beyond} {value}?", "is the value of {it} {beyond} {value}?", "does {it} lie {beyond} {value}?",
    "in the {chart}, is {it} {beyond} {value}?", "is it true that {it} is {beyond} {value}?",
)  # fmt: skip
UNKNOWN = (
    "who made this {chart}?", "where do the numbers in the {chart} come from?", "how were the numbers measured?",
    "why is {it} not higher?", "how many people were asked for this {chart}?", "which program drew this {chart}?",
    "how reliable are these numbers?", "who paid for this {chart}?",
)  # fmt: skip
CANNOT_TELL = "it cannot be told from the picture"
DESCRIBE = (
    "describe the {chart}.", "what does the {chart} show?", "what is in the {picture}?", "summarize the {chart}.",
    "give a description of the {chart}.", "what can be seen in the {picture}?", "please describe this {picture}.",
    "tell me what this {chart} shows.", "what is shown here?",
)  # fmt: skip


def say(rng: Random, templates: tuple[str, ...], **words: str) -> str:
    return shapes_wording.say(rng, templates, chart=rng.choice(CHART), **words)


def listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
