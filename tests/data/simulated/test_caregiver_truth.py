"""The caregiver's keypoints lie where the caregiver is drawn."""

from __future__ import annotations

import numpy as np

from semiology.data.simulated.picture.body import caregiver_at
from semiology.data.simulated.picture.pose_truth import BODY_25, body_25, caregiver_body_25
from semiology.data.simulated.picture.render import render
from semiology.data.simulated.script.look import toned
from semiology.data.simulated.script.script import Script, draw_look, draw_script


def drawn(seed: int) -> Script:
    rng = np.random.default_rng(seed)
    return draw_script(rng, 40.0, draw_look(rng))


def test_the_caregivers_joints_are_where_the_caregiver_is_painted() -> None:
    scripts = map(drawn, range(200))
    script = next(s for s in scripts if s.of("caregiver") and not s.scene.infrared)
    event = script.of("caregiver")[0]
    times = np.array([(event.onset_s + event.offset_s) / 2, script.duration_s])
    person, nobody = caregiver_body_25(script, times)
    assert not nobody.any() or caregiver_at(script, times)[1, 1] > 0
    assert (person[:, 2] > 0).sum() >= 6
    picture = render(script, times[:1])[0].astype(float)
    x, y, _ = person[BODY_25.index("Nose")]
    skin = np.array(toned((214, 168, 136), script.scene))
    assert (
        np.abs(picture[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2].mean(axis=(0, 1)) - skin).max() < 16
    )
    patient = body_25(script, times[:1])[0]
    apart = abs(person[BODY_25.index("Neck"), 0] - patient[BODY_25.index("Neck"), 0])
    assert apart > 100, "at the side of the picture, not on the patient"
