"""Sound read after a jump is the sound read from the start, whatever the container and codec."""

import itertools
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from media_zoo import FILMS, number_of, write_recording, write_sound

from semiology.data.media.audio import read_audio
from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, timeline

RATE = 22_050
SOUNDS = ("wav", "mp3", "flac", "ogg", "adts", "aiff")
CODECS = ("aac", "ac3", "eac3", "mp3", "mp2", "flac", "alac", "libopus", "libvorbis", "wmav2", "libspeex",
          "nellymoser", "libopencore_amrnb", "g722", "g726", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt",
          "adpcm_swf", "adpcm_yamaha", "pcm_s16le", "pcm_s16be", "pcm_u8", "pcm_s24le", "pcm_f32le",
          "pcm_alaw", "pcm_mulaw", "pcm_dvd", "wavpack", "tta", "dfpwm")  # fmt: skip
QUICK = [("mp4", "aac"), ("avi", "adpcm_yamaha"), ("matroska", "libopus"), ("mpeg", "mp2"), ("flv", "mp3"),
         ("wav", "adpcm_ms"), ("asf", "pcm_s16le"), ("mpegts", "aac")]  # fmt: skip


def assert_jumps_agree(path: Path) -> None:
    try:
        whole = read_audio(path)
    except MediaError:
        return  # what cannot be read at all is refused in words
    for start_s, end_s in ((3.0, 5.0), (7.3, 9.1), (11.7, 14.2)):
        if (
            end_s * 16_000 > whole.size
        ):  # a codec of long blocks, of which the last is not full and not written
            continue
        part = read_audio(path, start_s, end_s)
        there = whole[round(start_s * 16_000) : round(end_s * 16_000)]
        assert part.shape == there.shape, path.name
        assert float(np.abs(part - there).max()) < 0.002, (path.name, start_s)


@pytest.mark.parametrize(("container", "codec"), QUICK)
def test_a_jump_into_sound_agrees_with_a_straight_read(tmp_path: Path, container: str, codec: str) -> None:
    path = tmp_path / f"a.{container}"
    assert write_sound(path, container, codec, RATE if codec != "libopus" else 48_000) or write_sound(
        path, container, codec, 48_000
    )
    assert_jumps_agree(path)


@pytest.mark.slow
def test_every_container_and_codec_that_is_written_agrees(tmp_path: Path) -> None:
    tried = 0
    for container, codec in itertools.product((*FILMS, *SOUNDS), CODECS):
        for rate in (8_000, RATE, 48_000):
            path = tmp_path / f"{codec}_{rate}.{container}"
            if write_sound(path, container, codec, rate):
                assert_jumps_agree(path)
                tried += 1
            path.unlink(missing_ok=True)
    assert tried > 250


@pytest.mark.parametrize(
    ("suffix", "codec", "bframes"),
    [("mp4", "libx264", 2), ("mkv", "libx264", 2), ("ts", "libx264", 2), ("avi", "mpeg4", 0), ("mpg", "mpeg2video", 2),
     ("vob", "mpeg1video", 2),
     ("webm", "libvpx", 0), ("wmv", "wmv2", 0), ("flv", "libx264", 2), ("mov", "mjpeg", 0), ("avi", "mjpeg", 0)],
)  # fmt: skip
def test_a_jump_to_a_picture_shows_it(tmp_path: Path, suffix: str, codec: str, bframes: int) -> None:
    path = write_recording(
        tmp_path / f"a.{suffix}", [i / 25 for i in range(150)], codec=codec, rate=25, time_base=Fraction(1, 25),
        pixels="yuvj420p" if codec == "mjpeg" else "yuv420p", codec_options={"g": "20", "bf": str(bframes)},
    )  # fmt: skip
    times = timeline(path).times_s
    assert [number_of(each) for each in read_frames(path, times)] == list(range(150))
    for number in (140, 73, 99, 41, 12, 60):
        assert number_of(read_frames(path, [times[number]])[0]) == number
