"""How people put questions about tables: many wordings of each.

A template's fields: {column} what a column holds ("price"), {it} and {other} the names of rows, {noun}
and {nouns} what the rows are ("product"), {more} "higher" or "lower", {most} "highest" or "lowest".
"""

TITLE = (
    "what is the title of the table?", "what is the title?", "read the title.", "which title does the table have?",
    "what is the table called?", "what is the name of this table?", "how is the table titled?",
    "what does the title say?", "what is written as the title of the table?",
)  # fmt: skip
CELL = (
    "what is the {column} of {it}?", "what is the {column} for {it}?", "{it}: what is the {column}?",
    "in the table, what is the {column} of {it}?", "look up the {column} of {it}.", "read the {column} of {it}.",
    "what does the table give as the {column} of {it}?", "tell me the {column} of {it}.",
    "which entry is given as the {column} of {it}?", "what can be read as the {column} for {it}?",
)  # fmt: skip
LOOKUP = (
    "which {noun} has {value} as its {column}?", "for which {noun} is the {column} {value}?",
    "in which row is the {column} {value}?", "{value} is the {column} of which {noun}?",
    "whose {column} is {value}?", "which row has {value} as its {column}?",
    "find the {noun} whose {column} is {value}.",
)  # fmt: skip
EXTREME = (
    "which {noun} has the {most} {column}?", "which row has the {most} {column}?", "whose {column} is the {most}?",
    "for which {noun} is the {column} the {most}?", "find the {noun} with the {most} {column}.",
    "what {noun} has the {most} {column}?", "in which row is the {column} the {most}?",
)  # fmt: skip
COMPARE_CHOICE = (
    "which has the {more} {column}, {it} or {other}?", "{it} or {other}: which has the {more} {column}?",
    "whose {column} is {more}, {it} or {other}?", "of {it} and {other}, which has the {more} {column}?",
    "comparing {it} and {other}, which one has the {more} {column}?",
)  # fmt: skip
COMPARE = (
    "does {it} have a {more} {column} than {other}?", "is the {column} of {it} {more} than for {other}?",
    "is the {column} {more} for {it} than for {other}?",
    "in the table, is the {column} of {it} {more} than of {other}?",
    "{it} and {other}: is the {column} of {it} {more}?",
)  # fmt: skip
COUNT_ROWS = (
    "how many {nouns} does the table list?", "how many {nouns} are in the table?", "how many {nouns} are there?",
    "count the {nouns} in the table.", "for how many {nouns} does the table have a row?",
    "what is the number of {nouns} listed?", "how many {nouns} are given?",
)  # fmt: skip
COUNT_COLUMNS = (
    "how many columns does the table have?", "how many columns are there?", "count the columns.",
    "what is the number of columns?", "how many columns do you see?", "how many columns are in this table?",
    "the table has how many columns?",
)  # fmt: skip
SUM = (
    "what is the sum of the {column} of {it} and {other}?", "add up the {column} of {it} and {other}.",
    "what is the {column} of {it} and {other} together?", "what do {it} and {other} have as {column} in total?",
    "what is the total {column} of {it} and {other}?",
)  # fmt: skip
DIFFERENCE = (
    "what is the difference between the {column} of {it} and of {other}?",
    "how far apart are {it} and {other} in {column}?", "by how much does the {column} of {it} and {other} differ?",
    "what is the difference in {column} between {it} and {other}?",
    "how large is the gap in {column} between {it} and {other}?",
)  # fmt: skip
HEADER = (
    "what is the heading of the {place} column?", "what is the {place} column called?",
    "what is the name of the {place} column?", "read the heading of the {place} column.",
    "which heading does the {place} column have?", "how is the {place} column headed?",
    "what is written at the top of the {place} column?",
)  # fmt: skip
POSITION = (
    "which {noun} is in the {place} row?", "which {noun} is listed in the {place} row?",
    "what is the {noun} in the {place} row below the headings?", "name the {noun} in the {place} row.",
    "which {noun} does the {place} row show?",
)  # fmt: skip
NEXT = (
    "which {noun} comes directly {after} {it}?", "which {noun} is in the row directly {after} {it}?",
    "which {noun} is listed right {after} {it}?", "in the table, which {noun} is just {after} {it}?",
    "what {noun} stands immediately {after} {it}?",
)  # fmt: skip
EXISTS_ROW = (
    "is {it} in the table?", "is there a row for {it}?", "does the table list {it}?",
    "does the table have a row for {it}?",
    "is {it} one of the {nouns} in the table?", "is {it} listed?", "can you find {it} in the table?",
    "does {it} appear in the table?",
)  # fmt: skip
EXISTS_ROW_NOT = (
    "is {it} not in the table?", "is there no row for {it}?", "does the table not list {it}?",
    "does the table have no row for {it}?", "is {it} missing from the table?",
    "is {it} none of the {nouns} in the table?", "is it true that {it} is not listed?",
)  # fmt: skip
EXISTS_COLUMN_NOT = (
    "is there no column for the {column}?", "does the table have no column for the {column}?",
    "does the table not show the {column}?", "is the {column} none of the columns?",
    "is it true that the table does not give the {column} of each {noun}?",
)  # fmt: skip
EXISTS_COLUMN = (
    "is there a column for the {column}?", "does the table have a column for the {column}?",
    "does the table show the {column}?", "does the table give the {column} of each {noun}?",
    "is the {column} one of the columns?", "can the {column} be read from the table?",
)  # fmt: skip
MISSING = (
    "is a value given as the {column} of {it}?", "does the table give the {column} of {it}?",
    "is there an entry for the {column} of {it}?", "is the {column} of {it} filled in?",
    "is the {column} given for {it}?", "does {it} have a value for the {column}?",
)  # fmt: skip
TOTAL = (
    "what is the total {column}?", "what total is given for the {column}?", "read the total of the {column}.",
    "what do all the {nouns} add up to in {column}?", "what is the total for the {column}, as given in the last row?",
)  # fmt: skip
DESCRIBE = (
    "describe the table.", "what does the table show?", "what is in this {picture}?", "describe the {picture}.",
    "give a description of the {picture}.", "what can be seen in the {picture}?", "what do you see?",
    "what is this table about?", "summarize the table.", "what is shown here?",
)  # fmt: skip
