"""What a question is about, where that is told alike for every kind of picture."""

import re

COUNT = re.compile(r"(?i)\b(?:how many|number of|count)\b")
COLOUR = re.compile(r"(?i)\b(?:colou?r\w*|hues?)\b")
GROUND = re.compile(r"(?i)\b(?:background|behind|on what|on which)\b")
DESCRIBE = re.compile(r"(?i)\b(?:describe|description|summar\w*|explain|shows?|shown|seen?|what is (?:this|here|in))\b")
TITLE = re.compile(r"(?i)\btitled?\b|\bheading\b|\bname of (?:the|this) (?:drawing|picture|image|diagram|graph)\b")
