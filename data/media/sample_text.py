"""Text among the samples of uncompressed sound (PCM), where any bytes are sound: told from it by what sound never does.

Recorders that do not close a WAV file leave its length open, and the chunks behind the sound (LIST with INFO, bext,
iXML, ID3 tags) are then read as samples. They are silenced, as is text elsewhere: a run of letters, digits and marks
makes samples of 16 bits and more that are all loud, all of one sign, and jump about.
"""

from __future__ import annotations

import re
from collections.abc import Callable

import numpy as np

_CHUNK = re.compile(
    rb"(?:LIST.{4}(?:INFO|adtl)|id3 .{4}ID3[\x02-\x04]|bext.{4}|iXML.{4}<|_PMX.{4}<|axml.{4}<)", re.DOTALL
)
"""Chunks of RIFF files that hold text (EBU Tech 3285, iXML 3.0, RIFF MCI 1.0), with enough behind to be no chance."""
_ID3 = re.compile(rb"ID3[\x02-\x04]\x00[\x00-\xf0]([\x00-\x7f]{4})", re.DOTALL)
_OLD_TAG = re.compile(rb"TAG[\x00 -~]{124}.\Z|APETAGEX.*\Z", re.DOTALL)
_RUN = re.compile(rb"[A-Za-z0-9 .,:;/_@+-]{24,}")
_BROADCAST = range(602, 1 << 16)
"""Lengths of a ``bext`` chunk, bytes."""
_MIXED = re.compile(rb"[a-z0-9](?=[A-Z])|[A-Za-z](?=[0-9])")
"""Capitals within words, and digits behind letters: people write few, chance many."""
_DIFFERENT = 8
_JUMP = 7.0
"""Mean distance of the highest bytes of two samples in a row, from which on they are no sound that is loud so long."""
_SILENCE = {"pcm_u8": b"\x80", "pcm_alaw": b"\xd5", "pcm_mulaw": b"\xff"}
_WIDTHS = {"pcm_s16": 2, "pcm_s24": 3, "pcm_s32": 4, "pcm_f32": 4, "pcm_f64": 8}


def sample_cleaner(codec: str) -> Callable[[bytes], bytes]:
    """Return what silences text in the packets of a track in turn, for a PCM codec by FFmpeg's name."""
    return _Silencer(_WIDTHS.get(codec[:7], 1), _SILENCE.get(codec, b"\0"), big=codec.endswith("be"))


class _Silencer:
    """Takes packet after packet; a chunk may go on in the next."""

    def __init__(self, width: int, silence: bytes, *, big: bool) -> None:
        self._width, self._silence, self._goes_on = width, silence, 0
        self._highest = 0 if big else width - 1

    def __call__(self, data: bytes) -> bytes:
        spans = [(0, self._goes_on)] if self._goes_on else []
        spans += [*_chunks(data), *(_texts(data, self._width, self._highest) if self._width > 1 else ())]
        if not spans:
            return data
        self._goes_on = max(0, max(end for _, end in spans) - len(data))
        quiet = bytearray(data)
        for start, end in spans:
            first = start // self._width * self._width
            last = min(len(data), -(-end // self._width) * self._width)
            quiet[first:last] = (self._silence * (last - first))[: max(0, last - first)]
        return bytes(quiet)


def _chunks(data: bytes) -> list[tuple[int, int]]:
    """Return where chunks and tags begin and end, in some cases behind these data."""
    found = []
    for each in _CHUNK.finditer(data):
        length = int.from_bytes(data[each.start() + 4 : each.start() + 8], "little")
        if not each.group().startswith(b"bext") or length in _BROADCAST:
            found.append((each.start(), each.start() + 8 + length))
    for each in _ID3.finditer(data):  # its length has seven bits in a byte
        length = sum(byte << 7 * place for place, byte in enumerate(reversed(each[1])))
        found.append((each.start(), each.end() + length))
    return [*found, *(each.span() for each in _OLD_TAG.finditer(data))]


def _texts(data: bytes, width: int, highest_at: int) -> list[tuple[int, int]]:
    """Return where letters stand in a row that no sound makes; samples have their highest byte at ``highest_at``."""
    found = []
    for each in _RUN.finditer(data):
        run = each.group()
        letters = sum(chr(byte).isalpha() for byte in run)
        mixed = len(_MIXED.findall(run))
        if len(set(run)) < _DIFFERENT or 2 * letters < len(run) or 8 * mixed > len(run):
            continue
        first = (highest_at - each.start()) % width
        highest = np.frombuffer(run[first::width], np.uint8).astype(int)
        if np.abs(np.diff(highest)).mean() >= _JUMP:
            found.append(each.span())
    return found
