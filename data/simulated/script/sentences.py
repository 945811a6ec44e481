"""The reference justification of each answer and the reference report, from what happens in a script."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import yaml

from semiology.data.simulated.script.script import Script
from semiology.features import FEATURES, VISUAL_FEATURES


@lru_cache(maxsize=1)
def _sentences() -> Mapping[str, Mapping[str, str]]:
    """Return the texts of each feature: ``seen``, ``absent`` and, for the report, ``report``."""
    content: dict[str, dict[str, str]] = yaml.safe_load(
        Path(__file__).with_suffix(".yaml").read_text(encoding="utf-8")
    )
    return content


def drawn_features() -> tuple[str, ...]:
    """Return the features that the simulator draws and annotates; of others it knows nothing."""
    return tuple(name for name in FEATURES if name in _sentences())


def not_drawn_sentence() -> str:
    """Say which features the simulator does not draw; empty where it draws all of them."""
    missing = [name for name in FEATURES if name not in _sentences()]
    if not missing:
        return ""
    return (
        f"The simulator does not draw {', '.join(missing)} and leaves it without annotation: draw it in "
        "data/simulated (script/march.py, picture/motion.py) and describe it in script/sentences.yaml."
    )


def reference_justification(feature: str, script: Script) -> str | None:
    """Return one sentence for the answer on a feature, or None where the truth is neither yes nor no.

    Raises:
        KeyError: The simulator does not draw ``feature``; the message says so.
    """
    if feature not in drawn_features():
        raise KeyError(
            f"{feature!r} is not drawn by the simulator, which draws {', '.join(drawn_features())}"
        )
    present = script.present(feature)
    if present == "na":
        return None
    if present == "no":
        return _sentences()[feature]["absent"]
    seen, side = _sentences()[feature]["seen"], script.side(feature)
    if side in ("left", "right"):
        return seen.format(side=side)
    return seen.replace("The {side} ", "Each ").format(side="left and right")


def reference_report(script: Script) -> str:
    """Return one to three sentences: every visible feature in order of onset, then what is heard."""
    texts = _sentences()
    timed = [(script.interval(f), f) for f in VISUAL_FEATURES if "report" in texts.get(f, {})]
    phrases = []
    for _, feature in sorted((interval, f) for interval, f in timed if interval is not None):
        side = script.side(feature)
        phrases.append(
            texts[feature]["report"].format(side=side if side in ("left", "right") else "bilateral")
        )
    opening = "Arising from sleep, the patient shows " if script.asleep_until_s else "The patient shows "
    sentences = [opening + ", then ".join(phrases) + "."] if phrases else ["No clear seizure sign is seen."]
    if script.present("ictal_vocalization") == "yes":
        sentences.append("There is ictal vocalization.")
    answered = script.present("verbal_responsiveness")
    if answered != "na":
        does = "answers" if answered == "yes" else "does not answer"
        sentences.append(f"The patient {does} when addressed.")
    return " ".join(sentences)
