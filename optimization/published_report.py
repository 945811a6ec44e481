"""The published experiment's results for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def print_published(summary: Mapping[str, Any]) -> None:
    """Print the selected prompts and their test F1 by feature, and what to know about them."""
    from rich.console import Console
    from rich.table import Table

    console = Console()
    table = Table("feature", "test F1, mean over folds", "SD", "selected on development, by fold")
    for each in summary["features"]:
        spread = "-" if each["sd"] is None else f"{each['sd']:.3f}"
        table.add_row(each["feature"], f"{each['test_f1']:.3f}", spread, ", ".join(each["selected"]))
    console.print(table)
    console.print(
        "- As published: development and training are divided by recording, so patients are shared; eight "
        "training recordings and twelve metric calls try very few wordings.",
        highlight=False,
    )
