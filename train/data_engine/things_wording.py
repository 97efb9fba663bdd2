"""How people ask what a thing is, besides what can be asked of shapes as well (see shapes_wording).

A template's fields: {it} and {other} one thing each ("the red cat"), {category} and {categories} "animal" and
"animals", {at} a place ("at the top"), {side} "to the left of", {so} a colour, {one}, {two} and {three} categories
.
"""

WHAT = (  # where there is only one thing
    "what is this?", "what is in the {picture}?", "what does the {picture} show?", "name the thing in the {picture}.",
    "which thing is shown?", "what do you see in the {picture}?", "what is drawn here?", "what thing is this?",
    "what can be seen here?", "tell me what this is.",
)  # fmt: skip
WHAT_AT = (
    "what is {at} of the {picture}?", "what do you see {at}?", "which thing is {at}?", "name the thing {at}.",
    "{at}, what is drawn?", "what can be seen {at} of the {picture}?", "what stands {at}?",
)  # fmt: skip
WHAT_COLOR = (
    "what is {so}?", "which thing is {so}?", "name the {so} thing.", "what is the {so} thing?",
    "what is drawn in {so}?", "which thing has the {color} {so}?", "what in the {picture} is {so}?",
    "the {so} thing: what is it?",
)  # fmt: skip
WHAT_BESIDE = (
    "what is {side} {it}?", "which thing is {side} {it}?", "name the thing {side} {it}.",
    "what do you see {side} {it}?", "in the {picture}, what is {side} {it}?", "what is drawn {side} {it}?",
    "{side} {it}, what is there?",
)  # fmt: skip
WHICH_KIND = (
    "which {category} is shown?", "what {category} is this?", "what {category} is in the {picture}?",
    "which {category} do you see?", "name the {category}.", "what kind of {category} is shown?",
    "which {category} does the {picture} show?", "what kind of {category} is in the {picture}?",
)  # fmt: skip
WHICH_CATEGORY = (
    "is {it} {one}, {two} or {three}?", "{one}, {two} or {three}: what is {it}?",
    "what is {it}: {one}, {two} or {three}?", "would you call {it} {one}, {two} or {three}?",
    "does the {picture} show {it} as {one}, {two} or {three}?", "which is it, {one}, {two} or {three}: {it}?",
)  # fmt: skip
LARGER = (
    "which is drawn {more}, {it} or {other}?", "which looks {more}, {it} or {other}?",
    "{it} or {other}: which is {more} in the {picture}?", "in the {picture}, what is {more}: {it} or {other}?",
    "of {it} and {other}, which is drawn {more}?", "what is drawn {more}, {it} or {other}?",
)  # fmt: skip
UNTOLD = (
    "how old is {it}?", "how much does {it} cost?", "who owns {it}?", "how heavy is {it}?",
    "who drew {it}?", "when was {it} drawn?", "in which country is {it}?", "how many years old is {it}?",
    "what is the price of {it}?", "to whom does {it} belong?", "in which town is {it}?",
)  # fmt: skip
