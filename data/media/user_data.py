"""Taking user data out of encoded streams: what cameras and programs write between the pictures.

A codec is on the list only if it is known where it can hide text. H.264, HEVC and AV1 lose their supplemental units
by FFmpeg's bitstream filter; MPEG-1, -2 and -4 and VC-1 their user-data sections, Motion JPEG its comments and
application segments, Vorbis and Theora their comment headers, PCM what is no sound
(`semiology.data.media.sample_text`). Pictures and sound stay bit for bit.
"""

from __future__ import annotations

import itertools
import re
import struct
from collections.abc import Callable
from typing import Any

from semiology.data.media.sample_text import sample_cleaner

FILTERS = {
    "h264": "filter_units=remove_types=0|6|12|14-18|20-31",
    "hevc": "filter_units=remove_types=38-63",
    "av1": "filter_units=remove_types=5|8-15",
}
"""Bitstream filters: without SEI (6; 39, 40) and metadata units (5), padding, and all that no standard or no usual
decoder knows. Kept are pictures, parameter sets and marks."""
_PLAIN_VIDEO = """
    cinepak dnxhd ffv1 ffvhuff flv1 h263 huffyuv indeo3 indeo5 lagarith msmpeg4v1 msmpeg4v2 msmpeg4v3 msvideo1 prores
    qtrle rawvideo rv10 rv20 rv30 rv40 svq1 svq3 utvideo v210 vp6f vp8 vp9 wmv1 wmv2 wmv3
"""
_PLAIN_AUDIO = """
    aac aac_latm ac3 adpcm_ima_qt adpcm_ima_wav adpcm_ms adpcm_swf alac amr_nb amr_wb dts eac3 flac mp1 mp2
    mp3 nellymoser opus pcm_alaw pcm_bluray pcm_f32be pcm_f32le pcm_f64le pcm_mulaw pcm_s16be pcm_s16le
    pcm_s24be pcm_s24le pcm_s32be pcm_s32le pcm_s8 pcm_u8 speex truehd wavpack wmapro wmav1 wmav2 mp3float
"""
PLAIN = frozenset(_PLAIN_VIDEO.split()) | frozenset(_PLAIN_AUDIO.split())
"""Codecs without a place for text of a user."""
_SECTIONS = {
    "mpeg1video": (0xB2,), "mpeg2video": (0xB2,), "mpeg4": (0xB2,), "vc1": (0x1B, 0x1C, 0x1D, 0x1E, 0x1F),
}  # fmt: skip
# What encoders write of themselves; decoders need it to undo old encoders' faults.
_ENCODER = re.compile(
    rb"(?:DivX\d{3,4}[a-zA-Z]\d{1,5}p?|XviD\d{4}C?|Lavc[\d.]{0,12}|build: \d{1,6}|FFmpe?g ?[\w.]{0,12})\0?"
)
_LETTERS = re.compile(rb"[ -~]{20,}")
_NO_TEXT = re.compile(rb"Lavc|Lavf|LAME|libfaac|(.)\1{7}")
_MPEG_SOUND = frozenset({"mp1", "mp2", "mp3", "mp3float"})
_AAC_DATA = 4
_HEVC_KEPT = range(38)
# A run of letters, digits and the marks of names, dates and addresses, as compressed pictures and sound show once in
# 10^13 bytes. What repeats itself is none.
_READABLE = re.compile(rb"[A-Za-z0-9 .,:;/_@+-]{24,}")
_START = re.compile(rb"\x00\x00\x01")
_KEPT_SEGMENTS = (b"JFIF\0", b"AVI1", b"Adobe")

Clean = Callable[[bytes], bytes]


def cleaner(codec: str) -> Clean | None:
    """Return what takes user data out of the packets and the header of a codec; None where nothing is to be done.

    Raises:
        ValueError: it is not known what the codec can carry (DV, for one, carries the date of the recording).
    """
    if codec in _SECTIONS:
        return lambda data: without_sections(data, _SECTIONS[codec])
    if codec == "mjpeg":
        return without_comments
    if codec.startswith("pcm_"):
        return sample_cleaner(codec)
    if codec in PLAIN or codec in FILTERS or codec in ("vorbis", "theora"):
        return None
    raise ValueError(
        f"streams of {codec} may carry dates or names that cannot be taken out; convert the file first, for "
        "instance with ffmpeg -c:v libx264 -c:a aac"
    )


def without_sections(data: bytes, codes: tuple[int, ...]) -> bytes:
    """Return an MPEG stream without the sections of some start codes; an encoder's own name stays."""
    starts = [found.start() for found in _START.finditer(data)]
    kept, position = bytearray(), 0
    for start, end in zip(starts, [*starts[1:], len(data)], strict=True):
        if start + 3 < len(data) and data[start + 3] in codes:
            kept += data[position:start]
            if _ENCODER.fullmatch(data[start + 4 : end].rstrip(b"\0")):
                kept += data[start:end]
            position = end
    return bytes(kept + data[position:])


def without_comments(data: bytes) -> bytes:
    """Return a JPEG picture without comments and without application segments other than JFIF, AVI1 and Adobe."""
    if data[:2] != b"\xff\xd8":
        return data
    kept, position = bytearray(data[:2]), 2
    while position + 4 <= len(data) and data[position] == 0xFF:
        marker = data[position + 1]
        if marker == 0xDA or 0xD0 <= marker <= 0xD9:
            break
        length = 2 + int.from_bytes(data[position + 2 : position + 4], "big")
        content = data[position + 4 : position + length]
        application = 0xE0 <= marker <= 0xEF
        if not (marker == 0xFE or (application and not content.startswith(_KEPT_SEGMENTS))):
            kept += data[position : position + 4] + _standard(content)
        position += length
    return bytes(kept + data[position:])


