"""What is written is held against its source; what is damaged in the middle, joined or double is seen."""

import struct
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_zoo import number_of, tone, write_recording, write_sound

from semiology.data.media.audio import read_audio
from semiology.data.media.clips import clip
from semiology.data.media.copy_check import CopyError, check_copy, check_film, tracks
from semiology.data.media.frames import check_window, read_frames
from semiology.data.media.probe import MediaError, needs_clip, probe, timeline
from semiology.data.media.remux import remux
from semiology.data.media.streaming import WindowRequest, stream_windows
from semiology.data.media.structure.matroska import matroska_breaks

NAME = b"Annegret Quastenfloss 12-MAR-1984"
TIMES = [i / 25 for i in range(250)]


def film(path: Path, codec: str = "libx264", **more: object) -> Path:
    given = {"rate": 25, "time_base": Fraction(1, 25), "codec_options": {"g": "25"}, **more}
    return write_recording(path, TIMES, codec=codec, **given)  # type: ignore[arg-type]


@pytest.mark.parametrize(("sound", "rate"), [("libmp3lame", 22_050), ("libmp3lame", 44_100), ("ac3", 48_000)])
def test_the_sound_of_an_avi_keeps_its_times_in_the_copy(tmp_path: Path, sound: str, rate: int) -> None:
    source = film(tmp_path / "a.avi", "mpeg4", sound=(0.0, 10.0), sound_codec=sound, sound_rate=rate)
    copy = remux(source, tmp_path / "out.avi").path
    before, after = (next(t for t in tracks(path) if t.kind == "audio") for path in (source, copy))
    assert after.rate == before.rate
    assert after.times_s[-1] == pytest.approx(before.times_s[-1], abs=0.06)
    shown = [
        [number_of(picture) for picture in read_frames(path, [0.02, 4.02, 9.8])] for path in (source, copy)
    ]
    assert shown[0] == shown[1]
    assert float(np.abs(read_audio(copy, 8, 9) - read_audio(source, 8, 9)).max()) < 0.1


@pytest.mark.parametrize("codec", ["adpcm_ima_wav", "adpcm_ms", "adpcm_yamaha"])
def test_sound_that_no_container_holds_with_its_times_is_encoded_again(tmp_path: Path, codec: str) -> None:
    source = tmp_path / "a.avi"
    assert write_sound(source, "avi", codec, 22_050)
    copied = remux(source, tmp_path / "out.avi")
    assert (copied.sound_encoded, copied.path.suffix) == (True, ".mkv")
    before, after = read_audio(source, 2.0, 9.0), read_audio(copied.path, 2.0, 9.0)
    assert float(np.abs(before - after).max()) < 0.002


def _tagged(sound: bytes, tag: str) -> bytes:
    """Return MP3 or ADTS sound with a name in a tag, or between the blocks of a packet."""
    frame = b"TIT2" + struct.pack(">I", len(NAME) + 1) + b"\0\0\0" + NAME
    id3 = b"ID3\x03\0\0\0\0\0" + bytes([len(frame)]) + frame
    item = struct.pack("<II", len(NAME), 0) + b"Title\0" + NAME
    ape = b"APETAGEX" + struct.pack("<IIII", 2000, len(item) + 32, 1, 0) + bytes(8)
    if tag == "data element":
        parts, at = [], 0
        while at < len(sound):
            size = (sound[at + 3] & 3) << 11 | sound[at + 4] << 3 | sound[at + 5] >> 5
            parts.append(bytearray(sound[at : at + size]))
            at += size
        parts[40][7:7] = bytes([0b10000001, len(NAME)]) + NAME
        size = len(parts[40])
        parts[40][3:6] = bytes(
            [parts[40][3] & 0xFC | size >> 11, size >> 3 & 255, (size & 7) << 5 | parts[40][5] & 31]
        )
        return b"".join(parts)
    half = len(sound) // 2
    return {"id3": id3 + sound + b"TAG" + NAME.ljust(125, b"\0"), "ape": sound + item + ape,
            "lyrics": sound + b"LYRICSBEGIN" + NAME + b"000046LYRICS200" + b"TAG".ljust(128, b"\0"),
            "id3 within": sound[:half] + id3 + sound[half:]}[tag]  # fmt: skip


