"""Frames that a recorder left out are told as what they are; frames that a file lost are damage."""

from collections.abc import Collection
from fractions import Fraction
from pathlib import Path

import av
import pytest
from media_zoo import number_of, picture

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, probe
from semiology.data.media.structure.matroska import matroska_breaks
from semiology.data.media.structure.transport import nothing_lost

MISSING = {60, 61, 62, 63, 150, 151, 152, 153, 154, 155, 156, 157, 158, 159}


def film(
    path: Path, codec: str, missing: Collection[int] = MISSING, options: dict[str, str] | None = None
) -> Path:
    with av.open(str(path), "w", options=options or {}) as out:
        stream = out.add_stream(codec, rate=25, options={"g": "25"})
        stream.width, stream.height, stream.pix_fmt = 128, 64, "yuv420p"
        stream.codec_context.time_base = Fraction(1, 25)
        for number in range(250):
            if number not in missing:
                frame = av.VideoFrame.from_ndarray(picture(number), format="rgb24")
                frame.pts, frame.time_base = number, Fraction(1, 25)
                out.mux(stream.encode(frame))
        out.mux(stream.encode(None))
    return path


def copied(source: Path, target: Path) -> Path:
    with av.open(str(source)) as reader, av.open(str(target), "w") as out:
        track = reader.streams.video[0]
        stream = out.add_stream_from_template(track)
        for packet in reader.demux(track):
            if packet.size and packet.dts is not None:
                packet.pts = packet.dts if "avi" in reader.format.name else packet.pts
                packet.stream = stream
                out.mux(packet)
    return target


@pytest.mark.parametrize(
    ("name", "codec"),
    [("a.avi", "mpeg4"), ("a.mp4", "libx264"), ("a.mkv", "libx264"), ("a.ts", "libx264"), ("a.flv", "flv"),
     ("a.wmv", "wmv2"), ("a.webm", "libvpx")],
)  # fmt: skip
def test_frames_that_a_recorder_left_out_are_no_damage(tmp_path: Path, name: str, codec: str) -> None:
    films = [film(tmp_path / name, codec)]
    if films[0].suffix == ".avi":
        films.append(copied(films[0], tmp_path / "copy.mkv"))
    for path in films:
        info = probe(path)
        assert info.damaged_s == ()
        (first, second) = info.missing_s
        assert first == pytest.approx((2.40, 2.56), abs=0.002)
        assert second == pytest.approx((6.00, 6.40), abs=0.002)
        shown = read_frames(path, [2.3, 2.45, 2.57, 6.1, 6.38, 6.42, 9.0])
        assert [number_of(each) for each in shown] == [57, 59, 64, 149, 149, 160, 225]


@pytest.mark.parametrize(("name", "codec"), [("a.mkv", "libx264"), ("a.webm", "libvpx"), ("a.ts", "libx264")])
def test_frames_that_a_file_lost_are_damage(tmp_path: Path, name: str, codec: str) -> None:
    path = film(tmp_path / name, codec, (), {"cluster_time_limit": "500"})
    assert (probe(path).missing_s, probe(path).damaged_s) == ((), ())
    data = path.read_bytes()
    middle = len(data) // 2
    path.write_bytes(data[:middle] + data[middle + len(data) // 10 :] + bytes(len(data) // 10))
    spans = probe(path).damaged_s
    assert any(stop - start >= 0.5 for start, stop in spans)
    start, stop = spans[0]
    with pytest.raises(MediaError, match="damaged"):
        read_frames(path, [(start + stop) / 2])


def test_a_transport_stream_tells_whether_packets_are_missing(tmp_path: Path) -> None:
    path = film(tmp_path / "a.ts", "libx264", ())
    whole = path.read_bytes()
    assert nothing_lost(path)
    for first, last in ((100, 101), (100, 107), (200, 216)):  # of 16 packets, some belong to another track
        path.write_bytes(whole[: first * 188] + whole[last * 188 :])
        assert not nothing_lost(path)
    path.write_bytes(whole[:9999] + whole[10_099:])
    assert not nothing_lost(path)


def test_pauses_of_an_uneven_film_are_told_where_they_are_long(tmp_path: Path) -> None:
    uneven = {number for number in range(250) if number % 3 == 1 or number % 7 == 2 or 100 <= number < 160}
    (span,) = probe(film(tmp_path / "a.mkv", "libx264", uneven)).missing_s
    assert 3.9 < span[0] < 4.1
    assert 6.3 < span[1] < 6.5
    assert matroska_breaks(tmp_path / "a.mkv").followed


def test_a_film_that_begins_within_a_group_of_pictures_is_refused_up_to_its_first_key_frame(
    tmp_path: Path,
) -> None:
    path = film(tmp_path / "a.ts", "libx264", ())
    path.write_bytes(path.read_bytes()[188 * 40 :])
    ((start, stop),) = probe(path).damaged_s
    assert (start, 0.1 < stop < 1.0) == (0.0, True)
    with pytest.raises(MediaError, match="damaged"):
        read_frames(path, [0.0])
    numbers = [number_of(each) for each in read_frames(path, [stop, stop + 1.0, 8.0])]
    assert numbers[1] - numbers[0] == 25
    assert numbers[2] - numbers[0] == round((8.0 - stop) * 25)
