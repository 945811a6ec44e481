"""What the tasks ask: a row per window and question, the frames of the stride, and nothing that tells the answer."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
import yaml

from semiology.backends.shared_prefix.frames import VideoFacts
from semiology.backends.shared_prefix.questions import medium_of
from semiology.backends.shared_prefix.sampling import Sampling, pick_as_qwen
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import probe
from semiology.data.problems import SettingsError
from semiology.data.strokerehab.sampling import Sampling as Windows
from semiology.data.strokerehab.sampling import windows
from semiology.data.strokerehab.simulate import Look, write_video
from semiology.strokerehab import ITEMS
from semiology.tasks.strokerehab import documents, scores
from semiology.tasks.strokerehab.availability import check_rehab_tasks
from semiology.tasks.strokerehab.documents import build_documents
from semiology.tasks.strokerehab.messages import doc_to_messages, doc_to_visual
from semiology.tasks.strokerehab.settings import read_rehab_settings
from semiology.tasks.strokerehab.targets import study_plan
from semiology.tasks.strokerehab.task_list import GROUP, MEASURES, TASKS, asked_tasks

FOLDER = Path(documents.__file__).parent


def test_every_task_has_its_yaml_and_stands_in_the_group() -> None:
    group = yaml.safe_load((FOLDER / "strokerehab.yaml").read_text())
    assert group["group"] == GROUP
    assert group["task"] == list(TASKS)
    for name, task in TASKS.items():
        text = (FOLDER / f"{name}.yaml").read_text()
        assert f"task: {name}\n" in text
        assert f"metrics_of_{task.part}" in text
        assert f"questions_of_{name}" in text
        long = name.startswith(("strokerehab_identification", "strokerehab_ia4"))
        assert ("max_new_tokens: 512" in text) == long
    # No group may begin like a task: a glob of tasks would run it twice.
    assert not GROUP.startswith("strokerehab_")
    assert asked_tasks([GROUP]) == tuple(TASKS)
    assert asked_tasks(["strokerehab_counting"]) == ("strokerehab_counting",)


def test_both_questions_on_a_window_follow_each_other_with_its_true_times(study: Path) -> None:
    rows = build_documents("strokerehab_primitives_3", read_rehab_settings())
    assert [row["question_id"] for row in rows[:4]] == ["motion", "grasp", "motion", "grasp"]
    assert rows[0]["start_s"] == 0
    assert rows[0]["end_s"] == rows[2]["start_s"] == pytest.approx(16 / 30)
    assert len({row["video_id"] for row in rows}) == 4
    assert {row["hand"] for row in rows} <= {"LEFT", "RIGHT"}
    assert all(row["hand"] in row["question"] for row in rows)
    # The labels stand once per video.
    assert sum(bool(row["truth_runs"]) for row in rows) == 4


def test_nothing_that_is_sent_tells_subject_or_activity(study: Path) -> None:
    for name in TASKS:
        for row in build_documents(name, read_rehab_settings()):
            sent = json.dumps(doc_to_messages(row))
            assert row["subject"] not in sent
            assert row["video_id"] not in sent
            if row["part"] != "identification":
                assert "rtt" not in sent.lower()


@pytest.mark.parametrize(("fps", "suffix"), [(20.2, ".avi"), (30.0, ".mkv"), (60.0, ".mp4"), (100.0, ".mp4")])
def test_exactly_the_frames_of_the_stride_are_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fps: float, suffix: str
) -> None:
    root = tmp_path / "odd"
    write_video(
        root,
        "S1_feeding1_1",
        "feeding",
        "right",
        [("idle", 75), ("reach", 70)],
        Look((160, 104), fps, suffix),
    )
    monkeypatch.setenv("STROKEREHAB_ROOT", str(root))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    info = probe(next(root.rglob(f"*{suffix}")))
    rows = build_documents("strokerehab_primitives_2", read_rehab_settings())
    expected = windows(info.frames, info.fps, Windows(8, 15))
    assert len(rows) == len(expected)
    for row, window in zip(rows, expected, strict=True):
        video = medium_of(doc_to_messages(row)[0]["content"][0])
        # Whatever the model's own arguments are.
        for sampling in (Sampling(), Sampling(fps=2.0), Sampling(max_num_frames=4)):
            picked = pick_as_qwen(video, VideoFacts(info.frames, info.fps), sampling, cap_with_fps=False)
            even = window.numbers[: len(window.numbers) // 2 * 2]
            if len(even) == len(window.numbers):
                assert picked.numbers == window.numbers
            else:  # Qwen's models take pairs of frames
                assert len(picked.numbers) == max(2, len(even))


def test_a_clip_holds_the_frames_of_its_window(study: Path) -> None:
    rows = build_documents("strokerehab_primitives_2", read_rehab_settings())
    assert probe(Path(doc_to_visual(rows[1])[0])).frames == rows[1]["frames"] == 8
    (part, _) = doc_to_messages(rows[1], {"window": "clip"})[0]["content"]
    assert "start_time" not in part


def test_identification_and_counting_choose_their_videos(study: Path) -> None:
    settings = read_rehab_settings()
    asked = build_documents("strokerehab_identification_1", settings)
    assert [row["frames"] for row in asked] == [8] * 4
    assert {row["truth"] for row in asked} == {"drinking", "rtt exercise"}
    assert {row["activity"] for row in build_documents("strokerehab_counting", settings)} == {"rtt exercise"}


def test_items_are_asked_on_their_view_and_the_timed_one_on_both_arms(study: Path) -> None:
    settings = read_rehab_settings()
    tree = build_documents("strokerehab_ia2_3_30", settings)
    assert {row["item"] for row in tree} == set(ITEMS) - {31, 32, 33}
    assert all(row["laterality"] == "A" for row in tree)
    timed = [row for row in build_documents("strokerehab_ia2_31_33", settings) if row["item"] == 33]
    assert {(row["kind"], row["laterality"]) for row in timed} == {
        ("knee", "A"), ("nose", "A"), ("knee", "H"), ("nose", "H"),
    }  # fmt: skip
    assert len([row for row in tree if row["rated"]]) == 2  # once per subject
    assert len(build_documents("strokerehab_ia4_3_30", settings)) == 2 * 27


def test_all_wordings_are_asked_of_one_window_together(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_REHAB_PROMPT", "all")
    rows = build_documents("strokerehab_primitives_3", read_rehab_settings())
    assert [row["prompt_id"] for row in rows[:6]] == ["reference", "short", "layperson"] * 2
    assert len({row["start_s"] for row in rows[:6]}) == 1
    monkeypatch.setenv("SEMIOLOGY_REHAB_SAMPLING", "15_4")
    assert {
        row["frames"] for row in build_documents("strokerehab_primitives_2", read_rehab_settings())[:4]
    } == {4}


@pytest.mark.parametrize(
    ("name", "value", "part"),
    [
        ("STROKEREHAB_ROOT", "/nowhere", "no such folder"),
        ("SEMIOLOGY_REHAB_SPLIT", "train", "tune"),
        ("SEMIOLOGY_REHAB_PROFILE", "loose", "paper"),
        ("SEMIOLOGY_REHAB_SAMPLING", "fast", "FPS_FRAMES"),
        ("SEMIOLOGY_REHAB_PROMPT", "referense", "reference"),
    ],
)
def test_choices_that_are_not_understood_say_how(
    study: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: str, part: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=part):
        build_documents("strokerehab_counting", read_rehab_settings())


def test_what_cannot_be_asked_says_what_is_missing(
    study: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SEMIOLOGY_REHAB_SPLIT", "tune")
    with pytest.raises(SettingsError, match="fm_scores"):
        documents.questions("strokerehab_ia2_3_30")
    monkeypatch.delenv("STROKEREHAB_ROOT")
    with pytest.raises(SettingsError, match="simulate-strokerehab"):
        read_rehab_settings()
    with pytest.raises(AttributeError, match="questions_of_strokerehab_counting"):
        _ = documents.questions_of_strokerehab_countin
    assert {row["metric"] for row in scores.metrics_of_counting} == {"strokerehab", *MEASURES["counting"]}


def test_a_subject_in_both_splits_ends_the_run(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(study, root)
    with (root / "subjects.csv").open("a") as file:
        file.write("S90001,S,R,R,30,,tune\n")
    monkeypatch.setenv("STROKEREHAB_ROOT", str(root))
    with pytest.raises(SettingsError, match="S90001 stand in both splits"):
        check_rehab_tasks(["strokerehab_counting"])


def test_tasks_that_cannot_be_asked_are_told_with_what_they_need(
    study: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "copy"
    shutil.copytree(study, root)
    shutil.rmtree(root / "fm_clips")
    shutil.rmtree(root / "labels")
    (next(root.rglob("*drinking*.mp4"))).write_bytes(b"damaged")
    monkeypatch.setenv("STROKEREHAB_ROOT", str(root))
    missing, remarks = check_rehab_tasks(list(TASKS))
    assert set(TASKS) - missing.keys() == {"strokerehab_identification_1", "strokerehab_identification_2"}
    assert "labels/" in missing["strokerehab_primitives_3"]
    assert any("drinking" in remark for remark in remarks)


def test_black_frames_keep_size_rate_and_windows(study: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = read_rehab_settings()
    films = build_documents("strokerehab_primitives_2", settings)
    monkeypatch.setenv("SEMIOLOGY_REHAB_BLACK", "1")
    black = build_documents("strokerehab_primitives_2", read_rehab_settings())
    assert [(row["start_s"], row["frames"], row["video_id"]) for row in black] == [
        (row["start_s"], row["frames"], row["video_id"]) for row in films
    ]
    info, own = probe(Path(black[0]["video"])), probe(Path(films[0]["video"]))
    assert (info.frames, info.fps, info.width, info.height) == (own.frames, own.fps, own.width, own.height)
    assert read_frames(Path(black[0]["video"]), [0.0, info.duration_s / 2]).max() < 8
    assert documents.description("strokerehab_primitives_2")["pictures"] == "black"


def test_only_the_films_that_are_asked_about_are_opened(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "many"
    for rep in (1, 2, 3):
        write_video(
            root, f"S1_feeding{rep}_1", "feeding", "right", [("idle", 20), ("reach", 20)], Look((160, 104))
        )
    next(root.rglob("*feeding1_1.mp4")).write_bytes(b"damaged")
    monkeypatch.setenv("STROKEREHAB_ROOT", str(root))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    settings = read_rehab_settings()
    # The first cannot be used, the second is asked about, nobody looks at the third.
    assert {row["video_id"] for row in build_documents("strokerehab_primitives_2", settings)} == {
        "S1_feeding2_1"
    }
    known = json.loads((tmp_path / "cache" / "media_probes.json").read_text())
    assert [key for key in known if "feeding3" in key] == []
    assert any("feeding1" in str(problem) for problem in study_plan(settings).study.problems)


def test_films_in_which_readers_by_number_go_astray_are_cut_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = tmp_path / "narrow"
    write_video(root, "S1_feeding1_1", "feeding", "right", [("idle", 20), ("reach", 20)], Look((96, 64)))
    monkeypatch.setenv("STROKEREHAB_ROOT", str(root))
    monkeypatch.setenv("SEMIOLOGY_CACHE", str(tmp_path / "cache"))
    row = build_documents("strokerehab_primitives_2", read_rehab_settings())[0]
    assert row["cut_first"]
    (part, _) = doc_to_messages(row)[0]["content"]
    assert part["frames"] == probe(Path(part["url"])).frames == 8
