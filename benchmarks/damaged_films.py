"""Damage films in the middle, and count the pictures that are shown wrong without a word.

    python benchmarks/damaged_films.py [FILMS] [--seed N] [--only mp4-h264,...]

Each film shows its frame numbers as blocks over a moving texture. A stretch of the file is zeroed, overwritten,
doubled, exchanged with another, taken out, or single bits are turned, as failing disks, transfers and recorders do it.
Every frame is then asked for, from front to back and by jumps. Counted are frames that are right, refused, *wrong*
(another frame than was asked for, or none that can be read) and *marred* (the right number, but some block of 16 x 16
px differs by more than 40 of 255 grey levels on average); any exception but `MediaError` is a crash.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import av
import numpy as np
from measuring import print_table
from numpy.typing import NDArray
from rich.progress import track

from semiology.data.media.frames import read_frames
from semiology.data.media.probe import MediaError, timeline
from semiology.data.media.streaming import WindowRequest, stream_windows

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "tests" / "data"))

from media_zoo import HEIGHT, WIDTH, number_of, picture, tone

FRAMES, RATE, SIZE = 200, 25, (192, 128)
MARRED = 40.0
"""Grey levels by which a block of a frame must differ on average to count as marred."""

KINDS: dict[str, tuple[str, str, dict[str, str]]] = {
    "mp4-h264": ("mp4", "libx264", {"g": "50"}),
    "mp4-h264-no-b": ("mp4", "libx264", {"g": "50", "bf": "0"}),
    "mp4-cavlc": ("mp4", "libx264", {"g": "50", "x264-params": "cabac=0:bframes=0:slices=4"}),
    "mkv-h264": ("mkv", "libx264", {"g": "25"}),
    "ts-h264": ("ts", "libx264", {"g": "25"}),
    "mov-h264": ("mov", "libx264", {"g": "25", "bf": "2"}),
    "flv-h264": ("flv", "libx264", {"g": "25"}),
    "avi-h264": ("avi", "libx264", {"g": "25", "bf": "0"}),
    "mp4-hevc": ("mp4", "libx265", {"x265-params": "keyint=25:log-level=none"}),
    "mkv-hevc": ("mkv", "libx265", {"x265-params": "keyint=25:log-level=none"}),
    "avi-mpeg4": ("avi", "mpeg4", {"g": "25"}),
    "mp4-mpeg4": ("mp4", "mpeg4", {"g": "25"}),
    "mpg-mpeg2": ("mpg", "mpeg2video", {"g": "15", "bf": "0"}),
    "mpg-mpeg2-b": ("mpg", "mpeg2video", {"g": "15", "bf": "2"}),
    "ts-mpeg2-b": ("ts", "mpeg2video", {"g": "15", "bf": "2"}),
    "avi-mjpeg": ("avi", "mjpeg", {}),
    "webm-vp8": ("webm", "libvpx", {"g": "25"}),
    "webm-vp9": ("webm", "libvpx-vp9", {"g": "25", "deadline": "realtime", "cpu-used": "8"}),
    "wmv-wmv2": ("wmv", "wmv2", {"g": "25"}),
    "avi-msmpeg4": ("avi", "msmpeg4", {"g": "25"}),
}


def drawn(number: int) -> NDArray[np.uint8]:
    """Return frame ``number`` with its blocks, beside and below them a texture that moves."""
    across, down = SIZE
    y, x = np.mgrid[:down, :across]
    grain = np.random.default_rng(5).normal(0, 12, (down, across * 3))
    wave = 128 + 60 * np.sin((x + 3 * number) / 9) * np.cos((y - 2 * number) / 7)
    shade = (wave + grain[:, number % across : number % across + across]).clip(0, 255).astype(np.uint8)
    image = np.repeat(shade[..., None], 3, axis=2)
    image[:HEIGHT, :WIDTH] = picture(number)[:HEIGHT, :WIDTH]
    return image


def write_film(path: Path, codec: str, options: dict[str, str], *, sound: bool) -> None:
    """Write `FRAMES` numbered frames, with a tone beside them where the container takes it."""
    with av.open(str(path), "w") as out:
        video = out.add_stream(codec, rate=RATE, options=options)
        video.width, video.height = SIZE
        video.pix_fmt = "yuvj420p" if codec == "mjpeg" else "yuv420p"
        video.bit_rate = 800_000
        audio: Any = out.add_stream("mp2", rate=48_000, layout="mono") if sound else None
        waves = tone(FRAMES / RATE, 48_000, 1)
        for number in range(FRAMES):
            frame = av.VideoFrame.from_ndarray(drawn(number), format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, RATE)
            out.mux(video.encode(frame))
            if audio is not None:
                first = number * 48_000 // RATE
                piece = (waves[:, first : first + 48_000 // RATE] * 32767).astype(np.int16)
                block = av.AudioFrame.from_ndarray(np.ascontiguousarray(piece), format="s16", layout="mono")
                block.sample_rate, block.pts, block.time_base = 48_000, first, Fraction(1, 48_000)
                out.mux(audio.encode(block))
        out.mux(video.encode(None))
        if audio is not None:
            out.mux(audio.encode(None))


Damage = Callable[[bytearray, int, int, np.random.Generator], bytearray]


def _zeroed(data: bytearray, at: int, size: int, _: np.random.Generator) -> bytearray:
    data[at : at + size] = bytes(len(data[at : at + size]))
    return data


def _overwritten(data: bytearray, at: int, size: int, draw: np.random.Generator) -> bytearray:
    data[at : at + size] = draw.bytes(len(data[at : at + size]))
    return data


def _doubled(data: bytearray, at: int, size: int, _: np.random.Generator) -> bytearray:
    return data[:at] + data[max(0, at - size) : at] + data[at:]


def _repeated(data: bytearray, at: int, size: int, _: np.random.Generator) -> bytearray:
    size = min(size, at, len(data) - at)
    data[at : at + size] = data[at - size : at]
    return data


def _exchanged(data: bytearray, at: int, size: int, draw: np.random.Generator) -> bytearray:
    other = int(draw.integers(len(data) // 5, len(data) * 4 // 5))
    first, second = sorted((at, other))
    size = min(size, second - first, len(data) - second)
    one, two = data[first : first + size], data[second : second + size]
    data[first : first + size], data[second : second + size] = two, one
    return data


def _taken_out(data: bytearray, at: int, size: int, _: np.random.Generator) -> bytearray:
    return data[:at] + data[at + size :]


def _turned_bits(data: bytearray, at: int, size: int, draw: np.random.Generator) -> bytearray:
    for place in draw.integers(at, min(len(data), at + size), max(3, size // 200)):
        data[place] ^= 1 << int(draw.integers(8))
    return data


DAMAGES: dict[str, Damage] = {
    "zeroed": _zeroed, "overwritten": _overwritten, "doubled": _doubled, "repeated": _repeated,
    "exchanged": _exchanged, "taken out": _taken_out, "bits turned": _turned_bits,
}  # fmt: skip


def damage(whole: bytes, name: str, draw: np.random.Generator) -> bytes:
    """Return a file damaged once, somewhere between a fifth and four fifths of its length."""
    size = int(2 ** draw.uniform(6, 15))
    size = min(512 * max(1, size // 512), len(whole) // 8) if draw.random() < 0.5 else size
    at = int(draw.integers(len(whole) // 5, len(whole) * 4 // 5))
    if draw.random() < 0.5:  # blocks of a disk begin at multiples of 512
        at = at // 512 * 512
    return bytes(DAMAGES[name](bytearray(whole), at, size, draw))


def judge(image: NDArray[np.uint8], number: int, clean: NDArray[np.uint8]) -> str:
    """Return right, marred or wrong for what was shown as frame ``number``, of which ``clean`` is the picture."""
    try:
        shown = number_of(image)
    except (AssertionError, IndexError):
        return "wrong"
    if shown != number or image.shape != clean.shape:
        return "wrong"
    apart = np.abs(image.astype(float) - clean).mean(axis=2)
    down, across = (each // 16 for each in apart.shape)
    blocks = apart[: down * 16, : across * 16].reshape(down, 16, across, 16).mean(axis=(1, 3))
    return "marred" if blocks.max() > MARRED else "right"


def examine(
    path: Path, times: NDArray[np.float64], clean: NDArray[np.uint8], jumps: NDArray[np.int64]
) -> tuple[Counter[str], list[str]]:
    """Return how many frames of a damaged film are right, refused, marred and wrong, and which were wrong."""
    counts: Counter[str] = Counter()
    faults: list[str] = []
    requests = [WindowRequest(0.0, 1.0, times_s=(float(time),)) for time in times]
    for number, pictures in stream_windows(path, requests):
        verdict = "refused" if isinstance(pictures, MediaError) else judge(pictures[0], number, clean[number])
        counts[verdict] += 1
        if verdict == "wrong":
            faults.append(f"frame {number}")
    for number in jumps.tolist():
        try:
            verdict = judge(read_frames(path, [float(times[number])])[0], number, clean[number])
        except MediaError:
            verdict = "refused"
        counts[f"{verdict} after a jump"] += 1
        if verdict == "wrong":
            faults.append(f"frame {number} after a jump")
    return counts, faults


def main() -> None:
    """Damage films and print what became of their frames."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("films", nargs="?", type=int, default=300)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default=",".join(KINDS))
    parser.add_argument("--keep", type=Path, help="folder for the films of which a frame was wrong or marred")
    chosen = parser.parse_args()
    draw = np.random.default_rng(chosen.seed)
    rows: dict[str, Counter[str]] = {}
    by_damage: dict[str, Counter[str]] = {}
    told: list[str] = []
    with TemporaryDirectory() as folder:
        sources: dict[str, tuple[bytes, NDArray[np.float64], NDArray[np.uint8]]] = {}
        names = chosen.only.split(",")
        for name in names:
            suffix, codec, options = KINDS[name]
            path = Path(folder) / f"{name}.{suffix}"
            write_film(path, codec, options, sound=suffix in ("avi", "mpg", "ts", "mkv"))
            times = timeline(path).times_s
            pictures = read_frames(path, times)
            right = [number_of(each) for each in pictures] == list(range(FRAMES))
            if not right or timeline(path).info.damaged_s:
                sys.exit(f"{name}: the film is not shown right before it is damaged")
            sources[name] = path.read_bytes(), times, pictures
        for film in track(range(chosen.films), "films"):
            name, kind = names[film % len(names)], list(DAMAGES)[film // len(names) % len(DAMAGES)]
            whole, times, pictures = sources[name]
            path = Path(folder) / f"{film}-{kind.replace(' ', '-')}.{KINDS[name][0]}"
            path.write_bytes(damage(whole, kind, draw))
            jumps = draw.integers(0, FRAMES, 10)
            try:
                counts, faults = examine(path, times, pictures, jumps)
            except Exception as error:  # noqa: BLE001 - a crash is what is counted
                counts, faults = Counter({"crash": 1}), [f"{type(error).__name__}: {error}"]
            counts["films"] += 1
            counts["films with a wrong frame"] += bool(faults)
            counts["films with a marred frame"] += bool(counts["marred"])
            rows.setdefault(name, Counter()).update(counts)
            by_damage.setdefault(kind, Counter()).update(counts)
            if faults:
                told.append(f"{path.name} ({name}): {', '.join(faults[:6])}{' …' * (len(faults) > 6)}")
            if chosen.keep and (faults or counts["marred"]):
                chosen.keep.mkdir(parents=True, exist_ok=True)
                (chosen.keep / f"{name}-{path.name}").write_bytes(path.read_bytes())
            path.unlink()
    columns = ["films", "right", "refused", "marred", "wrong", "right after a jump", "refused after a jump",
               "marred after a jump", "wrong after a jump", "films with a wrong frame", "films with a marred frame",
               "crash"]  # fmt: skip
    for title, table in (("film", rows), ("damage", by_damage)):
        total = sum(table.values(), Counter())
        lines = [[each, *(str(table[each][column]) for column in columns)] for each in table]
        print_table([title, *columns], [*lines, ["all", *(str(total[column]) for column in columns)]])
    for line in told:
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
