"""Planted identifiers: none survives in a de-identified set, whatever file, stream or spelling it stands in."""

# ruff: noqa: E501
from __future__ import annotations

import json
import random
import string
import subprocess
import sys
import time
import unicodedata
from pathlib import Path

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from semiology.data.commands import app
from semiology.data.deidentify.audit import STATE, confirm, unclean_reason
from semiology.data.deidentify.deidentify import Choices, deidentify
from semiology.data.deidentify.known_fields import pose_text, transcript_text
from semiology.data.deidentify.presidio import findings_of, presidio
from semiology.data.deidentify.scrubbing import MOST_CHARACTERS, Scrubber
from semiology.data.media.copy_check import check_copy
from semiology.data.media.remux import RemuxError, remux
from semiology.data.media.user_data import cleaner, without_comments, without_sections
from semiology.data.problems import RecordingSetError
from semiology.data.tables.reading import read_recording_set

NAMES = ["Jörg Müßig", "Gundula Mueller"]
FREE_TEXT = [
    # the forms that once survived, and their kin
    "Lindenstrasse 5, 79106 Freiburg", "Berliner Straße 12a", "12 Main Street", "5 rue de la Paix", "Calle Mayor 5",
    "CA 90024", "SW1A 1AA", "Postfach 1234", "age 97", "aged 93", "97-jährige", "91 y/o", "97 years old",
    "siebenundneunzig", "12. März 1984", "3. Dezember 1984", "12-MAR-1984", "12MAR1984", "12 mars 1984",
    "12 de marzo de 1984", "le 3 février 1984", "1984年3月12日", "12 marzo 1984", "12 maart 1984", "March 12th",
    "the twelfth of March nineteen eighty-four", "zwölfter März 1984", "am 12.3.", "born in 1984", "geb. 1984",
    "Jahrgang 84", "né en 1984", "PATC\u200bAN38", "patcan38", "AB12345", "F22/10311", "MRN A-123", "Fallnummer 4711-12",
    "123-45-6789", "DE89 3704 0044 0532 0130 00", "FR-AB 123", "X7K9P2", "+49 761 270 0", "0761/2703456",
    unicodedata.normalize("NFD", "Jörg Müßig"), "Müßigs", "JOERG MUESSIG", "Müller's", "G. Mueller", "Jo\u00adrg", "Jörg\u00a0Müßig",
    "Oberarzt Dr. Gugelhupf", "Schwester Hildegard", "Prof. Dr. med. von Hohenstein", "dr gugelhupf", "Nurse Betty",
    "Frau Kowalski", "Señora García", "Mme Dupont", "M. Dupont", "Gugelhupf, MD", "husband Peter", "Name: Anna Example",
    "um 14 Uhr 30", "14h30", "drei Uhr", "half past ten", "10:32 pm", "https://pacs.uniklinik.example/p/991",
    "www.klinik.de/x", "pacs.local", "192.168.1.10", "\\\\srv\\share\\x", "/home/jdoe/film.mp4", "jane(at)ucla.edu",
    "Universitätsklinikum Freiburg", "Mount Sinai Hospital", "\uff11\uff12.\uff10\uff13.1984",
]  # fmt: skip
KEPT_WORDS = {"the", "patient", "stiffens", "um", "le", "am", "g", "in", "of", "summer"}
CLINICAL = [
    "Both arms extend symmetrically from 12 s to 30 s, Fp1-F7 rhythmic theta",
    "Patient Kopf nach links, Arme und Beine tonisch gestreckt, 15 Sekunden",
    "He may turn; marching; the first tonic phase, then clonic; figure 4, grade 5/5",
    "age 34, 34-year-old woman; 1/2 of the body, 24/7, 12.5 Hz, T3-T5, 400 ms, frame 2010",
    "Nurse asks him to lift the arm; resident asks; I am fine; Doctor enters the room",
    "mar. left, set of arm movements, out of bed, 10 to 12 sec; 5 times, 30 fps; sister enters",
]


@pytest.mark.parametrize("planted", FREE_TEXT)
def test_what_identifies_is_gone_from_free_text(planted: str) -> None:
    scrubbed = Scrubber(["PATCAN38"], NAMES).scrub(f"The patient {planted} stiffens.")
    left = "".join(part.rpartition("]")[2] for part in scrubbed.split("["))
    words = {word.strip(".,").casefold() for word in left.split()}
    assert words <= KEPT_WORDS, scrubbed


