"""How people put questions about signs and other short texts: many wordings of each.

A template's fields: {it} what the text is on ("the receipt"), {what} what is asked for ("phone number"), {item} a thing
for sale, {place} "first" or "last".
"""

KINDS = {  # what each kind is called in a question
    "road sign": "sign", "door sign": "sign", "warning label": "label", "shop notice": "notice",
    "opening hours": "sign", "price tag": "price tag", "business card": "card", "receipt": "receipt",
    "ticket": "ticket", "timetable": "timetable", "book cover": "book cover",
}  # fmt: skip
NAMES = {kind: f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in KINDS} | {  # with an article
    "opening hours": "a sign with opening hours",
}
ROLES = {  # role -> what it is called in a question
    "phone": "phone number", "date": "date", "time": "time", "email": "email address", "seat": "seat",
    "room": "room", "author": "author", "title": "title", "publisher": "publisher", "job": "job",
    "heading": "heading", "name": "name", "price": "price", "distance": "distance",
}  # fmt: skip
READ = (
    "what does {it} say?", "read the text on {it}.", "what is written on {it}?", "what is the text on {it}?",
    "read {it}.", "what words are on {it}?", "which text can be read on {it}?", "what is printed on {it}?",
    "transcribe the text in the {picture}.",
)  # fmt: skip
ROLE = (
    "what is the {what} on {it}?", "what {what} is given on {it}?", "which {what} does {it} give?",
    "read the {what} on {it}.", "what {what} can be read in the {picture}?", "what is the {what}?",
    "tell me the {what} on {it}.", "what {what} is written on {it}?",
)  # fmt: skip
KIND = (
    "is this {one} or {other}?", "what is this, {one} or {other}?", "does the {picture} show {one} or {other}?",
    "{one} or {other}: what is shown?", "which is it, {one} or {other}?",
)  # fmt: skip
PRICE_OF = (
    "what is the price of {item}?", "how much is {item}?", "how much does {item} cost?", "what does {item} cost?",
    "what price is given for {item}?", "which price stands next to {item}?", "read the price of {item}.",
)  # fmt: skip
TOTAL = (
    "what is the total?", "what is the total on the receipt?", "how much is to be paid in all?", "read the total.",
    "what does everything cost together?", "what is the sum on the receipt?", "which total does the receipt give?",
)  # fmt: skip
COUNT_ITEMS = (
    "how many items are on the receipt?", "how many items were bought?", "count the items on the receipt.",
    "how many items are listed?", "what is the number of items on the receipt?", "how many different items are there?",
)  # fmt: skip
EXTREME = (
    "which item is the {most}?", "what is the {most} item?", "which is the {most} item on the receipt?",
    "name the {most} item.", "what is the {most} thing that was bought?", "which of the items is {most}?",
)  # fmt: skip
BESIDE = {  # kind -> what is asked of a row by its first text
    "opening hours": ("what are the opening hours on {it}?", "when is it open on {it}?",
    "which hours are given for {it}?",
                      "what does the sign say for {it}?", "read the hours of {it}."),
    "timetable": ("when is the departure for {it}?", "at what time does it leave for {it}?",
                  "which time is given for {it}?", "what time stands next to {it}?", "read the time for {it}."),
    "road sign": ("how far is it to {it}?", "what is the distance to {it}?", "how many kilometres is it to {it}?",
                  "which distance is given for {it}?", "read the distance to {it}."),
}  # fmt: skip
OPEN_AT = (
    "is it open on {day} at {time}?", "are they open on {day} at {time}?", "can I go there on {day} at {time}?",
    "will it be open at {time} on {day}?", "at {time} on {day}, is it open?",
    "is {day} at {time} within the opening hours?",
)  # fmt: skip
SAYS = (
    'does it say "{text}"?', 'does {it} say "{text}"?', 'is "{text}" written on {it}?',
    'can you read "{text}" on {it}?',
    'does "{text}" appear on {it}?', 'is the text "{text}" in the {picture}?', 'are the words "{text}" on {it}?',
)  # fmt: skip
SAYS_NOT = (
    'does it not say "{text}"?', 'does {it} not say "{text}"?', 'is "{text}" not written on {it}?',
    'is "{text}" missing from {it}?', 'does "{text}" appear nowhere on {it}?',
    'is it true that {it} does not say "{text}"?', 'are the words "{text}" not on {it}?',
)  # fmt: skip
BACKGROUND = (
    "what {color} is {it}?", "what is the {color} of {it}?", "which {color} does {it} have?",
    "on what {color} is the text written?", "what {color} is behind the text?",
    "what {color} is the background of {it}?",
)  # fmt: skip
INK = (
    "what {color} is the text?", "what {color} are the letters?", "in what {color} is the text written?",
    "what is the {color} of the text?", "which {color} do the letters have?", "what {color} is the writing on {it}?",
)  # fmt: skip
POSITION = (
    "what does the {place} line say?", "what is written in the {place} line?", "read the {place} line.",
    "what is the {place} line of text?", "which words are in the {place} line?",
    "what can be read in the {place} line?",
)  # fmt: skip
DESCRIBE = (
    "describe the {picture}.", "what does the {picture} show?", "what do you see?",
    "what can be seen in the {picture}?",
    "give a description of the {picture}.", "please describe this {picture}.", "describe what you see.",
    "what is shown here?", "tell me what is in the {picture}.",
)  # fmt: skip
