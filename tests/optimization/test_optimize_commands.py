"""What ``semiology optimize`` prints."""

from __future__ import annotations

import io
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from rich.console import Console
from typer.testing import CliRunner

from semiology.cli import app
from semiology.metrics.statistics.intervals import Estimate
from semiology.optimization.search.options import DEFAULT_BUDGET
from semiology.optimization.search.report import chosen_line, next_commands, print_result
from semiology.optimization.search.run_folder import wording_id
from semiology.optimization.search.search import FoundWording
from semiology.prompts.library import load_library

WHOLE = Estimate(0.43, 0.25, 0.75, "bootstrap", 40, 20)
LOSS = Estimate(-0.3, -0.41, -0.12, "bootstrap", 40, 20)
BARE = Estimate(0.57, None, None, "none", 2, 1, reason="positives come from 1 patient")
UNDEFINED = Estimate(float("nan"), None, None, "none", 2, 1)


def _found(chosen: str, feature: str = "tonic", answer_format: str = "yes_no") -> FoundWording:
    begun = load_library().feature(feature).prompt("s3")
    lineage = {"candidates": [1, 2]}
    return FoundWording(feature, begun, begun.text, chosen, lineage, answer_format)


def _printed(difference: Estimate, *, test: bool = True, feature: str = "tonic", width: int = 80) -> str:
    compared = SimpleNamespace(
        before={"f1": WHOLE}, after={"f1": BARE if difference is BARE else WHOLE},
        difference={"f1": difference}, p_value={"f1": 0.0002}, always_yes_f1=0.4,
    )  # fmt: skip
    each = SimpleNamespace(
        found=_found("Is it?", feature), development=compared, test=compared if test else None,
        correction=SimpleNamespace(p_adjusted={"f1": 0.0004}),
    )  # fmt: skip
    result = cast(Any, SimpleNamespace(features=[each], notes=("a note",)))
    console = Console(file=io.StringIO(), width=width)
    print_result(result, console)
    return cast(io.StringIO, console.file).getvalue()


@pytest.mark.parametrize("feature", ["tonic", "arms_move_simultaneously"])
@pytest.mark.parametrize("width", [80, 200])
def test_every_figure_is_whole_at_80_columns(feature: str, width: int) -> None:
    shown = _printed(LOSS, feature=feature, width=width)
    for text in ("0.43", "[0.25, 0.75]", "-0.30", "[-0.41,", "-0.12]", "<0.001", "0.40", "(2",
                 "F1 before", "F1 after", "difference", "always", "a note"):  # fmt: skip
        assert text in shown, text
    assert "…" not in shown
    assert max(map(len, shown.splitlines())) <= width


def test_no_p_value_is_shown_on_the_patients_that_chose() -> None:
    development, test = _printed(LOSS).split("test patients")
    assert "<0.001" not in development
    assert "<0.001" in test


def test_a_score_without_interval_has_its_reason_as_a_footnote() -> None:
    shown = _printed(BARE)
    assert " 0.57" in shown
    assert "+0.57" in shown
    assert shown.count("positives come from 1 patient") == 1
    assert "nan" not in _printed(UNDEFINED)
    assert "no test patients" in _printed(LOSS, test=False)


def test_a_wording_is_said_to_come_from_where_it_comes_from(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tonic = load_library().feature("tonic")
    assert chosen_line(_found("Is there anything?")) == "tonic: new: Is there anything?"
    minimal = tonic.prompt("minimal").text
    assert chosen_line(_found(minimal)).startswith("tonic: a wording of the library, minimal: ")
    assert "library, s3 (the one it began with)" in chosen_line(_found(tonic.prompt("s3").text))
    json = chosen_line(_found(f"{minimal}\n(answer format: yes_no_json)"))
    assert "the text of minimal with another answer format, yes_no_json" in json
    (tmp_path / "tonic.yaml").write_text(
        "feature: tonic\ngroup: limb_body\nprompts:\n- {id: optimized_1, text: 'Is it stiff?', "
        "answer: yes_no, provenance: optimized, source: a search, family: optimized}\n"
    )
    monkeypatch.setenv("SEMIOLOGY_PROMPTS", str(tmp_path))
    assert chosen_line(_found("Is it stiff?")).startswith("tonic: found by an earlier search, optimized_1: ")


def test_a_new_wording_comes_with_the_command_that_asks_with_it() -> None:
    new = SimpleNamespace(found=_found("Is it stiff?"), wordings=Path("tonic.yaml"))
    known = SimpleNamespace(found=_found("Is it?"), wordings=None)
    (command,) = next_commands(cast(Any, SimpleNamespace(features=[new, known])), Path("out"))
    name = wording_id("Is it stiff?", "yes_no")
    assert command.startswith(
        f"SEMIOLOGY_PROMPTS=out/wordings semiology run --prompt {name} --tasks semiology_tonic"
    )
    (quoted,) = next_commands(cast(Any, SimpleNamespace(features=[new])), Path("my out"))
    assert quoted.startswith("SEMIOLOGY_PROMPTS='my out/wordings' semiology run")


def test_a_library_wording_is_not_new_whatever_the_search_began_with() -> None:
    tonic = load_library().feature("tonic")
    begun = tonic.prompt("s3_no_yes")  # its own answer format is another one than the search's
    found = FoundWording("tonic", begun, begun.text, tonic.prompt("minimal").text, {}, "yes_no")
    assert not found.is_new


def test_the_help_names_the_budget_and_how_to_name_a_proposer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    shown = CliRunner().invoke(app, ["optimize", "--help"]).output
    words = " ".join(shown.replace("│", " ").split())
    assert f"(default: {DEFAULT_BUDGET}; none where --minutes is given)" in words
    assert "NAME@ADDRESS, a model" in words
