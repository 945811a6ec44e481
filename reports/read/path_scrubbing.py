"""Text from run records without what must not leave a machine: paths, addresses and secrets."""

from __future__ import annotations

import re

from semiology.reports.read.lmms_eval_files import EMBEDDED_MODELS

# A path from the root, from home, from a drive or out of the folder; after "=" or "," in model arguments too,
# but not what is left of one: a text may be cleaned twice. A name within it may be of several words
# ("Smith, Ann"): up to three that a separator follows belong to it, unless ":" or "." ended it before.
_PATH = re.compile(
    r"(?<![\w.:/\]])(?:file:/*|~\w{0,64}[\\/]|[A-Za-z]:[\\/]|\.{1,2}[\\/]|/|\\\\)"
    r"[^\s,;'\"]+(?:(?:(?<![:.]),? (?!-)[^\s,;'\"=/\\]+){1,3}[/\\][^\s,;'\"]*)*"
)
_ADDRESS = re.compile(r"\b(https?://)(?:[^/\s,@]{0,200}@)?([^/\s,:]+)[^\s,]*")
_SECRET = re.compile(r"((?:api_?key|token|password|secret)\w{0,40}=)(?!\[left out\])[^\s,]+", re.IGNORECASE)


def without_paths(text: str) -> str:
    """Return text in which a path is its last part, an address its host, and a secret is struck out."""
    for place, name in EMBEDDED_MODELS.items():
        # From the beginning of a word alone, so that a long word is read once.
        text = re.sub(rf"(?<![^\s,=])[^\s,=]*{re.escape(place)}", name, text.replace("\\", "/"))
    text = _SECRET.sub(r"\1[left out]", text)
    own = ("localhost", "127.0.0.1", "[")
    text = _ADDRESS.sub(
        lambda found: f"[address on {'this' if found.group(2) in own else 'another'} machine]", text
    )
    return _PATH.sub(lambda found: "[path]/" + re.split(r"[/\\]", found.group().rstrip("/\\"))[-1], text)
