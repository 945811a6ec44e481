"""Semiology: find out whether a multimodal language model can read seizure semiology from video.

Everything that the command ``semiology`` does can be done from Python; these six functions are the short way.
Importing the package loads nothing heavy: each function imports what it needs when it is called.

>>> import semiology
>>> semiology.parse_answer("Answer: Yes, both arms are stretched.")
'yes'
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    import pandas as pd

    from semiology.data.recording_set import RecordingSet
    from semiology.prompts.library import PromptLibrary

__version__ = "0.2.0"
__all__ = ["__version__", "compare", "load_library", "parse_answer", "read_recording_set", "run", "score_run"]


def read_recording_set(directory: str | Path, *, require_media: bool = True) -> RecordingSet:
    """Read a recording set: recordings, annotations, reports and what ``dataset.yaml`` says.

    Args:
        directory: Folder with ``recordings.csv``, ``annotations.csv`` and ``dataset.yaml``.
        require_media: Whether every video must be there.

    Raises:
        semiology.data.problems.RecordingSetError: Something is wrong; ``problems`` lists each fault with its
            file, row and fix.

    >>> from semiology.data.simulated import simulate
    >>> simulate(Path("ward"), patients=2, seed=1, recordings_per_patient=1, size=(128, 128), progress=False)
    >>> recordings = read_recording_set("ward")
    >>> recordings.patients
    ('P001', 'P002')
    >>> recordings.annotation("P001_V01", "eye_blinking").present
    'yes'
    """
    from semiology.data.tables.reading import read_recording_set as read

    return read(Path(directory), require_media=require_media)


def load_library(extension: str | Path | None = None) -> PromptLibrary:
    """Return the prompt library: 20 features, each with its wordings and their sources.

    Args:
        extension: Folder with further wordings in the library's form, or None.

    Raises:
        semiology.prompts.library.PromptLibraryError: A file is at fault; the message names file and entry.

    >>> library = load_library()
    >>> library.feature("tonic").prompt("s3").provenance
    'epileptologist'
    """
    from semiology.prompts.library import load_library as load

    return load(None if extension is None else Path(extension))


def parse_answer(reply: str | None) -> Literal["yes", "no", "na", "unparsed"]:
    """Return the answer that a reply to a yes/no question gives.

    What is not clearly yes, no or NA is ``unparsed``, never "no". Never raises.

    >>> parse_answer('{"answer": "no", "justification": "The arms rest on the bed."}')
    'no'
    >>> parse_answer("It could be either.")
    'unparsed'
    """
    from semiology.tasks.answers.parse import parse_answer as parse

    return parse(reply)


def run(model: str, data: str | Path, out: str | Path = "runs", **options: Any) -> Path:
    """Ask a model the benchmark's questions through lmms-eval and return the folder of its result files.

    Args:
        model: lmms-eval model name, or ``embedded`` or ``embedded_audio`` for those in this package.
        data: Folder of the recording set.
        out: Folder for the results.
        options: Further fields of `semiology.harness.options.RunOptions`, such as ``tasks``, ``model_args``,
            ``prompt_id``, ``limit``.

    Raises:
        semiology.harness.run.RunError: The run ended without complete results.
        SystemExit: Status 2, when the run cannot start; the reason was printed.

    >>> folder = run("semiology_constant", "ward", "runs", model_args="answer=yes", tasks="semiology_eye_blinking")
    >>> [path.suffixes for path in folder.glob("*_samples_semiology_eye_blinking.jsonl")]
    [['.jsonl']]
    """
    from semiology.harness.options import RunOptions
    from semiology.harness.run import run as start

    return start(
        RunOptions(**{"model_args": "", **options, "model": model, "data": Path(data), "out": Path(out)})
    )


def score_run(
    *runs: str | Path, policy: Literal["wrong", "drop"] = "wrong", resamples: int = 2000, seed: int = 0
) -> pd.DataFrame:
    """Score finished runs and return one row per model, wording, enhancement and feature or group of features.

    The columns are those of the report's ``summary.csv``: F1 with its interval (clustered by patient) or the
    reason why there is none, always-yes, precision, recall, counts of recordings and patients, unparsed
    answers and so on. Undefined values are missing.

    Args:
        runs: Folders (any depth) or files that lmms-eval wrote with ``--log_samples``.
        policy: What a recording without a yes or no answer counts as: ``wrong``, or ``drop``.
        resamples: Patient resamples per interval.
        seed: Seed of the resamples.

    Raises:
        semiology.reports.read.lmms_eval_files.ResultsError: There are no results to be read.

    >>> scores = score_run("runs").set_index("name").loc["eye_blinking"]
    >>> round(float(scores["f1"]), 2), scores["f1_reason"]
    (0.67, 'recordings with the feature come from 1 patient, fewer than 10')
    """
    import pandas as pd

    from semiology.reports.read.feature_answers import read_results
    from semiology.reports.summary.features import summarise, summary_rows

    results = read_results([Path(folder) for folder in runs])
    return pd.DataFrame(summary_rows(summarise(results, policy=policy, resamples=resamples, seed=seed)))


def compare(first: str | Path, second: str | Path, **options: Any) -> pd.DataFrame:
    """Compare two models, wordings or enhancements on the recordings that both answered, by patient.

    Args:
        first: Results folder, published answers (``s3``, ``embc`` or a table), ``always-yes`` or ``always-no``;
            ``::`` chooses in it, as in the command ``semiology compare``.
        second: The same; every difference is second minus first.
        options: Fields of `semiology.reports.compare.comparison.Options`, such as ``features``, ``policy``,
            ``margin``, ``seed``.

    Returns:
        One row per measure of the macro end points and of each feature: both scores, the difference with its
        interval, the p value of the patient sign-flip test, and how many recordings and patients they rest on.

    Raises:
        ValueError: A side cannot be read, or the two have no recording in common.

    >>> compare("always-no", "runs").query("name == 'eye_blinking' and measure == 'f1'")["difference"].round(2).item()
    0.67
    """
    import pandas as pd

    from semiology.reports.compare.comparison import Options, compare_sides
    from semiology.reports.compare.files import rows
    from semiology.reports.compare.sides import read_side

    return pd.DataFrame(
        rows(compare_sides(read_side(str(first)), read_side(str(second)), Options(**options)))
    )
