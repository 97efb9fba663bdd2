"""How people put questions about boxes and arrows: many wordings of each.

A template's fields: {it} and {other} labels of boxes in quotation marks, {answer} what stands at an exit or a line,
{box} and {boxes} what boxes are called, {color} one of two spellings, {picture} one of several words.
"""

TITLE = (
    "what is the title of the {picture}?", "what is the title?", "read the title.",
    "which title does the {picture} have?",
    "what is the name of this {picture}?", "how is the {picture} titled?", "what does the title say?",
)  # fmt: skip
FOLLOWS = (
    "what follows {it}?", "what comes after {it}?", "what does {it} lead to?", "which {box} comes right after {it}?",
    "where does the arrow from {it} lead?", "what is the next {box} after {it}?", "after {it}, what comes next?",
    "to which {box} does the arrow from {it} point?", "which {box} does {it} lead to?",
)  # fmt: skip
PRECEDES = (
    "what comes before {it}?", "what comes right before {it}?", "which {box} leads to {it}?",
    "from which {box} does the arrow to {it} come?", "what is the {box} before {it}?", "what points to {it}?",
    "where does the arrow to {it} start?", "what leads to {it}?",
)  # fmt: skip
ALL_BEFORE = (
    "which {boxes} lead directly to {it}?", "from which {boxes} do arrows lead to {it}?",
    "which {boxes} point to {it}?",
    "name all {boxes} with an arrow to {it}.", "list the {boxes} that lead directly to {it}.",
    "which {boxes} come right before {it}?",
)  # fmt: skip
ALL_AFTER = (
    "which {boxes} does {it} lead directly to?", "to which {boxes} do arrows from {it} lead?",
    "name all {boxes} that {it} points to.", "list the {boxes} that come right after {it}.",
    "which {boxes} follow {it} directly?", "where do the arrows from {it} lead?",
)  # fmt: skip
NEIGHBOURS = (
    "which {boxes} are connected to {it}?", "what is {it} directly connected to?", "name all {boxes} linked to {it}.",
    "to which {boxes} do lines from {it} run?", "list the {boxes} that are joined to {it} by a line.",
    "which {boxes} have a line to {it}?", "what are the neighbours of {it}?",
)  # fmt: skip
ARROW = (
    "is there an arrow from {it} to {other}?", "does an arrow lead from {it} to {other}?",
    "does {it} point to {other}?",
    "does {it} lead directly to {other}?", "is {other} directly after {it}?", "does {other} come right after {it}?",
    "in the {picture}, does an arrow run from {it} to {other}?", "can you see an arrow from {it} to {other}?",
)  # fmt: skip
NO_ARROW = (
    "is there no arrow from {it} to {other}?", "is it true that no arrow leads from {it} to {other}?",
    "does {it} not point to {other}?", "does no arrow run from {it} to {other}?",
    "is an arrow from {it} to {other} missing?", "is it wrong that {it} leads directly to {other}?",
)  # fmt: skip
LINE = (
    "is there a line between {it} and {other}?", "are {it} and {other} directly connected?",
    "does a line join {it} and {other}?", "is {it} linked to {other}?", "does a line run from {it} to {other}?",
    "in the {picture}, are {it} and {other} joined by a line?",
)  # fmt: skip
NO_LINE = (
    "is there no line between {it} and {other}?", "are {it} and {other} not directly connected?",
    "is it true that no line joins {it} and {other}?", "is {it} not linked to {other}?",
    "is a line between {it} and {other} missing?", "does no line run from {it} to {other}?",
)  # fmt: skip
PATH = (
    "is there a path from {it} to {other}?", "can one get from {it} to {other} along the arrows?",
    "following the arrows, can {other} be reached from {it}?", "does some path lead from {it} to {other}?",
    "is {other} reachable from {it}?", "starting at {it}, can you reach {other}?",
)  # fmt: skip
BRANCH = (
    'what happens after "{answer}" at {it}?', 'if the answer at {it} is "{answer}", what comes next?',
    'what follows {it} when the answer is "{answer}"?', 'where does the exit "{answer}" of {it} lead?',
    'which {box} comes after {it} in case of "{answer}"?', 'at {it}, what does "{answer}" lead to?',
    'where does the arrow marked "{answer}" from {it} lead?',
)  # fmt: skip
EXIT = (
    "which answer at {it} leads directly to {other}?", "what must be the answer at {it} to go on with {other}?",
    "what is written at the arrow from {it} to {other}?", "with which answer does {it} lead to {other}?",
    "at {it}, which exit leads to {other}?", "which label does the arrow from {it} to {other} have?",
)  # fmt: skip
LINE_TEXT = (
    "what is written at the line between {it} and {other}?", "which label does the line between {it} and {other} have?",
    "what does it say at the connection of {it} and {other}?", "read the label of the line between {it} and {other}.",
    "how is the line between {it} and {other} labelled?", "what stands at the line from {it} to {other}?",
)  # fmt: skip
ARROW_TEXT = (
    "what is written at the arrow from {it} to {other}?", "which label does the arrow from {it} to {other} have?",
    "read the label of the arrow from {it} to {other}.", "how is the arrow from {it} to {other} labelled?",
    "what does it say at the arrow from {it} to {other}?", "what stands at the arrow from {it} to {other}?",
)  # fmt: skip
COUNT_BOXES = (
    "how many {boxes} are there?", "how many {boxes} does the {picture} have?", "count the {boxes}.",
    "how many {boxes} do you see?", "what is the number of {boxes}?", "how many {boxes} are in the {picture}?",
    "the {picture} has how many {boxes}?",
)  # fmt: skip
COUNT_LINES = (
    "how many {lines} are there?", "how many {lines} does the {picture} have?", "count the {lines}.",
    "how many {lines} do you see?", "what is the number of {lines}?", "how many {lines} are in the {picture}?",
)  # fmt: skip
COUNT_DECISIONS = (
    "how many decisions are there?", "how many decisions does the {picture} have?", "count the decisions.",
    "how many decision boxes do you see?", "what is the number of decisions?",
    "how many diamonds are in the {picture}?", "at how many places does the flow branch with a question?",
)  # fmt: skip
FIRST = (
    "what is the first {box}?", "with which {box} does it begin?", "where does the flow start?",
    "what is the {box} at the very beginning?", "which {box} has no arrow leading to it?", "what does it start with?",
)  # fmt: skip
LAST = (
    "what is the last {box}?", "with which {box} does it end?", "where does the flow end?",
    "what is the {box} at the very end?", "which {box} has no arrow leading away from it?", "what does it end with?",
)  # fmt: skip
SHAPE = (
    "what shape is {it}?", "which shape does {it} have?", "what is the shape of {it}?", "in what shape is {it} drawn?",
    "what kind of shape is the box {it}?", "tell me the shape of {it}.",
)  # fmt: skip
COLOUR = (
    "what {color} is {it}?", "which {color} does {it} have?", "what is the {color} of {it}?",
    "what {color} is the box {it}?", "in what {color} is {it} filled?", "tell me the {color} of {it}.",
)  # fmt: skip
BY_COLOUR = (
    "which {box} is {hue}?", "what is written in the {hue} {box}?", "what does the {hue} {box} say?",
    "read the text of the {hue} {box}.", "name the {hue} {box}.", "what is the label of the {hue} {box}?",
)  # fmt: skip
BESIDE = (
    "is {it} {beside} {other}?", "does {it} stand {beside} {other}?", "in the {picture}, is {it} {beside} {other}?",
    "is {it} placed {beside} {other}?", "do you see {it} {beside} {other}?", "is the box {it} {beside} {other}?",
)  # fmt: skip
EXISTS = (
    "is there a {box} labelled {it}?", "does the {picture} contain {it}?", "is {it} in the {picture}?",
    "is there a {box} called {it}?", "can you find {it} in the {picture}?", "does any {box} say {it}?",
)  # fmt: skip
UNKNOWN = (
    "how long does {it} take?", "who is responsible for {it}?", "what does {it} cost?", "who drew {it}?",
    "since when has there been {it}?", "how often does {it} happen?", "why is {it} in the {picture}?",
)  # fmt: skip
DESCRIBE = (
    "describe the {picture}.", "what does the {picture} show?", "what is in this {picture}?",
    "give a description of the {picture}.", "what can be seen in the {picture}?", "what do you see?",
    "explain the {picture}.", "what is shown here?", "how do the boxes hang together?",
)  # fmt: skip