@pytest.mark.parametrize("text", CLINICAL)
def test_what_is_seen_stays(text: str) -> None:
    assert Scrubber(["PATCAN38"], NAMES).scrub(text) == text


@pytest.mark.parametrize(
    "unit", [*"a1A-. /\\@:<[(\n\t'é日", "1 ", "a ", "Aa ", "1.", "a@", "a.", "A-", "Dr. ", "von ", "\u200b", "+1 ", "12 Main "]
)  # fmt: skip
def test_a_megabyte_of_anything_takes_less_than_a_second(unit: str) -> None:
    scrubber = Scrubber(["doe_jane_2021"], NAMES)
    before = time.process_time()
    scrubber.scrub(unit * (1_000_000 // len(unit)))
    assert time.process_time() - before < 1


def test_noise_and_prose_take_less_than_a_second_a_megabyte() -> None:
    draw = random.Random(3)
    noise = "".join(draw.choices(string.printable + "äöüß日年", k=1_000_000))
    prose = " ".join(draw.choices(FREE_TEXT + CLINICAL, k=40_000))[:1_000_000]
    for text in (noise, prose):
        before = time.process_time()
        scrubbed = Scrubber(["doe_jane_2021"], NAMES).scrub(text)
        assert time.process_time() - before < 1
        assert scrubbed.endswith("[long]")
        assert len(scrubbed) < 2 * MOST_CHARACTERS


def encoded(path: Path, video: str, sound: str | None, pixels: str = "yuv420p") -> Path:
    with av.open(str(path), "w") as out:
        out.metadata["title"] = "CANTITLE"
        pictures = out.add_stream(video, rate=25)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 48, pixels
        tone = out.add_stream(sound, rate=48000, layout="stereo") if sound else None
        for index in range(30):
            image = np.full((48, 64, 3), index * 8, np.uint8)
            out.mux(pictures.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        out.mux(pictures.encode())
        if tone:
            form = tone.codec_context.format.name
            turn = av.AudioResampler(format=form, layout="stereo", rate=48000)
            size = tone.codec_context.frame_size or 1024
            for start in range(0, 57600, size):
                block = av.AudioFrame.from_ndarray(
                    np.zeros((2, size), np.float32), format="fltp", layout="stereo"
                )
                block.sample_rate, block.pts = 48000, start
                for each in turn.resample(block):
                    out.mux(tone.encode(each))
            out.mux(tone.encode())
    return path


def decoded(path: Path) -> list[bytes]:
    with av.open(str(path)) as container:
        kinds = [stream.index for stream in container.streams if stream.type in ("video", "audio")]
        return [frame.to_ndarray().tobytes() for frame in container.decode(kinds)]


def replant(path: Path, old: bytes, new: bytes = b"CANARY") -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, (new + b"Z" * len(old))[: len(old)]))
    return path


@pytest.mark.parametrize(
    ("name", "video", "sound", "old"),
    [
        ("a.mp4", "libx264", "aac", b"x264 - core"),
        ("a.mkv", "libx264", "libvorbis", b"x264 - core"),
        ("a.mkv", "libx264", "libvorbis", b"Xiph.Org"),
        ("a.webm", "libvpx", "libvorbis", b"Xiph.Org"),
        ("a.ts", "libx264", "aac", b"x264 - core"),
        ("a.m2ts", "libx264", "aac", b"x264 - core"),
        ("a.flv", "libx264", "aac", b"x264 - core"),
        ("a.avi", "mpeg4", "pcm_s16le", b"Lavc6"),
        ("a.3gp", "mpeg4", None, b"Lavc6"),
        ("a.avi", "mjpeg", "pcm_s16le", b"Lavc6"),
        ("a.mov", "mjpeg", "pcm_s16le", b"Lavc6"),
    ],
)
def test_user_data_within_the_streams_is_gone_and_every_picture_stays(
    name: str, video: str, sound: str | None, old: bytes, tmp_path: Path
) -> None:
    source = encoded(tmp_path / name, video, sound, "yuvj420p" if video == "mjpeg" else "yuv420p")
    replant(source, old)
    copied = remux(source, tmp_path / f"out{source.suffix}")
    content = copied.path.read_bytes()
    assert b"CANARY" not in content
    assert b"CANTITLE" not in content
    assert decoded(copied.path) == decoded(source)
    check_copy(source, copied.path)


def test_sections_and_comments_are_found_by_their_marks() -> None:
    stream = b"\0\0\1\xb0\1\0\0\1\xb2CAN\0\0\1\xb2XviD0050\0\0\1\xb6picture"
    assert without_sections(stream, (0xB2,)) == b"\0\0\1\xb0\1\0\0\1\xb2XviD0050\0\0\1\xb6picture"
    picture = b"\xff\xd8\xff\xe1\0\x05CAN\xff\xfe\0\x05CAN\xff\xe0\0\x07JFIF\0\xff\xda\0\x02rest\xff\xd9"
    assert without_comments(picture) == b"\xff\xd8\xff\xe0\0\x07JFIF\0\xff\xda\0\x02rest\xff\xd9"
    with pytest.raises(ValueError, match=r"dvvideo.*convert the file"):
        cleaner("dvvideo")


def test_pose_and_transcripts_keep_numbers_times_and_words(tmp_path: Path) -> None:
    frame = {"version": 1.3, "file": "CAN1", "people": [{"person_id": [-1], "CAN2": [1], "pose_keypoints_2d": [1, 2.5, 0],
             "face_keypoints_2d": ["CAN3"]}], "CAN4": 3}  # fmt: skip
    pose = tmp_path / "p.json"
    pose.write_text(json.dumps(frame))
    assert json.loads(pose_text(pose)) == {
        "version": 1.3,
        "people": [{"person_id": [-1], "pose_keypoints_2d": [1, 2.5, 0]}],
    }
    scrub = Scrubber().scrub
    contents = {
        "a.srt": "CAN\n\n7\n00:00:01,000 --> 00:00:02,500 X1:CAN2\n<font color=CAN3>he turns</font>\n{CAN}\n\nNOTE CAN4\n",
        "a.vtt": "WEBVTT CAN\n\nSTYLE\nCAN\n\nCANCUE\n00:01.000 --> 00:02.500 align:CAN\n<v CAN5>he turns\n",
        "a.csv": "start_s;end_s;speaker;text;CANCOL\n1,0;2,5;CAN6;he turns;CAN\n",
        "a.json": json.dumps({"format": "semiology-transcript", "format_version": 1, "model": "CAN", "segments": [
            {"start_s": 1, "end_s": 2.5, "text": "he turns", "words": [[1, 2, "CAN", 1]], "x": "CAN"}]}),
        "a.txt": "he turns\n",
    }  # fmt: skip
    for name, content in contents.items():
        path = tmp_path / name
        path.write_text(content)
        text = transcript_text(path, scrub)
        assert "CAN" not in text, (name, text)
        assert "he turns" in text
    (tmp_path / "a.docx").write_text("x")
    with pytest.raises(RemuxError, match=r"\.srt, \.vtt"):
        transcript_text(tmp_path / "a.docx", scrub)


@pytest.fixture
def planted_set(tmp_path: Path) -> Path:
    home = tmp_path / "emu"
    (home / "videos").mkdir(parents=True)
    for name in ("Example Anna 1", "Example Anna 2", "Beispiel Bernd"):
        encoded(home / "videos" / f"{name}.mp4", "libx264", None)
    (home / "recordings.csv").write_text(
        "video_id,patient_id,video,split,fold,ward\n"
        "Example Anna 1,Example Anna,videos/Example Anna 1.mp4,train,CANFOLD,CANWARD\n"
        "Example Anna 2,Example Anna,videos/Example Anna 2.mp4,train,CANFOLD,x\n"
        "Beispiel Bernd,Beispiel,videos/Beispiel Bernd.mp4,test,2,x\n"
    )
    (home / "annotations.csv").write_text(
        "video_id,feature,present,justification,rater\n"
        "Example Anna 1,tonic,yes,Anna stiffens on 12. März 1984 beside Schwester Hildegard,CANRATER\n"
        "Beispiel Bernd,tonic,no,,\n"
    )
    (home / "dataset.yaml").write_text(
        "name: CANNAME\nversion: CANVER50\nsource: CANSRC51\nCANKEY53: {CANKEY54: [1]}\nsimulated: true\n"
    )
    return home


def test_ids_that_are_names_are_replaced_and_nothing_unknown_is_kept(
    planted_set: Path, tmp_path: Path
) -> None:
    done = deidentify(planted_set, tmp_path / "out", choices=Choices(seed=1))
    content = b"".join(
        path.read_bytes() + str(path).encode() for path in (tmp_path / "out").rglob("*") if path.is_file()
    )
    for secret in (b"CAN", b"Anna", b"Beispiel", b"1984", b"Hildegard", b"Example"):
        assert secret not in content, secret
    new = read_recording_set(tmp_path / "out")
    assert dict(new.metadata) == {"name": "deidentified", "version": "1", "simulated": True}
    assert {item.split for item in new.recordings} == {"train", "test"}
    assert {item.fold for item in new.recordings} == {"fold_1", "2"}
    (text,) = done.texts
    assert text.text == "[id] stiffens on [date] beside [name]"


def test_a_set_with_texts_is_clean_only_after_somebody_read_them(planted_set: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = deidentify(planted_set, out)
    assert done.audit == tmp_path / "out-texts-to-read.csv"
    assert done.audit.stat().st_mode & 0o077 == 0
    assert unclean_reason(out) == "1 free texts were not read by a person"
    told = CliRunner().invoke(app, ["check", str(out)]).output
    assert "is not clean" in " ".join(told.split())
    wrong = tmp_path / "wrong.csv"
    wrong.write_text(done.audit.read_text().replace("stiffens", "turns"))
    with pytest.raises(RecordingSetError, match="not the list"):
        confirm(out, wrong)
    assert CliRunner().invoke(app, ["confirm-texts", str(out), str(done.audit)]).exit_code == 0
    assert unclean_reason(out) is None
    table = out / "annotations.csv"
    table.write_text(table.read_text().replace("stiffens", "stiffens says Anna"))
    assert unclean_reason(out) == "its free text was changed after it was de-identified"
    deidentify(planted_set, tmp_path / "mute", choices=Choices(texts=False))
    assert unclean_reason(tmp_path / "mute") is None
    assert json.loads((tmp_path / "mute" / STATE).read_text())["texts"] == 0


def test_a_dry_run_writes_nothing_and_tells_what_would_be_kept(planted_set: Path, tmp_path: Path) -> None:
    before = sorted(tmp_path.rglob("*"))
    result = CliRunner().invoke(app, ["deidentify", str(planted_set), str(tmp_path / "out"), "--dry-run"])
    assert result.exit_code == 0
    assert "nothing was kept" in result.output
    assert "stiffens on [date]" in " ".join(result.output.split())
    assert sorted(tmp_path.rglob("*")) == before


def test_a_killed_copy_has_another_name_and_is_no_set(planted_set: Path, tmp_path: Path) -> None:
    code = (
        "import os, sys; from pathlib import Path\n"
        "from semiology.data.deidentify.deidentify import deidentify\n"
        f"deidentify(Path({str(planted_set)!r}), Path({str(tmp_path / 'out')!r}), on_recording=lambda done, n: done == 2 and os._exit(9))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 9
    assert not (tmp_path / "out").exists()
    (left,) = tmp_path.glob(".out.unfinished-*")
    assert (left / "UNFINISHED.txt").is_file()
    with pytest.raises(RecordingSetError):
        read_recording_set(left)


class Found:
    def __init__(self, start: int, end: int, entity_type: str) -> None:
        self.start, self.end, self.entity_type = start, end, entity_type


def test_presidio_finds_what_the_patterns_leave() -> None:
    class Analyzer:
        def analyze(self, *, text: str, **settings: object) -> list[Found]:
            place = text.find("Gugelhupf")
            marks = (
                [Found(text.find("[date]"), text.find("[date]") + 6, "PERSON")] if "[date]" in text else []
            )
            return (
                [Found(place, place + 9, "PERSON"), Found(place, place + 4, "LOCATION"), *marks]
                if place >= 0
                else []
            )

    scrubber = Scrubber(further=findings_of(Analyzer(), "en"))
    assert scrubber.scrub("Gugelhupf comes on 1.2.2020") == "[name] comes on [date]"
    assert scrubber.replaced == {"name": 1, "date": 1}


@pytest.mark.slow
def test_the_real_presidio_reads_texts_without_a_network(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs where the extra ``deidentify`` and any English model of spaCy are installed."""
    pytest.importorskip("presidio_analyzer")
    spacy = pytest.importorskip("spacy")
    model = next((name for name in spacy.util.get_installed_models() if name.startswith("en_")), None)
    if model is None:
        pytest.skip("spaCy has no English model here")

    def refuse(*arguments: object, **options: object) -> None:
        raise AssertionError("a connection was tried")

    monkeypatch.setattr("socket.create_connection", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    text = "John Smith of Heidelberg, john.smith@example.org, turns his head for 12 s."
    found = [(text[start:end], kind) for start, end, kind in presidio(model)(text)]
    assert found == [("John Smith", "name"), ("Heidelberg", "place"), ("john.smith@example.org", "email")]
