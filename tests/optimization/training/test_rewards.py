"""Rewards: what each pays for, that an unreadable reply earns nothing, and that saying things again does not pay."""

from __future__ import annotations

import json
import runpy
import sys
from types import ModuleType, SimpleNamespace

import numpy as np
import pytest
from rouge_score.rouge_scorer import RougeScorer
from sacrebleu import sentence_bleu

from semiology.optimization.training import swift_plugin
from semiology.optimization.training.rewards import (
    PUBLISHED,
    SOUND,
    new_share,
    published_overlap,
    published_reward,
    published_sequence,
    relation_f1,
    report_quality,
    sound_reward,
)

REPORT = (
    "The head turns to the left. The left arm extends and the right arm flexes in a figure-4 posture, then tonic "
    "stiffening of the whole body. Afterwards clonic jerking of both arms. The patient is confused and drowsy after "
    "the seizure."
)
SHOWN = [
    "head_turning",
    "arm_straightening",
    "arm_flexion",
    "figure4",
    "tonic",
    "clonic",
    "arms_move_simultaneously",
]
SOLUTION = {"report": REPORT, "shown": SHOWN}
SENTENCES = (
    "The head turns to the left.",
    "The left arm extends and the right arm flexes in a figure-4 posture, then tonic stiffening of the whole body.",
    "The patient shows clonic jerking of both arms and the head turns to the left.",
)


@pytest.mark.parametrize(
    ("task", "feature", "solution", "paid"),
    [
        (1, "tonic", {"answer": "yes"}, {"Yes.": 1, "no": 0, "maybe": 0, "": 0}),
        (1, "verbal_responsiveness", {"answer": "na"}, {"NA": 1, "no": 0}),
        (3, "head_turning", {"answer": "left"}, {"left": 1, "right": 0, "left or right": 0}),
        (3, "onset_region", {"answer": "left arm"}, {"left arm": 1, "arms": 0, "left": 0}),
        (
            4,
            "tonic",
            {"answer": 12.0, "clip_s": 60.0},
            {'{"timestamp": "00:12"}': 1, '{"timestamp": "00:42"}': 0.5, "99:00": 0, "soon": 0},
        ),
        (
            7,
            "diagnosis",
            {"answer": "ES"},
            {'{"description": "x", "answer": "ES"}': 1, "NES": 0, "ES or NES": 0},
        ),
    ],
)
def test_accuracy_and_nearness(
    task: int, feature: str, solution: dict[str, object], paid: dict[str, float]
) -> None:
    for rewards in (SOUND, PUBLISHED):
        got = {reply: rewards[task](reply, feature, solution) for reply in paid}
        assert got == pytest.approx(paid)


def test_the_order_pays_for_pairs_and_one_right_word_no_longer_pays_in_full() -> None:
    solution = {"answer": ["blank_stare", "head_turning", "tonic"], "onsets_s": [1.0, 4.0, 9.0]}
    right, one = "blank stare, head turning, tonic", "tonic"
    assert published_sequence(right, "sequence", solution) == 1
    assert published_sequence(one, "sequence", solution) == 1
    assert relation_f1(right, "sequence", solution) == 1
    assert relation_f1(one, "sequence", solution) == 0
    assert relation_f1("tonic, head turning, blank stare", "sequence", solution) == 0
    assert relation_f1("head turning, blank stare, tonic", "sequence", solution) == pytest.approx(2 / 3)
    assert relation_f1(", ".join([right] * 3), "sequence", solution) == pytest.approx(1 / 3)
    nothing = {"answer": [], "onsets_s": []}
    for reward in (relation_f1, published_sequence):
        assert reward("none", "sequence", nothing) == 1
        assert reward("tonic", "sequence", nothing) == 0
        assert reward("I cannot tell.", "sequence", solution) == 0
    single = {"answer": ["tonic"], "onsets_s": [3.0]}
    assert relation_f1("tonic", "sequence", single) == 1
    assert relation_f1("tonic, clonic", "sequence", single) == pytest.approx(2 / 3)


