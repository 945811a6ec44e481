"""What a run says about itself: true numbers, few lines in a log, silence where silence is asked for."""

from __future__ import annotations

import io
import re

import pytest

from semiology.render.progress import RunProgress, clock, is_quiet


class Clock:
    def __init__(self) -> None:
        self.time = 100.0

    def __call__(self) -> float:
        return self.time


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def not_quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SEMIOLOGY_QUIET", "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TERM", "xterm")


def test_the_rest_is_estimated_from_what_the_model_answered_itself() -> None:
    now = Clock()
    with RunProgress(120, 3, stream=io.StringIO(), now=now) as progress:
        assert progress.tally.remaining_s is None
        progress.answered(60, from_journal=True)
        assert progress.tally.remaining_s is None
        now.time += 10
        progress.answered(20)
        assert progress.tally.rate == pytest.approx(2.0)
        assert progress.tally.remaining_s == pytest.approx(20.0)
        now.time += 20
        progress.answered(40)
        assert progress.tally.remaining_s == 0


def test_a_log_gets_one_line_every_half_minute_and_one_at_the_end() -> None:
    now, log = Clock(), io.StringIO()
    with RunProgress(240, 2, stream=log, now=now) as progress:
        for number in range(240):
            now.time += 1
            progress.answered(from_journal=number < 40)
            if number == 119:
                progress.segment_done()
        progress.segment_done()
    lines = log.getvalue().splitlines()
    assert len(lines) == 8 + 1
    assert lines[4].startswith(
        "segments 1/2, questions 150/240, 0.73 questions/s, 40 from the journal, 0:02:30"
    )
    assert lines[-1].startswith("segments 2/2, questions 240/240, 0.83 questions/s")
    assert lines[-1].endswith("0:04:00 elapsed, 0:00:00 left")
    assert "\x1b" not in log.getvalue()


def test_the_number_of_segments_may_be_known_later() -> None:
    log = io.StringIO()
    with RunProgress(2, stream=log, now=Clock()) as progress:
        assert progress.tally.line().startswith("questions 0/2")
        progress.expect(segments=5)
        progress.segment_done()
    assert "segments 1/5" in log.getvalue()


def test_a_terminal_gets_a_bar_with_both_counts() -> None:
    now, screen = Clock(), Terminal()
    with RunProgress(4, 2, stream=screen, now=now) as progress:
        progress.answered(1, from_journal=True)
        now.time += 4
        progress.answered(2)
        progress.segment_done()
    shown = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", screen.getvalue())
    last = shown.splitlines()[-2:]
    assert "segments" in last[0]
    assert "1/2" in last[0]
    assert "questions" in last[1]
    assert "3/4" in last[1]
    assert "0.50/s, 1 from the journal, 0:00:02 left" in last[1]
    assert "elapsed" not in shown


def test_a_run_that_does_not_know_its_segments_shows_its_questions_alone() -> None:
    screen = Terminal()
    with RunProgress(4, stream=screen, now=Clock()) as progress:
        progress.answered(3)
    assert "3/4" in screen.getvalue()
    assert "segments" not in screen.getvalue()


@pytest.mark.parametrize("stream", [io.StringIO, Terminal])
@pytest.mark.parametrize(("rank", "quiet"), [(1, ""), (0, "1")])
def test_other_ranks_and_quiet_runs_say_nothing(
    stream: type[io.StringIO], rank: int, quiet: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMIOLOGY_QUIET", quiet)
    now, screen = Clock(), stream()
    with RunProgress(2, 1, rank=rank, stream=screen, now=now) as progress:
        now.time += 100
        progress.answered(2)
        progress.segment_done()
    assert screen.getvalue() == ""
    assert progress.tally.answered == 2


@pytest.mark.parametrize(
    ("value", "rank", "quiet"), [("", 0, False), ("0", 0, False), ("1", 0, True), ("", 3, True)]
)
def test_quiet(value: str, rank: int, quiet: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SEMIOLOGY_QUIET", value)
    assert is_quiet(rank) is quiet


def test_a_run_that_breaks_off_says_how_far_it_came() -> None:
    log = io.StringIO()

    def run() -> None:
        with RunProgress(10, 1, stream=log, now=Clock()) as progress:
            progress.answered(3)
            raise RuntimeError("out of memory")

    with pytest.raises(RuntimeError):
        run()
    assert "questions 3/10" in log.getvalue()


def test_durations_read_as_clock_times() -> None:
    assert [clock(seconds) for seconds in (0, 59.6, 3599, 3661, 90_000)] == [
        "0:00:00", "0:01:00", "0:59:59", "1:01:01", "25:00:00"
    ]  # fmt: skip