@pytest.mark.parametrize(
    ("suffix", "codec", "tag"),
    [("mp3", "mp3", "id3"), ("mp3", "mp3", "ape"), ("mp3", "mp3", "lyrics"), ("mp3", "mp3", "id3 within"),
     ("aac", "aac", "id3"), ("aac", "aac", "data element")],
)  # fmt: skip
def test_text_in_and_around_packets_of_sound_is_gone(
    tmp_path: Path, suffix: str, codec: str, tag: str
) -> None:
    source = tmp_path / f"a.{suffix}"
    assert write_sound(source, "adts" if suffix == "aac" else suffix, codec, 22_050)
    source.write_bytes(_tagged(source.read_bytes(), tag))
    copied = remux(source, tmp_path / f"out.{suffix}")
    assert NAME not in copied.path.read_bytes()
    assert copied.sound_encoded == (tag == "data element")
    assert read_audio(copied.path).size == pytest.approx(256_000, abs=6000)  # ADTS estimates its length


def test_a_copy_that_differs_is_refused(tmp_path: Path) -> None:
    source = film(tmp_path / "a.mp4", sound=(0.0, 10.0))
    check_copy(source, source)
    for name, other in (
        ("video, h264. ends at", write_recording(tmp_path / "s.mp4", TIMES[:-3], rate=25, sound=(0.0, 10.0))),
        ("of 2 tracks", film(tmp_path / "t.mp4")),
        ("16000 became 48000", film(tmp_path / "r.mp4", sound=(0.0, 10.0), sound_rate=48_000)),
        ("ends at 9.98", film(tmp_path / "q.mp4", sound=(0.0, 7.0))),
    ):
        with pytest.raises(CopyError, match=name):
            check_copy(source, other)


