"""Tiny recordings for the media tests: every frame shows its own number, every second of sound its own tone.

The number of a frame is drawn as twelve bright or dark blocks, so that a test can read from the decoded
pixels which frame it was given, whatever the container claims about time.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

WIDTH, HEIGHT, BLOCK, BITS = 128, 64, 16, 12
"""Picture size in px, block size in px, and the number of blocks that carry the frame's number."""

TONE_HZ, TONE_STEP_HZ = 300, 200
"""Second ``n`` of the sound track is a sine of ``TONE_HZ + n * TONE_STEP_HZ``."""

OPEN_GROUPS = "open-gop=1:keyint=20:bframes=5:b-pyramid=normal:scenecut=0"


def picture(number: int, width: int = WIDTH, height: int = HEIGHT) -> np.ndarray:
    """Draw frame ``number``: twelve blocks for its bits, a red bar at the bottom left, grey elsewhere."""
    image = np.full((height, width, 3), 110, np.uint8)
    for bit in range(BITS):
        row, column = divmod(bit, WIDTH // BLOCK)
        shade = 230 if number >> bit & 1 else 20
        image[row * BLOCK : (row + 1) * BLOCK, column * BLOCK : (column + 1) * BLOCK] = shade
    image[2 * BLOCK :, : 2 * BLOCK] = (200, 20, 20)
    return image


def number_of(image: np.ndarray) -> int:
    """Read the frame number back from an upright picture; the red bar must lie where it was drawn."""
    red, green, _ = image[HEIGHT - BLOCK, BLOCK].astype(int)
    assert red > green + 60, "the picture is not upright"
    number = 0
    for bit in range(BITS):
        row, column = divmod(bit, WIDTH // BLOCK)
        patch = image[row * BLOCK + 4 : (row + 1) * BLOCK - 4, column * BLOCK + 4 : (column + 1) * BLOCK - 4]
        number |= int(patch.mean() > 125) << bit
    return number


def tone(duration_s: float, rate: int, channels: int, first_s: float = 0.0) -> np.ndarray:
    """Return float32 sound of shape (channels, samples) whose pitch tells the second it belongs to."""
    seconds = first_s + np.arange(round(duration_s * rate)) / rate
    pitch = TONE_HZ + TONE_STEP_HZ * np.floor(seconds)
    wave = 0.4 * np.sin(2 * np.pi * pitch * seconds)
    return np.tile(wave.astype(np.float32), (channels, 1))


def _encode_sound(
    container: av.container.OutputContainer, stream: av.AudioStream, sound: np.ndarray, start_s: float
) -> None:
    rate, size = stream.rate, stream.codec_context.frame_size or 1024
    for first in range(0, sound.shape[1], size):
        block = np.ascontiguousarray(sound[:, first : first + size])
        frame = av.AudioFrame.from_ndarray(block, format="fltp", layout=stream.layout.name)
        frame.sample_rate, frame.time_base = rate, Fraction(1, rate)
        frame.pts = first + round(start_s * rate)
        container.mux(stream.encode(frame))
    container.mux(stream.encode(None))


def write_recording(
    path: Path,
    times: Sequence[float],
    *,
    size: tuple[int, int] = (WIDTH, HEIGHT),
    codec: str = "libx264",
    pixels: str = "yuv420p",
    rate: Fraction | int = 30,
    sound: tuple[float, float] | None = None,
    sound_rate: int = 16_000,
    layout: str = "mono",
    sound_codec: str = "aac",
    container_options: dict[str, str] | None = None,
    codec_options: dict[str, str] | None = None,
    container_format: str | None = None,
    time_base: Fraction | None = None,
    metadata: dict[str, str] | None = None,
    turn: int = 0,
    colorspace: int | None = None,
) -> Path:
    """Write frames 0, 1, 2 … at ``times`` (s); ``sound`` is (start_s, duration_s) of a tone track.

    ``turn`` stores the pictures turned counter-clockwise by so many degrees; ``size`` must then fit.
    """
    base = time_base or (Fraction(1, 1) / rate if codec == "mpeg4" else Fraction(1, 90_000))
    with av.open(
        str(path), "w", format=container_format, container_options=container_options or {}
    ) as container:
        container.metadata.update(metadata or {})
        video = container.add_stream(codec, rate=rate, options=codec_options or {})
        video.width, video.height, video.pix_fmt = *size, pixels
        video.codec_context.time_base = base
        if colorspace is not None:
            video.codec_context.colorspace = colorspace
        audio = None
        if sound:
            audio = container.add_stream(sound_codec, rate=sound_rate, layout=layout)
        for number, time in enumerate(times):
            stored = picture(number, *size) if not turn else np.rot90(picture(number), k=turn // 90)
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(stored), format="rgb24")
            frame.pts, frame.time_base = round(time / base), base
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if audio and sound:
            start_s, duration_s = sound
            track = tone(duration_s, sound_rate, audio.codec_context.layout.nb_channels, start_s)
            _encode_sound(container, audio, track, start_s)
    return path


FILMS = {"mp4": "libx264", "mov": "libx264", "avi": "mpeg4", "matroska": "libx264", "webm": "libvpx",
         "mpegts": "libx264", "mpeg": "mpeg2video", "vob": "mpeg2video", "asf": "msmpeg4", "flv": "flv",
         "3gp": "libx264"}  # fmt: skip
"""Codec of the pictures by container."""


def write_sound(path: Path, container: str, codec: str, rate: int) -> bool:
    """Write noise, with moving pictures where the container holds any; False where FFmpeg cannot write it."""
    noise = 0.3 * np.random.default_rng(1).standard_normal(rate * 16).clip(-1, 1).astype(np.float32)
    try:
        with av.open(str(path), "w", format=container) as out:
            if film := FILMS.get(container):
                video = out.add_stream(film, rate=25)
                video.width, video.height, video.pix_fmt = 64, 48, "yuv420p"
            audio = out.add_stream(codec, rate=rate, layout="mono")
            kinds = audio.codec_context.codec.audio_formats or []
            if kinds:
                audio.codec_context.format = kinds[0].name
            audio.codec_context.open()
            kind = audio.codec_context.format.name
            size, shown = audio.codec_context.frame_size or 1024, 0
            resampler = av.AudioResampler(format=kind, layout="mono", rate=rate)
            for first in range(0, noise.size - size + 1, size):
                while film and shown / 25 <= first / rate:
                    picture = np.full((48, 64, 3), shown * 7 % 255, np.uint8)
                    frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
                    frame.pts, frame.time_base, shown = shown, Fraction(1, 25), shown + 1
                    out.mux(video.encode(frame))
                piece = av.AudioFrame.from_ndarray(
                    noise[None, first : first + size], format="fltp", layout="mono"
                )
                piece.sample_rate = rate
                for block in resampler.resample(piece):
                    block.pts, block.time_base = first, Fraction(1, rate)
                    out.mux(audio.encode(block))
            out.mux(audio.encode(None))
            if film:
                out.mux(video.encode(None))
    except (av.FFmpegError, ValueError, OSError, TypeError):
        return False
    return True


def _box(data: bytes, name: bytes) -> int:
    position = data.find(name)
    assert position >= 4, f"no {name!r} box"
    return position


def turned(source: Path, path: Path, degrees: int) -> Path:
    """Copy an mp4 or mov and write a display matrix into its track header: show it turned clockwise."""
    matrices = {90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
    a, b, c, d = (value * 65536 for value in matrices[degrees])
    data = bytearray(source.read_bytes())
    at = _box(bytes(data), b"tkhd") + 4 + 40
    data[at : at + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def trimmed(source: Path, path: Path, first_s: float, ticks_per_s: int) -> Path:
    """Copy an mp4 and let its edit list hide everything before ``first_s``, as phones do after a trim."""
    data = bytearray(source.read_bytes())
    at = _box(bytes(data), b"elst") + 4 + 4 + 4 + 4
    (media_time,) = struct.unpack(">i", data[at : at + 4])
    data[at : at + 4] = struct.pack(">i", media_time + round(first_s * ticks_per_s))
    path.write_bytes(data)
    return path


def overstated(source: Path, path: Path, factor: int) -> Path:
    """Copy an mp4 whose movie and track headers claim ``factor`` times the true duration."""
    data = bytearray(source.read_bytes())
    for name, offset in ((b"mvhd", 16), (b"tkhd", 20), (b"mdhd", 16)):
        at = _box(bytes(data), name) + 4 + offset
        (ticks,) = struct.unpack(">I", data[at : at + 4])
        data[at : at + 4] = struct.pack(">I", ticks * factor)
    path.write_bytes(data)
    return path


def cut_off(source: Path, path: Path, share: float = 0.6) -> Path:
    """Copy the first ``share`` of a file, as an interrupted transfer leaves it."""
    data = source.read_bytes()
    path.write_bytes(data[: int(len(data) * share)])
    return path


def damaged(source: Path, path: Path, first: float, last: float) -> Path:
    """Copy a file with the bytes between two shares of its length overwritten."""
    data = bytearray(source.read_bytes())
    start, stop = int(len(data) * first), int(len(data) * last)
    data[start:stop] = b"\x5a" * (stop - start)
    path.write_bytes(data)
    return path


def even(count: int, rate: float = 30.0, first_s: float = 0.0) -> list[float]:
    """Return evenly spaced times."""
    return [first_s + number / rate for number in range(count)]


def slowing(count: int = 90) -> list[float]:
    """Return times whose first half lies 1/30 s apart and whose second half 1/10 s."""
    half = count // 2
    return even(half) + [half / 30 + number / 10 for number in range(count - half)]


def with_gap(count: int = 90, gap_s: float = 2.0) -> list[float]:
    """Return even times with nothing for ``gap_s`` in the middle, as a recorder that stalls leaves."""
    half = count // 2
    return even(half) + even(count - half, first_s=half / 30 + gap_s)


def sound_only(path: Path, duration_s: float = 2.0) -> Path:
    """Write a file that holds a tone track and no pictures."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("aac", rate=16_000, layout="mono")
        _encode_sound(container, stream, tone(duration_s, 16_000, 1), 0.0)
    return path


def stretched_matroska(source: Path, path: Path, factor: float) -> Path:
    """Copy a Matroska file whose header claims ``factor`` times the true duration."""
    data = bytearray(source.read_bytes())
    at = data.find(b"\x44\x89\x88") + 3
    assert at > 3, "no duration element"
    (ticks,) = struct.unpack(">d", data[at : at + 8])
    data[at : at + 8] = struct.pack(">d", ticks * factor)
    path.write_bytes(data)
    return path


class MediaZoo:
    """Makes each kind of recording on first use, in one folder, and hands out its path."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __getitem__(self, name: str) -> Path:
        path = self.folder / name
        if not path.exists():
            getattr(self, "_" + name.replace(".", "_"))(path)
        return path

    def _even_mp4(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3))

    def _even_mov(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3))

    def _even_mkv(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3))

    def _even_ts(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3))

    def _even_avi(self, path: Path) -> None:
        write_recording(path, even(90), codec="mpeg4", sound=(0, 3), sound_codec="pcm_s16le")

    def _reordered_avi(self, path: Path) -> None:
        write_recording(path, even(90), time_base=Fraction(1, 30), sound=(0, 3), sound_codec="pcm_s16le")

    def _silent_mp4(self, path: Path) -> None:
        write_recording(path, even(90))

    def _slowing_mp4(self, path: Path) -> None:
        write_recording(path, slowing(), sound=(0, 5.9))

    def _slowing_mkv(self, path: Path) -> None:
        write_recording(path, slowing())

    def _gap_mp4(self, path: Path) -> None:
        write_recording(path, with_gap())

    def _late_mp4(self, path: Path) -> None:
        write_recording(path, even(90, first_s=1.0), sound=(0, 4))

    def _late_mkv(self, path: Path) -> None:
        write_recording(path, even(90, first_s=1.0), sound=(0, 4))

    def _trimmed_mp4(self, path: Path) -> None:
        trimmed(self["even.mp4"], path, 1.0, 90_000)

    def _fragmented_mp4(self, path: Path) -> None:
        options = {"movflags": "frag_keyframe+empty_moov"}
        write_recording(path, even(90), sound=(0, 3), container_options=options, codec_options={"g": "15"})

    def _ntsc_mp4(self, path: Path) -> None:
        rate = Fraction(30_000, 1001)
        write_recording(path, even(90, float(rate)), rate=rate)

    def _two_fps_mp4(self, path: Path) -> None:
        write_recording(path, even(12, 2), rate=2)

    def _one_fps_mp4(self, path: Path) -> None:
        write_recording(path, even(10, 1), rate=1)

    def _one_frame_mp4(self, path: Path) -> None:
        write_recording(path, [0.0])

    def _ten_bit_mp4(self, path: Path) -> None:
        write_recording(path, even(30), pixels="yuv420p10le")

    def _odd_mp4(self, path: Path) -> None:
        write_recording(path, even(30), size=(129, 65), pixels="yuv444p")

    def _hd_colours_mp4(self, path: Path) -> None:
        write_recording(path, even(30), colorspace=1)

    def _long_gop_mp4(self, path: Path) -> None:
        write_recording(path, even(300), codec_options={"g": "300", "sc_threshold": "0"})

    def _open_groups_mp4(self, path: Path) -> None:
        write_recording(path, even(150), codec_options={"x264-params": OPEN_GROUPS})

    def _open_groups_mkv(self, path: Path) -> None:
        write_recording(path, even(150), codec_options={"x264-params": OPEN_GROUPS})

    def _refreshed_mp4(self, path: Path) -> None:
        write_recording(path, even(150), codec_options={"x264-params": "intra-refresh=1:keyint=20"})

    def _windows_wmv(self, path: Path) -> None:
        write_recording(path, even(90), codec="wmv2", time_base=Fraction(1, 30))

    def _flash_flv(self, path: Path) -> None:
        write_recording(path, even(150), codec_options={"g": "20"})

    def _programme_mpg(self, path: Path) -> None:
        options = {"bf": "2", "g": "15"}
        write_recording(path, even(90), codec="mpeg2video", time_base=Fraction(1, 30), codec_options=options)

    def _turned90_mp4(self, path: Path) -> None:
        self._turned(path, 90)

    def _turned180_mp4(self, path: Path) -> None:
        self._turned(path, 180)

    def _turned270_mp4(self, path: Path) -> None:
        self._turned(path, 270)

    def _turned(self, path: Path, degrees: int) -> None:
        size = (WIDTH, HEIGHT) if degrees == 180 else (HEIGHT, WIDTH)
        stored = self.folder / f"stored{degrees}.mp4"
        turned(write_recording(stored, even(30), size=size, turn=degrees), path, degrees)

    def _stereo_mp4(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3), layout="stereo", sound_rate=44_100)

    def _surround_mp4(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3), layout="5.1", sound_rate=48_000)

    def _long_sound_mp4(self, path: Path) -> None:
        write_recording(path, even(60), sound=(0, 4))

    def _short_sound_mp4(self, path: Path) -> None:
        write_recording(path, even(120), sound=(1, 1.5))

    def _sound_only_mp4(self, path: Path) -> None:
        sound_only(path)

    def _faststart_mp4(self, path: Path) -> None:
        write_recording(path, even(90), sound=(0, 3), container_options={"movflags": "faststart"})

    def _cut_mp4(self, path: Path) -> None:
        cut_off(self["faststart.mp4"], path)

    def _cut_avi(self, path: Path) -> None:
        cut_off(self["even.avi"], path)

    def _cut_mkv(self, path: Path) -> None:
        cut_off(self["even.mkv"], path)

    def _no_index_mp4(self, path: Path) -> None:
        cut_off(self["even.mp4"], path)

    def _damaged_mp4(self, path: Path) -> None:
        whole = write_recording(self.folder / "whole.mp4", even(90), codec_options={"g": "15", "qp": "2"})
        damaged(whole, path, 0.3, 0.45)

    def _overstated_mp4(self, path: Path) -> None:
        overstated(self["even.mp4"], path, 1000)

    def _overstated_mkv(self, path: Path) -> None:
        stretched_matroska(self["even.mkv"], path, 1000.0)

    def _wrong_suffix_avi(self, path: Path) -> None:
        path.write_bytes(self["even.mp4"].read_bytes())

    def _empty_mp4(self, path: Path) -> None:
        path.write_bytes(b"")

    def _text_mp4(self, path: Path) -> None:
        path.write_text("Patient was seen to chew.\n" * 50)

    def _text_txt(self, path: Path) -> None:
        path.write_text("Patient was seen to chew.\n" * 50)

    def _playlist_mp4(self, path: Path) -> None:
        path.write_text("#EXTM3U\n#EXT-X-TARGETDURATION:3\n#EXTINF:3,\neven.mp4\n#EXT-X-ENDLIST\n")

    def _picture_mp4(self, path: Path) -> None:
        with av.open(str(path), "w", format="image2", options={"update": "1"}) as container:
            stream = container.add_stream("png", rate=1)
            stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "rgb24"
            container.mux(stream.encode(av.VideoFrame.from_ndarray(picture(1), format="rgb24")))
            container.mux(stream.encode(None))
