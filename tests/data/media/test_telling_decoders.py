"""Damage within pictures, in codecs and containers without checksums, is found by where a picture ends."""

from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from media_zoo import even, number_of, write_recording

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, probe, timeline
from semiology.data.media.telling_decoder import telling_decoder

X265 = {"x265-params": "keyint=25:log-level=none"}
KINDS = [
    ("a.webm", "libvpx", {"g": "25"}),
    ("b.webm", "libvpx-vp9", {"g": "25", "deadline": "realtime", "cpu-used": "8"}),
    ("a.wmv", "wmv2", {"g": "25"}),
    ("a.avi", "msmpeg4", {"g": "25"}),
]


def _damaged(path: Path, number: int, change: bytes | None) -> Path:
    """Return a copy whose packet of a key frame is overwritten in its middle, or has every bit of a byte turned."""
    with av.open(str(path)) as container:
        packets = [packet for packet in container.demux(video=0) if packet.size]
    packet = packets[number]
    assert packet.pos is not None
    data = bytearray(path.read_bytes())
    at = data.find(bytes(packet)[-40:-10]) - packet.size + 40 + packet.size // 2
    for place in range(at, at + 30):
        data[place] = data[place] ^ 0x5A if change is None else change[place - at]
    copy = path.with_stem(f"{path.stem}-damaged")
    copy.write_bytes(data)
    return copy


@pytest.mark.parametrize(("name", "codec", "options"), KINDS)
def test_a_key_frame_that_does_not_end_where_its_data_ends_is_refused(
    tmp_path: Path, name: str, codec: str, options: dict[str, str]
) -> None:
    path = write_recording(tmp_path / name, even(100, 25), codec=codec, rate=25, codec_options=options)
    times = timeline(path).times_s
    assert [number_of(each) for each in read_frames(path, times)] == list(range(100))
    copy = _damaged(path, 50, None)
    for number in (50, 60, 74):
        with pytest.raises(MediaError, match="damaged"):
            read_frames(copy, [times[number]])
    assert [number_of(read_frames(copy, [times[number]])[0]) for number in (20, 85)] == [20, 85]


def test_bytes_that_no_writer_of_hevc_puts_into_a_unit_are_damage(tmp_path: Path) -> None:
    path = write_recording(tmp_path / "a.mp4", even(100, 25), codec="libx265", rate=25, codec_options=X265)
    assert not probe(path).damaged_s
    copy = _damaged(path, 50, bytes(30))
    ((start, stop),) = probe(copy).damaged_s
    assert start <= 2.0 < stop


@pytest.mark.parametrize("size", [(128, 64), (200, 136), (318, 178)])
@pytest.mark.parametrize(
    "options", [{"g": "5"}, {"g": "5", "deadline": "realtime", "cpu-used": "8", "slices": "4"}]
)
def test_whole_vp8_of_any_size_is_whole(
    tmp_path: Path, size: tuple[int, int], options: dict[str, str]
) -> None:
    draw, (width, height) = np.random.default_rng(3), size
    for number, rate in enumerate((60_000, 4_000_000)):
        path = tmp_path / f"{number}.webm"
        with av.open(str(path), "w") as out:
            stream = out.add_stream("libvpx", rate=25, options=options)
            stream.width, stream.height, stream.pix_fmt, stream.bit_rate = width, height, "yuv420p", rate
            for stamp in range(20):
                image = draw.integers(0, 256, (height, width, 3), dtype=np.uint8)
                image[height // 2 :] = 0 if stamp % 2 else 255
                frame = av.VideoFrame.from_ndarray(image, format="rgb24")
                frame.pts, frame.time_base = stamp, Fraction(1, 25)
                out.mux(stream.encode(frame))
            out.mux(stream.encode(None))
        assert not probe(path).damaged_s
        assert len(read_frames(path, timeline(path).times_s)) == 20
        with av.open(str(path)) as container:
            shown = telling_decoder(path, container.streams.video[0])
            assert (
                type(shown).__name__ == "_Twice"
            )  # strict: none of its checks took a whole picture for damaged


def test_an_encoder_that_keeps_to_no_rule_is_read_all_the_same(tmp_path: Path) -> None:
    """Foreign bytes behind every picture: a strict decoder refuses them all."""
    path = write_recording(tmp_path / "a.mkv", even(50, 25), codec="msmpeg4", rate=25)
    lax = tmp_path / "lax.mkv"
    with av.open(str(path)) as source, av.open(str(lax), "w") as out:
        track = source.streams.video[0]
        target = out.add_stream_from_template(track)
        for packet in source.demux(track):
            if packet.size:
                longer = av.Packet(bytes(packet) + b"U" * 64)
                longer.dts = longer.pts = packet.dts
                longer.time_base, longer.is_keyframe, longer.stream = (
                    packet.time_base,
                    packet.is_keyframe,
                    target,
                )
                out.mux(longer)
    with av.open(str(lax)) as container:
        assert telling_decoder(lax, container.streams.video[0]).options == {"err_detect": "explode"}
    assert [number_of(each) for each in read_frames(lax, [0.0, 1.0, 1.9])] == [0, 25, 47]
