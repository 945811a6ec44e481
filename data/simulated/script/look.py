"""How a simulated patient and the room look: colours, build, camera, light."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

Colour = tuple[int, int, int]

_SKINS: tuple[Colour, ...] = (
    (243, 208, 182), (228, 184, 150), (205, 156, 120), (170, 120, 86), (128, 86, 60), (96, 64, 46),
)  # fmt: skip
_HAIRS: tuple[Colour, ...] = (
    (35, 28, 26), (78, 52, 36), (140, 98, 58), (190, 160, 110), (150, 150, 152), (120, 56, 34),
)  # fmt: skip
_CLOTHES: tuple[Colour, ...] = (
    (150, 186, 214), (196, 210, 190), (214, 120, 110), (90, 110, 160), (228, 214, 130), (120, 160, 120),
    (176, 140, 190),
)  # fmt: skip
_TROUSERS: tuple[Colour, ...] = ((58, 66, 96), (84, 84, 88), (110, 78, 66), (50, 84, 78))
_BLANKETS: tuple[Colour, ...] = (
    (178, 200, 214), (206, 186, 160), (150, 178, 160), (196, 160, 170), (120, 140, 176),
)  # fmt: skip
_WALLS: tuple[Colour, ...] = ((206, 208, 200), (190, 200, 206), (212, 202, 186), (176, 186, 180))


@dataclass(frozen=True)
class PatientLook:
    """What stays the same over all recordings of one patient. Colours are RGB, lengths relative to 1."""

    skin: Colour
    hair: Colour
    hair_length: float
    shirt: Colour
    trousers: Colour
    iris: Colour
    build: float
    voice_hz: float


@dataclass(frozen=True)
class Scene:
    """Camera, light and bed of one recording.

    Angles are in degrees; ``zoom`` is the height of the patient's head as a fraction of the frame height;
    ``exposure_s`` is the shutter time that blurs motion; ``noise`` is a standard deviation in grey levels.
    """

    azimuth: float
    tilt: float
    roll: float
    zoom: float
    shift_x: float
    shift_y: float
    backrest: float
    infrared: bool
    gain: float
    warmth: float
    noise: float
    exposure_s: float
    wall: Colour
    blanket: Colour
    blanket_level: float


def draw_look(rng: np.random.Generator) -> PatientLook:
    """Draw one patient's appearance and voice."""
    return PatientLook(
        skin=_pick(rng, _SKINS),
        hair=_pick(rng, _HAIRS),
        hair_length=float(rng.uniform(0, 1)),
        shirt=_pick(rng, _CLOTHES),
        trousers=_pick(rng, _TROUSERS),
        iris=_pick(rng, ((70, 48, 34), (60, 84, 110), (66, 92, 62))),
        build=float(rng.uniform(0.9, 1.15)),
        voice_hz=float(rng.choice([rng.uniform(95, 140), rng.uniform(170, 230)])),
    )


def draw_scene(rng: np.random.Generator, night: float = 0.25) -> Scene:
    """Draw camera, light and bedding; ``night`` is the probability of an infrared picture."""
    infrared = bool(rng.random() < night)
    return Scene(
        azimuth=float(rng.uniform(-18, 18)),
        tilt=float(rng.uniform(20, 34)),
        roll=float(rng.uniform(-5, 5)),
        zoom=float(rng.uniform(0.25, 0.29)),
        shift_x=float(rng.uniform(-0.05, 0.05)),
        shift_y=float(rng.uniform(-0.02, 0.03)),
        backrest=float(rng.uniform(28, 45)),
        infrared=infrared,
        gain=float(rng.uniform(0.75, 1.08)),
        warmth=float(rng.uniform(-0.06, 0.08)),
        noise=float(rng.uniform(4, 9) if infrared else rng.uniform(1.5, 5)),
        exposure_s=float(rng.uniform(1 / 20, 1 / 12)),
        wall=_pick(rng, _WALLS),
        blanket=_pick(rng, _BLANKETS),
        blanket_level=float(rng.choice([rng.uniform(0.0, 0.3), rng.uniform(0.3, 0.75)])),
    )


def toned(colour: Colour, scene: Scene, factor: float = 1.0) -> Colour:
    """Return a colour as the camera sees it: gain and warmth by day, near-grey under infrared light."""
    red, green, blue = (channel * factor * scene.gain for channel in colour)
    if scene.infrared:
        # Infrared light flattens hue: skin and cloth come out as close shades of grey.
        grey = 40 + 0.72 * (0.5 * red + 0.35 * green + 0.15 * blue)
        red, green, blue = grey * 0.95, grey, grey * 0.96
    else:
        red, blue = red * (1 + scene.warmth), blue * (1 - scene.warmth)
    clipped = [int(min(255.0, max(0.0, value))) for value in (red, green, blue)]
    return clipped[0], clipped[1], clipped[2]


def _pick(rng: np.random.Generator, options: tuple[Colour, ...]) -> Colour:
    return options[int(rng.integers(len(options)))]
