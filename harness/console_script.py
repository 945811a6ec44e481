"""The ``lmms_eval`` command: lmms-eval's own command line with our tasks known from the start.

lmms-eval 0.7.3 installs only ``lmms-eval``; this is the spelling that its users type. The web UI is refused:
it listens on every interface without a login, which is not acceptable beside patient video.
"""

from __future__ import annotations

import os
import sys

from semiology.settings import prefer_decord


def main() -> None:
    """Run lmms-eval's command line."""
    if len(sys.argv) > 1 and sys.argv[1] in {"ui", "serve", "tui"}:
        sys.exit(
            f"lmms_eval {sys.argv[1]}: not started. lmms-eval's servers accept requests without a login; do "
            "not run them on a machine that holds patient video. Use `semiology run` and `semiology report`."
        )
    os.umask(0o077)
    prefer_decord()
    from semiology.harness.plugin import add_tasks

    add_tasks()
    from lmms_eval.cli.dispatch import main as dispatch

    dispatch()