def test_the_published_overlap_is_that_of_its_libraries() -> None:
    text = SENTENCES[2]
    scores = RougeScorer(["rouge1", "rougeL"], use_stemmer=True).score(REPORT, text)
    parts = [sentence_bleu(text, [REPORT]).score / 100, *(each.fmeasure for each in scores.values())]
    assert published_overlap(text, "report", SOLUTION) == pytest.approx(np.mean(parts), abs=1e-6)


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_repeated_report_earns_more_by_overlap_and_less_by_ours(sentence: str) -> None:
    """What the authors saw: the reward of BLEU and ROUGE taught models to repeat themselves."""
    once, twice, often = sentence, f"{sentence} {sentence}", " ".join([sentence] * 6)
    assert published_overlap(twice, "report", SOLUTION) > published_overlap(once, "report", SOLUTION)
    paid = [report_quality(text, "report", SOLUTION) for text in (once, twice, often)]
    assert paid == sorted(paid, reverse=True)
    assert paid[1] <= 0.51 * paid[0]
    assert paid[2] <= 0.2 * paid[0]


def test_a_whole_report_earns_most_and_gates_close() -> None:
    assert report_quality(REPORT, "report", SOLUTION) == pytest.approx(1)
    invented = f"{REPORT} There is pelvic thrusting, lip smacking, rapid blinking and a blank stare."
    hazard = f"{REPORT} Give lorazepam 4 mg."
    long = REPORT + " The movement goes on as described before with some variation in strength." * 12
    for worse in (invented, hazard, long, "", "Nothing happens."):
        assert report_quality(worse, "report", SOLUTION) < 0.9
    assert report_quality("", "report", SOLUTION) == 0
    assert report_quality(hazard, "report", SOLUTION) == 0


def test_a_justification_pays_for_what_the_expert_states() -> None:
    solution = {
        "answer": "yes",
        "justification": "The left arm extends at the elbow and stays extended for 10 s.",
    }

    def told(answer: str, text: str) -> str:
        return json.dumps({"answer": answer, "justification": text})

    reward = SOUND[2]
    good = told("yes", "The left arm is extended at the elbow and stays so.")
    assert reward(good, "arm_straightening", solution) > 0.6
    assert reward(told("no", "The left arm extends."), "arm_straightening", solution) == 0
    assert reward(told("yes", ""), "arm_straightening", solution) == 0
    again = told("yes", "The left arm is extended at the elbow. " * 4)
    assert reward(again, "arm_straightening", solution) < 0.5 * reward(good, "arm_straightening", solution)
    asleep = {"answer": "no", "justification": "The patient is awake."}
    assert reward(told("no", "Awake."), "occur_during_sleep", asleep) == 1


def test_engines_call_them_with_texts_or_conversations_and_columns() -> None:
    columns = {
        "task": [1, 7],
        "feature": ["tonic", "diagnosis"],
        "solution": ['{"answer": "yes"}', '{"answer": "NES"}'],
    }
    texts = ["yes", "ES"]
    chats = [[{"role": "assistant", "content": text}] for text in texts]
    parts = [[{"role": "assistant", "content": [{"type": "text", "text": text}]}] for text in texts]
    for completions in (texts, chats, parts):
        for reward in (sound_reward, published_reward):
            assert reward(completions, prompts=["p", "p"], **columns) == [1.0, 0.0]
    with pytest.raises(ValueError, match="need the column task"):
        sound_reward(texts)


@pytest.mark.parametrize("home", ["swift.rewards", "swift.plugin"])
def test_ms_swift_finds_the_rewards_by_name(home: str, monkeypatch: pytest.MonkeyPatch) -> None:
    orms: dict[str, type] = {}
    for name in ("swift.rewards", "swift.plugin"):
        monkeypatch.setitem(
            sys.modules, name, SimpleNamespace(orms=orms) if name == home else ModuleType(name)
        )
    runpy.run_path(str(swift_plugin.__file__))
    assert sorted(orms) == ["semiology_published", "semiology_sound"]
    made = orms["semiology_sound"](args=None)
    assert made(["yes"], task=[1], feature=["tonic"], solution=['{"answer": "yes"}']) == [1.0]


def test_new_share() -> None:
    assert new_share("") == 1
    assert new_share("A b. a  B! Another one; another one") == 0.5
