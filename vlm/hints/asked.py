"""What a question is about, where that is told alike for every kind of picture."""

import re

COUNT = re.compile(r"(?i)\b(?:how many|number of|count)\b")
COLOUR = re.compile(r"(?i)\b(?:colou?r\w*|hues?)\b")
GROUND = re.compile(r"(?i)\b(?:background|behind|on what|on which)\b")
TITLE = re.compile(r"(?i)\btitled?\b|\bheading\b|\bname of (?:the|this) (?:drawing|picture|image|diagram|graph)\b")
