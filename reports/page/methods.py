"""Methods and caveats in plain words, made from what was run."""

from __future__ import annotations

from collections.abc import Sequence

from semiology.metrics.paired.comparison import MARGIN
from semiology.render.text import counted
from semiology.reports.read.feature_answers import Results
from semiology.reports.summary.features import Summary
from semiology.reports.summary.s3 import S3Summary
from semiology.reports.tables.features import POLICIES
from semiology.reports.tables.s3 import REMARKS as S3_REMARKS

GENERAL = (
    (
        "This report is for research. Nothing in it is validated for diagnosis, and no score says anything "
        "about a single patient."
    ),
    (
        "always-yes is the F1 of a model that answers yes to every recording. An F1 means nothing without "
        "it: a feature shown by 60 % of recordings gives always-yes an F1 of 0.75."
    ),
)
WINDOWS = (
    "A recording is cut into windows, and every question is asked about every window alone. A recording counts "
    "as showing a feature if any of its windows is answered yes (sleep at onset: the first window). Long "
    "recordings have more windows and so more chances of a false alarm."
)
THREE_ANSWERS = (
    "Verbal responsiveness has three answers (yes, no, NA). Its F1 is the mean over the answers that occur, of "
    "which always-yes gets at most one right: beating it takes less there than elsewhere. By chance its "
    "balanced accuracy is one over the number of answers that occur."
)
UNPARSED_REPLIES = (
    "A reply that is not clearly yes, no or NA is unparsed, never no. A recording without a yes and with an "
    "unparsed window is unparsed. "
)


def method_paragraphs(
    results: Results | None, features: Summary | None, s3: S3Summary | None, sections: Sequence[str]
) -> list[str]:
    """Return the paragraphs of the section.

    Args:
        results, features, s3: what was read and scored.
        sections: names of the sections that hold something, such as ``wordings`` and ``enhancements``.
    """
    texts = list(GENERAL)
    if results is not None and features is not None:
        answers = results.answers
        recordings, patients = answers["video_id"].nunique(), answers["patient_id"].nunique()
        told = f"{len(answers):,} answers about {recordings} recordings of {patients} patients"
        runs = counted(len(features.runs), "run")
        texts.append(f"{runs} (a model, a wording and an enhancement each) gave {told}.")
        if bool(answers["end_s"].notna().any()):
            texts.append(WINDOWS)
        if any(scores.three_classes for run in features.runs for scores in run.scores.features):
            texts.append(THREE_ANSWERS)
        texts.append(UNPARSED_REPLIES + POLICIES[features.policy])
    if "wordings" in sections:
        texts.append(
            "Wordings are compared on the recordings that every wording was asked about. The best and the "
            "worst wording are chosen on the recordings they are shown on, so the best is too good. What "
            "choosing is worth is shown by the development-selected score: every patient is scored by the "
            "wording that the other patients chose, in five groups of patients."
        )
    if "enhancements" in sections:
        texts.append(
            "An enhancement is compared with the plain question on the same recordings, in the same wording; "
            "the interval is that of the difference and draws the same patients for both. What a change "
            "reads as is decided by a patient sign-flip test on F1, adjusted by max-T over the features of "
            "the enhancement (a mean: over macro balanced accuracy and macro F1); equivalent means that the "
            f"90 % interval lies within ±{MARGIN:g}. `semiology compare --base … --enhanced …` gives the "
            "same numbers. Single features are exploratory."
        )
    if s3:
        texts += [text[0].upper() + text[1:] for text in S3_REMARKS]
    if features:
        texts.append(
            "Intervals are 95 % and respect that recordings of one patient resemble each other: proportions and F1 "
            "have a logit interval with a variance clustered by patient, other scores that of leaving out each "
            "patient in turn, all with Student's t for as many patients of equal size as the set weighs. "
            "Where fewer than 10 patients show or lack a feature, no interval is given, because it would be too "
            "narrow. What is called above or below always-yes is decided by a patient sign-flip test, adjusted for "
            "the features of a run (a macro mean: for macro F1 and macro balanced accuracy), as in `semiology compare`."
        )
    resampled = features if "wordings" in sections else s3
    if resampled:
        texts.append(
            f"Intervals of {'wordings' if resampled is features else 'the S3 tasks'} rest on "
            f"{resampled.resamples:,} resamples of patients, seed {resampled.seed}."
        )
    return texts