def test_a_film_that_lacks_frames_or_sound_is_refused(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4", sound=(0.0, 10.0))
    check_film(path, TIMES, (16_000, 10.0))
    for times, sound in (
        (TIMES[:-1], (16_000, 10.0)),
        (TIMES, (16_000, 4.0)),
        (TIMES, (8_000, 10.0)),
    ):
        with pytest.raises(CopyError):
            check_film(path, times, sound)


def test_joined_files_are_told(tmp_path: Path) -> None:
    for name, codec in (("a.ts", "libx264"), ("a.mpg", "mpeg2video"), ("a.mkv", "libx264"), ("a.mp4", "libx264"),
                        ("a.flv", "libx264")):  # fmt: skip
        path = film(tmp_path / name, codec)
        path.write_bytes(path.read_bytes() * 2)
        with pytest.raises(MediaError, match="joined"):
            probe(path)


def test_lost_frames_in_an_even_film_cost_the_windows_there(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv")
    whole = bytearray(path.read_bytes())
    late = len(whole) * 2 // 3
    whole[late : late + 3000] = bytes(3000)
    path.write_bytes(whole)
    info = probe(path)
    assert info.damaged_s
    assert "damaged" in str(needs_clip(info))
    start, stop = info.damaged_s[0]
    with pytest.raises(MediaError, match="damaged"):
        read_frames(path, [start + 0.01])
    with pytest.raises(MediaError, match="damaged"):
        clip(path, max(0.0, start - 0.5), stop, None, tmp_path / "cache")
    assert number_of(read_frames(path, [0.5])[0]) == 12


@pytest.mark.parametrize(
    ("name", "codec", "options"),
    [("a.mp4", "libx264", {"g": "25"}), ("b.mp4", "libx264", {"g": "25", "bf": "0"}), ("a.avi", "mpeg4", {"g": "25"}),
     ("a.flv", "libx264", {"g": "25"}), ("a.mpg", "mpeg2video", {"g": "15", "bf": "2"}),
     ("c.mp4", "libx265", {"x265-params": "keyint=25:log-level=none"})],
)  # fmt: skip
def test_no_frame_before_in_or_after_damage_is_wrong(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = film(tmp_path / name, codec, codec_options=options)
    with av.open(str(path)) as container:
        places = [packet.pos for packet in container.demux(video=0) if packet.size]
    size = path.stat().st_size  # programme streams do not tell where a picture stands
    for at in (size * 2 // 5, size * 3 // 5) if None in places else (places[80] + 9, places[160] + 1):
        bad = bytearray(path.read_bytes())
        bad[at : at + 700] = bytes(700)
        other = tmp_path / f"{at}-{name}"
        other.write_bytes(bad)
        requests = [WindowRequest(0, 1, times_s=(number / 25 + 0.01,)) for number in range(250)]
        shown = dict(stream_windows(other, requests))
        refused = [number for number, pictures in shown.items() if isinstance(pictures, MediaError)]
        assert 0 < len(refused) < 250
        assert {n: number_of(p[0]) for n, p in shown.items() if not isinstance(p, MediaError)} == {
            n: n for n in range(250) if n not in refused
        }


def test_a_window_is_decoded_before_a_reader_gets_it_that_passes_over_damage(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mp4")
    check_window(path, 0.0, 10.0)
    bad = bytearray(path.read_bytes())
    bad[len(bad) // 2 : len(bad) // 2 + 300] = bytes(300)
    path.write_bytes(bad)
    check_window(path, 0.0, 2.0)
    with pytest.raises(MediaError, match="damaged"):
        check_window(path, 2.0, 8.0)


@pytest.mark.parametrize("frames_between", ["0", "2"])
def test_h264_in_avi_is_told_by_coding_times(tmp_path: Path, frames_between: str) -> None:
    """FFmpeg's presentation times of it are guesses, one frame late."""
    path = film(tmp_path / "a.avi", codec_options={"g": "25", "bf": frames_between})
    assert [number_of(each) for each in read_frames(path, timeline(path).times_s)] == list(range(250))
    assert number_of(read_frames(path, [6.01])[0]) == 150


def test_the_default_track_is_used_by_every_path(tmp_path: Path) -> None:
    path = tmp_path / "two.mp4"
    with av.open(str(path), "w") as out:
        streams = [out.add_stream("libx264", rate=25) for _ in range(2)]
        for stream in streams:
            stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        streams[0].disposition, streams[1].disposition = 0, av.stream.Disposition.default.value
        for number in range(50):
            for stream, shade in zip(streams, (30, 220), strict=True):
                frame = av.VideoFrame.from_ndarray(np.full((64, 128, 3), shade, np.uint8), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(frame))
        for stream in streams:
            out.mux(stream.encode(None))
    info = probe(path)
    assert info.picture_tracks == 2
    assert "2 picture tracks" in str(needs_clip(info))
    assert read_frames(path, [1.0]).mean() > 200
    cut = clip(path, 0.0, 1.0, None, tmp_path / "cache")
    assert (probe(cut).picture_tracks, read_frames(cut, [0.5]).mean() > 200) == (1, True)


def test_a_partial_packet_after_a_jump_is_passed_over(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mpg", "mpeg2video", sound=(0.0, 10.0), sound_codec="mp2", sound_rate=48_000)
    true = tone(10, 16_000, 1)[0]
    for start_s in (2.0, 5.5, 8.2):
        heard = read_audio(path, start_s, start_s + 0.5)
        assert np.abs(heard).max() > 0.2 * np.abs(true).max()


@pytest.mark.parametrize(
    ("name", "codec"), [("a.mkv", "libx264"), ("b.mkv", "mpeg4"), ("a.webm", "libvpx"), ("a.wmv", "wmv2")]
)
@pytest.mark.parametrize("damage", ["turned", "inserted", "taken out"])
def test_the_structure_of_a_container_gives_damage_away(
    tmp_path: Path, name: str, codec: str, damage: str
) -> None:
    """Matroska by checksums, WebM and ASF by lengths and places."""
    path = film(tmp_path / name, codec)
    assert not probe(path).damaged_s
    data = bytearray(path.read_bytes())
    at = len(data) // 2
    if damage == "turned" and path.suffix == ".mkv":
        data[at] ^= 1
    elif damage == "turned":
        data[at : at + 4000] = bytes(4000)
    elif damage == "inserted":
        data[at:at] = bytes(range(256)) * 3
    else:
        del data[at : at + 60]
        data += bytes(60)  # as long as before: not merely cut off
    path.write_bytes(data)
    spans = probe(path).damaged_s
    assert spans
    assert any(start <= 5.5 and stop >= 4.5 for start, stop in spans), spans


def test_a_checksum_costs_no_more_than_its_cluster(tmp_path: Path) -> None:
    path = film(tmp_path / "a.mkv")
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)
    assert matroska_breaks(path).checked
    ((start, stop),) = probe(path).damaged_s
    assert stop - start < 5.5  # without sound a cluster is as long as this
    shown = [number_of(each) for each in read_frames(path, [start - 0.1, min(stop + 0.02, 9.9)])]
    assert shown == [round((start - 0.1) * 25 - 0.49), round(min(stop + 0.02, 9.9) * 25 - 0.49)]


def test_frames_that_do_not_stand_where_the_index_says_are_damaged(tmp_path: Path) -> None:
    path = film(tmp_path / "a.avi", "mpeg4")
    data = bytearray(path.read_bytes())
    at = data.find(b"00dc", len(data) // 2)
    data[at - 40 : at + 8] = data[at - 88 : at - 40]
    path.write_bytes(data)
    assert probe(path).damaged_s
