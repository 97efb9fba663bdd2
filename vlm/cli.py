"""The command `vlm`: its words and options. What they do stands in commands.py, and in the packages train and serve.

Only the standard library is imported before a command runs, so that `vlm --help` answers at once.
"""

import argparse
import difflib
import importlib
import os
import sys
from collections.abc import Callable

from . import __version__

OWN = {
    "ask": "ask a question about pictures",
    "chat": "talk about pictures",
    "info": "show which parts a model has, their sizes, quantization and device",
    "compose": "join a vision tower and a language model, as a YAML file says",
}
ELSEWHERE = {  # command -> module, function, extra of the distribution, what it does
    "read": ("vlm.read_command", "main", "read", "read a chart, a diagram or a table as data"),
    "merge": ("vlm.standalone", "merge_main", "", "make a model and an adapter one checkpoint"),
    "quantize": ("vlm.standalone", "quantize_main", "", "store a model's weights in another form"),
    "serve": ("serve.main", "serve_main", "serve", "answer over HTTP, as OpenAI's chat completions do"),
    "ui": ("serve.main", "ui_main", "ui", "open the web page to a server that runs"),
    "up": ("serve.main", "up_main", "serve,ui", "both: the server and the web page"),
    "train": ("train.sft", "main", "train", "train adapters, as a YAML file says"),
    "eval": ("train.evaluate", "main", "train", "measure a model on questions with known answers"),
    "bench": ("vlm.bench.command", "main", "bench", "measure speed and memory beside llama.cpp and transformers"),
    "parity": ("train.parity", "main", "train", "whether two forms of a model say the same"),
    "push": ("train.push", "main", "train", "bring a model or an adapter to the Hugging Face hub"),
    "data": ("train.data_engine.dataset", "main", "train", "check rows of your own; draw pictures with questions"),
}
COMMANDS = {**OWN, **{name: text for name, (_, _, _, text) in ELSEWHERE.items()}}

USAGE = "usage: vlm COMMAND [...]\n\n{commands}\n\nvlm COMMAND --help says more. vlm --version says {version}.".format(
    commands="\n".join(f"  {name:<9}{text}" for name, text in COMMANDS.items()), version=__version__
)


def main(argv: list[str] | None = None) -> int:
    """Run one command; the exit code is 0, 2 for what the user can mend, 1 for what broke, 130 after Ctrl-C."""
    try:
        code = run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        print(file=sys.stderr)
        return 130
    except BrokenPipeError:  # whoever read our output has left, as `head` does: nothing more to say, to nobody
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def run(argv: list[str]) -> int:
    name, *rest = argv or ["--help"]
    if name in ("-h", "--help", "help"):
        print(USAGE)
        return 0
    if name == "--version":
        print(f"regard {__version__}")
        return 0
    if name not in COMMANDS:
        close = difflib.get_close_matches(name, COMMANDS, n=1)
        meant = f"did you mean {close[0]}?" if close else f"there are {', '.join(COMMANDS)}."
        print(f"error: vlm has no command {name!r}; {meant}", file=sys.stderr)
        return 2
    return find_command(name)(rest)


def find_command(name: str) -> Callable[[list[str]], int]:
    if name in OWN:
        return lambda argv: run_own(name, argv)
    module, function, extra, _ = ELSEWHERE[name]
    try:
        return getattr(importlib.import_module(module), function)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] in ("vlm", "train", "serve"):
            raise
        print(f"error: vlm {name} needs {error.name}: pip install 'regard[{extra}]'", file=sys.stderr)
        return lambda argv: 2


def run_own(name: str, argv: list[str]) -> int:
    args = make_parser(name).parse_intermixed_args(argv)
    from . import commands  # after the options are known to be right: it takes a moment

    try:
        return getattr(commands, name)(args)
    except commands.CommandError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def make_parser(name: str) -> argparse.ArgumentParser:
    description = f"{OWN[name][0].upper()}{OWN[name][1:]}."
    parser = argparse.ArgumentParser(prog=f"vlm {name}", description=description, allow_abbrev=False)
    if name == "compose":
        parser.usage = "vlm compose CONFIG [FOLDER] [key=value ...]"
        help = "YAML file with a ComposeConfig, the folder to save the model in, and what to change in the config"
        parser.add_argument("words", nargs="+", metavar="CONFIG FOLDER key=value", help=help)
        return parser
    parser.add_argument("--model", default="mini", metavar="NAME", help="a name, a folder or a hub id (default: mini)")
    parser.add_argument("--adapter", metavar="FOLDER", help="what vlm train wrote, to put on top of the model")
    parser.add_argument("--quantization", metavar="KIND", help="none, int8, int4, nf4 or bnb-int8 (default: as saved)")
    parser.add_argument("--device", help="cpu, cuda, mps (default: a GPU if there is one)")
    if name == "info":
        return parser
    if name == "ask":
        parser.usage = 'vlm ask [PICTURE ...] "QUESTION" [options]'
        parser.add_argument(
            "words", nargs="+", metavar="PICTURE ... QUESTION", help="picture files, and the question last"
        )
    else:
        parser.usage = "vlm chat [PICTURE ...] [options]"
        parser.add_argument("pictures", nargs="*", metavar="PICTURE", help="picture files for the first question")
    add_sampling_options(parser)
    return parser


def add_sampling_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--max-tokens", type=int, default=256, metavar="N", help="end an answer there (default: 256)")
    parser.add_argument(
        "--temperature", type=float, default=0.0, metavar="T", help="0 is always the likeliest (default: 0)"
    )
    parser.add_argument("--top-p", type=float, default=1.0, metavar="P", help="sample from the likeliest that sum to P")
    parser.add_argument("--seed", type=int, metavar="N", help="the same answer each time for a temperature above 0")
    parser.add_argument(
        "--hints",
        choices=("auto", "on", "off"),
        default="auto",
        help="tell a model that has learnt it what was read in the pictures; auto looks for text before it reads any",
    )
    parser.add_argument(
        "--blind", action="store_true", help="hide the pictures from the model: does it still answer so?"
    )
