"""Run an example and write it as a notebook with its outputs, and as a page of the documentation.

    python -m tools.site.notebook examples/own_data.py

The cells of the example are parted by ``# %%`` lines. It runs in an empty folder, so that nothing lies about.
"""

from __future__ import annotations

import base64
import re
import sys
import tempfile
from pathlib import Path

import nbformat
from nbclient import NotebookClient

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "start" / "notebook.md"
CELL = re.compile(r"^# %%(?P<kind> \[markdown\])?\n", re.M)


def notebook_of(text: str) -> nbformat.NotebookNode:
    """Return the cells of an example as a notebook that was not run."""
    parts = CELL.split(text)[1:]
    cells = []
    for number, (kind, body) in enumerate(zip(parts[::2], parts[1::2], strict=True)):
        words = re.sub(r"^# ?", "", body.strip(), flags=re.M) if kind else body.strip()
        cell = nbformat.v4.new_markdown_cell(words) if kind else nbformat.v4.new_code_cell(words)
        cell["id"] = f"cell-{number}"
        cells.append(cell)
    return nbformat.v4.new_notebook(cells=cells)


def run(notebook: nbformat.NotebookNode, timeout_s: int = 1200) -> nbformat.NotebookNode:
    """Return the notebook with its outputs; what is told on standard error, such as progress, is left out.

    Raises:
        nbclient.exceptions.CellExecutionError: A cell failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        client = NotebookClient(
            notebook, timeout=timeout_s, kernel_name="python3", resources={"metadata": {"path": folder}}
        )
        client.execute()
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["metadata"] = {}
            cell["outputs"] = [each for each in cell["outputs"] if each.get("name") != "stderr"]
    notebook["metadata"] = {
        "kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}
    }
    return notebook


def page_of(notebook: nbformat.NotebookNode, example: str, pictures: Path) -> str:
    """Return the notebook as Markdown; pictures are written beside the page."""
    parts = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            parts.append(cell["source"])
            continue
        parts.append(f"```python\n{cell['source']}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            if "image/png" in data:
                name = f"{example}_{len(parts)}.png"
                (pictures / name).write_bytes(base64.b64decode(data["image/png"]))
                parts.append(f"![What the cell above draws]({name})")
            else:
                text = output.get("text") or data.get("text/plain", "")
                parts.append(f"```text\n{text.rstrip()}\n```")
    parts.append(f"The same as a notebook with its outputs: `examples/{example}.ipynb`.")
    return "\n\n".join(parts) + "\n"


def main(example: Path) -> None:
    """Run an example; write the notebook beside it and the page."""
    notebook = run(notebook_of(example.read_text(encoding="utf-8")))
    nbformat.write(notebook, example.with_suffix(".ipynb"))
    PAGE.write_text(page_of(notebook, example.stem, PAGE.parent), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
