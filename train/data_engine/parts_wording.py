"""How people ask about labelled drawings.

A template's fields: {mark} and {marks} "letter", "number" or "label", {it} one label ("the letter A"), {part} a part
("the roof"), {so} a colour, {most} "topmost", {order} "from top to bottom".
"""

POINTS_TO = (
    "what does {it} point to?", "to what does {it} point?", "what is marked by {it}?", "which part does {it} point to?",
    "which part is {it}?", "name the part that {it} points to.", "what is {it} in the {picture}?",
    "what does the line from {it} lead to?", "which part is marked by {it}?", "what is at the end of the line of {it}?",
)  # fmt: skip
LEGEND = (
    "what does the legend say for {it}?", "what does {it} stand for in the legend?", "look up {it} in the legend.",
    "according to the legend, what is {it}?", "what is the meaning of {it} in the legend?",
    "what is written beside {it} in the legend?",
)  # fmt: skip
COLOR_AT = (
    "what {color} is the part that {it} points to?", "which {color} has the part at {it}?",
    "in what {color} is the part marked by {it}?", "what is the {color} of the part that {it} marks?",
    "tell me the {color} of the part at {it}.", "{it} points to a part of which {color}?",
    "the line from {it} ends on which {color}?",
)  # fmt: skip
LABEL_OF = (
    "which {mark} points to {part}?", "what {mark} marks {part}?", "by which {mark} is {part} marked?",
    "find the {mark} of {part}.", "which {mark} belongs to {part}?", "what is the {mark} of {part}?",
    "{part}: which {mark} points to it?", "from which {mark} does a line lead to {part}?",
)  # fmt: skip
COUNT = (
    "how many {marks} are there around the drawing?", "how many {marks} point to a part?",
    "how many parts have {marks}?", "count the {marks} with a line.",
    "how many lines lead from {marks} to the drawing?", "how many parts are marked?",
    "what is the number of {marks} with a line in the {picture}?", "how many parts does the {picture} label?",
)  # fmt: skip
EXTREME = (
    "which {mark} with a line is the {most}?", "of the {marks} with lines, which is the {most}?",
    "what is the {most} {mark} that has a line?", "read the {most} {mark} that has a line.",
    "which is the {most} of the {marks} that point to a part?",
)  # fmt: skip
EXISTS = (
    "is there {a} in the {picture}?", "does the {picture} have {a}?", "do you see {a}?", "is there {a}?",
    "does the {picture} contain {a}?", "is {a} present?", "can you find {a}?", "does {a} point to a part?",
)  # fmt: skip
EXISTS_NOT = (
    "is there not {a} in the {picture}?", "does the {picture} not have {a}?", "is {a} missing?", "is there not {a}?",
    "does the {picture} not contain {a}?", "is {a} absent from the {picture}?", "is it true that there is not {a}?",
    "do you not see {a}?",
)  # fmt: skip
POINTS = (
    "does {it} point to {part}?", "is {part} what {it} points to?", "does the line from {it} lead to {part}?",
    "is {part} marked by {it}?", "is it true that {it} points to {part}?", "does {it} mark {part}?",
    "would you say that {it} points to {part}?", "does {it} belong to {part}?",
)  # fmt: skip
POINTS_NOT = (
    "does {it} not point to {part}?", "is {part} not what {it} points to?", "is it wrong that {it} points to {part}?",
    "is {part} not marked by {it}?", "is it true that {it} does not point to {part}?", "does {it} not mark {part}?",
    "does {it} point to anything but {part}?", "does the line from {it} not lead to {part}?",
)  # fmt: skip
READ = (
    "read the {marks} with lines {order}.", "list all {marks} that have lines {order}.",
    "{order}, what are the {marks} with lines?", "which {marks} have lines? Name them {order}.",
    "name all {marks} with lines {order}.", "what {marks} with lines do you see, {order}?",
)  # fmt: skip
SUBJECT = (
    "what is drawn here?", "what does the drawing show?", "what is shown in the {picture}?",
    "what is this a drawing of?", "what is labelled in this {picture}?", "what do the labelled parts belong to?",
    "what has these parts?", "name the thing whose parts are labelled.",
)  # fmt: skip
UNTOLD = (
    "what is {part} made of?", "how long is {part}?", "who made {part}?", "how much does {part} weigh?",
    "how old is {part}?", "what does {part} cost?", "in which year was {part} made?",
    "how many centimeters is {part} wide?",
)  # fmt: skip
DESCRIBE = (
    "describe the {picture}.", "what does the {picture} show?", "explain the {picture}.",
    "what do the labels point to?", "describe the drawing and its labels.",
    "read all labels and say what they point to.", "what can be seen here?", "give a description of the {picture}.",
    "tell me what each label points to.",
)  # fmt: skip
