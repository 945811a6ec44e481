"""A transcript comes back as it was written; what is no transcript is refused with its place."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semiology.enhancements.speech.transcript_file import (
    TranscriptError,
    Utterance,
    Word,
    read_transcript,
    write_transcript,
)

SAID = (
    Utterance(
        1.5,
        2.25,
        "hello there",
        (Word(1.5, 1.9, "hello", 0.9), Word(2.0, 2.25, "there", 0.8)),
        None,
        -0.25,
        0.1,
        0.9,
    ),
    Utterance(4.0, 4.5, "«nein», sagt er", (), None, None, None, None),
)

HEAD = '{"format": "semiology-transcript", "format_version": 1, '


def test_written_and_read_is_the_same(tmp_path: Path) -> None:
    write_transcript(tmp_path / "t.json", SAID[::-1], {"model": "packaged", "language": "en"})
    assert read_transcript(tmp_path / "t.json") == SAID
    whole = json.loads((tmp_path / "t.json").read_text(encoding="utf-8"))
    assert whole["model"] == "packaged"
    assert [each["start_s"] for each in whole["segments"]] == [4.0, 1.5]


def test_a_table_with_speakers_is_read(tmp_path: Path) -> None:
    table = 'start_s,end_s,speaker,text\n7.80,9.70,caregiver,"Can you, please,\n tell me?"\n1,2,,Yes\n'
    (tmp_path / "t.csv").write_text("\ufeff" + table, encoding="utf-8")
    assert read_transcript(tmp_path / "t.csv") == (
        Utterance(1.0, 2.0, "Yes"),
        Utterance(7.8, 9.7, "Can you, please, tell me?", speaker="caregiver"),
    )


def test_a_simulated_transcript_is_read(simulated_set: Path) -> None:
    files = sorted((simulated_set / "transcripts").glob("*.csv"))
    found = [item for file in files for item in read_transcript(file)]
    assert found
    assert {item.speaker for item in found} <= {"patient", "caregiver"}


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{broken", r"t\.txt:1: broken JSON"),
        ('{"format": "other"}', "not a transcript of this version"),
        ('{"format": "semiology-transcript", "format_version": 9}', "not a transcript of this version"),
        (
            HEAD + '"segments": [{"start_s": 1, "end_s": 2}]}',
            r"t\.txt, segment 1 lacks times, text or words",
        ),
        (
            HEAD + '"segments": [{"start_s": 3, "end_s": 2, "text": "x", "words": []}]}',
            r"t\.txt, segment 1: from 3 to 2 s",
        ),
        ("start_s,text\n1,hello\n", r"t\.txt:1: no column end_s"),
        ("start_s,end_s,text\n1,2,a\n2,nan,b\n", r"t\.txt:3: from '2' to 'nan' s"),
        ("start_s,end_s,text\n1\n", r"t\.txt:2: from '1' to None s"),
        ("", "no column"),
    ],
)
def test_what_is_no_transcript_is_refused(tmp_path: Path, content: str, told: str) -> None:
    (tmp_path / "t.txt").write_text(content, encoding="utf-8")
    with pytest.raises(TranscriptError, match=told):
        read_transcript(tmp_path / "t.txt")


def test_another_encoding_is_named(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_bytes("start_s,end_s,text\n1,2,für\n".encode("latin-1"))
    with pytest.raises(TranscriptError, match="UTF-8"):
        read_transcript(tmp_path / "t.csv")
