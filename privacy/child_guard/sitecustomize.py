"""Python runs this at the start of child processes: they connect to this machine alone, as their parent does.

The folder stands first in ``PYTHONPATH``, so this hides a ``sitecustomize`` of the environment, which runs next.
"""

from __future__ import annotations

import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

_HERE = Path(__file__).resolve().parent


def _guard() -> None:
    spec = spec_from_file_location("semiology_socket_guard", _HERE.parent / "socket_guard.py")
    if spec is None or spec.loader is None:
        raise ImportError("the guard of connections is missing: reinstall semiology-eval")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    module.refuse_other_machines()


def _run_hidden() -> None:
    spec = PathFinder.find_spec("sitecustomize", [each for each in sys.path if Path(each).resolve() != _HERE])
    if spec is not None and spec.loader is not None:
        spec.loader.exec_module(module_from_spec(spec))


_guard()
_run_hidden()
