"""From answers on windows to answers, probabilities and alarms of recordings, recomputed row by row."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2
from sklearn.metrics import precision_recall_fscore_support

from semiology.metrics.arrays import mean_defined, ratio
from semiology.metrics.coverage import (
    AnswerCounts,
    count_answers,
    is_missing,
    require_columns,
    require_recordings,
)
from semiology.metrics.published_rules import (
    published_class_estimates,
    published_diagnosis,
    published_s3_task1_scores,
    published_side_scores,
    published_table_scores,
)
from semiology.metrics.s3.categorical import DIAGNOSIS, Question
from semiology.metrics.scores.aggregation import any_yes, recording_answers
from semiology.metrics.scores.classification import (
    BinaryCounts,
    binary_table_scores,
    feature_table_scores,
    kappa_of_tables,
    random_f1,
    table_scores,
    three_class_table_scores,
)
from semiology.metrics.scores.counts import class_table, encode_answers, patient_tables
from semiology.metrics.scores.false_alarms import NO_ALARM, false_alarms, rate_estimate, stretches
from semiology.metrics.scores.probability import probability_of_feature, recording_probabilities

SLEEP, VERBAL = "occur_during_sleep", "verbal_responsiveness"
WORDS = ("yes", "no", "na", "unparsed")


def segments(seed: int) -> pd.DataFrame:
    """Answers on windows of some recordings; the first window may lack its row, an answer or a probability."""
    rng = np.random.default_rng(seed)
    rows = []
    for video in range(8):
        for feature in ("tonic", SLEEP, VERBAL):
            truth = str(rng.choice(["yes", "no", "na", ""]))
            first = int(rng.random() < 0.3) if (video, feature) != (0, "tonic") else 0
            for segment in range(first, first + int(rng.integers(1, 4))):
                answer = rng.choice([*WORDS, None], p=[0.15, 0.25, 0.35, 0.15, 0.1])
                p = float(np.round(rng.random(), 3)) if rng.random() < 0.85 else np.nan
                rows.append((f"v{video}", f"p{video // 2}", feature, segment, answer, truth, "m", p))
    names = ["video_id", "patient_id", "feature", "segment", "answer", "truth", "model", "p_yes"]
    return pd.DataFrame(rows, columns=names).sample(frac=1, random_state=seed)


@pytest.mark.parametrize("rule", ["careful", "published"])
@pytest.mark.parametrize("seed", range(12))
def test_a_recording_is_answered_by_its_windows(seed: int, rule: Any) -> None:
    frame = segments(seed)
    found = recording_answers(frame, rule=rule)
    assert list(found.columns) == [
        "model", "video_id", "patient_id", "feature", "answer", "truth", "n_segments", "n_unparsed", "n_na",
    ]  # fmt: skip
    assert len(found) == len(frame.drop_duplicates(["video_id", "feature"]))
    for row in found.itertuples():
        own = frame[(frame["video_id"] == row.video_id) & (frame["feature"] == row.feature)]
        said = [a if isinstance(a, str) else "unparsed" for a in own.sort_values("segment")["answer"]]
        if row.feature == SLEEP and rule == "careful":
            # The first window decides; where nobody asked about it the recording is unparsed.
            asked = said[:1] if own["segment"].min() == 0 else []
            wanted = asked[0] if asked else "unparsed"
            unparsed = asked.count("unparsed") if asked else 1
        else:
            asked, unparsed = said, said.count("unparsed")
            if "yes" in said:
                wanted = "yes"
            elif rule == "published":
                wanted = "no"
            else:
                wanted = next(word for word in ("unparsed", "no", "na") if word in said)
            assert any_yes(said, rule) == wanted
        assert (row.answer, row.truth) == (wanted, own["truth"].iloc[0])
        assert (row.n_segments, row.n_unparsed, row.n_na) == (len(asked), unparsed, asked.count("na"))
    order = found[["model", "video_id", "patient_id", "feature"]]
    assert order.equals(order.sort_values(list(order.columns)))


@pytest.mark.parametrize("pooling", ["max", "mean", "noisy_or"])
@pytest.mark.parametrize("seed", range(6))
def test_a_recording_is_as_likely_as_its_windows_make_it(seed: int, pooling: Any) -> None:
    frame = segments(seed)
    for feature in ("tonic", SLEEP):
        rows = frame[frame["feature"] == feature]
        found = recording_probabilities(rows, ["video_id"], pooling).set_index("video_id")["p_yes"]
        wanted: dict[str, float] = {}
        for video, own in rows.groupby("video_id"):
            counted = own[own["segment"] == 0] if feature == SLEEP else own
            p = counted["p_yes"].tolist()
            if not p:
                continue
            pooled = {
                "max": max(p),
                "mean": sum(p) / len(p),
                "noisy_or": 1 - math.prod(1 - each for each in p),
            }
            wanted[str(video)] = math.nan if any(map(math.isnan, p)) else pooled[pooling]
        assert found.to_dict() == pytest.approx(wanted, nan_ok=True)


def test_a_first_word_that_is_certain_or_impossible() -> None:
    inf = math.inf
    for yes, no, wanted in ((0.0, -inf, 1.0), (-inf, 0.0, 0.0), (-1.0, -1.0, 0.5), (-inf, -inf, math.nan),
                            (-2.0, -1.0, 1 / (1 + math.e)), (-1.0, -2.0, math.e / (1 + math.e)),
                            (math.nan, -1.0, math.nan), (-1.0, math.nan, math.nan)):  # fmt: skip
        logs = {"YES": yes, "no": no, "na": -0.1}
        assert probability_of_feature(logs) == pytest.approx(wanted, nan_ok=True)
        assert probability_of_feature(logs, "negative") == pytest.approx(1 - wanted, nan_ok=True)
    assert math.isnan(probability_of_feature({"no": -1.0}))


@pytest.mark.parametrize("seed", range(10))
def test_alarms_are_stretches_answered_yes_and_hours_are_counted_once(seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = []
    for video in range(int(rng.integers(1, 7))):
        for feature in ("tonic", "clonic")[: 1 + seed % 2]:
            for start in rng.integers(0, 20, 6).tolist():
                end = start + int(rng.integers(1, 5))
                answer, truth = (
                    str(rng.choice(["yes", "no", "unparsed"])),
                    str(rng.choice(["no", "no", "no", "yes"])),
                )
                rows.append((f"p{video // 2}", f"v{video}", feature, start * 10.0, end * 10.0, answer, truth))
    names = ["patient_id", "video_id", "feature", "start_s", "end_s", "answer", "truth"]
    frame = pd.DataFrame(rows, columns=names)
    found = false_alarms(frame, ["clonic", "tonic", "figure4"])
    features = sorted(set(frame["feature"]))
    assert [each.feature for each in found] == [*features, *(["any feature"] if len(features) > 1 else [])]
    for each in found:
        own = frame[
            (frame["truth"] == "no")
            & frame["feature"].isin([each.feature] if each.feature in features else features)
        ]
        alarms: dict[str, float] = {}
        hours: dict[str, float] = {}
        for (patient, _), part in own.groupby(["patient_id", "video_id"]):
            # Tens of seconds, of which a window holds some; an alarm begins where the ten seconds before hold none.
            held = [
                {
                    t
                    for s, e in zip(w["start_s"], w["end_s"], strict=True)
                    for t in range(int(s // 10), int(e // 10))
                }
                for w in (part, part[part["answer"] == "yes"])
            ]
            hours[patient] = hours.get(patient, 0) + len(held[0]) / 360
            alarms[patient] = alarms.get(patient, 0) + sum(tick - 1 not in held[1] for tick in held[1])
        assert (each.alarms, each.hours) == (sum(alarms.values()), pytest.approx(sum(hours.values())))
        assert (each.windows, each.n_recordings, each.n_patients) == (
            len(own),
            own["video_id"].nunique(),
            len(hours),
        )
        assert each.unparsed == (own["answer"] == "unparsed").sum()
        wanted = rate_estimate(
            np.array(list(alarms.values())), np.array(list(hours.values())), n=each.n_recordings
        )
        assert each.rate.value == pytest.approx(wanted.value)
        assert (each.rate.low, each.rate.high) == (
            (None, None) if wanted.low is None else pytest.approx((wanted.low, wanted.high))
        )


@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("seed", range(12))
def test_rates_have_garwoods_limits_of_as_many_events_as_patients_are_alike(seed: int, level: float) -> None:
    rng = np.random.default_rng(seed)
    n = (1, 2, 3, 9, 10, 11)[seed // 2]
    hours = rng.integers(0, 4, n + 2).astype(float)
    hours[:n], hours[n:] = np.maximum(hours[:n], 0.5), 0
    events = np.where(hours > 0, rng.poisson((0.0, 1.0, 3.0)[seed % 3], n + 2), 0).astype(float)
    found = rate_estimate(events, hours, n=20, level=level)
    asked = n
    rate = events.sum() / hours.sum()
    assert (found.value, found.n, found.n_patients) == (pytest.approx(rate), 20, asked)
    if asked == 1:
        assert found.reason == "all recordings come from one patient"
        return
    spread = asked / (asked - 1) * sum((e - rate * h) ** 2 for e, h in zip(events, hours, strict=True) if h)
    factor = max(1.0, spread / events.sum()) if events.sum() else 1.0
    count, time, tail = events.sum() / factor, hours.sum() / factor, (1 - level) / 2
    low = chi2.ppf(tail, 2 * count) / 2 / time if count else 0.0
    assert (found.low, found.high) == pytest.approx((low, chi2.ppf(1 - tail, 2 * count + 2) / 2 / time))
    told = [f"only {asked} patients"] * (asked < 10) + [NO_ALARM] * (not count)
    assert found.caution == ("; ".join(told) or None)


def test_a_rate_of_nobody_is_none() -> None:
    found = rate_estimate(np.zeros(2), np.zeros(2), n=3)
    assert math.isnan(found.value)
    assert (found.n, found.n_patients) == (3, 0)
    assert found.reason == "no recording without an event was asked about"


def test_stretches_join_what_touches() -> None:
    starts, ends = np.array([5.0, 0, 10, 21, 1]), np.array([10.0, 3, 20, 22, 2])
    assert stretches(starts, ends) == [(0, 3), (5, 20), (21, 22)]
    assert stretches(np.zeros(0), np.zeros(0)) == []


@pytest.mark.parametrize("policy", ["wrong", "drop"])
def test_features_of_two_and_three_classes_are_scored_each_by_its_own(policy: Any) -> None:
    tables = np.random.default_rng(1).integers(0, 6, (4, 3, 3, 4)).astype(float)
    tables[0, :, 0] = 0
    names = ["tonic", VERBAL, "clonic"]
    found = feature_table_scores(tables, names, policy)
    for i, name in enumerate(names):
        score = three_class_table_scores if name == VERBAL else binary_table_scores
        for key, values in score(tables[:, i], policy).items():
            np.testing.assert_array_equal(found[key][:, i], values)
            np.testing.assert_array_equal(
                table_scores(tables[:, i], policy, three_classes=name == VERBAL)[key], values
            )


def test_baselines_where_the_feature_is_never_there_or_once() -> None:
    never, once = BinaryCounts(*map(np.float64, (0, 2, 0, 3))), BinaryCounts(*map(np.float64, (0, 0, 1, 3)))
    assert math.isnan(random_f1(never))
    assert random_f1(once) == pytest.approx(1 / 4)
    assert math.isnan(kappa_of_tables(np.zeros((2, 2))))
    assert math.isnan(kappa_of_tables(np.array([[3.0, 0], [0, 0]])))
    assert kappa_of_tables(np.array([[2.0, 1, 1], [0, 3, 1]])) == pytest.approx(
        (5 * 8 - (4 * 2 + 4 * 4)) / (64 - 24)
    )


@pytest.mark.parametrize("seed", range(10))
def test_tables_count_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    classes = ["left", "right", "both"]
    truth = rng.choice(np.array([*classes, "", None], dtype=object), 30).tolist()
    answer = rng.choice(np.array([*classes, "unparsed", "", None], dtype=object), 30).tolist()
    for unparsed in (False, True):
        table = class_table(truth, answer, classes, missing_is_unparsed=unparsed)
        read = ["unparsed" if unparsed and not a else a for a in answer]
        for row, true in enumerate(classes):
            for column, said in enumerate([*classes, "unparsed"]):
                assert table[row, column] == sum(
                    t == true and a == said for t, a in zip(truth, read, strict=True)
                )
    assert encode_answers(["yes", None, "na", ""]).tolist() == [0, 3, 2, 3]
    frame = pd.DataFrame({
        "patient_id": rng.choice(["b", "a", "c"], 30), "feature": rng.choice(["tonic", "clonic", "figure4"], 30),
        "truth": rng.choice(["yes", "no", "na", ""], 30), "answer": rng.choice(["yes", "no", "na", "unparsed", ""], 30),
    })  # fmt: skip
    found = patient_tables(frame, ["tonic", "clonic"])
    assert found.patients == tuple(sorted(set(frame[frame["feature"] != "figure4"]["patient_id"])))
    rows = list(frame.itertuples(index=False))
    for i, patient in enumerate(found.patients):
        for j, feature in enumerate(("tonic", "clonic")):
            own = [
                (r.truth, r.answer or "unparsed")
                for r in rows
                if (r.patient_id, r.feature) == (patient, feature)
            ]
            for k, true in enumerate(("yes", "no", "na")):
                assert found.counts[i, j, k].tolist() == [own.count((true, said)) for said in WORDS]
    left = [sum(r.feature == feature and not r.truth for r in rows) for feature in ("tonic", "clonic")]
    assert found.without_truth.tolist() == left


def test_divisions_and_means_know_what_is_undefined() -> None:
    np.testing.assert_array_equal(ratio([[1, 2], [0, -1]], [2, 0]), [[0.5, np.nan], [0, np.nan]])
    np.testing.assert_array_equal(
        mean_defined([[1, np.nan, 3], [np.nan, np.nan, np.nan], [0, 0, 3]]), [2, np.nan, 1]
    )


def test_answers_are_counted_and_rows_must_be_whole() -> None:
    values = ["yes", "", None, math.nan, "unparsed", 0.0, "na", "unparsed"]
    assert [is_missing(value) for value in values] == [False, True, True, True, False, False, False, False]
    assert count_answers(values) == AnswerCounts(8, 3, 2, 3)
    assert not count_answers(["yes"]).partial
    assert count_answers([None, "yes"]).partial
    frame = pd.DataFrame({"video_id": ["a", "b", "a", "b", "a"], "patient_id": ["p", "q", "p", "q", "p"]})
    require_columns(frame, ["video_id"])
    require_recordings(frame[:2], ["video_id", "patient_id"])
    with pytest.raises(ValueError, match="frame of answers has no column 'truth' → it needs video_id, truth"):
        require_columns(frame, ["video_id", "truth"])
    with pytest.raises(ValueError, match="3 recordings are answered twice, first a"):
        require_recordings(frame, ["video_id"])
    unknown = frame.assign(patient_id=["p", None, "p", "q", "p"])
    require_columns(unknown, ["video_id"])
    with pytest.raises(ValueError, match="no patient_id"):
        require_columns(unknown, ["video_id", "patient_id"])


@pytest.mark.parametrize("seed", range(10))
def test_published_rules_leave_out_what_is_no_plain_label(seed: int) -> None:
    rng = np.random.default_rng(seed)

    def scikit(pairs: list[tuple[str, str]], positive: str | None) -> list[float]:
        if not pairs:
            return [math.nan] * 4
        truth, answer = map(list, zip(*pairs, strict=True))
        parts = precision_recall_fscore_support(
            truth, answer, labels=[positive] if positive else None, average="macro", zero_division=0
        )
        return [*map(float, parts[:3]), sum(t == a for t, a in pairs) / len(pairs)]

    n = int(rng.choice([1, 3, 12]))
    for three in (False, True):
        truth = rng.choice(["yes", "no", "na", ""], n).tolist()
        answer = rng.choice(["yes", "no", "na", "", "fail"], n).tolist()
        said = [
            (t, a or "na") for t, a in zip(truth, answer, strict=True) if t in ("yes", "no") and a != "fail"
        ]
        kept = said if three else [pair for pair in said if pair[1] != "na"]
        found = published_s3_task1_scores(truth, answer, three_classes=three)
        assert found["n"] == len(kept)
        values = [found[name] for name in ("precision", "recall", "f1", "accuracy")]
        assert values == pytest.approx(scikit(kept, None if three else "yes"), nan_ok=True)
    truth, answer = (rng.choice(["left", "right", "right ", "", "both"], n).tolist() for _ in range(2))
    kept = [pair for pair in zip(truth, answer, strict=True) if set(pair) <= {"left", "right"}]
    found = published_side_scores(truth, answer)
    values = [found[name] for name in ("precision", "recall", "f1", "accuracy")]
    assert values == pytest.approx(scikit(kept, "right"), nan_ok=True)
    assert found["n"] == len(kept)
    words = ("ES", "NES, not ES", "neither", "It is ES")
    assert [published_diagnosis(word) for word in words] == ["ES", "NES", None, "ES"]
    # Estimates of frames have the same values.
    for question in (DIAGNOSIS, Question(("a", "b", "c"), None)):
        frame = pd.DataFrame({
            "video_id": [f"v{i}" for i in range(n)], "patient_id": [f"p{i // 2}" for i in range(n)],
            "truth": rng.choice([*question.classes, ""], n),
            "answer": rng.choice([*question.classes, "", "unparsed"], n),
        })  # fmt: skip
        estimates = published_class_estimates(frame, question, resamples=20)
        pairs = [
            (t, a)
            for t, a in zip(frame["truth"], frame["answer"], strict=True)
            if t and a not in ("", "unparsed")
        ]
        values = [estimates[name].value for name in ("precision", "recall", "f1", "accuracy")]
        assert values == pytest.approx(scikit(pairs, question.positive), nan_ok=True)
        people = {p for p, t, a in zip(frame["patient_id"], frame["truth"], frame["answer"], strict=True)
                  if t and a not in ("", "unparsed")}  # fmt: skip
        assert estimates["f1"].n == len(pairs)
        assert estimates["f1"].n_patients == len(people)
        if not pairs:
            assert estimates["f1"].reason == "no answer was understood"
    stack = rng.integers(0, 3, (5, 3, 3)).astype(float)
    for positive in (None, 1):
        together = published_table_scores(stack, positive)
        for k, table in enumerate(stack):
            every = [(str(i), str(j)) for i in range(3) for j in range(3) for _ in range(int(table[i, j]))]
            values = [together[name][k] for name in ("precision", "recall", "f1", "accuracy")]
            assert values == pytest.approx(
                scikit(every, None if positive is None else str(positive)), nan_ok=True
            )
