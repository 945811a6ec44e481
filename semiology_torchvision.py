"""Lets torchvision load beside a PyTorch built without CUDA.

The package registries carry torchvision only as a CUDA build. Beside a CPU build of PyTorch its compiled
operators cannot load, and importing it ends with "operator torchvision::nms does not exist". No model of this
project calls these operators, so it is enough that they are declared. PyTorch calls :func:`declare` at the
end of ``import torch`` (entry-point group ``torch.backends``), hence in lmms-eval's own commands too.
"""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path
from typing import Any

OPERATORS = (
    "nms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
    "qnms(Tensor dets, Tensor scores, float iou_threshold) -> Tensor",
)
_declared: list[Any] = []


def declare() -> None:
    """Declare torchvision's operators if its compiled ones cannot load here; otherwise do nothing."""
    import torch

    if torch.version.cuda or torch.version.hip or _declared or _compiled_operators_load():
        return
    library: Any = torch.library.Library("torchvision", "FRAGMENT")  # type: ignore[no-untyped-call]
    for operator in OPERATORS:
        library.define(operator)
    _declared.append(library)  # dropping the object would take the declarations back


def _compiled_operators_load() -> bool:
    """Tell whether torchvision's compiled operators load, or whether there is no torchvision to help."""
    import torch

    spec = find_spec("torchvision")
    if spec is None or spec.origin is None:
        return True
    compiled = sorted(Path(spec.origin).parent.glob("_C*.so"))
    if not compiled:
        return False
    try:
        torch.ops.load_library(str(compiled[0]))  # type: ignore[no-untyped-call]
    except OSError:
        return False
    return True
