"""The cache of derived files: an entry's name is the digest of all that it was made from.

``<folder>/<enhancement>/<key>/`` holds ``derived<suffix>`` and ``outcome.json``. An entry is made in a folder
of its own and renamed into place when both files are on the disk, so that it is whole or absent, whatever is
killed and however many processes work at once: who comes second throws its own away. Only ``done`` is kept;
what was unavailable or failed is tried again the next time, since a package or a file may have been added.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import logging
import os
import re
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from semiology.data.cache import cache_directory, content_digest, private_folder, written_whole
from semiology.data.recording_set import Recording
from semiology.enhancements.pipeline.step import Outcome, Progress, Step

FORMAT = 1
"""Raised with every change of the entries' form."""
DERIVED, OUTCOME = "derived", "outcome.json"
_WORK, _LOCK = ".work-", ".lock"
_YOUNG_S = 60.0
_KEY = re.compile(r"[0-9a-f]{64}$")

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Made:
    """One enhancement of one recording, as it came from the cache or from the step.

    Attributes:
        key: name of the entry; empty where the inputs could not be read.
        file: the derived file, or None unless ``done``.
        seconds: how long the step took when the entry was made, s.
        reused: whether the entry was there already.
    """

    outcome: Outcome
    key: str
    file: Path | None
    seconds: float
    reused: bool


@dataclass(frozen=True)
class Usage:
    """How much of the disk one enhancement's entries take."""

    enhancement: str
    entries: int
    size_bytes: int


