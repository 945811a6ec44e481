"""Reference justifications: one sentence for every answer, on the side that the script says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from semiology.data.simulated.script.events import Event
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.script.sentences import reference_justification
from semiology.features import FEATURES


@pytest.fixture(scope="module")
def empty() -> Script:
    rng = np.random.default_rng(0)
    return replace(draw_script(rng, 40.0, draw_look(rng)), events=(), asleep_until_s=0.0)


def test_every_feature_has_a_sentence_for_both_answers_and_none_where_nobody_can_tell(empty: Script) -> None:
    for feature in FEATURES:
        shown = replace(empty, events=(Event(feature, 5, 12, "left"),), asleep_until_s=8.0)
        absent = reference_justification(feature, empty)
        present = reference_justification(feature, shown)
        if feature == "verbal_responsiveness":
            assert absent is None
            continue
        if feature == "arms_move_simultaneously":  # it has no event of its own
            continue
        assert present is not None
        assert absent is not None
        assert present != absent
        assert present.endswith(".")
        assert "{" not in present


@pytest.mark.parametrize(
    ("side", "words"), [("left", "The left arm"), ("right", "The right arm"), ("both", "Each arm")]
)
def test_the_sentence_names_the_side(empty: Script, side: str, words: str) -> None:
    script = replace(empty, events=(Event("arm_flexion", 5, 12, side),))  # type: ignore[arg-type]
    assert str(reference_justification("arm_flexion", script)).startswith(words)


def test_a_name_that_is_no_feature_is_refused(empty: Script) -> None:
    with pytest.raises(KeyError, match="sneeze"):
        reference_justification("sneeze", empty)
