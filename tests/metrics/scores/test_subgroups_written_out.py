"""Subgroups recomputed: scores of the rows of each, differences without each patient, families of the test."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from semiology.metrics.paired.comparison import p_values
from semiology.metrics.paired.contributions import between_groups
from semiology.metrics.scores.counts import ANSWERS, TRUTHS
from semiology.metrics.scores.run_scores import score_run
from semiology.metrics.scores.subgroups import MACRO, OTHERS, Interaction, score_subgroups
from semiology.metrics.statistics.intervals import effective_patients
from semiology.metrics.statistics.jackknife import jackknife_estimate
from semiology.metrics.statistics.sign_flip import draw_flips, tail_freedom

VERBAL = "verbal_responsiveness"
FEATURES = ("tonic", "clonic", VERBAL)
WORDS = {"tonic": ("yes", "no"), "clonic": ("yes", "no"), VERBAL: ("yes", "no", "na")}
Row = tuple[str, str, str]


def study(seed: int, groups: str, patients: int) -> tuple[pd.DataFrame, dict[str, str]]:
    """Recordings in groups drawn anew for each, so that patients are in several; clonic is rare in group b."""
    rng = np.random.default_rng(seed)
    rows, value = [], {}
    for p in range(patients):
        for v in range(int(rng.integers(2, 7))):
            video = f"p{p:02d}v{v}"
            if rng.random() < 0.95:
                value[video] = str(rng.choice(list(groups)))
            for feature in FEATURES:
                if feature == VERBAL and p % 9 == 0:
                    continue
                share = 0.1 if (feature, value.get(video)) == ("clonic", "b") else 0.55
                other = "na" if feature == VERBAL and value.get(video) != "c" else ""
                truth = "yes" if rng.random() < share else str(rng.choice(["no", "no", "no", "no", other]))
                answer = (
                    truth
                    if rng.random() < 0.6 and truth
                    else str(rng.choice(["yes", "no", "na", "unparsed"]))
                )
                rows.append((video, f"p{p:02d}", feature, truth, answer))
    return pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "answer"]), value


def counted(rows: pd.DataFrame, feature: str, policy: str) -> list[Row]:
    """Return patient, truth and answer of the recordings of a feature that are scored."""
    words = WORDS[feature]
    own = rows[rows["feature"] == feature]
    every = zip(own["patient_id"], own["truth"], own["answer"], strict=True)
    return [row for row in every if row[1] in words and (policy == "wrong" or row[2] in words)]


def balanced(rows: list[Row], three: bool) -> float:
    """Return the mean recall of the classes of the truth; NaN for yes/no features of one class."""
    of = Counter(truth for _, truth, _ in rows)
    hits = Counter(truth for _, truth, answer in rows if truth == answer)
    recalls = [hits[truth] / n for truth, n in of.items()]
    return round(sum(recalls) / len(recalls), 12) if len(recalls) > (0 if three else 1) else math.nan


class Contrast:
    """Two groups of rows and what is compared between them, feature by feature."""

    def __init__(self, one: pd.DataFrame, two: pd.DataFrame, patients: Sequence[str], policy: Any) -> None:
        self.patients = patients
        self.rows = {name: [counted(side, name, policy) for side in (one, two)] for name in FEATURES}
        runs = [
            {each.feature: each for each in score_run(side, policy=policy).features} for side in (one, two)
        ]
        self.reasons: list[str | None] = []
        for feature in FEATURES:
            told = [run[feature].estimates["balanced_accuracy"] for run in runs]
            classes = [{truth for _, truth, _ in rows} for rows in self.rows[feature]]
            other = None if classes[0] == classes[1] else "the subgroups hold other classes of the truth"
            self.reasons.append(next((each.reason for each in told if each.low is None), other))
        self.values = [[balanced(self.rows[name][k], name == VERBAL) for name in FEATURES] for k in range(2)]
        self.family = np.array([reason is None for reason in self.reasons])

    def without(self, feature: str) -> list[float]:
        """Return the difference without each patient."""
        own, three = self.rows[feature], feature == VERBAL
        left = [
            [balanced([row for row in rows if row[0] != p], three) for rows in own] for p in self.patients
        ]
        return [a - b for a, b in left]

    def sizes(self, feature: str) -> np.ndarray:
        of = [Counter(p for p, *_ in rows) for rows in self.rows[feature]]
        return np.array([[float(side[p]) for p in self.patients] for side in of])

    def contributions(self) -> np.ndarray:
        found = np.zeros((len(self.patients), len(FEATURES)))
        for i, feature in enumerate(FEATURES):
            tables = np.zeros((2, len(self.patients), 3, 4))
            for side, rows in enumerate(self.rows[feature]):
                for patient, truth, answer in rows:
                    tables[
                        side, self.patients.index(patient), TRUTHS.index(truth), ANSWERS.index(answer)
                    ] += 1
            if self.family[i]:
                seen = self.values[0][i] - self.values[1][i]
                found[:, i] = between_groups(tables[0], tables[1], feature == VERBAL, seen)
        return found

    def check(self, found: Interaction, use: list[int]) -> None:
        names = [FEATURES[i] for i in use]
        values = [float(np.mean([side[i] for i in use])) for side in self.values]
        assert found.values == pytest.approx(values, nan_ok=True)
        sizes = np.sum([self.sizes(name) for name in names], axis=0)
        left = np.mean([self.without(name) for name in names], axis=0)
        wanted = jackknife_estimate(
            values[0] - values[1], np.round(left, 12)[sizes.sum(0) > 0],
            effective=min(effective_patients(each) for each in sizes), n=int(sizes.sum()),
            n_patients=int((sizes.sum(0) > 0).sum()), undefined="a subgroup holds one class only",
            withheld=found.reason,
        )  # fmt: skip
        for name in ("value", "low", "high"):
            ours, theirs = getattr(found.difference, name), getattr(wanted, name)
            assert (ours is None) == (theirs is None)
            assert ours is None or ours == pytest.approx(theirs, nan_ok=True)
        for name in ("n", "n_patients", "reason", "caution"):
            assert getattr(found.difference, name) == getattr(wanted, name)


def adjusted(contrasts: Sequence[Contrast], patients: int, mean: bool) -> list[tuple[float, float]]:
    """Return plain and adjusted p-values of all contrasts together, of the features or of their means."""
    seen, own, family = [], [], []
    for each in contrasts:
        difference = np.subtract(*each.values)
        parts = each.contributions()
        if mean:
            any_of = bool(each.family.any())
            seen.append([difference[each.family].mean()] if any_of else [np.nan])
            own.append(parts[:, each.family].mean(1)[:, None] if any_of else np.zeros((patients, 1)))
            family.append([any_of])
        else:
            seen.append(np.where(each.family, difference, np.nan))
            own.append(parts)
            family.append(each.family)
    signs = draw_flips(patients, 300, 5)
    flat, tested = np.concatenate(own, axis=1), np.concatenate(family)
    plain, max_t, *_ = p_values(
        np.concatenate(seen), signs.sums(flat), signs, (flat != 0).sum(0), tested, tail_freedom(flat)
    )
    return list(zip(plain.tolist(), max_t.tolist(), strict=True))


STUDIES = [
    (0, "ab", 24),
    (1, "ab", 16),
    (2, "abc", 26),
    (3, "aabbcd", 24),
    (4, "aab", 34),
    (5, "aaaaaab", 20),
]


@pytest.mark.parametrize("policy", ["wrong", "drop"])
@pytest.mark.parametrize(("seed", "groups", "patients"), STUDIES)
def test_subgroups_are_runs_of_their_rows_and_differences_leave_out_each_patient(
    seed: int, groups: str, patients: int, policy: Any
) -> None:
    rows, value = study(seed, groups, patients)
    found = score_subgroups(rows, value, [*FEATURES, "figure4"], policy=policy, seed=5, flips=300)
    label = rows["video_id"].map(value)
    assert found.n_without == rows[label.isna()]["video_id"].nunique()
    scored: dict[str, pd.DataFrame] = {}
    assert [each.name for each in found.subgroups] == sorted(set(groups))
    for each in found.subgroups:
        own = rows[label == each.name]
        people = own["patient_id"].nunique()
        assert (each.n_recordings, each.n_patients) == (own["video_id"].nunique(), people)
        if people < 10:
            assert (each.scores, each.reason) == (None, f"{people} patients, fewer than 10: not scored")
        else:
            assert each.scores is not None
            whole = score_run(own, FEATURES, policy=policy, seed=5)
            assert str(each.scores) == str(whole)  # as texts: NaN differs from itself
            scored[each.name] = own
    if len(scored) < 2:
        assert found.interactions == ()
        return
    everyone = sorted(set(rows[label.notna()]["patient_id"]))
    pairs = list(scored)
    named = [(one, OTHERS) for one in pairs] if len(pairs) > 2 else [(pairs[0], pairs[1])]
    contrasts = []
    for one, two in named:
        rest = pd.concat(
            [own for name, own in scored.items() if name == two or (two == OTHERS and name != one)]
        )
        contrasts.append(Contrast(scored[one], rest, everyone, policy))
    each_p, mean_p = (adjusted(contrasts, len(everyone), mean) for mean in (False, True))
    told = {(each.first, each.second, each.feature): each for each in found.interactions}
    for at, ((one, two), contrast) in enumerate(zip(named, contrasts, strict=True)):
        for i, feature in enumerate(FEATURES):
            own = told.pop((one, two, feature))
            assert own.reason == contrast.reasons[i]
            contrast.check(own, [i])
            wanted = each_p[at * len(FEATURES) + i]
            assert (own.p_plain, own.p_adjusted) == pytest.approx(wanted, nan_ok=True)
        if contrast.family.any():
            own = told.pop((one, two, MACRO))
            assert own.reason is None
            contrast.check(own, np.flatnonzero(contrast.family).tolist())
            assert (own.p_plain, own.p_adjusted) == pytest.approx(mean_p[at], nan_ok=True)
    assert told == {}


def test_ten_patients_who_all_decide_have_the_smallest_p_of_ten() -> None:
    """All are right in one subgroup and wrong in the other, but for a recording: of 1,024 signs two are as extreme."""
    rows, value = [], {}
    for p in range(10):
        for group in "ab":
            for truth in ("yes", "no"):
                video = f"p{p}{group}{truth}"
                value[video] = group
                wrong = "yes" if truth == "no" else "no"
                rows.append((video, f"p{p}", "tonic", truth, truth if group == "a" else wrong))
    value |= {"missed": "a", "found": "b"}
    rows += [("missed", "p0", "tonic", "yes", "no"), ("found", "p1", "tonic", "yes", "yes")]
    frame = pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "answer"])
    for found in score_subgroups(frame, value, ["tonic"]).interactions:
        assert found.values == pytest.approx(((10 / 11 + 1) / 2, (1 / 11 + 0) / 2))
        assert (found.p_plain, found.p_adjusted) == pytest.approx((2 / 1024, 2 / 1024))


def test_one_recording_of_a_class_is_enough_to_hold_it() -> None:
    rows, value = [], {}
    for p in range(12):
        for group in "ab":
            for truth in ("yes", "no", *(["na"] if p < (1 if group == "a" else 3) else [])):
                video = f"p{p}{group}{truth}"
                value[video] = group
                answer = truth if (p + len(truth)) % 3 else "no" if truth == "yes" else "yes"
                rows.append((video, f"p{p}", VERBAL, truth, answer))
    frame = pd.DataFrame(rows, columns=["video_id", "patient_id", "feature", "truth", "answer"])
    (found, _) = score_subgroups(frame, value, [VERBAL], flips=100).interactions
    assert found.reason is None
