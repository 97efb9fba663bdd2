"""What the HTML pages of this package have in common: one file each, with no other file and no address in it."""

import base64
import html
import io

from PIL import Image

THUMBNAIL = 240
STYLE = """\
body { font: 15px/1.45 system-ui, sans-serif; color: #1c2430; max-width: 72em; margin: 2em auto; padding: 0 1em }
h1 { font-size: 1.5em; margin-bottom: .2em } h2 { font-size: 1.15em; margin: 2em 0 .6em } code { color: #555 }
.good { color: #17663a } .bad { color: #a32020 } .verdict { font-size: 1.1em; font-weight: 600 }
details { border: 1px solid #d8dde5; border-radius: 6px; padding: .5em .8em; margin: .4em 0 }
summary { cursor: pointer } summary b { display: inline-block; min-width: 4em } li { overflow-wrap: anywhere }
.charts, .rows { display: grid; gap: 1em; grid-template-columns: repeat(auto-fill, minmax(21em, 1fr)) }
.chart h3 { font-size: 1em; margin: 0 0 .4em } table { border-collapse: collapse; width: 100% }
td { padding: 1px 4px } td:first-child { text-align: right; max-width: 10em; overflow: hidden; white-space: nowrap;
text-overflow: ellipsis } td:nth-child(2) { width: 55% } .bar { background: #4878a8; height: .8em; min-width: 1px }
.rows article { border: 1px solid #d8dde5; border-radius: 6px; padding: .7em; overflow-wrap: anywhere }
.rows img { max-width: 100%; max-height: 12em; display: block; margin-bottom: .4em } .rows p { margin: .3em 0 }
.scores { width: auto } .scores td, .scores th { padding: 2px .8em; text-align: right }
.scores td:first-child { text-align: left } .scores td:nth-child(2) { width: auto }
pre { background: #f5f7fa; padding: .8em; white-space: pre-wrap; font-size: .85em } h2 + img { max-width: 100% }
.rows b { color: #234a78 } .shares td:first-child { text-align: left; max-width: none }"""


def head(title: str) -> str:
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style>"
    )


def escape(value: object) -> str:
    """Text of others, for a page."""
    return html.escape(str(value))


def inline(image: Image.Image) -> str:
    """A picture, small, as part of the page."""
    small = image.copy()
    small.thumbnail((THUMBNAIL, THUMBNAIL))
    buffer = io.BytesIO()
    small.save(buffer, "JPEG", quality=80)
    return embedded(buffer.getvalue(), "jpeg")


def embedded(data: bytes, kind: str) -> str:
    return f'<img src="data:image/{kind};base64,{base64.b64encode(data).decode()}" alt="">'
