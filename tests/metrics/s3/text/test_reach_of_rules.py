"""How far apart the words of one finding may stand, to the character, and which of several sides counts."""

from __future__ import annotations

import pytest

from semiology.metrics.s3.text.justification_rules import extract_answers
from semiology.metrics.s3.text.phrases import LONGEST, SIGNS, nearest_side, plain
from semiology.metrics.s3.text.report_rules import extract_findings


def location(name: str, text: str) -> str:
    return extract_findings(text).locations[name]


@pytest.mark.parametrize(("gap", "side"), [(0, "left"), (24, "left"), (25, "none")])
def test_a_side_belongs_to_the_head_up_to_30_characters_before_it(gap: int, side: str) -> None:
    assert location("head_turning", f"left {'a' * gap} head turns") == side


@pytest.mark.parametrize(("gap", "side"), [(0, "left"), (34, "left"), (35, "none")])
def test_a_side_belongs_to_the_head_up_to_40_characters_behind_it(gap: int, side: str) -> None:
    assert location("head_turning", f"head {'a' * gap} left") == side


def test_the_head_has_the_side_of_the_first_clause_that_names_one_side() -> None:
    assert location("head_turning", "The head turns left and right. Then the head turns right.") == "right"
    assert location("head_turning", "The arm moves left. The head turns.") == "none"


@pytest.mark.parametrize(("gap", "side"), [(1, "left"), (24, "left"), (25, "right")])
def test_a_figure_4_has_the_side_up_to_30_characters_before_what_is_stretched(gap: int, side: str) -> None:
    assert location("figure4", f"figure 4 left {'a' * gap} extended right") == side


def test_a_figure_4_without_a_stretched_arm_has_the_first_side() -> None:
    assert location("figure4", f"figure 4 right {'a' * 40} left arm") == "right"
    assert location("figure4", "no figure 4 on the left") == "none"


@pytest.mark.parametrize(
    ("text", "posture"),
    [
        ("The right arm is extended and the left arm flexed.", "right arm extension"),
        ("The right arm flexes while the left arm extends.", "right arm flexion"),
        ("Flexed left arm.", "left arm flexion"),
        ("The right arm is not extended, the left arm is bent.", "left arm flexion"),
        ("Both arms are extended.", "none"),
        ("The left leg is extended.", "none"),
        ("The arm is extended. It is the left arm.", "none"),
    ],
)
def test_a_posture_is_of_the_first_side_and_the_first_kind_in_a_clause_about_an_arm(
    text: str, posture: str
) -> None:
    assert location("asymmetric_posturing", text) == posture


def test_the_first_movement_with_a_side_decides() -> None:
    assert (
        location("first_motor_laterality", "The head is left. The right arm jerks, the left leg jerks.")
        == "right"
    )
    assert location("first_motor_laterality", "Both arms jerk, the left leg is stiff.") == "left"
    assert location("first_motor_laterality", "No jerks on the right, the left arm jerks.") == "left"
    assert location("first_motor_laterality", "The arms jerk.") == "none"


@pytest.mark.parametrize(
    ("sign", "words"),
    [
        ("arm_flexion", ("arm", "flexed")),
        ("arm_straightening", ("hands", "extend")),
        ("arms_move_simultaneously", ("both arms", "moving")),
        ("full_body_shaking", ("whole body", "shaking")),
        ("face_pulling", ("face", "pulling")),
        ("face_twitching", ("mouth", "twitches")),
    ],
)
def test_two_phrases_in_either_order_are_one_sign_up_to_40_characters_apart(
    sign: str, words: tuple[str, str]
) -> None:
    for first, second in (words, words[::-1]):
        assert SIGNS[sign].search(f"{first} {'a' * 38} {second}")
        assert not SIGNS[sign].search(f"{first} {'a' * 39} {second}")
        assert SIGNS[sign].search(f"{first} {second}")


def test_the_side_named_nearest_counts_before_and_behind() -> None:
    assert nearest_side("left face aaaa right", 5) == "left"
    assert nearest_side("left aaaa aaa face right", 14) == "right"
    assert nearest_side("the face", 4) is None
    assert (
        extract_answers("face_pulling", "On the left the eye closes and the face pulls right.")[0] == "right"
    )


def test_a_text_is_read_to_its_20_000th_character() -> None:
    assert len(plain("a" * (LONGEST + 1))) == LONGEST == 20_000
    text = " " * (LONGEST - 5)
    assert extract_findings(f"{text}tonic").features == ["tonic"]
    assert extract_findings(f"{text} tonic").features == []
