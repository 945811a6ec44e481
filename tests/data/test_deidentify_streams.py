"""Text planted where no table, tag or comment is: in units and tails of packets, in additions to blocks, in numbers."""

# ruff: noqa: E501
from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import av
import numpy as np
import pytest

from semiology.data.deidentify.known_fields import known_metadata, pose_text, transcript_text
from semiology.data.deidentify.scrubbing import Scrubber
from semiology.data.media.remux import RemuxError, remux

SECRET = b"CANARY Anna Beispiel 12 March 1984"
Mark = Callable[[bytes], bytes]


def film(path: Path, codec: str, mark: Mark | None, pixels: str = "yuv420p") -> Path:
    """Write noise, each packet marked."""
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt = 64, 48, pixels
        stream.options = {"auto-alt-ref": "0"} if pixels == "yuva420p" else {}
        for index in range(13):
            noise = np.random.default_rng(index).integers(0, 255, (48, 64, 3)).astype(np.uint8)
            frame = av.VideoFrame.from_ndarray(noise, format="rgb24") if index < 12 else None
            for packet in stream.encode(frame):
                marked = av.Packet(mark(bytes(packet)) if mark else bytes(packet))
                marked.pts, marked.dts, marked.time_base = packet.pts, packet.dts, packet.time_base
                marked.duration, marked.is_keyframe = packet.duration, packet.is_keyframe
                marked.stream = stream
                out.mux(marked if mark else packet)
    return path


def tail(data: bytes) -> bytes:
    return data + SECRET


def unit(*head: int) -> Mark:
    return lambda data: data + b"\0\0\0\1" + bytes(head) + SECRET


@pytest.mark.parametrize("kind", [0, 12, 14, 15, 18, 21, 23, 24, 28, 31])
@pytest.mark.parametrize("name", ["a.mp4", "a.ts"])
def test_units_that_hold_no_picture_are_left_out_of_h264(kind: int, name: str, tmp_path: Path) -> None:
    source = film(tmp_path / name, "libx264", unit(kind))
    assert SECRET in source.read_bytes()
    assert SECRET not in remux(source, tmp_path / f"out{source.suffix}").path.read_bytes()


@pytest.mark.parametrize("kind", [38, 39, 40, 41, 47, 48, 62, 63])
def test_units_that_hold_no_picture_are_left_out_of_hevc(kind: int, tmp_path: Path) -> None:
    if "libx265" not in av.codecs_available:
        pytest.skip("this build of FFmpeg does not write HEVC")
    source = film(tmp_path / "a.mp4", "libx265", unit(kind << 1, 1))
    assert SECRET in source.read_bytes()
    assert SECRET not in remux(source, tmp_path / "out.mp4").path.read_bytes()


@pytest.mark.parametrize(
    ("name", "codec", "pixels"),
    [
        ("a.avi", "mpeg4", "yuv420p"), ("a.mpg", "mpeg2video", "yuv420p"), ("a.mp4", "libx264", "yuv420p"),
        ("a.webm", "libvpx", "yuv420p"), ("a.webm", "libvpx-vp9", "yuv420p"), ("a.wmv", "wmv2", "yuv420p"),
        ("a.flv", "flv", "yuv420p"), ("a.mov", "prores_ks", "yuv422p10le"), ("a.mkv", "ffv1", "yuv420p"),
        ("a.avi", "huffyuv", "rgb24"), ("a.mov", "qtrle", "rgb24"), ("a.mov", "svq1", "yuv410p"),
        ("a.avi", "mjpeg", "yuvj420p"), ("a.avi", "msmpeg4v2", "yuv420p"),
    ],
)  # fmt: skip
def test_text_behind_a_picture_is_never_copied(name: str, codec: str, pixels: str, tmp_path: Path) -> None:
    source = film(tmp_path / name, codec, tail, pixels)
    assert SECRET in source.read_bytes()
    with pytest.raises(RemuxError, match="text stands between its pictures"):
        remux(source, tmp_path / f"out{source.suffix}")
    assert not list(tmp_path.glob("out*"))
    clean = film(tmp_path / f"b{source.suffix}", codec, None, pixels)
    remux(clean, tmp_path / f"out{source.suffix}")


def test_additions_to_a_block_of_matroska_are_left_out(tmp_path: Path) -> None:
    source = film(tmp_path / "a.webm", "libvpx", None, "yuva420p")
    additions = b"\x75\xa1"
    assert additions in source.read_bytes()
    assert additions not in remux(source, tmp_path / "out.webm").path.read_bytes()