class EnhancementCache:
    """Derived files of any steps in one folder, readable for its owner alone.

    Args:
        folder: where the entries lie; None for ``enhanced`` in the user's cache folder.
        memory: folder that remembers digests of inputs; None for the user's cache folder.
    """

    def __init__(self, folder: Path | None = None, memory: Path | None = None) -> None:
        self._memory = memory or cache_directory()
        self.folder = folder or cache_directory() / "enhanced"

    def key(self, step: Step, recording: Recording) -> str:
        """Return the name of the entry: SHA-256 of step, version, parameters and the content of all inputs.

        Raises:
            OSError: an input cannot be read.
        """
        made_from = {
            "format": FORMAT,
            "step": step.name,
            "version": step.version,
            "suffix": step.suffix,
            "parameters": step.parameters(),
            "inputs": [input_digest(path, self._memory) for path in step.inputs(recording)],
        }
        return hashlib.sha256(json.dumps(made_from, sort_keys=True).encode()).hexdigest()

    def make(self, step: Step, recording: Recording, progress: Progress | None = None) -> Made:
        """Return the enhancement of a recording from the cache, or make it and keep it.

        Nothing that goes wrong with the recording is raised: it is the outcome's sentence.

        Raises:
            OSError: the cache's own folder cannot be written to.
        """
        try:
            key = self.key(step, recording)
        except OSError as error:
            name = Path(str(error.filename)).name if error.filename else "an input"
            return not_made(f"{name} cannot be read ({error.strerror})")
        return self.find(step, key) or self._make(step, recording, key, progress)

    def find(self, step: Step, key: str) -> Made | None:
        """Return a whole entry, or None; one whose files are not as they were written is thrown away."""
        folder = self.folder / step.name / key
        if not folder.exists():
            return None
        try:
            return self._read(folder, key)
        except (OSError, ValueError, KeyError, TypeError) as error:
            logger.warning("%s is damaged and is made again (%s)", folder, error)
            _remove(folder)
            return None

    def usage(self) -> list[Usage]:
        """Return the disk space of each enhancement's entries, by name."""
        return [
            Usage(folder.name, len(entries), sum(_size(entry) for entry in entries))
            for folder in _folders(self.folder)
            if (entries := _entries(folder))
        ]

    def sweep(self) -> None:
        """Remove what killed processes left half made."""
        for folder in _folders(self.folder):
            self._remove_abandoned(folder)

    def clear(self, enhancements: tuple[str, ...] | None = None) -> list[Usage]:
        """Throw all entries away, or those of some enhancements; return what they took.

        What another process is making at the moment is left to it.
        """
        gone = [use for use in self.usage() if enhancements is None or use.enhancement in enhancements]
        for use in gone:
            folder = self.folder / use.enhancement
            self._remove_abandoned(folder)
            for entry in _entries(folder):
                _remove(entry)
        return gone

    def _read(self, folder: Path, key: str) -> Made:
        record: Mapping[str, Any] = json.loads((folder / OUTCOME).read_text(encoding="utf-8"))
        file = folder / str(record["file"])
        if record["format"] != FORMAT or record["key"] != key or file.parent != folder:
            raise ValueError("it was written by another version")
        if (
            file.stat().st_size != record["size_bytes"]
            or content_digest(file, self._memory) != record["sha256"]
        ):
            raise ValueError(f"{file.name} has changed")
        outcome = Outcome(**record["outcome"])
        if outcome.status != "done":
            raise ValueError("it holds no derived file")
        return Made(outcome, key, file, float(record["seconds"]), reused=True)

    def _make(self, step: Step, recording: Recording, key: str, progress: Progress | None) -> Made:
        with self._workplace(step.name) as work:
            target = work / f"{DERIVED}{step.suffix}"
            started = time.monotonic()
            outcome = apply_safely(step, recording, target, progress)
            seconds = round(time.monotonic() - started, 3)
            if outcome.status != "done":
                return Made(outcome, key, None, seconds, reused=False)
            if not target.is_file() or not target.stat().st_size:
                return not_made(
                    f"{step.name} said that it was done, but wrote nothing; please report it", key
                )
            if key != self.key(step, recording):
                return not_made("the recording was changed while it was read; run the command again", key)
            record = {
                "format": FORMAT,
                "key": key,
                "step": step.name,
                "version": step.version,
                "parameters": step.parameters(),
                "outcome": asdict(outcome),
                "seconds": seconds,
                "file": target.name,
                "size_bytes": target.stat().st_size,
                "sha256": content_digest(target, work),
            }
            return self._keep(step, key, work, record)

    def _keep(self, step: Step, key: str, work: Path, record: Mapping[str, Any]) -> Made:
        """Put the work folder in its place; if another process was first, its entry counts."""
        (work / OUTCOME).write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
        for path in work.iterdir():
            if path.name not in (OUTCOME, record["file"]):
                shutil.rmtree(path) if path.is_dir() else path.unlink()
        for path in (work / str(record["file"]), work / OUTCOME, work):
            _sync(path)
        place = self.folder / step.name / key
        try:
            work.rename(place)
        except OSError:
            if found := self.find(step, key):
                return found
            work.rename(place)  # a damaged entry stood there, and is gone now
        _sync(place.parent)
        return replace(self._read(place, key), reused=False)

    @contextmanager
    def _workplace(self, name: str) -> Iterator[Path]:
        """Give an empty folder beside the entries, locked while its owner lives; nothing is left of it."""
        parent = self.folder / name
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        private_folder(parent)
        self._remove_abandoned(parent)
        work = Path(tempfile.mkdtemp(prefix=_WORK, dir=parent))
        with (work / _LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                yield work
            finally:
                shutil.rmtree(work, ignore_errors=True)

    def _remove_abandoned(self, parent: Path) -> None:
        """Remove the work folders of killed processes: nobody holds their lock any more."""
        for work in _folders(parent):
            if not work.name.startswith(_WORK):
                continue
            with suppress(OSError):
                if time.time() - work.stat().st_mtime < _YOUNG_S:
                    continue
                with (work / _LOCK).open("a") as lock:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    shutil.rmtree(work, ignore_errors=True)


def settings_digest(step: Step) -> str:
    """Return 12 hexadecimal digits that stand for a step's version and parameters."""
    settings = {"step": step.name, "version": step.version, "parameters": step.parameters()}
    return hashlib.sha256(json.dumps(settings, sort_keys=True).encode()).hexdigest()[:12]


def is_whole(file: Path) -> bool:
    """Tell whether a derived file is there and as long as it was written; its content is not read."""
    try:
        record = json.loads((file.parent / OUTCOME).read_text(encoding="utf-8"))
        return bool(file.stat().st_size == record["size_bytes"])
    except (OSError, ValueError, KeyError, TypeError):
        return False


def apply_safely(step: Step, recording: Recording, target: Path, progress: Progress | None) -> Outcome:
    """Apply a step; whatever it raises becomes a ``failed`` outcome, so that other recordings go on."""
    try:
        return step.apply(recording, target, progress)
    except MemoryError:
        return Outcome("failed", "the memory of this machine is too small; enhance fewer recordings at once")
    except (OSError, ValueError) as error:
        return Outcome("failed", str(error) or type(error).__name__)
    except Exception as error:
        logger.exception("%s of %s failed", step.name, recording.video_id)
        return Outcome(
            "failed", f"a fault of the program ({type(error).__name__}: {error}); please report it"
        )


def not_made(sentence: str, key: str = "") -> Made:
    """Return what stands for an enhancement that could not be made."""
    return Made(Outcome("failed", sentence), key, None, 0.0, reused=False)


def _folders(parent: Path) -> list[Path]:
    return sorted(path for path in parent.iterdir() if path.is_dir()) if parent.is_dir() else []


def _entries(folder: Path) -> list[Path]:
    """Return what is an entry by its name and content; a folder may hold other things, which stay."""
    return [path for path in _folders(folder) if _KEY.match(path.name) and (path / OUTCOME).is_file()]


def _size(folder: Path) -> int:
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            total += path.stat().st_size
    return total


def _remove(entry: Path) -> None:
    """Take an entry away at once, then delete it; another process may have done so before."""
    with suppress(OSError):
        gone = Path(tempfile.mkdtemp(prefix=_WORK, dir=entry.parent))
        with suppress(OSError):
            entry.rename(gone / entry.name)
        shutil.rmtree(gone, ignore_errors=True)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


MISSING = "missing"


def input_digest(path: Path, memory: Path) -> str:
    """Return the SHA-256 of a file's content, or of the names and contents of all files in a folder.

    A file that does not exist gives ``missing``, since its absence decides what a step can do.

    Args:
        path: file or folder; folders are read at any depth, file names count (they number the frames).
        memory: folder that remembers digests by path, size and time of change, so that nothing is read twice.

    Raises:
        OSError: something in it cannot be read.
    """
    if path.is_dir():
        return _folder_digest(path, memory)
    return content_digest(path, memory) if path.exists() else MISSING


def _folder_digest(folder: Path, memory: Path) -> str:
    """Digest a folder whole: one note for all its files, of which OpenPose writes one per frame."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    state = hashlib.sha256(str(folder.resolve()).encode())
    for path in files:
        known = path.stat()
        state.update(f"\0{path.relative_to(folder)}\0{known.st_size}\0{known.st_mtime_ns}".encode())
    note = memory / "digests" / f"{state.hexdigest()}.txt"
    if note.exists():
        return note.read_text(encoding="ascii")
    digest = hashlib.sha256()
    for path in files:
        name, content = path.relative_to(folder).as_posix().encode(), path.read_bytes()
        digest.update(f"{len(name)}:{len(content)}:".encode() + name + content)
    private_folder(memory)
    private_folder(note.parent)
    with written_whole(note) as unfinished:
        unfinished.write_text(digest.hexdigest(), encoding="ascii")
    return digest.hexdigest()


def weights_digest(path: Path | None) -> str | None:
    """Return the digest of a file of weights; ``missing`` where there is none at that path."""
    if path is None:
        return None
    return content_digest(path, cache_directory()) if path.is_file() else "missing"


def installed_version(package: str) -> str | None:
    """Return the version of an installed package, or None."""
    try:
        return version(package)
    except PackageNotFoundError:
        return None
