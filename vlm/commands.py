"""What `vlm ask`, `chat`, `info` and `compose` do. Answers go to standard output, everything else to standard error."""

import argparse
import errno
import logging
import os
import sys
import unicodedata
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL.Image import Image

from .images import ImageError, decode_image
from .run_config import ConfigError, load_config

if TYPE_CHECKING:
    from .loading import Assistant

CHAT_HELP = """\
/image FILE   show a picture with the next question
/clear        begin anew, without the pictures and the talk so far
/help         this list
/quit         leave, as Ctrl-D does; Ctrl-C stops an answer"""


class CommandError(Exception):
    """What the user can mend, in plain words."""


def ask(args: argparse.Namespace) -> int:
    *names, question = args.words
    if Path(question).is_file():
        raise CommandError(
            f'what do you want to know about {question}? The question comes last: vlm ask {question} "..."'
        )
    images = [read_picture(name) for name in names]
    options = read_options(args)
    write_answer(load_assistant(args), [user_turn(images, question)], options)
    return 0


def chat(args: argparse.Namespace) -> int:
    images = [read_picture(name) for name in args.pictures]
    options = read_options(args)
    conversation = Conversation(load_assistant(args), options, images)
    if sys.stdin.isatty():
        import readline  # noqa: F401 - gives input() its line editing and history

        print(f"{conversation.assistant.name} listens; /help lists what else it knows.", file=sys.stderr)
    while not conversation.is_over:
        try:
            conversation.take(input("> " if sys.stdin.isatty() else ""))
        except EOFError:
            break
        except KeyboardInterrupt:  # at the prompt it only clears the line, as in a shell
            print(file=sys.stderr)
        except CommandError as error:
            print(f"error: {error}", file=sys.stderr)
    return 0


class Conversation:
    """The talk so far. A turn is kept when it was answered, so what fails can be asked again."""

    def __init__(self, assistant: "Assistant", options: dict[str, Any], images: list[Image]):
        self.assistant, self.options = assistant, options
        self.images = images  # for the next question
        self.messages: list[dict[str, Any]] = []
        self.is_over = False

    def take(self, line: str) -> None:
        word, _, rest = line.strip().partition(" ")
        if word == "/quit":
            self.is_over = True
        elif word == "/help":
            print(CHAT_HELP, file=sys.stderr)
        elif word == "/clear":
            self.images, self.messages = [], []
        elif word == "/image":
            self.images = [*self.images, read_picture(rest.strip())]
        elif word.startswith("/"):
            raise CommandError(f"{word} is not a command; /help lists them")
        elif word:
            asked = [*self.messages, user_turn(self.images, line.strip())]
            text = write_answer(self.assistant, asked, self.options, may_be_stopped=True)
            self.messages, self.images = [*asked, {"role": "assistant", "content": text}], []


def info(args: argparse.Namespace) -> int:
    assistant = load_assistant(args)
    from .summary import summarize, time_hints

    print(f"model            {assistant.name}\n{summarize(assistant.model)}")
    if assistant.perception is not None:
        print(f"hints            {time_hints()}")
    return 0


def compose(args: argparse.Namespace) -> int:
    overrides = [word for word in args.words if "=" in word]
    name, *folders = [word for word in args.words if "=" not in word] or [""]
    folder = Path(folders[0]) if folders else None
    if not name or len(folders) > 1:
        raise CommandError(f"wanted are CONFIG [FOLDER] [key=value ...], found {' '.join(args.words)}")
    with plain_errors():
        from .loading import ComposeConfig, compose_from_config
        from .standalone import check_is_new, write_new

        if folder:
            check_is_new(folder)
        model, processor = compose_from_config(load_config(ComposeConfig, name, overrides))
        from .summary import summarize

        print(summarize(model))
        if folder:
            write_new(model, processor, folder)
    return 0


def read_picture(name: str) -> Image:
    try:
        return decode_image(Path(name).read_bytes())
    except ImageError as error:
        raise CommandError(f"{name}: {error}") from None
    except FileNotFoundError:
        raise CommandError(
            f"there is no picture file {name!r} (a question of several words stands in quotes)"
        ) from None
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}") from None


def user_turn(images: list[Image], text: str) -> dict[str, Any]:
    parts = [{"type": "image", "image": image} for image in images]
    return {"role": "user", "content": [*parts, {"type": "text", "text": text}]}


def read_options(args: argparse.Namespace) -> dict[str, Any]:
    """The fields of a GenerationRequest that are options of the command, checked before a model is loaded."""
    options = {
        "max_new_tokens": args.max_tokens,
        "temperature": args.temperature,
        "top_p": args.top_p,
        "seed": args.seed,
        "blind": args.blind,
        "hints": args.hints,
    }
    with plain_errors():
        from .generation import GenerationRequest

        GenerationRequest(messages=[user_turn([], "Are these in range?")], **options)
    return options


def load_assistant(args: argparse.Namespace) -> "Assistant":
    with plain_errors():
        from .loading import load

        return load(args.model, quantization=args.quantization, device=args.device, adapter=args.adapter)


@contextmanager
def plain_errors() -> Iterator[None]:
    """What the package raises for a user to mend becomes a CommandError; of progress, only what it logs is shown."""
    from .cold_start import import_loading

    import_loading()
    from transformers.utils.logging import disable_progress_bar

    from .generation import RequestError
    from .loading import PartNotFoundError
    from .quantization import QuantizationError

    disable_progress_bar()
    logger, handler = logging.getLogger("vlm"), logging.StreamHandler()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    except (ConfigError, PartNotFoundError, QuantizationError, RequestError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        if os.strerror(errno.ENOSPC) not in str(error):
            raise
        raise CommandError(f"the disk is full; make room and try again ({error})") from None
    finally:
        logger.removeHandler(handler)


def write_answer(
    assistant: "Assistant", messages: list[dict[str, Any]], options: dict[str, Any], may_be_stopped: bool = False
) -> str:
    """Stream the answer to standard output and return it; with `may_be_stopped`, Ctrl-C ends it early."""
    from .generation import GenerationRequest

    request = GenerationRequest(messages=messages, **options)
    text, reason = "", None
    with plain_errors(), closing(assistant.stream(request)) as chunks:
        try:
            for chunk in chunks:
                text, reason = text + chunk.text, chunk.finish_reason
                print(printable(chunk.text), end="", flush=True)
        except KeyboardInterrupt:
            if not may_be_stopped:
                raise
    print()
    if reason == "length":
        print(f"(cut after {request.max_new_tokens} tokens: --max-tokens allows more)", file=sys.stderr)
    return text


def printable(text: str) -> str:
    """Without control characters, so that no picture can drive the terminal, nor any that the terminal cannot show."""
    text = "".join(c for c in text if c in "\n\t" or unicodedata.category(c) != "Cc")
    return text.encode(sys.stdout.encoding, "replace").decode(sys.stdout.encoding)
