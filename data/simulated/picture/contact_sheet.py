"""Every visible feature and its absence: ``python -m semiology.data.simulated.picture.contact_sheet OUT``."""

from __future__ import annotations

import sys
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from semiology.data.simulated.picture.render import render
from semiology.data.simulated.script.script import Script, draw_look, draw_script
from semiology.data.simulated.script.sentences import drawn_features
from semiology.features import VISUAL_FEATURES

FRAMES = 5
_SIZE = (232, 174)
_GAP = 12
_LABEL = 22


def contact_sheet(seed: int = 0, size: tuple[int, int] = _SIZE) -> NDArray[np.uint8]:
    """Draw a row per feature: frames half a second apart with the feature, then as many without it; RGB, uint8."""
    rng = np.random.default_rng(seed)
    scripts = [draw_script(rng, 45.0, draw_look(rng)) for _ in range(240)]
    names = [name for name in VISUAL_FEATURES if name in drawn_features()]
    rows = [_row(feature, scripts, index, size) for index, feature in enumerate(names)]
    return np.concatenate(rows)


def _row(feature: str, scripts: list[Script], index: int, size: tuple[int, int]) -> NDArray[np.uint8]:
    shown = [s for s in scripts if s.present(feature) == "yes" and s.scene.infrared == (index % 4 == 3)]
    other = [s for s in scripts if s.present(feature) == "no" and not s.scene.infrared]
    script, without = shown[index % len(shown)], other[(index * 7) % len(other)]
    strips = [_strip(script, feature, size), _strip(without, None, size)]
    band = np.full((_LABEL, strips[0].shape[1] * 2 + _GAP, 3), 255, np.uint8)
    side = script.side(feature)
    text = f"{feature}{f' (patient: {side})' if side else ''}: present | right: absent"
    cv2.putText(band, text, (6, 16), cv2.FONT_HERSHEY_SIMPLEX, 0.5, (0, 0, 0), 1, cv2.LINE_AA)
    gap = np.full((size[1], _GAP, 3), 255, np.uint8)
    return np.concatenate([band, np.concatenate([strips[0], gap, strips[1]], axis=1)])


def _strip(script: Script, feature: str | None, size: tuple[int, int]) -> NDArray[np.uint8]:
    interval, start = script.interval(feature) if feature else None, 1.0
    if interval is not None:
        start = max(interval[0] + 0.7, sum(interval) / 2 - 1)
        if feature == "arms_move_simultaneously":
            start = interval[0] - 0.6
    return np.concatenate(list(render(script, start + np.arange(FRAMES, dtype=np.float64) / 2, size)), axis=1)


def main() -> None:
    """Write the sheet to the path given on the command line."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m semiology.data.simulated.picture.contact_sheet OUT.png")
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    if not cv2.imwrite(str(target), contact_sheet()[..., ::-1]):
        raise SystemExit(f"{target}: cannot be written; give a path that ends in .png")


if __name__ == "__main__":
    main()
