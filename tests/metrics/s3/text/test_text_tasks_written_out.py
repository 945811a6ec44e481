"""Tasks 2 and 6 as a whole: every score and baseline of random rows, taken from the score of each single text."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
import pandas as pd
import pytest
from finding_examples import SIGNS, drawn_findings
from sacrebleu import corpus_bleu
from sklearn.metrics import f1_score

from semiology.metrics.s3.scores import score_task
from semiology.metrics.s3.text.bleu_rouge import rouge
from semiology.metrics.s3.text.interpretation_score import explained_score, interpretation_score
from semiology.metrics.s3.text.justification_rules import extract_answers
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.report_scores import other_patient_pairs, score_reports
from semiology.metrics.s3.text.scores import TextTools
from semiology.metrics.s3.text.seizure_rqi import ReportFindings, seizure_rqi, stated_findings_score
from semiology.metrics.statistics.bootstrap import mean_estimate

PHRASES = (
    "Both arms jerk.", "The right arm is stiff.", "Sustained tonic posturing of the left leg.", "The head turns left.",
    "No clonic jerks.", "Rhythmic jerking of the left arm, then of both legs.", "Confused afterwards.", "Nothing.",
)  # fmt: skip
PARTS = ("value", "sections", "features", "locations", "order")


def mean(values: Iterable[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return sum(known) / len(known) if known else math.nan


def similarity(texts: list[str], references: list[str]) -> np.ndarray:
    """Tell a text from its reference."""
    return np.array([len(a) + len(b) / 1000 for a, b in zip(texts, references, strict=True)])


def text(rng: np.random.Generator, most: int = 3) -> str:
    return " ".join(rng.choice(PHRASES, rng.integers(1, most + 1)).tolist())


@pytest.mark.parametrize("seed", range(8))
def test_scores_of_reports_are_means_over_reports_and_baselines_over_those_of_others(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 9
    references = [drawn_findings(rng) for _ in range(n)]
    reports = [drawn_findings(rng) if rng.random() < 0.8 else None for _ in range(n)]
    shown = [None if rng.random() < 0.3 else rng.choice(SIGNS, 2).tolist() for _ in range(n)]
    patients = rng.choice(list("pqr"), n).tolist()
    columns = ["video_id", "patient_id", "report", "reference", "shown"]
    frame = pd.DataFrame(
        {name: pd.Series(values, dtype=object) for name, values in
         zip(columns, ([f"v{i}" for i in range(n)], patients, reports, references, shown), strict=True)}
    )  # fmt: skip
    rules = {"length_rule": ["linear", "power"][seed % 2], "hazard_rule": ["zero", "cap_50"][seed // 2 % 2]}
    found = score_reports(frame, resamples=30, seed=seed, **rules)  # type: ignore[arg-type]
    there = [i for i in range(n) if reports[i] is not None]
    owners = [patients[i] for i in there]
    quality = [seizure_rqi(reports[i], references[i], shown[i], **rules) for i in there]  # type: ignore[arg-type]
    stated = [stated_findings_score(reports[i], references[i]) for i in there]  # type: ignore[arg-type]
    columns = {"rqi": [each.value for each in quality]}
    for part in ("base", "sections", "coverage", "locations", "order", "hallucination", "off_topic", "length",
                 "hazard", "hallucinated"):  # fmt: skip
        columns[f"rqi_{part}"] = [float(getattr(each, part)) for each in quality]
    for part in PARTS:
        columns["stated_findings" + ("" if part == "value" else f"_{part}")] = [each[part] for each in stated]
    assert set(found.estimates) == set(columns)
    for name, values in columns.items():
        assert found.estimates[name].value == pytest.approx(mean(values), nan_ok=True)
        assert repr(found.estimates[name]) == repr(mean_estimate(values, owners, resamples=30, seed=seed))
    pairs = [(there[i], there[j]) for i, j in other_patient_pairs(owners)]
    given = {
        "empty": [(ReportFindings(), i) for i in there],
        "other": [(references[j], i) for i, j in pairs],
    }
    expected = {}
    for label, handed in given.items():
        expected[f"{label}_rqi"] = mean(
            seizure_rqi(one, references[i], shown[i], **rules).value  # type: ignore[arg-type]
            for one, i in handed
        )
        for part in PARTS:
            name = f"{label}_stated_findings" + ("" if part == "value" else f"_{part}")
            expected[name] = mean(stated_findings_score(one, references[i])[part] for one, i in handed)
    assert found.baselines == pytest.approx(expected, nan_ok=True)
    counts = found.counts
    assert (counts.asked, counts.answered, counts.unparsed, counts.missing) == (
        n, len(there), 0, n - len(there),
    )  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_report_texts_are_read_scored_and_compared_with_their_own_reference(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 8
    answers = [text(rng), "unparsed", None, *(text(rng, 4) for _ in range(n - 3))]
    truth, patients = [text(rng) for _ in range(n)], rng.choice(list("pqr"), n).tolist()
    shown = [None if rng.random() < 0.3 else rng.choice(SIGNS, 2).tolist() for _ in range(n)]
    frame = pd.DataFrame(
        {
            "video_id": [f"v{i}" for i in range(n)], "patient_id": patients, "feature": "report", "clip_form": "",
            "truth": truth, "answer": pd.Series(answers, dtype=object), "shown": pd.Series(shown, dtype=object),
        }
    )  # fmt: skip
    (part,) = score_task(
        "report",
        frame,
        resamples=20,
        tools=TextTools(similarity=similarity),  # type: ignore[arg-type]
    )
    there = [i for i in range(n) if answers[i] is not None]
    said = ["" if answers[i] == "unparsed" else str(answers[i]) for i in there]
    known, owners = [truth[i] for i in there], [patients[i] for i in there]
    read = [
        (extract_findings(one) if one else ReportFindings(), extract_findings(other))
        for one, other in zip(said, known, strict=True)
    ]
    estimates, baselines = part.scores.estimates, part.scores.baselines
    for name, rules in (
        ("rqi", {}), ("rqi_length_power", {"length_rule": "power"}), ("rqi_hazard_cap_50", {"hazard_rule": "cap_50"}),
    ):  # fmt: skip
        values = [
            seizure_rqi(*pair, shown[i], **rules).value  # type: ignore[arg-type]
            for pair, i in zip(read, there, strict=True)
        ]
        assert estimates[name].value == pytest.approx(mean(values))
    overlap = rouge(said, known)
    assert estimates["rouge1"].value == pytest.approx(overlap.rouge1.mean())
    assert estimates["rouge_l"].value == pytest.approx(overlap.rouge_l.mean())
    assert estimates["bleu"].value == pytest.approx(corpus_bleu(said, [known]).score)
    assert estimates["bertscore"].value == pytest.approx(similarity(said, known).mean())
    pairs = other_patient_pairs(owners)
    others = [said[i] for i, _ in pairs], [known[j] for _, j in pairs]
    assert baselines["other_rouge_l"] == pytest.approx(rouge(*others).rouge_l.mean())
    assert baselines["other_bertscore"] == pytest.approx(similarity(*others).mean())
    assert part.readings is not None
    assert tuple(part.readings) == (0, len([one for one in said if one]))
    counts = part.scores.counts
    assert (counts.asked, counts.answered, counts.unparsed, counts.missing) == (n, n - 2, 1, 1)


def justified(seed: int) -> pd.DataFrame:
    """Answers on three features, one of which has no question; some without a reason, a reference or a reply."""
    rng = np.random.default_rng(seed)
    rows = []
    for feature in ("tonic", "clonic", "occur_during_sleep")[: 3 if seed else 1]:
        for i in range(10):
            answer = str(rng.choice(["yes", "no", "unparsed", ""], p=[0.4, 0.4, 0.1, 0.1])) or None
            rows.append({
                "video_id": f"v{i}", "patient_id": f"p{i // 2}", "feature": feature, "clip_form": "",
                "truth": str(rng.choice(["yes", "no"])), "answer": answer,
                "justification": text(rng) if rng.random() < 0.8 else None,
                "reference": text(rng) if rng.random() < 0.8 else None,
            })  # fmt: skip
    return pd.DataFrame(rows).astype({"answer": object, "justification": object, "reference": object})


@pytest.mark.parametrize("seed", range(4))
def test_justifications_are_scored_one_by_one_against_those_of_the_expert(seed: int) -> None:
    frame = justified(seed)
    parts = score_task(
        "justification",
        frame,
        resamples=20,
        tools=TextTools(similarity=similarity),  # type: ignore[arg-type]
    )
    features = sorted(set(frame["feature"]))
    assert [each.part for each in parts] == ["", *(features if len(features) > 1 else [])]
    for part in parts:
        asked = frame if not part.part else frame[frame["feature"] == part.part]
        replied = asked[asked["answer"].notna()]
        counts = part.scores.counts
        assert (counts.asked, counts.missing) == (len(asked), len(asked) - len(replied))
        assert counts.unparsed == (asked["answer"] == "unparsed").sum()
        estimates, baselines = part.scores.estimates, part.scores.baselines
        f1, always = [], []
        for _, own in replied.groupby("feature"):
            if (own["truth"] == "yes").any():
                shown = (own["truth"] == "yes").to_numpy(dtype=bool)
                # What was not understood is wrong.
                said_yes = np.where(own["answer"] == "unparsed", ~shown, own["answer"] == "yes")
                f1.append(f1_score(shown, said_yes))
                always.append(f1_score(own["truth"] == "yes", np.ones(len(own))))
        assert estimates["f1"].value == pytest.approx(mean(f1), nan_ok=True)
        assert baselines["always_yes_f1"] == pytest.approx(mean(always), nan_ok=True)
        rows = replied[replied["reference"].notna()]
        said = [one if isinstance(one, str) else "" for one in rows["justification"]]
        known = rows["reference"].tolist()

        def scored(
            answers: list[str], texts: list[str], rows: pd.DataFrame = rows, known: list[str] = known
        ) -> dict[str, float]:
            """Return the three means of the interpretation score."""
            found: dict[str, list[float]] = {"all": [], "present": [], "seen": []}
            for answer, truth, feature, own, reference in zip(
                answers, rows["truth"], rows["feature"], texts, known, strict=True
            ):
                of = extract_answers(feature, own), extract_answers(feature, reference)
                found["all"].append(interpretation_score(answer, truth, *of))
                if truth == "yes":
                    found["present"].append(explained_score(answer, truth, *of))
                    if answer == "yes":
                        found["seen"].append(explained_score(answer, truth, *of))
            return {name: mean(values) for name, values in found.items()}

        own = scored(rows["answer"].tolist(), said)
        names = {"all": "", "present": "_where_present", "seen": "_where_seen"}
        bare = [scored([word] * len(rows), [""] * len(rows)) for word in ("yes", "no")]
        for kind, suffix in names.items():
            assert estimates[f"interpretation{suffix}"].value == pytest.approx(own[kind], nan_ok=True)
            best = [each[kind] for each in bare if not math.isnan(each[kind])]
            assert baselines[f"bare_interpretation{suffix}"] == pytest.approx(
                max(best, default=math.nan), nan_ok=True
            )
        assert baselines["always_no_interpretation"] == pytest.approx((rows["truth"] == "no").mean())
        assert baselines["always_no_interpretation_where_present"] == 0.0
        assert estimates["bleu"].value == pytest.approx(corpus_bleu(said, [known]).score)
        assert estimates["rouge1"].value == pytest.approx(rouge(said, known).rouge1.mean())
        assert estimates["bertscore"].value == pytest.approx(similarity(said, known).mean())
        asked_of = zip(said, rows["answer"], rows["truth"], rows["feature"], strict=True)
        judged = [
            one
            for one, answer, truth, feature in asked_of
            if answer == truth and one and feature != "occur_during_sleep"
        ]
        assert part.readings is not None
        assert tuple(part.readings) == (0, len(judged))
