"""Fugl-Meyer items, touches, doses and group tests, recomputed item by item on random answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from scipy.stats import chi2, hypergeom, linregress, rankdata
from sklearn.metrics import classification_report

from semiology.metrics.statistics.bootstrap import mean_estimate
from semiology.metrics.strokerehab.baselines import (
    LabelledVideo,
    dose_errors,
    mean_dose,
    mean_rate,
    other_subjects_mean,
    other_subjects_mode,
)
from semiology.metrics.strokerehab.fugl_meyer import (
    constant_scores,
    impairment_scores,
    section_errors,
    total_line,
    weighted_kappa,
)
from semiology.metrics.strokerehab.fugl_meyer_rules import (
    TouchWindow,
    answer_score,
    item_score,
    movement_time,
    reflex_score,
    rising_edges,
    time_score,
    touch_windows,
    touched_again,
    windowed_score,
)
from semiology.metrics.strokerehab.identification import (
    accuracy,
    class_scores,
    control_against_stroke,
    group_p_value,
    macro_f1,
    majority_accuracy,
)
from semiology.metrics.strokerehab.primitives import (
    counting_error,
    mean_and_error,
    sequence_scores,
    share_within,
)
from semiology.metrics.strokerehab.run_scores import ImpairmentRun, impairment_measures
from semiology.strokerehab import ACTIVITIES, PRIMITIVES, SECTIONS, Run

Grid = dict[str, dict[int, Any]]


def grid(seed: int) -> tuple[Grid, Grid]:
    """Answers and ratings of a few subjects and items; some are missing, and some subjects have no answer at all."""
    rng = np.random.default_rng(seed)
    items = rng.choice([3, 9, 12, 15, 19, 24, 30, 31, 33], int(rng.integers(1, 8)), replace=False).tolist()
    truth: Grid = {}
    answers: Grid = {"unasked": {3: 1}}
    for n in range(int(rng.integers(1, 7))):
        truth[f"s{n}"] = {item: int(rng.integers(0, 3)) for item in items if rng.random() < 0.8}
        if rng.random() < 0.8:
            said = {item: int(rng.integers(0, 3)) if rng.random() < 0.8 else None for item in items}
            answers[f"s{n}"] = said
    return answers, truth


def kappa(pairs: list[tuple[int, int]]) -> float:
    """One minus the squared distances seen over those of all pairs of an answer with a rating."""
    if len({a for a, _ in pairs}) < 2 or len({t for _, t in pairs}) < 2:
        return math.nan
    seen = np.mean([(a - t) ** 2 for a, t in pairs])
    return float(1 - seen / np.mean([(a - t) ** 2 for a, _ in pairs for _, t in pairs]))


def correlation(one: Any, two: Any) -> float:
    one, two = np.asarray(one, dtype=float), np.asarray(two, dtype=float)
    if len(one) < 2 or np.ptp(one) == 0 or np.ptp(two) == 0:
        return math.nan
    return float(np.corrcoef(one, two)[0, 1])


def mean(values: list[Any]) -> float:
    return sum(values) / len(values) if values else math.nan


@pytest.mark.parametrize("chosen", [None, [3, 12, 31]])
@pytest.mark.parametrize("seed", range(40))
def test_scores_of_a_grid_are_those_of_its_pairs(seed: int, chosen: list[int] | None) -> None:
    answers, truth = grid(seed)
    found = impairment_scores(answers, truth, chosen)
    pairs, subjects = [], []
    for subject, rated in truth.items():
        row = [
            (answers.get(subject, {}).get(i), t) for i, t in rated.items() if chosen is None or i in chosen
        ]
        pairs += row
        subjects += [row] if row else []
    assert (found.size, found.missing) == (len(pairs), sum(a is None for a, _ in pairs))
    assert found.accuracy == pytest.approx(mean([a == t for a, t in pairs]), nan_ok=True)
    by_rating = [mean([a == t for a, t in pairs if t == rating]) for rating in range(3)]
    assert found.macro_accuracy == pytest.approx(mean([x for x in by_rating if x == x]), nan_ok=True)
    apd = [sum(2 if a is None else abs(a - t) for a, t in row) for row in subjects]
    assert found.apd == pytest.approx(mean(apd), nan_ok=True)
    totals = [(sum(a or 0 for a, _ in row), sum(t for _, t in row)) for row in subjects]
    missing = [sum(a is None for a, _ in row) for row in subjects]
    mtsd = [abs(a - t) + 2 * none for (a, t), none in zip(totals, missing, strict=True)]
    assert found.mtsd == pytest.approx(mean(mtsd), nan_ok=True)
    known = [(a, t) for a, t in pairs if a is not None]
    assert found.kappa == pytest.approx(kappa(known), nan_ok=True)
    assert weighted_kappa(known) == pytest.approx(kappa(known), nan_ok=True)
    given, rated_totals = [a for a, _ in totals], [t for _, t in totals]
    ranks = [rankdata(each) if each else [] for each in (given, rated_totals)]
    assert found.spearman == pytest.approx(correlation(*ranks), nan_ok=True)
    assert found.r2 == pytest.approx(correlation(given, rated_totals) ** 2, nan_ok=True)


@pytest.mark.parametrize("seed", range(20))
def test_sections_and_the_scores_of_other_subjects(seed: int) -> None:
    answers, truth = grid(seed)
    for section, (value, error, n) in section_errors(answers, truth).items():
        off = []
        for subject, rated in truth.items():
            for item, t in rated.items():
                if item in SECTIONS[section]:
                    a = answers.get(subject, {}).get(item)
                    off.append(2 if a is None else abs(a - t))
        assert n == len(off)
        assert value == pytest.approx(mean(off), nan_ok=True)
        assert error == pytest.approx(np.std(off, ddof=1) / math.sqrt(n) if n > 1 else math.nan, nan_ok=True)
        assert (mean_and_error(off)) == pytest.approx((value, error), nan_ok=True)
    mode, average = other_subjects_mode(truth), other_subjects_mean(truth)
    assert list(mode) == list(average) == list(truth)
    for subject, rated in truth.items():
        assert list(mode[subject]) == list(average[subject]) == list(rated)
        for item in rated:
            others = [row[item] for name, row in truth.items() if name != subject and item in row]
            if not others:
                assert mode[subject][item] is average[subject][item] is None
                continue
            most = max(others.count(score) for score in range(3))
            assert mode[subject][item] == max(s for s in range(3) if others.count(s) == most)
            assert average[subject][item] == math.floor(sum(others) / len(others) + 0.5)
    assert constant_scores(truth, 1) == {s: dict.fromkeys(rated, 1) for s, rated in truth.items()}


@pytest.mark.parametrize("seed", range(8))
def test_measures_of_a_run_have_intervals_by_subject_and_answers_that_see_nothing(seed: int) -> None:
    answers, truth = grid(seed)
    del answers["unasked"]
    run = ImpairmentRun(answers, truth, 3, 20, ("x",), 1, 4)
    found = impairment_measures(run)
    rated = [s for s in truth if truth[s]]
    for name in ("accuracy", "apd", "mtsd"):
        each = [getattr(impairment_scores({s: answers.get(s, {})}, {s: truth[s]}), name) for s in rated]
        wanted = mean_estimate(each, rated)
        assert found[name] == wanted or math.isnan(wanted.value)
        for score in (0, 1, 2):
            blind = impairment_scores(constant_scores(truth, score), truth)
            assert found[f"constant_{score}_{name}"] == pytest.approx(getattr(blind, name), nan_ok=True)
        others = impairment_scores(other_subjects_mode(truth), truth)
        assert found[f"other_subjects_{name}"] == pytest.approx(getattr(others, name), nan_ok=True)
    whole = impairment_scores(answers, truth)
    for name in ("macro_accuracy", "kappa", "spearman", "r2", "missing", "size"):
        assert found[name] == pytest.approx(float(getattr(whole, name)), nan_ok=True)
    assert (found["invalid_rate"], found["subjects"], found["subjects_left_out"]) == (0.15, len(truth), 1)
    assert math.isnan(impairment_measures(ImpairmentRun({}, {}, 0, 0))["invalid_rate"])  # type: ignore[arg-type]


@pytest.mark.parametrize("seed", range(20))
def test_the_line_of_totals_is_scipys(seed: int) -> None:
    rng = np.random.default_rng(seed)
    totals = rng.integers(0, 6, (int(rng.integers(2, 6)), 2)).astype(float)
    found = total_line([(float(a), float(t)) for a, t in totals])
    if np.ptp(totals[:, 0]) == 0:
        assert all(math.isnan(x) for x in found)
        return
    line = linregress(totals[:, 0], totals[:, 1])
    r2 = line.rvalue**2 if np.ptp(totals[:, 1]) else math.nan
    assert found == pytest.approx((line.slope, line.intercept, r2), nan_ok=True, abs=1e-9)
    assert all(math.isnan(x) for x in total_line([(1.0, 2.0)]))


@pytest.mark.parametrize("seed", range(40))
def test_movements_are_done_where_the_sums_of_touches_reach_their_number(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(0, 9))
    counts = [[None if rng.random() < 0.2 else int(rng.integers(0, 3)) for _ in range(n)] for _ in range(2)]
    windows = [TouchWindow(float(i + 1), *pair) for i, pair in enumerate(zip(*counts, strict=True))]
    knee, nose = (np.cumsum([count or 0 for count in each]) for each in counts)
    for alone in (False, True):
        done = [i + 1.0 for i in range(n) if nose[i] >= 5 or (knee[i] >= 4 and not alone)]
        assert movement_time(windows, nose_only=alone) == (done[0] if done else None)
    positive = [[bool(count) for count in each] for each in counts]
    again = sum(each[i] and each[i - 1] for each in positive for i in range(1, n))
    assert touched_again(windows) == (again, sum(map(sum, positive)))
    words = [["?" if c is None else str(c) for c in each] for each in counts]
    assert touch_windows([w.end_s for w in windows], *words) == windows
    contacts = [None if c is None else c > 0 for c in counts[0]]
    begun = []
    for i, now in enumerate(contacts):
        before = [c for c in contacts[:i] if c is not None]
        begun.append(None if now is None else int(now and bool(before) and not before[-1]))
    assert rising_edges(contacts) == begun
    said = [["?" if c is None else "yes" if c else "no" for c in each] for each in counts]
    touched = touch_windows([w.end_s for w in windows], *said, contact=True)
    assert [w.knee for w in touched] == begun
    assert [w.end_s for w in touched] == [w.end_s for w in windows]


def test_seconds_decide_on_the_timed_item() -> None:
    for affected in np.arange(0, 12, 0.5):
        slower = affected - 3
        assert time_score(affected, 3.0) == (2 if slower < 2 else 1 if slower < 6 else 0)
    assert time_score(None, 3.0) is time_score(3.0, None) is None


@pytest.mark.parametrize("seed", range(40))
def test_an_item_has_the_score_of_its_first_question_that_decides(seed: int) -> None:
    rng = np.random.default_rng(seed)
    kinds = rng.choice(["gate", "stays", "deviation", "fault", "closing"], 4).tolist()
    replies = rng.choice(["Yes.", "No", "I cannot tell"], 4).tolist()
    decides = {
        ("gate", "No"): 0, ("stays", "No"): 1, ("deviation", "Yes."): 1, ("fault", "Yes."): 0,
        ("closing", "Yes."): 2, ("closing", "No"): 1,
    }  # fmt: skip
    pairs = list(zip(kinds, replies, strict=True))
    scores = [decides[pair] for pair in pairs if pair in decides]
    assert item_score(pairs) == (scores[0] if scores else None)
    # As published whatever does not say yes is no, and a fault that is not there ends with 0.
    paper = decides | {("fault", "No"): 0}
    del paper["fault", "Yes."]
    read = [(kind, "Yes." if reply == "Yes." else "No") for kind, reply in pairs]
    scores = [paper[pair] for pair in read if pair in paper]
    assert item_score(pairs, "paper") == (scores[0] if scores else None)
    for kind, reply in pairs:
        assert answer_score(kind, reply) == (decides.get((kind, reply)), reply != "I cannot tell")
    ratings = rng.choice(["0", "1", "2", "FINAL_SCORE: 2", "7", ""], int(rng.integers(0, 6))).tolist()
    known = [{"0": 0, "1": 1, "2": 2, "FINAL_SCORE: 2": 2}[r] for r in ratings if r not in ("7", "")]
    assert windowed_score(ratings) == (math.floor(sum(known) / len(known) + 0.5) if known else None)
    three = {item: (None, 0, 1, 2, 2, 2)[rng.integers(0, 6)] for item in (15, 16, 17)}
    all_two = 2 if set(three.values()) == {2} else 0
    assert reflex_score(three) == (None if None in three.values() else all_two)


def videos(seed: int) -> list[LabelledVideo]:
    rng = np.random.default_rng(seed)
    made = []
    for n in range(int(rng.integers(1, 8))):
        words = rng.choice(PRIMITIVES, int(rng.integers(1, 7))).tolist()
        runs = tuple(Run(word, i * 0.7, (i + 1) * 0.7) for i, word in enumerate(words))
        made.append(
            LabelledVideo(f"v{n}", f"s{rng.integers(0, 3)}", str(rng.choice(["feeding", "combing"])), runs)
        )
    return made


@pytest.mark.parametrize("seed", range(25))
def test_doses_are_means_of_other_subjects_with_the_same_activity_where_there_are_any(seed: int) -> None:
    every = videos(seed)
    doses, rates = mean_dose(every), mean_rate(every)

    def counts(video: LabelledVideo) -> dict[str, int]:
        words = [run.primitive for run in video.runs]
        begun = [word for i, word in enumerate(words) if not i or words[i - 1] != word]
        return {name: begun.count(name) for name in PRIMITIVES}

    for video in every:
        others = [other for other in every if other.subject != video.subject]
        alike = [other for other in others if other.activity == video.activity] or others
        if not alike:
            assert doses[video.id] == rates[video.id] == {}
            continue
        seconds = video.runs[-1].end_s
        for name in PRIMITIVES:
            assert doses[video.id][name] == pytest.approx(mean([counts(o)[name] for o in alike]))
            rate = mean([counts(o)[name] / o.runs[-1].end_s for o in alike]) * seconds
            assert rates[video.id][name] == pytest.approx(rate)
        for idle in (True, False):
            names = [name for name in PRIMITIVES if idle or name != "idle"]
            total = sum(counts(video)[name] for name in names)
            off = sum(abs(doses[video.id][name] - counts(video)[name]) for name in names)
            found = dose_errors(every, doses, idle=idle)[video.id]
            assert found == pytest.approx(off / total if total else 0.0)
            assert counting_error(doses[video.id], counts(video), idle=idle) == found
    assert set(dose_errors(every, doses)) == {video.id for video in every if doses[video.id]}


@pytest.mark.parametrize("seed", range(30))
def test_sequences_differ_by_the_fewest_changes(seed: int) -> None:
    rng = np.random.default_rng(seed)
    answer, truth = (rng.choice(PRIMITIVES, int(rng.integers(0, 7))).tolist() for _ in range(2))
    one, two = ([w for i, w in enumerate(words) if not i or words[i - 1] != w] for words in (answer, truth))
    # The edit distance, cell by cell.
    cost = np.zeros((len(one) + 1, len(two) + 1), dtype=int)
    for i in range(len(one) + 1):
        for j in range(len(two) + 1):
            steps = [cost[i - 1, j] + 1] if i else []
            steps += [cost[i, j - 1] + 1] if j else []
            steps += [cost[i - 1, j - 1] + (one[i - 1] != two[j - 1])] if i and j else []
            cost[i, j] = min(steps, default=0)
    distance, longest = int(cost[-1, -1]), max(len(one), len(two))
    found = sequence_scores([word.upper() for word in answer], truth)
    gaps = {name: abs(one.count(name) - two.count(name)) for name in PRIMITIVES}
    active = sum(word != "idle" for word in two)
    assert found.edit_score == pytest.approx(100 * (1 - distance / longest) if longest else 100)
    assert found.action_error_rate == pytest.approx(distance / len(two) if two else 0)
    assert found.relative_counting_error == pytest.approx(sum(gaps.values()) / len(two) if two else 0)
    moved = sum(gaps[name] for name in PRIMITIVES if name != "idle")
    assert found.relative_counting_error_without_idle == pytest.approx(moved / active if active else 0)
    assert (dict(found.count_errors), found.count_answer, found.count_truth) == (gaps, len(one), len(two))
    assert found.mae_avg == pytest.approx(sum(gaps.values()) / 5)
    errors = (rng.integers(0, 5, int(rng.integers(0, 5))) / 8).tolist()
    assert share_within(errors) == pytest.approx(mean([e <= 0.25 for e in errors]), nan_ok=True)


def fisher(table: np.ndarray) -> float:
    """All tables of these margins that are no likelier than the one seen."""
    rows, columns = table.sum(1), table.sum(0)
    law = hypergeom(table.sum(), rows[0], columns[0])
    possible = np.arange(max(0, rows[0] - columns[1]), min(rows[0], columns[0]) + 1)
    likely = law.pmf(possible)
    return float(likely[likely <= law.pmf(table[0, 0]) * (1 + 1e-7)].sum())


@pytest.mark.parametrize("seed", range(30))
def test_the_test_between_groups_is_exact_where_a_cell_is_small_and_chi_square_else(seed: int) -> None:
    rng = np.random.default_rng(seed)
    table = rng.integers(0, (4, 12)[seed % 2], (2, 2)) + (0, 3)[seed % 2]
    if (table.sum(0) == 0).any():
        assert group_p_value(table.tolist()) == 1
        return
    if (table.sum(1) == 0).any():
        return
    expected = np.outer(table.sum(1), table.sum(0)) / table.sum()
    statistic = ((table - expected) ** 2 / expected).sum()
    p = fisher(table) if (table < 5).any() else chi2.sf(statistic, 1)
    assert group_p_value(table.tolist()) == pytest.approx(p)
    # Observed cells decide, not expected ones: of this table one of those is below 1.
    assert group_p_value([[5, 5], [5, 100]]) == pytest.approx(chi2.sf(115 * 475**2 / (10 * 105) ** 2, 1))


@pytest.mark.parametrize("seed", range(12))
def test_activities_are_scored_as_scikit_learn_does_and_groups_by_activity(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, names = int(rng.integers(3, 60)), ACTIVITIES[:3]
    truth = rng.choice(names, n).tolist()
    answer = [t if rng.random() < 0.5 else str(rng.choice([*names, "none"])) for t in truth]
    control = (rng.random(n) < 0.5).tolist()
    report = classification_report(truth, answer, output_dict=True, zero_division=0)
    found = class_scores(truth, answer)
    for name in [*sorted({*truth, *answer}), "macro avg", "weighted avg"]:
        for metric in ("precision", "recall", "f1", "support"):
            assert found[name][metric] == pytest.approx(report[name][metric.replace("f1", "f1-score")])
    more = class_scores(truth, answer, always=["walking"])
    assert set(more) == {*found, "walking"}
    assert more["walking"] == {"precision": 0, "recall": 0, "f1": 0, "support": 0}
    assert more["macro avg"]["f1"] == pytest.approx(
        found["macro avg"]["f1"] * (len(found) - 2) / (len(found) - 1)
    )
    assert macro_f1(truth, answer) == pytest.approx(
        mean([report[name]["f1-score"] for name in sorted(set(truth))])
    )
    right = [t == a for t, a in zip(truth, answer, strict=True)]
    assert accuracy(truth, answer) == pytest.approx(mean(right))
    assert majority_accuracy(truth) == pytest.approx(max(truth.count(name) for name in names) / n)
    tests, plain = control_against_stroke(truth, answer, control), {}
    for name in (*names, "overall"):
        groups = [[r for r, t, c in zip(right, truth, control, strict=True) if c is of and name in (t, "overall")]
                  for of in (True, False)]  # fmt: skip
        if not all(groups):
            assert name not in tests
            continue
        plain[name] = group_p_value([[sum(group), len(group) - sum(group)] for group in groups])
        one = tests[name]
        assert (one.n_control, one.n_stroke, one.p) == (len(groups[0]), len(groups[1]), plain[name])
        assert (one.accuracy_control, one.accuracy_stroke) == pytest.approx(
            (mean(groups[0]), mean(groups[1]))
        )
    assert list(tests) == list(plain)
    # Holm: of m the smallest is multiplied by m, the next by m - 1, and none is below the one before it.
    family = sorted((p, name) for name, p in plain.items() if name != "overall")
    highest = 0.0
    for place, (p, name) in enumerate(family):
        highest = max(highest, min(1.0, (len(family) - place) * p))
        assert tests[name].p_holm == pytest.approx(highest)
    assert math.isnan(tests["overall"].p_holm)
    assert math.isnan(accuracy([], []))
    assert math.isnan(majority_accuracy([]))
