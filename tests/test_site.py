"""The documentation site: it builds without network and without a warning, and its notebook is the example's."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
CONFIG = ROOT / "tools" / "site" / "mkdocs.yml"


def build(out: Path, config: Path) -> subprocess.CompletedProcess[str]:
    command = [
        sys.executable,
        "-m",
        "mkdocs",
        "build",
        "--strict",
        "--config-file",
        str(config),
        "--site-dir",
        str(out),
    ]
    environment = {
        **os.environ,
        "NO_MKDOCS_2_WARNING": "1",
        "http_proxy": "http://127.0.0.1:9",
        "https_proxy": "http://127.0.0.1:9",
    }
    return subprocess.run(command, capture_output=True, text=True, env=environment, check=False)


def written(folder: Path, docs: Path) -> Path:
    """A copy of the configuration that reads other pages, and the package under its import name."""
    (folder / "semiology").symlink_to(ROOT)
    config = folder / "mkdocs.yml"
    text = CONFIG.read_text().replace("docs_dir: ../../docs", f"docs_dir: {docs}")
    text = text.replace("extensions: [examples.py]", f"extensions: [{CONFIG.parent / 'examples.py'}]")
    config.write_text(text.replace("paths: [../../build]", f"paths: [{folder}]"))
    return config


def test_the_site_is_built_without_a_warning_and_loads_nothing_from_elsewhere(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    done = build(tmp_path / "site", written(tmp_path, ROOT / "docs"))
    assert done.returncode == 0, done.stderr
    reference = (tmp_path / "site" / "reference" / "semiology.html").read_text()
    assert "read_recording_set" in reference
    assert "Folder with" in reference  # the docstring's words, not the signature alone
    for page in (tmp_path / "site").rglob("*.html"):
        text = page.read_text()
        for outside in ('src="http', 'href="https://fonts', 'rel="stylesheet" href="http'):
            assert outside not in text, page


def test_a_link_to_nowhere_stops_the_build(tmp_path: Path) -> None:
    pytest.importorskip("mkdocs")
    docs = tmp_path / "docs"
    for page in (ROOT / "docs").rglob("*.md"):
        copy = docs / page.relative_to(ROOT / "docs")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text("# Page\n")
    (docs / "start" / "start.md").write_text("# Start\n\n[nowhere](nowhere.md)\n")
    done = build(tmp_path / "site", written(tmp_path, docs))
    assert done.returncode != 0
    assert "nowhere.md" in done.stderr


def test_the_notebook_holds_the_cells_of_the_example() -> None:
    nbformat = pytest.importorskip("nbformat")
    from tools.site.notebook import notebook_of

    for example in sorted((ROOT / "examples").glob("*.py")):
        kept = nbformat.read(example.with_suffix(".ipynb"), as_version=4)
        wanted = notebook_of(example.read_text())
        assert [cell["source"] for cell in kept["cells"]] == [cell["source"] for cell in wanted["cells"]]
        code = [cell for cell in kept["cells"] if cell["cell_type"] == "code"]
        assert code
        assert all(cell["execution_count"] for cell in code)


@pytest.mark.slow
def test_the_example_runs() -> None:
    pytest.importorskip("nbclient")
    from tools.site.notebook import notebook_of, run

    for example in sorted((ROOT / "examples").glob("*.py")):
        cells = run(notebook_of(example.read_text()))["cells"]
        outputs = [output for cell in cells for output in cell.get("outputs", ())]
        assert any("image/png" in output.get("data", {}) for output in outputs)
