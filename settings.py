"""The environment variables of Semiology, each declared once; no other file reads the environment for them.

lmms-eval builds tasks without arguments, so the choices of a run travel in environment variables; our own
commands set the same variables from their options.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Variable:
    """An environment variable.

    Attributes:
        name: as it is set; also what ``str()`` gives, for messages.
        meaning: for the documentation.
        default: what holds where it is unset or empty.
    """

    name: str
    meaning: str
    default: str = ""

    def __str__(self) -> str:
        return self.name

    def text(self) -> str:
        """Return the value without spaces around it."""
        return os.environ.get(self.name, "").strip() or self.default

    def words(self) -> tuple[str, ...]:
        """Return the different parts of a value that is separated by commas, of the default where it has none."""
        given = self.text().strip(" ,") or self.default
        return tuple(dict.fromkeys(part.strip() for part in given.split(",") if part.strip()))

    def folder(self) -> Path | None:
        """Return the value as a path, or None where there is none."""
        return Path(self.text()).expanduser() if self.text() else None

    def is_on(self) -> bool:
        """Return whether it is set to 1."""
        return self.text() == "1"

    def choose(self, value: str) -> None:
        """Set it for this process and those that it starts."""
        os.environ[self.name] = value

    def suggest(self, value: str) -> None:
        """Set it unless the user did."""
        if not os.environ.get(self.name, "").strip():
            self.choose(value)


DATA = Variable("SEMIOLOGY_DATA", "folder of the active recording set")
PROMPT = Variable("SEMIOLOGY_PROMPT", "wording for every feature", "s3")
ANSWER_FORMAT = Variable(
    "SEMIOLOGY_ANSWER_FORMAT", "answer format of every feature's question instead of the wording's own"
)
ONSET_CLIPS = Variable(
    "SEMIOLOGY_ONSET_CLIPS",
    "what S3 task 4 shows: 'centred' and 'random' clips of a minute, 'whole' recordings in 60 frames",
    "centred,random",
)
AUDIO_SEGMENTS = Variable(
    "SEMIOLOGY_AUDIO_SEGMENTS",
    "'windows', or 'whole': questions on sound about the whole recording at once, as the EMBC study asked",
    "windows",
)
S3_PROMPT = Variable("SEMIOLOGY_S3_PROMPT", "wording of the S3 tasks", "s3")
PROMPTS = Variable("SEMIOLOGY_PROMPTS", "folder with further wordings")
WINDOW = Variable(
    "SEMIOLOGY_WINDOW", "'standard' or 'qwen3'; a run sets the model's published one", "standard"
)
SOUND = Variable("SEMIOLOGY_SOUND", "'none', 'array' or 'data_url': how sound is handed over")
CACHE = Variable("SEMIOLOGY_CACHE", "question tables, cut clips and the journal of answers")
ENHANCED = Variable("SEMIOLOGY_ENHANCED", "folder of the enhanced media")
TRANSCRIPT_LIMIT = Variable("SEMIOLOGY_TRANSCRIPT_LIMIT", "most characters of a transcript that are quoted")
MERGE_MODEL = Variable("SEMIOLOGY_MERGE_MODEL", "NAME@ADDRESS of the language model that merges texts")
SWEEP_PROMPTS = Variable("SEMIOLOGY_SWEEP_PROMPTS", "wordings of a sweep, by id or family", "all")
SWEEP_FORMATS = Variable("SEMIOLOGY_SWEEP_FORMATS", "answer formats of a sweep", "own")
SWEEP_ENHANCEMENTS = Variable("SEMIOLOGY_SWEEP_ENHANCEMENTS", "enhancements of a sweep", "none")
SPLIT = Variable(
    "SEMIOLOGY_SPLIT",
    "whose recordings are asked: train, dev, develop, test, confirm or all; else all but confirm",
)
RECORDINGS = Variable(
    "SEMIOLOGY_RECORDINGS", "only these recordings: video_ids separated by commas, * for any letters"
)
VIDEOS = Variable("SEMIOLOGY_VIDEOS", "only these places among the recordings handed out, such as 1-82,90")
TRAINED_ON = Variable(
    "SEMIOLOGY_TRAINED_ON", "manifest of a model's training data: its patients are not asked about"
)
ENGINES = Variable("SEMIOLOGY_ENGINES", "folder of an environment with vLLM, for tests on a real server")
MEDIAPIPE = Variable(
    "SEMIOLOGY_MEDIAPIPE", "folder of an environment of mediapipe's own, for poses and faces"
)
PROGRESS = Variable("SEMIOLOGY_PROGRESS", "file that a run keeps its progress in; `semiology run` sets it")
QUIET = Variable("SEMIOLOGY_QUIET", "1 shows no progress", "0")
ONLY = Variable("SEMIOLOGY_ONLY", "set by our commands: lmms-eval's own tasks are not indexed")
ALLOW_REMOTE = Variable(
    "SEMIOLOGY_ALLOW_REMOTE", "1 allows media, texts and results to be sent to other machines"
)
ALLOW_DOWNLOAD = Variable(
    "SEMIOLOGY_ALLOW_DOWNLOAD", "1 lets weights be fetched from the model hub while a model is loaded"
)
ALLOW_MODELS = Variable(
    "SEMIOLOGY_ALLOW_MODELS", "further model classes that you know to keep media on this machine, by name"
)
TRUST_REMOTE_CODE = Variable("SEMIOLOGY_TRUST_REMOTE_CODE", "1 lets code that comes with a checkpoint run")
REHAB_ROOT = Variable("STROKEREHAB_ROOT", "folder of a stroke-rehabilitation study")
REHAB_PROMPT = Variable(
    "SEMIOLOGY_REHAB_PROMPT",
    "wordings of the stroke-rehabilitation tasks, by id, comma-separated; 'all' asks in every one",
    "reference",
)
REHAB_PROFILE = Variable(
    "SEMIOLOGY_REHAB_PROFILE",
    "'fixed' or 'paper': how replies of the stroke-rehabilitation tasks are read",
    "fixed",
)
REHAB_SPLIT = Variable(
    "SEMIOLOGY_REHAB_SPLIT", "'test', 'tune' or 'all': whose videos are asked about", "test"
)
REHAB_SAMPLING = Variable(
    "SEMIOLOGY_REHAB_SAMPLING", "FPS_FRAMES of the windows, such as 15_4, instead of each task's own"
)
REHAB_BLACK = Variable("SEMIOLOGY_REHAB_BLACK", "1 shows black frames: what the wording alone scores", "0")
REHAB_TIMING = Variable(
    "SEMIOLOGY_REHAB_TIMING",
    "'either' or 'nose': which touches end the five movements of Fugl-Meyer item 33",
    "either",
)
REHAB_PARTIAL = Variable("SEMIOLOGY_REHAB_PARTIAL", "1 scores videos of which windows are missing", "0")

VARIABLES = tuple(each for each in list(globals().values()) if isinstance(each, Variable))


def rehab_nose_only() -> bool:
    """Return whether touches of the nose alone end the movements of Fugl-Meyer item 33.

    Raises:
        ValueError: the choice is neither ``either`` nor ``nose``.
    """
    chosen = REHAB_TIMING.text()
    if chosen not in ("either", "nose"):
        raise ValueError(f"{REHAB_TIMING}={chosen}: use either (knee or nose, as published) or nose")
    return chosen == "nose"


def processes() -> int:
    """Return the number of processes of this run, as torchrun tells them (``WORLD_SIZE``)."""
    return int(os.environ.get("WORLD_SIZE", "1"))


def is_first_process() -> bool:
    """Return whether this is the process that speaks for all of a run (``RANK`` of torchrun)."""
    return os.environ.get("RANK", "0") == "0"


def prefer_decord() -> None:
    """Let the Qwen classes read videos with decord unless the user chose: only it finds frames exactly."""
    os.environ.setdefault("FORCE_QWENVL_VIDEO_READER", "decord")