def _standard(content: bytes) -> bytes:
    """Return an application segment with nothing beyond what its standard gives it room for."""
    sizes = {b"JFIF\0": 14, b"AVI1": 14, b"Adobe": 12}
    for name, size in sizes.items():
        if content.startswith(name):
            return content[:size] + bytes(max(0, len(content) - size))
    return content


def is_tag(codec: str, data: bytes) -> bool:
    """Return whether a packet of MPEG sound is none: tags (ID3, APE, Lyrics) within or behind the sound."""
    return codec in _MPEG_SOUND and bool(data) and not (data[0] == 0xFF and data[1:2] >= b"\xe0")


def holds_text(codec: str, data: bytes) -> bool:
    """Return whether a cleaned packet still carries text, where nothing can take it out.

    That is 24 readable characters in a row behind or between what the decoder needs; of AAC and MPEG sound also a
    data element at the beginning of a packet, or twenty letters, digits and marks in a row that are no encoder's
    name, which compressed sound shows once in 400 million bytes.
    """
    if _readable(codec, data):
        return True
    if codec != "aac" and codec not in _MPEG_SOUND:
        return False
    adts = data[:1] == b"\xff" and data[1:2] >= b"\xf0"
    block = data[7 if data[1] & 1 else 9 :] if adts and codec == "aac" else data
    if codec == "aac" and block and block[0] >> 5 == _AAC_DATA:
        return True
    return any(not _NO_TEXT.search(found.group()) for found in _LETTERS.finditer(data))


def _readable(codec: str, data: bytes) -> bool:
    """Return whether compressed data holds a run of characters that only a person can have written."""
    if codec == "rawvideo" or codec.startswith("pcm_"):  # any bytes are pictures or sound
        return False
    if codec == "mjpeg":  # the tables before the picture are letters in order
        data = data[max(0, data.find(b"\xff\xda")) :]
    return any(
        len(set(found.group())) >= 8
        and not _NO_TEXT.search(found.group())
        and 2 * sum(chr(each).isalpha() for each in found.group()) >= len(found.group())
        for found in _READABLE.finditer(data)
    )


def clean_extradata(codec: str, data: bytes) -> bytes:
    """Return the header of a stream without comments: the second of Vorbis' and Theora's three is emptied."""
    if codec in _SECTIONS:
        return without_sections(data, _SECTIONS[codec])
    if codec == "mjpeg":
        return without_comments(data)
    if codec == "hevc":
        return _without_sei(data)
    if codec not in ("vorbis", "theora") or not data:
        return data
    headers = _xiph_headers(data)
    name = b"\x03vorbis" if codec == "vorbis" else b"\x81theora"
    headers[1] = name + struct.pack("<II", 0, 0) + (b"\x01" if codec == "vorbis" else b"")
    if data[0] == 2:
        sizes = b"".join(b"\xff" * (len(each) // 255) + bytes([len(each) % 255]) for each in headers[:2])
        return b"\x02" + sizes + b"".join(headers)
    return b"".join(struct.pack(">H", len(each)) + each for each in headers)


def _xiph_headers(data: bytes) -> list[bytes]:
    """Return the three headers of a stream of Xiph's, laced as in Matroska or with their lengths before them.

    Raises:
        ValueError: there are none.
    """
    sizes: list[int] = []
    if data[0] == 2:
        position = 1
        for _ in range(2):
            size = 0
            while data[position] == 255:
                size, position = size + 255, position + 1
            sizes.append(size + data[position])
            position += 1
        first, second = sizes
        return [data[position : position + first], data[position + first : position + first + second],
                data[position + first + second :]]  # fmt: skip
    found, position = [], 0
    for _ in range(3):
        size = int.from_bytes(data[position : position + 2], "big")
        found.append(data[position + 2 : position + 2 + size])
        position += 2 + size
    if position > len(data):
        raise ValueError("the headers of its sound are damaged")
    return found


def _without_sei(data: bytes) -> bytes:
    """Return the header of an HEVC stream (``hvcC``, or units after start codes) without SEI units."""
    if data[:1] != b"\x01" or len(data) < 23:
        starts = [*(found.start() for found in _START.finditer(data)), len(data)]
        units = [data[start:end] for start, end in itertools.pairwise(starts)]
        kept = [unit for unit in units if (unit[3:4] or b"\0")[0] >> 1 & 63 in _HEVC_KEPT]
        return data[: starts[0]] + b"".join(kept)
    arrays, position = [], 23
    for _ in range(data[22]):
        start, count = position, int.from_bytes(data[position + 1 : position + 3], "big")
        position += 3
        for _ in range(count):
            position += 2 + int.from_bytes(data[position : position + 2], "big")
        if data[start] & 63 in _HEVC_KEPT:
            arrays.append(data[start:position])
    if position > len(data):
        raise ValueError("the header of its pictures is damaged")
    return data[:22] + bytes([len(arrays)]) + b"".join(arrays)


def bitstream_filter(codec: str, source: Any, target: Any) -> Any:
    """Return FFmpeg's filter for the packets of a codec; None where there is none.

    ``source`` is the stream that is read; ``target`` the one that is written, whose header becomes the filter's.
    """
    if codec not in FILTERS:
        return None
    from av.bitstream import BitStreamFilterContext

    return BitStreamFilterContext(FILTERS[codec], source, target)