@pytest.mark.parametrize("version", ["12.3.1984", "1984.03.12", "12.3.84", "19840312", "2026.1", "1984"])
def test_a_version_that_may_be_a_date_is_replaced(version: str) -> None:
    assert known_metadata({"version": version})["version"] == "1"
    assert known_metadata({"version": "1.2.0"})["version"] == "1.2.0"


def test_numbers_beyond_what_a_picture_holds_leave_pose_and_transcripts(tmp_path: Path) -> None:
    path = tmp_path / "p.json"
    person = {"person_id": [19840312], "pose_keypoints_2d": [1, 2.5, 0, 19840312, 4, 1]}
    path.write_text(
        json.dumps({"version": 19840312, "frame": 7, "canvas_width": 4711081, "people": [person]})
    )
    assert json.loads(pose_text(path)) == {"frame": 7, "people": [{}]}
    table = tmp_path / "t.csv"
    table.write_text("start_s,end_s,text\n1772359200,1772359203,he turns\n")
    with pytest.raises(RemuxError, match="times in seconds"):
        transcript_text(table, Scrubber().scrub)


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Mar-84", "84"), ("2026-W09-1", "W09"), ("Karfreitag 2026", "Karfreitag"), ("Christmas Eve 2025", "Christmas"),
        ("12 marca 1984", "marca"), ("12. tammikuuta 1984", "tammikuuta"), ("12 марта 1984 года", "марта"),
        ("12 Μαρτίου 1984", "Μαρτίου"), ("昭和59年", "59"), ("民國73年3月", "73"), ("१२ मार्च १९८४", "1984"),
        ("١٢ مارس ١٩٨٤", "1984"), ("12.III.1984", "III"), ("XII.III.MCMLXXXIV", "MCM"), ("Accession 2026-03-01-001", "001"),
        ("anna.beispiel@uniklinik-freiburg.de", "freiburg"), ("anna dot beispiel at klinik dot de", "klinik"),
        ("anna.b [at] klinik [dot] de", "klinik"), ("C:/Users/xyz/film.mp4", "Users"), ("2001:db8::1", "db8"),
        ("fe80::1ff:fe23:4567:890a", "fe23"), ("00-1A-2B-3C-4D-5E", "2B"), ("GPS 47.9990, 7.8421", "47"),
        ("47°59'57\"N 7°50'31\"E", "57"), ("47.99N 7.84E", "47"), ("geo:47.99,7.84", "47"), ("///index.home.raft", "raft"),
        ("plus code 8FV9XVXR+22", "XVXR"), ("Pager 4711", "4711"), ("Zimmer 304", "304"), ("room 304", "304"),
        ("bed 12", "12"), ("Pat.-Nr. 4711", "4711"), ("Fall 4711/26", "4711"), ("case 26-0311", "0311"),
        ("study S-2026-014", "014"), ("Medicare 1EG4-TE5-MK73", "TE5"), ("INSEE 1 84 03 75 116 005 67", "67"),
        ("221B Baker Street", "Baker"), ("Hugstetter Straße", "Hugstetter"), ("C/ Mayor 5, 28013 Madrid", "Mayor"),
        ("ul. Marszałkowska 10", "Marsz"), ("улица Ленина 5", "Ленина"), ("Αννα Παπαδοπούλου", "Παπ"), ("Анна Иванова", "Иван"),
        ("王小明", "小明"), ("김철수", "철수"), ("آنا محمد", "محمد"), ("age: ninety-five", "ninety"), ("aged over 90", "90"),
        ("turned 91", "91"), ("95 y", "95"), ("95 J.", "95"),
    ],
)  # fmt: skip
def test_further_forms_are_gone_from_free_text(text: str, secret: str) -> None:
    assert secret not in Scrubber(["PATCAN38"], ["Anna Beispiel"]).scrub(
        f"the patient {text} stiffens both arms"
    )


@pytest.mark.parametrize(
    "text",
    [
        "患者头转向左侧 双臂强直", "Пациент поворачивает голову влево", "α and β rhythm, 10 µV, θ slowing",
        "in bed 12 s, room is dark, 3 times; left arm 10-20 s, 0.123 s latency", "rhythm of 2.5 Hz, 3.125 s apart",
        "tonic phase 12:  rest", "grade 4-5, C3-P3, T7-P7, at 5 y old", "the arm may turn 90 degrees",
    ],
)  # fmt: skip
def test_what_is_seen_stays_in_other_scripts_and_with_numbers(text: str) -> None:
    assert Scrubber(["PATCAN38"], ["Anna Beispiel"]).scrub(text) == text
