"""Importing what answers a question, without what only training, several machines and compilation need.

    import_loading()  # then `from vlm.loading import load` is there

A command that answers once spends most of its time importing. torch must be imported; but transformers brings along
scipy, accelerate, torch's parts for several machines and its compiler (with sympy) because they happen to be installed,
and reads each of its own 2,500 files, three times over, to learn which names they define. Here it is told that the
first three are not installed, which it works without; what it marks for the compiler is marked without one; and what
its files define is remembered. All of them are found as ever by whoever imports them later.

Only the command line uses this: importing the package has no effect on others. It leans on the insides of two packages,
so with versions that it was not written for it does nothing.
"""

import functools
import gc
import importlib.util
import marshal
import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.metadata import version
from pathlib import Path
from types import ModuleType
from typing import Any

from .run_config import cache_folder

WRITTEN_FOR = {"torch": "2.13.", "transformers": "5.23."}
NOT_NEEDED = ("scipy", "accelerate")
COMPILER = "torch._dynamo"


def import_loading() -> None:
    """Import `vlm.loading`, quickly where that can be; the same names are there afterwards in any case."""
    if f"{__package__}.loading" in sys.modules:
        return
    with ExitStack() as stack:
        stack.enter_context(_without_collecting())
        untouched = not {"transformers", COMPILER} & set(sys.modules)
        if untouched and all(version(package).startswith(known) for package, known in WRITTEN_FOR.items()):
            _prepare_transformers()
            stack.enter_context(_compiler_put_off())
        importlib.import_module(".loading", __package__)


@contextmanager
def _without_collecting() -> Iterator[None]:
    """Modules are made to stay: looking among them for garbage takes a tenth of the time of importing them."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        if was_enabled:
            gc.enable()


def _prepare_transformers() -> None:
    """Import what transformers is imported with, have it find little installed, and let it remember its own files."""
    import torch

    package = _package("transformers", __version__=version("transformers"))
    is_available, torch.distributed.is_available = torch.distributed.is_available, lambda: False
    try:
        # Where sys.modules holds None, an import finds nothing.
        with _modules({"transformers": package, **dict.fromkeys(NOT_NEEDED)}):
            from transformers.utils import import_utils

            import_utils.is_scipy_available()  # they remember their answers
            import_utils.is_accelerate_available()
            import_utils.is_torch_distributed_available()
    finally:
        torch.distributed.is_available = is_available
    import_utils.create_import_structure_from_path = _remember(import_utils.create_import_structure_from_path)


@contextmanager
def _modules(replaced: dict[str, Any]) -> Iterator[None]:
    """These in `sys.modules` for a while, and then what was there before, or nothing."""
    before = {name: sys.modules[name] for name in replaced if name in sys.modules}
    sys.modules.update(replaced)
    try:
        yield
    finally:
        for name, module in replaced.items():
            if sys.modules.get(name) is module:
                sys.modules.pop(name)
        sys.modules.update(before)


def _package(name: str, **attributes: Any) -> ModuleType:
    """A package without what its `__init__` does: a place from which its modules can be imported."""
    package = ModuleType(name)
    package.__spec__ = spec = importlib.util.find_spec(name)
    assert spec is not None and spec.submodule_search_locations is not None
    package.__path__ = list(spec.submodule_search_locations)
    package.__dict__.update(attributes)
    return package


def _remember(scan: Callable[[str], Any]) -> Callable[[str], Any]:
    """`scan`, which answers for the folder of all models from a file in the user's cache where it can."""

    def remembered(path: str) -> Any:
        folder = Path(path).parent if os.path.isfile(path) else Path(path)
        if folder.name != "models":
            return scan(path)
        # A version and a place have the same files; an installation that was mended in place has another time.
        key = f"{version('transformers')}-{sys.version_info.major}.{sys.version_info.minor}-{folder.stat().st_mtime_ns}"
        file = cache_folder() / f"transformers-{key}.names"
        with suppress(OSError, EOFError, ValueError, TypeError):  # there is none, or it is damaged
            return marshal.loads(file.read_bytes())
        names = scan(path)
        with suppress(OSError):  # a cache that cannot be written is done without
            file.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=file.parent, delete=False) as new:
                new.write(marshal.dumps(names))
            os.replace(new.name, file)  # whole or not at all
        return names

    return remembered


@contextmanager
def _compiler_put_off() -> Iterator[None]:
    """While modules are imported, have those that mark functions for the compiler not import it.

    Afterwards it is not imported yet, and whoever imports it gets the real one. Were a model compiled then, what is
    disabled would be; functions that it was to take as they are would be compiled like others.
    """

    def disable(function: Any = None, recursive: bool = True, **options: Any) -> Any:
        if function is None:
            return functools.partial(disable, recursive=recursive, **options)

        @functools.wraps(function)
        def not_compiled(*args: Any, **kwargs: Any) -> Any:
            if COMPILER not in sys.modules:  # so nothing is being compiled
                return function(*args, **kwargs)
            return sys.modules[COMPILER].disable(function, recursive, **options)(*args, **kwargs)

        return not_compiled

    def mark(function: Any) -> Any:
        return function

    marks = {"disable": disable, "allow_in_graph": mark, "assume_constant_result": mark}
    with _modules({COMPILER: _package(COMPILER, **marks)}):
        yield
