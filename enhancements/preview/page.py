"""The page of a preview: its picture, what came of each enhancement, and sound to listen to; one file."""

from __future__ import annotations

import base64
import io
from collections.abc import Mapping, Sequence
from html import escape

from semiology.enhancements.pipeline.step import Outcome
from semiology.enhancements.preview.figure import Listening
from semiology.enhancements.views import figures_text

MOST_LISTENED_S = 60.0
"""Sound that can be played, s from the start."""

_STYLE = """
body { font: 15px/1.4 system-ui, sans-serif; margin: 2rem auto; padding: 0 1.5rem; max-width: 1320px;
  color: #1a1a1a }
table { border-collapse: collapse } th, td { border: 1px solid #ccc; padding: .3rem .6rem; text-align: left }
img { max-width: 100% } .failed { color: #a40000 } .unavailable { color: #8a5a00 }
"""


def page(title: str, picture: bytes, sounds: Sequence[Listening], outcomes: Mapping[str, Outcome]) -> str:
    """Return a page that needs no other file and no network.

    Args:
        title: id of the recording.
        picture: PNG.
        sounds: versions of the sound; the first `MOST_LISTENED_S` seconds can be played.
        outcomes: what came of each enhancement, by name.
    """
    rows = "".join(
        f"<tr><td>{escape(name)}</td><td class='{each.status}'>{each.status}</td>"
        f"<td>{escape(each.sentence)}</td><td>{escape(figures_text(each.figures))}</td></tr>"
        for name, each in outcomes.items()
    )
    players = "".join(
        f"<p>{escape(sound.label)}, first {min(MOST_LISTENED_S, sound.samples.size / sound.rate):.0f} s<br>"
        f"<audio controls src='data:audio/wav;base64,{_wav(sound)}'></audio></p>"
        for sound in sounds
        if sound.samples.size
    )
    image = base64.b64encode(picture).decode()
    return (
        f"<!doctype html><html lang='en'><meta charset='utf-8'><title>{escape(title)}</title>"
        f"<style>{_STYLE}</style><h1>{escape(title)}</h1>"
        "<table><tr><th>enhancement</th><th>outcome</th><th>what was done</th><th>figures</th></tr>"
        f"{rows}</table>{players}"
        f"<img alt='stills, sound and words before and after' src='data:image/png;base64,{image}'></html>"
    )


def _wav(sound: Listening) -> str:
    import soundfile

    buffer = io.BytesIO()
    heard = sound.samples[: int(MOST_LISTENED_S * sound.rate)]
    soundfile.write(buffer, heard, sound.rate, format="WAV", subtype="PCM_16")
    return base64.b64encode(buffer.getvalue()).decode()
