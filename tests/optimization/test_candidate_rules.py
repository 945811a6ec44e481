"""Which wordings a search may ask."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from synthetic import rules

from semiology.features import FEATURES
from semiology.optimization.proposers.grammar_walk import OfflineProposer
from semiology.optimization.proposers.rules import CandidateRules, question_text
from semiology.optimization.published.experiment import PLAIN, published_prompts
from semiology.prompts.library import load_library


def test_every_positive_library_wording_that_ends_in_a_question_keeps_the_rules() -> None:
    kept = 0
    for prompt in load_library():
        if prompt.polarity == "positive" and prompt.text.endswith("?") and "this feature" not in prompt.text:
            assert CandidateRules(prompt.feature, frozenset()).broken(prompt.text) == [], prompt
            kept += 1
    assert kept > 120


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "it is empty"),
        ("Does the patient stiffen", "does not end with a question"),
        ("What becomes stiff?", "cannot be answered with yes or no"),
        ("When does the patient become stiff?", "cannot be answered with yes or no"),
        ("Is the patient stiff? Is the patient rigid?", "more than one question"),
        ("Does patient P0007 become stiff?", "names a recording"),
        ("Is the patient of p0007_v1 stiff?", "names a recording"),
        ("Does the patient stiffen as in clip 12?", "names a recording"),
        ("Does the patient stiffen as in a7.mp4?", "names a recording"),
        ("See http://x.y/z. Does the patient stiffen?", "names a recording"),
        ("If unsure, say no. Does the patient stiffen?", "hints at the answer"),
        ("The correct answer is known. Does the patient stiffen?", "hints at the answer"),
        ("Most patients do. Does the patient stiffen?", "hints at the answer"),
        ("30 % are stiff. Does the patient stiffen?", "hints at the answer"),
        ("Does the patient show oral automatisms?", "another feature (oral_automatisms)"),
        ("Does the weather look pleasant today?", "shares no word"),
        ("Does the patient\nbecome stiff?", "line breaks"),
        ("**Is** the patient stiff?", "markup"),
        ("Is the patient " + "very " * 200 + "stiff?", "characters"),
        ("Does the patient become stiff?\n(answer format: yes_no_json)", "another answer format"),
    ],
)  # fmt: skip
def test_a_broken_rule_is_told(text: str, reason: str) -> None:
    assert any(reason in found for found in rules().broken(text)), rules().broken(text)


def test_an_allowed_format_may_be_named() -> None:
    allowed = rules(answer_formats=frozenset({"yes_no_json"}))
    assert allowed.broken("Does the patient become stiff?\n(answer format: yes_no_json)") == []


@pytest.mark.parametrize("feature", FEATURES)
def test_the_grammar_offers_questions_for_every_feature_and_proposals_mostly_keep_the_rules(
    feature: str,
) -> None:
    kept = rules(feature)
    proposer = OfflineProposer(kept, seed=3)
    wording = load_library().feature(feature).reference.text
    proposals = [proposer.propose(wording, [{"Verdict": "missed"}]) for _ in range(40)]
    good = [each for each in proposals if not kept.broken(each)]
    assert len(set(good)) > 12
    assert all(each != wording for each in good)


def test_the_proposer_draws_by_what_went_wrong() -> None:
    longer = {}
    for verdict in ("missed", "falsely called"):
        proposer = OfflineProposer(rules(), seed=0)
        drawn = [proposer.propose("Is the patient stiff?", [{"Verdict": verdict}]) for _ in range(300)]
        longer[verdict] = sum("does not count" in each or "Note:" in each for each in drawn)
    assert longer["falsely called"] > 1.3 * longer["missed"]


def test_the_seven_published_prompts_of_three_features_can_be_asked() -> None:
    prompts = published_prompts()
    assert list(prompts) == ["arm_flexion", "asynchronous_movement", "oral_automatisms"]
    for feature, seven in prompts.items():
        assert len(set(seven.values())) == 7
        formats = frozenset({"embc_internvl", "yes_no_reply"})
        allowed = CandidateRules(feature, frozenset(), answer_formats=formats)
        # Two of them are no questions; they are asked as published, and a search begins with none of them.
        told = {"minimal_classify", "minimal_occurs"}
        assert [allowed.broken(text) for name, text in seven.items() if name not in told] == [[]] * 5


def test_the_published_prompts_are_asked_as_published(shared: Path) -> None:
    source = shared / "benchmark/repository_prompts.yaml"
    published = yaml.safe_load(source.read_text(encoding="utf-8"))["prompt_robustness"]
    prompts = published_prompts()
    assert list(prompts) == published["default_features"]
    for feature, seven in prompts.items():
        words = {
            "feature_label": published["feature_labels"][feature],
            "feature_description": published["feature_descriptions"][feature],
        }
        texts = {
            each["prompt_id"]: each["text"].format(**words) for each in published["default_prompt_templates"]
        }
        texts["expert_clinician"] = published["expert_prompts"][feature]
        texts["ilae_informed"] = published["seed_prompt_templates"]["ilae_informed"]["text_by_feature"][
            feature
        ]
        assert {name: question_text(feature, text, PLAIN) for name, text in seven.items()} == texts


@pytest.mark.parametrize(
    ("feature", "wording", "other"),
    [
        ("tonic", "Look at the limbs. Do you see eyes that stay closed?", "close_eyes"),
        ("close_eyes", "Look at the eyelids. Do you see sustained stiffness?", "tonic"),
    ],
)
def test_a_question_in_the_words_of_another_sign_is_refused(feature: str, wording: str, other: str) -> None:
    assert CandidateRules(feature, frozenset()).broken(wording) == [
        f"it asks about another feature ({other})"
    ]
    assert CandidateRules(other, frozenset()).broken(wording) == []
