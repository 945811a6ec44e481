"""Read the outermost structure of a media file to tell a whole file from one that was cut off.

A decoder plays what it finds and stops without a word; the container's own length fields say what
should have been there. Only a few bytes per outer block are read, whatever the size of the file.
"""

from __future__ import annotations

import mmap
import re
import struct
from pathlib import Path
from typing import BinaryIO

_EBML = b"\x1a\x45\xdf\xa3"
_SEGMENT = 0x18538067
_FLV, _FLV_LENGTH, _FLV_FLAGS = b"FLV\x01", b"\0\0\0\x09", (b"\x01", b"\x04", b"\x05")
_FLV_TAG = re.compile(rb"[\x08\x09\x12].{6}.\0\0\0", re.DOTALL)
_FLV_BACK_MS = 250
_MP4_FIRST_BOXES = (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip", b"styp", b"pnot")


def structural_fault(path: Path) -> str | None:
    """Return what is wrong with a readable file: "cut off", "no index", "joined" (two files in one), or None.

    None stands for a whole file, and for a container that is not known.
    """
    size = path.stat().st_size
    with path.open("rb") as stream:
        head = stream.read(12)
        if head[4:8] in _MP4_FIRST_BOXES:
            return _mp4_fault(stream, size)
        if head[:4] == b"RIFF":
            return _riff_fault(stream, size)
        if head[:4] == _EBML:
            return _matroska_fault(stream, size)
        if head[:4] == _FLV:
            with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
                return (
                    "joined"
                    if any(whole.find(_FLV + flags + _FLV_LENGTH, 9) > 0 for flags in _FLV_FLAGS)
                    else None
                )
    return None


def _mp4_fault(stream: BinaryIO, size: int) -> str | None:
    position, names = 0, list[bytes]()
    while position + 8 <= size:
        stream.seek(position)
        header = stream.read(16)
        length, name = int.from_bytes(header[:4], "big"), header[4:8]
        if length == 1:
            length = int.from_bytes(header[8:16], "big")
        elif length == 0:
            length = size - position
        names.append(name)
        if length < 8:
            break
        position += length
    if b"moov" not in names:
        return "no index"
    if names.count(b"moov") > 1 and names.count(b"ftyp") > 1:
        return "joined"
    return "cut off" if position > size else None


def _riff_fault(stream: BinaryIO, size: int) -> str | None:
    position = 0
    while position + 8 <= size:
        stream.seek(position)
        header = stream.read(12)
        if header[:4] != b"RIFF":
            break
        if position and header[8:12] == b"AVI ":  # the parts of one large file are called AVIX
            return "joined"
        position += 8 + int.from_bytes(header[4:8], "little")
    # Some recorders drop the padding byte at the very end; that costs no frame.
    return "cut off" if position > size + 1 else None


def avi_misplaced(path: Path, track: int) -> list[int] | None:
    """Return the numbers of a track's frames that do not stand where the index of an AVI file says.

    At the end stands the number of frames that the index counts. None without an index (``idx1``).
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        index, movie = whole.rfind(b"idx1"), whole.find(b"movi")
        if index < 0 or movie < 0:
            return None
        length = int.from_bytes(whole[index + 4 : index + 8], "little")
        entries = [
            (name, at, size)
            for name, _, at, size in struct.iter_unpack(
                "<4sIII", whole[index + 8 : index + 8 + length // 16 * 16]
            )
            if name[:2] == b"%02d" % track
        ]
        base = 0 if entries and whole[entries[0][1] : entries[0][1] + 4] == entries[0][0] else movie
        missed = [
            number
            for number, (name, at, size) in enumerate(entries)
            if whole[base + at : base + at + 8] != name + size.to_bytes(4, "little")
        ]
        return [*missed, len(entries)]


def flv_breaks(path: Path) -> list[tuple[int, int]]:
    """Return where the tags of an FLV file do not follow each other, from the last whole one to the next, in ms.

    Every tag is followed by its own length; the last tag of a file that was cut off is no break.
    """
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        breaks: list[tuple[int, int]] = []
        position = int.from_bytes(whole[5:9], "big") + 4
        last, since = 0, -1
        while position + 15 <= len(whole):
            end = _flv_tag_end(whole, position)
            if end is None or (since >= 0 and _flv_tag_end(whole, end) is None and end + 15 <= len(whole)):
                since = last if since < 0 else since
                found = _FLV_TAG.search(whole, position + 1)
                position = found.start() if found else len(whole)
                continue
            time_ms = int.from_bytes(whole[position + 4 : position + 7], "big") | whole[position + 7] << 24
            if since >= 0 or time_ms < last - _FLV_BACK_MS:
                breaks.append((min(since if since >= 0 else time_ms, time_ms), max(last, time_ms) + 1))
                since = -1
            last, position = time_ms, end
        return breaks


def _flv_tag_end(whole: mmap.mmap, position: int) -> int | None:
    """Return where the tag at a place ends, None where there is none."""
    end = position + 15 + int.from_bytes(whole[position + 1 : position + 4], "big")
    known = whole[position : position + 1] in (b"\x08", b"\x09", b"\x12") and end <= len(whole)
    return end if known and int.from_bytes(whole[end - 4 : end], "big") == end - 4 - position else None


def _vint(stream: BinaryIO, keep_marker: bool) -> tuple[int, bool]:
    """Read a Matroska number; the flag tells the reserved value that means "length not known"."""
    first = stream.read(1)
    if not first or first[0] == 0:
        return 0, True
    width = 9 - first[0].bit_length()
    value = int.from_bytes(first + stream.read(width - 1), "big")
    payload = value & ~(1 << 7 * width)
    return (value if keep_marker else payload), payload == (1 << 7 * width) - 1


def _matroska_fault(stream: BinaryIO, size: int) -> str | None:
    stream.seek(4)
    length, _ = _vint(stream, keep_marker=False)
    stream.seek(length, 1)
    identity, _ = _vint(stream, keep_marker=True)
    length, unknown = _vint(stream, keep_marker=False)
    if identity != _SEGMENT or unknown:
        return None
    end = stream.tell() + length
    if end > size:
        return "cut off"
    stream.seek(end)
    return "joined" if stream.read(4) == _EBML else None
