"""Text among samples of sound: chunks of a WAV file that was never closed, and names written over the sound."""

import struct
from pathlib import Path

import numpy as np
import pytest

from semiology.data.media.remux import remux
from semiology.data.media.sample_text import sample_cleaner

NAME = b"Annegret Quastenfloss 12-MAR-1984"


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + bytes(len(content) % 2)


def _id3(text: bytes) -> bytes:
    frame = b"TIT2" + struct.pack(">I", len(text) + 1) + b"\0\0\0" + text
    return b"ID3\x03\0\0" + bytes([0, 0, len(frame) >> 7, len(frame) & 127]) + frame


CHUNKS = {
    "info": _chunk(b"LIST", b"INFO" + _chunk(b"IART", b"Q. Fee") + _chunk(b"ICMT", NAME)),
    "bext": _chunk(b"bext", NAME.ljust(602, b"\0")),
    "ixml": _chunk(b"iXML", b"<BWFXML><NOTE>" + NAME + b"</NOTE></BWFXML>"),
    "id3": _chunk(b"id3 ", _id3(NAME)),
    "bare id3": _id3(NAME),
}


def _wave(samples: np.ndarray, behind: bytes, length: int) -> bytes:
    kind = struct.pack("<HHIIHH", 1, 1, 16_000, 32_000, 2, 16)
    body = b"WAVEfmt " + struct.pack("<I", 16) + kind + b"data" + struct.pack("<I", length)
    return b"RIFF" + struct.pack("<I", length) + body + samples.astype("<i2").tobytes() + behind


def _sound(seconds: float = 3.0) -> np.ndarray:
    draw = np.random.default_rng(4)
    return (3000 * draw.standard_normal(round(16_000 * seconds))).clip(-32_000, 32_000)


@pytest.mark.parametrize("chunk", CHUNKS)
def test_chunks_behind_sound_whose_length_is_open_are_silent_in_the_copy(tmp_path: Path, chunk: str) -> None:
    source, sound = tmp_path / "a.wav", _sound()
    source.write_bytes(_wave(sound, CHUNKS[chunk], 0xFFFFFFFF))
    copy = remux(source, tmp_path / "out.wav").path.read_bytes()
    assert NAME not in copy
    assert b"Q. Fee" not in copy
    assert sound.astype("<i2").tobytes() in copy


def test_a_chunk_that_goes_on_in_the_next_packet_is_silent_to_its_end() -> None:
    clean = sample_cleaner("pcm_s16le")
    chunk = _chunk(b"LIST", b"INFO" + _chunk(b"ICMT", b"x" * 3000 + b"Q. Fee" + b"y" * 994))
    sound = _sound(0.5).astype("<i2").tobytes()
    first, second = clean(sound + chunk[:2000]), clean(chunk[2000:] + sound)
    assert first == sound + bytes(2000)
    assert second == bytes(len(chunk) - 2000) + sound
    assert clean(sound) == sound


@pytest.mark.parametrize("codec", ["pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s32be", "pcm_f32le"])
@pytest.mark.parametrize(
    "name", [NAME, b"MRN 00482913 Kowalska Zofia", b"born 3 April 1971 in Bielefeld, ward 5"]
)
def test_names_over_the_sound_are_silenced_wherever_they_begin(codec: str, name: bytes) -> None:
    sound = _sound(0.5).astype("<i2").tobytes()
    for place in range(4000, 4012):
        data = bytearray(sound)
        data[place : place + len(name)] = name
        cleaned = sample_cleaner(codec)(bytes(data))
        assert name[3:-3] not in cleaned
        assert cleaned[: place - 8] + cleaned[place + len(name) + 8 :] == (
            sound[: place - 8] + sound[place + len(name) + 8 :]
        )


def test_loud_low_and_clipped_sound_stays_bit_for_bit() -> None:
    draw, time = np.random.default_rng(5), np.arange(16_000 * 60) / 16_000
    sounds = (
        0.9 * np.sin(2 * np.pi * 50 * time) + 0.05 * draw.standard_normal(time.size),
        3.0 * np.sin(2 * np.pi * 20 * time) + 0.3 * draw.standard_normal(time.size),
        draw.uniform(-1, 1, time.size),
        np.cumsum(draw.standard_normal(time.size)) / 1500,
    )
    for sound in sounds:
        for codec, form, scale in (
            ("pcm_s16le", "<i2", 32_767), ("pcm_s16be", ">i2", 32_767), ("pcm_f32le", "<f4", 1), ("pcm_u8", "i1", 127)
        ):  # fmt: skip
            data = (sound.clip(-1, 1) * scale).astype(form).tobytes()
            assert sample_cleaner(codec)(data) == data
