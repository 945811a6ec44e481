"""Who is trained on: whole patients, never protected ones; and what cannot be learned is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semiology.backends.supervised.recipe import Recipe
from semiology.data.recording_set import Annotation, Recording, RecordingSet
from semiology.data.tables.reading import read_recording_set
from semiology.data.windows.sliding import STANDARD
from semiology.optimization.folds.draw import FoldError, draw_folds
from semiology.optimization.supervised.cases import Cases, CasesError, make_cases, shuffled
from semiology.tasks.plan import Plan, current_plan, plan_of
from semiology.tasks.settings import Settings
from tests.optimization.supervised.conftest import BRIGHT, CHANCE, PATIENTS

RECIPE = Recipe(size=16, frames=2, clips=2)


@pytest.fixture(autouse=True)
def _own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))


def plan_for(folder: Path) -> Plan:
    return current_plan(Settings(folder.resolve(), folder, "s3", "standard", "develop"))


def cases_of(folder: Path, features: tuple[str, ...] = (BRIGHT, CHANCE), **other: int | None) -> Cases:
    told = {"folds": None, "seed": 0, "least": 2, **other}
    return make_cases(plan_for(folder), features, RECIPE, **told)  # type: ignore[arg-type]


def test_folds_are_those_of_data_folds_and_parts_share_no_patient(bright_set: Path) -> None:
    cases = cases_of(bright_set, folds=3, seed=4)
    assert cases.fold_of_patient == draw_folds(read_recording_set(bright_set), 3, seed=4)
    everybody = set(cases.fold_of_patient)
    assert len(everybody) == PATIENTS
    for part in cases.parts:
        assert part.fit
        assert part.inner
        assert part.held_out
        assert part.fit | part.inner | part.held_out == everybody
        assert not (part.fit & part.inner)
        assert not (part.fit & part.held_out)
        assert not (part.inner & part.held_out)
    assert frozenset.union(*(part.held_out for part in cases.parts)) == everybody


def test_folds_of_the_set_come_first(changed_set: Callable[..., Path]) -> None:
    folds = ["a" if patient < 6 else "b" for patient in range(PATIENTS)]
    folder = changed_set(folds=folds)
    assert {part.fold: len(part.held_out) for part in cases_of(folder).parts} == {"a": 6, "b": 6}
    with pytest.raises(FoldError, match=r"--folds 3: recordings\.csv has 2 folds"):
        cases_of(folder, folds=3)


def test_a_patient_in_two_folds_is_refused(changed_set: Callable[..., Path]) -> None:
    folder = changed_set(folds=[str(patient % 3) for patient in range(PATIENTS)])
    table = folder / "recordings.csv"
    table.write_text(
        table.read_text().replace("V001,person00,videos/V001.mp4,,0", "V001,person00,videos/V001.mp4,,1")
    )
    with pytest.raises(ValueError, match=r"person00.*fold"):
        cases_of(folder)


def test_protected_patients_are_nowhere(changed_set: Callable[..., Path]) -> None:
    splits = ["train"] * 8 + ["test", "test", "confirm", "confirm"]
    folds = [str(patient % 2) for patient in range(PATIENTS)]
    cases = cases_of(changed_set(splits=splits, folds=folds), (CHANCE,))
    allowed = {f"person{patient:02}" for patient in range(8)}
    assert set(cases.fold_of_patient) == allowed == {each.patient_id for each in cases.windows}
    assert all(part.fit | part.inner | part.held_out == allowed for part in cases.parts)
    told = "\n".join(cases.notes)
    assert "4 recordings of the split test left out" in told
    assert "4 recordings of the split confirm" in told


def test_what_cannot_be_learned_is_told(bright_set: Path, changed_set: Callable[..., Path]) -> None:
    cases = cases_of(
        bright_set, (BRIGHT, "figure4", "ictal_vocalization", "oral_automatisms"), folds=3, least=4
    )
    assert cases.features == (BRIGHT,)
    told = "\n".join(cases.notes)
    assert "figure4: 3 patients with it, fewer than 4" in told
    assert "ictal_vocalization: heard, not seen" in told
    assert "oral_automatisms: 0 patients with it" in told
    one_class = changed_set(folds=["odd" if patient % 2 else "even" for patient in range(PATIENTS)])
    with pytest.raises(CasesError, match="nobody with it to learn from where fold odd is left out"):
        cases_of(one_class, (BRIGHT,))


def test_windows_take_their_labels_from_annotated_times(tmp_path: Path, bright_set: Path) -> None:
    recording = replace(read_recording_set(bright_set).recordings[0], video_id="v", patient_id="p")
    timed = Annotation("v", "tonic", "yes", 2.2, 3.1)
    untimed = Annotation("v", "clonic", "yes")
    sleep = Annotation("v", "occur_during_sleep", "yes")
    brief = Annotation("v", "eye_blinking", "yes", 0.2, 0.4)
    unknown = Annotation("v", "figure4", "na")
    others: list[Recording] = [replace(recording, video_id=f"w{n}", patient_id=f"q{n}") for n in range(5)]
    absent = [
        Annotation(each.video_id, name, "no" if n % 2 else "yes")
        for n, each in enumerate(others)
        for name in ("tonic", "clonic", "occur_during_sleep", "eye_blinking", "figure4")
    ]
    whole = RecordingSet(
        tmp_path, "s", "1", (recording, *others), (timed, untimed, sleep, brief, unknown, *absent), {}
    )
    plan = plan_of(whole, replace(STANDARD, window_s=2.0, overlap_s=0.0))
    names = ("tonic", "clonic", "occur_during_sleep", "eye_blinking", "figure4")
    seed = next(s for s in range(50) if _learnable(plan, names, s))
    cases = make_cases(plan, names, RECIPE, folds=2, seed=seed, least=2)
    own = [place for place, each in enumerate(cases.windows) if each.video_id == "v"]
    # A film of four seconds: two segments of two parts of one second each.
    found = {name: cases.labels[own, column].tolist() for column, name in enumerate(cases.features)}
    assert found["tonic"] == [0, 0, 1, 0]
    assert found["clonic"] == [1, 1, 1, 1]
    assert found["occur_during_sleep"][:2] == [1, 1]
    assert np.isnan(found["occur_during_sleep"][2:]).all()
    assert found["eye_blinking"] == [1, 0, 0, 0]
    assert np.isnan(found["figure4"]).all()
    as_published = make_cases(
        plan, names, replace(RECIPE, annotated_times=False), folds=2, seed=seed, least=2
    )
    assert as_published.labels[own, 0].tolist() == [1, 1, 1, 1]


def _learnable(plan: Plan, names: tuple[str, ...], seed: int) -> bool:
    try:
        return make_cases(plan, names, RECIPE, folds=2, seed=seed, least=2).features == names
    except CasesError:
        return False


def test_shuffled_labels_keep_their_shares_and_leave_the_held_out_alone(bright_set: Path) -> None:
    cases = cases_of(bright_set, folds=3)
    part = cases.parts[0]
    labels = shuffled(cases, part, 1)
    training, held = cases.places(part.fit | part.inner), cases.places(part.held_out)
    assert np.array_equal(labels[held], cases.labels[held])
    assert not np.array_equal(labels[training], cases.labels[training])
    assert labels[training].sum(0).tolist() == cases.labels[training].sum(0).tolist()
    by_video: dict[str, set[tuple[float, ...]]] = {}
    for place in training:
        by_video.setdefault(cases.windows[place].video_id, set()).add(tuple(labels[place]))
    assert all(len(found) == 1 for found in by_video.values())
