"""The training stages are deterministic, learn, and measure what they say."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from sklearn.metrics import f1_score

from semiology.features import VISUAL_FEATURES
from semiology.prompts.library import load_library
from semiology.tools.embedded_models.material import patient_scripts
from semiology.tools.embedded_models.packing import block_mask, stack
from semiology.tools.embedded_models.sees import (
    answering,
    architecture,
    clip_pool,
    evaluate,
    packing,
    questions,
    tower,
)
from semiology.tools.embedded_models.sees.architecture import train_tokenizer
from semiology.tools.embedded_models.training import Schedule


def reply_word(reply: str) -> str:
    return str(json.loads(reply)["answer"]) if reply.startswith("{") else reply


SILENT = lambda _: None  # noqa: E731


@pytest.fixture(scope="module")
def pool(tmp_path_factory: pytest.TempPathFactory) -> clip_pool.Pool:
    directory = tmp_path_factory.mktemp("pool")
    return clip_pool.Pool(list(clip_pool.build_pool(directory, "train", range(2), recordings=1, windows=2)))


@pytest.fixture(scope="module")
def wordings() -> dict[str, questions.Wordings]:
    return questions.split_wordings(load_library())


def fresh(wordings: dict[str, questions.Wordings], seed: int = 0) -> tuple[Any, answering.Questioner]:
    tokenizer = train_tokenizer(questions.training_texts(wordings))
    model = architecture.build_model(tokenizer, seed)
    processor = architecture.build_processor(tokenizer)
    return model, answering.Questioner(model, processor)


def test_a_pool_holds_the_frames_and_labels_of_its_windows(pool: clip_pool.Pool) -> None:
    assert len(pool) == 4
    assert pool.grid == (12, 16)
    for index, count in enumerate(pool.counts):
        assert pool.frames(index).shape == (count, 168, 224, 3)
        assert pool.pair_labels[index].shape == (count // 2, len(VISUAL_FEATURES))
    frames, points, labels = pool.sample_pairs(np.random.default_rng(0), 5)
    assert frames.shape == (10, 168, 224, 3)
    assert points.shape == (5, 80)
    assert labels.shape == (5, 18)
    assert np.isfinite(points).all()


def test_an_empty_pool_says_what_to_do() -> None:
    with pytest.raises(ValueError, match="render some patients"):
        clip_pool.Pool([])


def test_a_patient_renders_to_the_same_labels_and_frames_again(pool: clip_pool.Pool, tmp_path: Path) -> None:
    path = tmp_path / "again.npz"
    clip_pool.render_patient(path, "train", 0, recordings=1, windows=2)
    again = clip_pool.Pool([path])
    np.testing.assert_array_equal(again.frames(0), pool.frames(0))
    np.testing.assert_array_equal(again.window_labels, pool.window_labels[:2])


@pytest.mark.parametrize("duration_s", [35.0, 42.3, 55.1, 60.0, 100.0])
def test_protocol_windows_take_the_frames_that_the_stock_reader_takes(duration_s: float) -> None:
    from qwen_vl_utils.vision_process import calculate_video_frame_range, smart_nframes

    from semiology.data.windows.sliding import SlidingWindow

    total = round(duration_s * 30)
    windows = clip_pool.sliding_windows(duration_s)
    segments = SlidingWindow().segments(duration_s)
    assert len(windows) == len(segments)
    for window, segment in zip(windows, segments, strict=True):
        first, last, held = calculate_video_frame_range(
            {"video_start": segment.start_s, "video_end": segment.end_s}, total, 30.0
        )
        count = smart_nframes({"fps": 2}, total_frames=held, video_fps=30.0)
        expected = torch.linspace(first, last, count).round().numpy() / 30
        assert window.frames == count
        np.testing.assert_allclose(window.times(), expected, atol=1 / 30 + 1e-6)


def test_held_out_wordings_are_never_trained_on(wordings: dict[str, questions.Wordings]) -> None:
    assert set(wordings) == set(VISUAL_FEATURES)
    trained = set(questions.training_texts(wordings))
    for feature, split in wordings.items():
        assert len(split.unseen) == 2
        assert not trained & set(split.unseen), feature


def test_balanced_questions_never_repeat_within_a_window_and_even_out_the_answers() -> None:
    rng = np.random.default_rng(0)
    prevalence = np.full(18, 0.15)
    labels = rng.random((4000, 18)) < prevalence
    asked = questions.balanced_features(labels, prevalence, 3, rng, balance=1.0)
    assert all(len(set(row)) == 3 for row in asked)
    share = np.take_along_axis(labels, asked, 1).mean()
    plain = questions.balanced_features(labels, prevalence, 3, rng, balance=0.0)
    assert abs(np.take_along_axis(labels, plain, 1).mean() - 0.15) < 0.02
    assert 0.3 < share < 0.6


def test_three_steps_of_every_stage_repeat_exactly_with_a_seed(
    pool: clip_pool.Pool, wordings: dict[str, questions.Wordings]
) -> None:
    schedule = Schedule(steps=3, batch=2, rate=1e-3, seed=5)

    def run() -> list[float]:
        model, asker = fresh(wordings)
        losses = tower.train_tower(model, pool, schedule, SILENT)
        tokens = tower.cache_tokens(model, pool, SILENT)
        watcher = answering.Watcher(192)
        source = questions.QuestionSource(wordings)
        stage = answering.LanguageStage(asker, source, watcher, pool, tokens)
        losses += stage.train(schedule, answering.Asking(questions=0), SILENT)
        return losses + stage.train(schedule, answering.Asking(questions=3, reference=0.5), SILENT)

    first = run()
    assert len(first) == 9
    assert np.isfinite(first).all()
    assert run() == first


def test_answers_with_a_resting_prefix_have_the_logits_of_the_whole_row(
    pool: clip_pool.Pool, wordings: dict[str, questions.Wordings]
) -> None:
    model, asker = fresh(wordings)
    prefix = asker.prefix(8, pool.grid)
    source = questions.QuestionSource(wordings)
    blocks = [asker.block(source.reference(feature), True) for feature in range(4)]
    rows = [packing.pack(prefix, blocks[i:]) for i in (0, 1)]
    batch = stack(rows, asker.pad)
    tokens = torch.randn(2, int(prefix.video.sum()), 192, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        short, probe = packing.answer_logits(model, prefix, batch, tokens, probe_depth=2)
        embedded = packing.embed(model, batch.ids, prefix.video, tokens)
        states = packing.decode_layers(model, embedded, batch.positions, block_mask(batch.block))
        whole = model.lm_head(states[-1])[batch.labels != packing.IGNORED]
    torch.testing.assert_close(short, whole, atol=1e-4, rtol=1e-4)
    asked = batch.labels != packing.IGNORED
    torch.testing.assert_close(probe, states[1][asked], atol=1e-4, rtol=1e-4)


def test_a_shifted_answer_loss_moves_where_yes_wins(wordings: dict[str, questions.Wordings]) -> None:
    model, asker = fresh(wordings)
    source = questions.QuestionSource(wordings)
    blocks = [asker.block(source.reference(0), True), asker.block(source.reference(1), False)]
    logits = torch.zeros(4, model.config.text_config.vocab_size)
    plain = answering.answer_losses(logits, blocks, shift=None)
    shifted = answering.answer_losses(logits, blocks, shift=np.array([1.0, 0.0]))
    assert shifted["answer"] < plain["answer"]
    assert shifted["form"] == plain["form"]


def test_drawn_questions_ask_in_every_format_and_negated_ones_turn_the_reply(
    wordings: dict[str, questions.Wordings],
) -> None:
    _, asker = fresh(wordings)
    source, rng = questions.QuestionSource(wordings), np.random.default_rng(0)
    unseen = {text for split in wordings.values() for text in split.unseen}
    drawn = [source.draw(feature, rng) for feature in range(18) for _ in range(40)]
    assert not unseen & {question.text for question in drawn}
    assert {question.negated for question in drawn} == {True, False}
    for question in drawn:
        word = reply_word(question.replies[0])
        assert word == ("no" if question.negated else "yes")
        assert reply_word(question.replies[1]) == ("yes" if question.negated else "no")
    in_json = [question for question in drawn if question.replies[0].startswith("{")]
    assert len(in_json) > 40
    block = asker.block(in_json[0], True)
    tokenizer = asker.processor.tokenizer
    assert tokenizer.decode(block.answer[:-1]) == in_json[0].replies[0]
    assert block.yes_no[0] != block.yes_no[1]


def test_replies_that_cannot_be_told_apart_are_refused(wordings: dict[str, questions.Wordings]) -> None:
    _, asker = fresh(wordings)
    with pytest.raises(ValueError, match="cannot be told apart"):
        asker.block(questions.Question("Is it?", ("same", "same")), True)


def test_the_training_tower_gives_the_tokens_of_the_stock_tower(
    pool: clip_pool.Pool, wordings: dict[str, questions.Wordings]
) -> None:
    model, _ = fresh(wordings)
    patches, grid = tower.patchify(pool.frames(0)[:6])
    with torch.no_grad():
        stock = tower.visual_tokens(model, patches, grid)
        fast = tower.tower_in_one_batch(model, patches, grid)
    assert stock.shape == (3, 12, 192)
    torch.testing.assert_close(fast, stock, atol=1e-4, rtol=1e-4)


class Recordings:
    """Two recordings of two and three windows, as the evaluation sees a pool."""

    recordings = np.array([0, 0, 1, 1, 1])
    indices = np.array([0, 1, 0, 1, 2])
    patients = np.array([0, 0, 1, 1, 1])
    truths = np.zeros((5, 18), dtype=bool)

    def __len__(self) -> int:
        return 5


def test_a_recording_is_yes_if_any_window_is_and_sleep_counts_in_the_first_only() -> None:
    said = np.zeros((5, 18), dtype=bool)
    sleep, tonic = VISUAL_FEATURES.index("occur_during_sleep"), VISUAL_FEATURES.index("tonic")
    said[1, [sleep, tonic]] = True
    said[2, sleep] = True
    _, answers = evaluate.recording_answers(Recordings(), said)  # type: ignore[arg-type]
    assert answers[:, tonic].tolist() == [True, False]
    assert answers[:, sleep].tolist() == [False, True]


class EightyRecordings(Recordings):
    """Eighty recordings of forty patients, one window each."""

    recordings = np.arange(80)
    indices = np.zeros(80, dtype=int)
    patients = np.repeat(np.arange(40), 2)
    truths = np.random.default_rng(0).random((80, 18)) < 0.4

    def __len__(self) -> int:
        return 80


def test_a_report_has_the_scores_of_the_package_and_no_interval_for_few_positive_patients() -> None:
    pool = EightyRecordings()
    pool.truths = pool.truths.copy()  # type: ignore[misc]
    pool.truths[:, 0] = pool.patients < 4
    wrong = np.random.default_rng(1).random((80, 18)) < 0.1
    result = evaluate.report(pool, np.where(pool.truths ^ wrong, 1.0, -1.0), "a test")  # type: ignore[arg-type]
    answers = pool.truths ^ wrong
    assert (result["recordings"], result["patients"]) == (80, 40)
    assert result["features"][0]["f1_interval"] is None
    for column, feature in enumerate(result["features"]):
        f1 = f1_score(pool.truths[:, column], answers[:, column], zero_division=0.0)
        assert feature["f1"] == pytest.approx(f1)
        assert feature["precision"] == pytest.approx(pool.truths[answers[:, column], column].mean())
        if column:
            assert feature["f1_interval"][0] <= f1 <= feature["f1_interval"][1]
    low, high = result["macro_f1_interval"]
    assert 0.7 < low < result["macro_f1"] < high < 1.0
    assert f"| tonic | {result['features'][5]['positive']}/80 |" in evaluate.table(result)


def test_the_best_threshold_separates_what_can_be_separated() -> None:
    class Pool(Recordings):
        recordings = np.arange(40)
        indices = np.zeros(40, dtype=int)
        patients = recordings
        truths = np.repeat((np.arange(40) < 12)[:, None], 18, axis=1)

        def __len__(self) -> int:
            return 40

    margins = np.where(Pool.truths, 5.0, 3.0) + np.random.default_rng(0).normal(0, 0.1, (40, 18))
    thresholds = evaluate.best_thresholds(Pool(), margins, pull=0.0)  # type: ignore[arg-type]
    assert ((thresholds > 3.0) & (thresholds < 5.0)).all()


def test_harmless_behaviour_costs_what_its_false_alarms_take_from_f1() -> None:
    pool = Recordings()
    turn = VISUAL_FEATURES.index("head_turning")
    pool.truths = np.zeros((5, 18), dtype=bool)  # type: ignore[misc]
    pool.truths[2:, turn] = True
    pool.window_labels = np.zeros((5, 18), dtype=bool)  # type: ignore[attr-defined]
    pool.window_labels[3, turn] = True  # type: ignore[attr-defined]
    answers = np.zeros((5, 18), dtype=bool)
    answers[[1, 3], turn] = True
    behaviour = np.zeros((5, 18), dtype=bool)
    behaviour[[0, 1], turn] = True
    found = {f["feature"]: f for f in evaluate.hard_negatives(pool, answers, behaviour)}  # type: ignore[arg-type]
    cost = found["head_turning"]
    # Window 1 of the recording without the feature is a false alarm: precision 1/2, recall 1.
    assert (cost["windows"], cost["others"]) == (2, 2)
    assert (cost["false_alarms"], cost["other_false_alarms"]) == (0.5, 0.0)
    assert cost["f1"] == pytest.approx(2 / 3)
    assert cost["f1_without"] == 1.0
    with pytest.raises(ValueError, match="do not match"):
        evaluate.hard_negatives(pool, answers[:3], behaviour)  # type: ignore[arg-type]


def test_behaviour_is_told_per_window_of_the_pool() -> None:
    rows = evaluate.behaviour_windows("heldout", patients=6, recordings=3)
    windows = [
        len(clip_pool.sliding_windows(script.duration_s))
        for patient in range(6)
        for script in patient_scripts("heldout", patient, 3)
    ]
    assert len(rows) == sum(windows)
    named = {VISUAL_FEATURES[column] for column in np.flatnonzero(rows.any(0))}
    assert named == {"limb_automatisms", "oral_automatisms", "head_turning"}
