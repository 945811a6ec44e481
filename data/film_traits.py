"""What is told once for all films of a set, with a count, because it belongs to how they were recorded or stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from semiology.data.media.probe import MediaInfo
from semiology.data.problems import Problem
from semiology.data.recording_set import Recording
from semiology.data.tables.reading import RECORDINGS
from semiology.render.text import counted

_TELLING = frozenset({"ffv1", "mpeg4", "msmpeg4v3", "vp9"})
"""Codecs that have checksums, or whose decoders were measured to find nearly all damage (docs/start/faults.md)."""
_NAMED = 3
_SQUARE = 0.01
"""Pixels are square up to this difference of width and height."""
_ENCODE = "-c:v libx264 -crf 16 -c:a copy NEW_FILE"
_VERIFY = (
    "record digests while they are whole (semiology data digests), or copy them into Matroska, which has checksums "
    "(ffmpeg -i FILE -c copy FILE.mkv)"
)
_STRETCHED = "players stretch their pictures, models get them as stored, with people too narrow or too wide"
_SQUARED = (
    "encode them with square pixels before anything else (ffmpeg -i FILE -vf "
    f"'scale=trunc(iw*sar/2)*2:ih,setsar=1' {_ENCODE})"
)
_DEINTERLACED = f"deinterlace them before anything else (ffmpeg -i FILE -vf bwdif=mode=send_frame {_ENCODE})"

Film = tuple[Recording, MediaInfo]


def film_traits(films: Sequence[Film], *, simulated: bool = False) -> list[Problem]:
    """Return warnings about films in which damage may go unseen, with wide pixels, or in fields.

    Args:
        films: the recordings whose videos could be read.
        simulated: whether they are drawn, and can be drawn again: then damage is not spoken of.
    """
    unseen = [film for film in films if _unseen_damage(film) and not simulated]
    wide = [film for film in films if abs(film[1].pixel_shape - 1) > _SQUARE]
    fields = [film for film in films if film[1].interlaced]
    told = (
        (unseen, f"no checksums ({_formats(unseen)}): damage in the middle of them may go unseen", _VERIFY),
        (wide, f"pixels that are not square ({_shapes(wide)}): {_STRETCHED}", _SQUARED),
        (fields, "pictures of two fields (interlaced): what moves has edges like combs", _DEINTERLACED),
    )
    return [Problem(RECORDINGS, None, _of(films, found, what), fix) for found, what, fix in told if found]


def _of(films: Sequence[Film], found: Sequence[Film], what: str) -> str:
    verb = "has" if len(found) == 1 else "have"
    return f"{len(found)} of {counted(len(films), 'film')} {verb} {what}{_names(found)}"


def _unseen_damage(film: Film) -> bool:
    recording, info = film
    return not (info.checksums or info.codec in _TELLING or recording.sha256)


def _formats(films: Sequence[Film]) -> str:
    counts = Counter(f"{info.codec} in {_container(item.video)}" for item, info in films)
    return ", ".join(f"{name}: {count}" for name, count in counts.most_common())


def _container(path: Path) -> str:
    return path.suffix.lower().removeprefix(".") or "a file"


def _shapes(films: Sequence[Film]) -> str:
    shapes = sorted({f"{info.pixel_shape:.2f}:1" for _, info in films})
    return ", ".join(shapes[:_NAMED]) + ", …" * (len(shapes) > _NAMED)


def _names(films: Sequence[Film]) -> str:
    named = ", ".join(item.video_id for item, _ in films[:_NAMED])
    return f" ({named}{', …' * (len(films) > _NAMED)})"
