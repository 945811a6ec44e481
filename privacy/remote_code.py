"""Keeps code that comes with a checkpoint from running, whatever a model class asks for.

Many lmms-eval classes pass ``trust_remote_code=True`` on their own account, some without a way to turn it
off. Beside patient data that is the user's decision: ``SEMIOLOGY_TRUST_REMOTE_CODE=1`` allows it.
"""

from __future__ import annotations

import functools
import sys
from typing import Any

from semiology.settings import TRUST_REMOTE_CODE

_RESOLVER = "resolve_trust_remote_code"
_MARK = "_semiology_refuses"


def refuse_remote_code() -> bool:
    """Make transformers ignore every ``trust_remote_code=True`` in this process; return whether it does.

    It does unless the user allowed remote code; a second call is harmless. A checkpoint that transformers knows
    loads with transformers' own code; one that needs its own code ends with transformers' explanation. Processes
    that a server class starts on its own are not reached.
    """
    if TRUST_REMOTE_CODE.is_on():
        return False
    from transformers import dynamic_module_utils

    original = getattr(dynamic_module_utils, _RESOLVER)
    if getattr(original, _MARK, False):
        return True

    @functools.wraps(original)
    def guarded(trust_remote_code: Any, *arguments: Any, **keywords: Any) -> Any:
        del trust_remote_code
        return original(False, *arguments, **keywords)

    setattr(guarded, _MARK, True)
    # Other modules of transformers hold the function under its name: replace it there too.
    for name, module in list(sys.modules.items()):
        if name.startswith("transformers") and vars(module).get(_RESOLVER) is original:
            setattr(module, _RESOLVER, guarded)
    return True
