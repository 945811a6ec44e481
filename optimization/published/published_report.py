"""The published experiment's results for people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def print_published(summary: Mapping[str, Any], console: Console) -> None:
    """Print the selected prompts and their test F1 by feature, and what to know about them."""
    from rich.table import Table

    table = Table(title=f"Test F1 of the selected prompt, mean and SD over {summary['folds']} folds")
    for name in ("feature", "test F1", "SD", "always-yes", "selected, by fold"):
        table.add_column(name, no_wrap=True)
    for each in summary["features"]:
        spread = "-" if each["sd"] is None else f"{each['sd']:.3f}"
        table.add_row(
            each["feature"], f"{each['test_f1']:.3f}", spread, f"{each['always_yes_f1']:.3f}",
            "\n".join(each["selected"]),
        )  # fmt: skip
    console.print(table)
    for note in summary["notes"]:
        console.print(f"- {note}", markup=False, highlight=False)
    console.print(
        "- As published: development and training are divided by recording, so patients are shared; eight "
        "training recordings and twelve metric calls try very few wordings.",
        highlight=False,
    )
