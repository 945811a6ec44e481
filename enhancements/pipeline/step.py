"""What an enhancement is: a named step that makes one derived file from one recording.

The steps of this package (pose overlay, face crop, speech enhancement, transcript) and any other are driven
through this contract alone, by the cache, by `semiology enhance` and by its preview.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, Protocol, TypeAlias

from semiology.data.recording_set import Recording

Status = Literal["done", "unavailable", "failed"]
Figure: TypeAlias = int | float | str
JsonValue: TypeAlias = "str | int | float | bool | Sequence[JsonValue] | Mapping[str, JsonValue] | None"
Progress: TypeAlias = Callable[[int, int], None]


@dataclass(frozen=True)
class Outcome:
    """What came of one enhancement of one recording.

    Attributes:
        status: ``"done"``: the derived file was written. ``"unavailable"``: this recording (or this machine)
            lacks what the step needs, such as keypoints, a sound track or a package. ``"failed"``: the inputs
            are there, but could not be used. Only ``"done"`` leaves a derived file.
        sentence: One sentence for the user: what came out, or what is wrong and how to fix it. It names no
            path and no patient, since it is shown in reports.
        figures: What can be counted, by name (units in the name: ``frames``, ``undrawn_frames``, ``snr_db``,
            ``seconds``); finite numbers or short texts.
    """

    status: Status
    sentence: str
    figures: Mapping[str, Figure] = field(default_factory=dict)


class Step(Protocol):
    """One enhancement with its settings.

    A step must be picklable (it travels to worker processes and to other machines): settings in the object,
    models opened in :meth:`apply`. Frozen dataclasses are.
    """

    @property
    def name(self) -> str:
        """Short name, the prefix of its tasks: ``pose``, ``crop``, ``denoise`` or ``transcript``."""

    @property
    def version(self) -> str:
        """Version of the step's code; raise it with any change that alters an output."""

    @property
    def suffix(self) -> str:
        """Ending of the derived file, with the dot (``.mp4``, ``.wav``, ``.json``)."""

    def parameters(self) -> Mapping[str, JsonValue]:
        """Return every setting that alters the output; part of the cache key.

        Weights are named by their content (digest), packages by their version, never by a path.
        """

    def inputs(self, recording: Recording) -> Sequence[Path]:
        """Return the files of the recording whose content counts, in a fixed order; part of the cache key.

        A folder (OpenPose's JSON files) stands for all files in it. A file that does not exist may be named:
        its absence then counts.
        """

    def apply(self, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
        """Make the derived file.

        Args:
            recording: The recording; its files are only read.
            target: Where to write the derived file; it lies in a folder of its own, does not exist yet and
                ends in :attr:`suffix`. Whatever else is written into that folder is thrown away.
            progress: Called with the work done so far and the whole work (frames, samples or chunks), or
                ``None``.

        Returns:
            The outcome. Missing or unusable inputs are told as ``unavailable`` or ``failed``, not raised;
            what is raised nevertheless (`MediaError`, `OSError`, `ValueError`) is recorded as ``failed``
            with its message.
        """


def first_pass(progress: Progress | None) -> Progress | None:
    """Return what reports the first half of the work: looking at a recording, before writing it."""
    return None if progress is None else lambda done, total: progress(done, 2 * total)


def second_pass(progress: Progress | None) -> Progress | None:
    """Return what reports the second half of the work: writing what was looked at."""
    return None if progress is None else lambda done, total: progress(total + done, 2 * total)
