"""The published tool's prompt-optimization experiment, as one named configuration (``--preset published``).

For three features and every outer fold: GEPA's single-task search from the prompt ``minimal``, whose score is
the F1 on at most eight training recordings, as many with the feature as without, with a budget of twelve metric
calls (here one metric call is one wording on all eight); then seven prompts and the one found are asked about
development and test recordings, the best on development (F1, then accuracy) is taken, and its test row
counts.

As published, development and training recordings are divided by *recording*, not by patient, so the search
may know a development patient. The test fold is by patient, because a recording set allows no other.
Recordings are asked window by window and merged by any-yes, where the published tool sent the whole recording
at once; unknown answers count as wrong. It exists to be compared with, not to be imitated: the division
leaks, and twelve calls try very few wordings.
"""

from __future__ import annotations

import hashlib
import itertools
import json
import random
import sys
from collections.abc import Mapping, Sequence
from functools import partial
from pathlib import Path
from statistics import mean, stdev
from typing import TYPE_CHECKING, Any

from semiology.backends.journal import Journal
from semiology.data.protection.ledger import Look, digest, enter
from semiology.data.protection.splits import DEVELOP, TEST, hand_out, split_of_patients
from semiology.optimization.folds.draw import Parts, draw_folds, folds_fingerprint, folds_of
from semiology.optimization.proposers.guarded import PREDICTOR, GuardedProposer
from semiology.optimization.proposers.rules import CandidateRules, all_ids, with_format
from semiology.optimization.search.asking import AnswerBook, Answerer, RememberedAnswers, SharedRounds
from semiology.optimization.search.examples import (
    Example,
    check_patients,
    data_fingerprint,
    feature_examples,
    left_out,
)
from semiology.optimization.search.gepa import Quietly, proposer_record
from semiology.optimization.search.options import SearchError, SearchOptions
from semiology.optimization.search.run import side_by_side
from semiology.optimization.search.run_folder import ANSWERS, SUMMARY, RunFolder
from semiology.optimization.search.scores import plain, scores_of
from semiology.optimization.search.setup import Prepared
from semiology.prompts.library import load_library
from semiology.render.progress import is_quiet
from semiology.render.strict_yaml import read_yaml
from semiology.tasks.plan import Plan

if TYPE_CHECKING:
    from rich.console import Console

WORDINGS = Path(__file__).parent / "published_wordings.yaml"
PLAIN = "yes_no_plain"
"""Answer format of the prompt that the search begins with, and of what it finds."""
BEGIN_WITH, OPTIMIZED = "minimal", "gepa"
TRAINING_RECORDINGS, METRIC_CALLS, MINIBATCH = 8, 12, 8
DEVELOPMENT_SHARE, SEED = 0.25, 42
FOLDS = 5
FIXED_BY_THE_EXPERIMENT = (
    "features", "budget", "minutes", "objective", "begin_with", "seeds", "answer_format", "other_formats",
    "minibatch", "siblings", "max_characters", "test_fold",
)  # fmt: skip

Division = tuple[str, str]
"""Name of the test fold, and feature."""
PartsOf = Mapping[str, Sequence[Example]]
"""Examples by part: train, development, test."""


def published_prompts() -> dict[str, dict[str, str]]:
    """Return the seven instructions of each of the three features, by id; those in the format `PLAIN` name none."""
    raw: Mapping[str, Mapping[str, Any]] = read_yaml(WORDINGS)
    named = {name: None if each == PLAIN else each for name, each in raw["formats"].items()}
    return {
        feature: {name: with_format(text, named[name]) for name, text in texts.items()}
        for feature, texts in raw["wordings"].items()
    }


def run_published(options: SearchOptions, prepared: Prepared) -> dict[str, Any]:
    """Run the experiment and return its results as plain data.

    Raises:
        SearchError: a fold has one class only, the model gives no replies, or an option is given that the
            experiment fixes.
    """
    given = [
        f"--{name.replace('_', '-')}"
        for name in FIXED_BY_THE_EXPERIMENT
        if getattr(options, name) != getattr(SearchOptions(), name)
    ]
    if given:
        raise SearchError(f"--preset published fixes what {', '.join(given)} would choose → leave that out")
    plan, prompts = prepared.plan, published_prompts()
    # Folds never overrule a split: each fold is the test in turn, so no patient kept for tests may be in one.
    developed = hand_out(plan.recording_set.recordings, DEVELOP).recordings
    patients = list(dict.fromkeys(each.patient_id for each in developed))
    folds = {name: fold for name, fold in folds_of(plan.recording_set).items() if name in patients}
    if not folds:
        check_patients(len(patients), FOLDS, f"the {FOLDS} folds of the published experiment")
        folds = draw_folds(plan.recording_set, FOLDS, seed=SEED)
    names = sorted(set(folds.values()))
    divisions = {  # all of them before the first question, so that a fold that is too small costs nothing
        (fold, feature): divided(plan, feature, folds, fold, number)
        for number, fold in enumerate(names)
        for feature in prompts
    }
    identity = {  # all that the results depend on
        "preset": "published",
        "features": list(prompts),
        "data": data_fingerprint(plan.recording_set, Parts((), (), (), ""), prompts),
        "folds": len(names),
        "patients_by_fold": folds_fingerprint(folds),
        "window": [plan.window.window_s, plan.window.fps, plan.window.max_frames],
        "prompts": hashlib.sha256(json.dumps(prompts, sort_keys=True).encode()).hexdigest(),
        "model": prepared.model,
        "proposer": options.proposer,
        "seed": options.seed,
    }
    folder = RunFolder(options.out, identity)
    with Journal(folder.path / ANSWERS) as journal:
        remembered = RememberedAnswers(prepared.answerer, journal, prepared.key_of)
        found = _searched(options, prepared, prompts, divisions, remembered, journal)
        looks = []
        if not split_of_patients(plan.recording_set.recordings):  # else the folds hold no protected patient
            look = Look("optimize", {TEST: frozenset(folds)}, identity, digest(sorted(map(list, divisions))))
            looks = enter(plan.recording_set.directory, look)
        rows = _tested(prompts, divisions, found, remembered, folder)
    kept_back = plan.handed_out.notes() if plan.handed_out else []
    kept_back += [each.sentence for each in looks]
    notes = [*kept_back, *left_out(plan.recording_set, folds), *cautions(divisions), *unread(rows)]
    summary = {**identity, "questions_asked": remembered.asked, "windows_read": remembered.windows,
               "questions_from_journal": remembered.known,
               "rows": plain(rows), "features": plain(means(rows)), "notes": notes}  # fmt: skip
    folder.write(SUMMARY, summary)
    return summary


def _searched(
    options: SearchOptions,
    prepared: Prepared,
    prompts: Mapping[str, Mapping[str, str]],
    divisions: Mapping[Division, PartsOf],
    answerer: Answerer,
    journal: Journal,
) -> dict[Division, tuple[str, int]]:
    """Run the searches of all folds and features side by side, so that they share the video work."""
    ids = all_ids([(item.video_id, item.patient_id) for item in prepared.plan.recording_set.recordings])
    rounds, ended = SharedRounds(answerer, len(divisions)), itertools.count(1)

    def one(division: Division) -> tuple[str, int]:
        fold, feature = division
        rules, begin = CandidateRules(feature, ids), prompts[feature][BEGIN_WITH]
        proposer, book = prepared.proposer_of(rules, journal), AnswerBook(rounds, PLAIN)
        found = single_task_search(begin, divisions[division]["train"], book, rules, proposer, options.seed)
        if not is_quiet():
            sys.stderr.write(f"fold {fold}, {feature}: searched ({next(ended)} of {len(divisions)})\n")
        return found

    found = side_by_side([partial(one, division) for division in divisions], rounds.leave)
    return dict(zip(divisions, found, strict=True))


def _tested(
    prompts: Mapping[str, Mapping[str, str]],
    divisions: Mapping[Division, PartsOf],
    found: Mapping[Division, tuple[str, int]],
    answerer: Answerer,
    folder: RunFolder,
) -> list[dict[str, Any]]:
    """Ask all prompts about development and test recordings, in one call, and score them."""
    wordings = {}
    for (fold, feature), (text, _) in found.items():
        folder.open_test(f"{feature}, fold {fold}", prompts[feature][BEGIN_WITH], text)
        wordings[fold, feature] = {**prompts[feature], OPTIMIZED: text}
    book = AnswerBook(answerer, PLAIN)
    book.ask(
        (wording, example)
        for division, parts in divisions.items()
        for wording in wordings[division].values()
        for part in ("development", "test")
        for example in parts[part]
    )
    return [
        fold_row(feature, fold, wordings[fold, feature], parts, book) | {"calls": found[fold, feature][1]}
        for (fold, feature), parts in divisions.items()
    ]


def divided(
    plan: Plan, feature: str, folds: Mapping[str, str], test: str, number: int
) -> dict[str, tuple[Example, ...]]:
    """Return test, development and training recordings of one fold, the latter two divided by recording.

    Raises:
        SearchError: the training recordings have one class only.
    """
    of = {part: tuple(name for name, fold in folds.items() if (fold == test) == (part == "test"))
          for part in ("train", "test")}  # fmt: skip
    found = feature_examples(
        plan, load_library().feature(feature).reference, Parts(of["train"], (), of["test"], "")
    )
    rng = random.Random(SEED + number)  # noqa: S311 - a division, not a secret
    development: list[Example] = []
    for truth in ("yes", "no"):
        mine = [each for each in found.train if each.truth == truth]
        count = min(max(1, round(DEVELOPMENT_SHARE * len(mine))), len(mine))
        development += rng.sample(mine, count)
    train = tuple(each for each in found.train if each not in development)
    if len({each.truth for each in train}) < 2 or not found.test:
        raise SearchError(
            f"{feature}, fold {test}: too few recordings with and without the feature for the published "
            "division → use a larger set or fewer folds"
        )
    return {"train": train, "development": tuple(development), "test": found.test}


def single_task_search(
    begin: str, train: Sequence[Example], book: AnswerBook, rules: CandidateRules, proposer: Any, seed: int
) -> tuple[str, int]:
    """Search as published; return the wording found and how often a wording was scored."""
    from gepa.optimize_anything import (
        EngineConfig,
        GEPAConfig,
        ReflectionConfig,
        TrackingConfig,
        optimize_anything,
    )

    present, absent = ([each for each in train if (each.truth == "yes") == shows] for shows in (True, False))
    in_turn = itertools.chain.from_iterable(itertools.zip_longest(present, absent))
    eight = tuple(each for each in in_turn if each is not None)[:TRAINING_RECORDINGS]
    guarded = GuardedProposer(proposer, rules, begun_with=begin)
    calls = 0

    def evaluate(candidate: Any) -> tuple[float, dict[str, Any]]:
        nonlocal calls
        calls += 1
        score = _shown(eight, book.answers(candidate[PREDICTOR], eight))["f1"]
        return score, {"F1": score}

    def propose(candidate: Any, reflective_dataset: Any, components_to_update: Any) -> dict[str, str]:
        del reflective_dataset
        wording = candidate[PREDICTOR]
        records = [
            proposer_record(each, book.said(wording, each), number, wording)
            for number, each in enumerate(eight, start=1)
        ]
        return guarded(candidate, {PREDICTOR: records}, list(components_to_update))

    found = optimize_anything(
        seed_candidate={PREDICTOR: begin},
        evaluator=evaluate,
        config=GEPAConfig(
            engine=EngineConfig(max_metric_calls=METRIC_CALLS, seed=seed, parallel=False),
            tracking=TrackingConfig(logger=Quietly()),
            reflection=ReflectionConfig(
                reflection_minibatch_size=MINIBATCH, reflection_lm=None, custom_candidate_proposer=propose
            ),
        ),
    )
    if guarded.failures:  # else the first wording would pass for what the model found
        raise SearchError(f"{rules.feature}: {guarded.last_failure} → run the same command again to go on")
    best: Any = found.best_candidate
    return str(best[PREDICTOR]), calls


def fold_row(
    feature: str, fold: str, wordings: Mapping[str, str], parts: PartsOf, book: AnswerBook
) -> dict[str, Any]:
    """Return one fold's result: scores of every prompt, and the one selected on development."""
    scores = {
        name: {
            part: _shown(parts[part], book.answers(wording, parts[part])) for part in ("development", "test")
        }
        for name, wording in wordings.items()
    }
    selected = max(scores, key=lambda name: tuple(scores[name]["development"].values()))
    said = book.answers(wordings[selected], parts["test"])
    unparsed = scores_of(parts["test"], said)["unparsed_rate"]
    always_yes = _shown(parts["test"], {each.video_id: "yes" for each in parts["test"]})["f1"]
    return {"feature": feature, "fold": fold, "selected": selected, "found": wordings[OPTIMIZED],
            "test": scores[selected]["test"], "unparsed_rate": unparsed, "always_yes_f1": always_yes,
            "test_recordings": len(parts["test"]), "scores": scores}  # fmt: skip


def means(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return mean and standard deviation over folds of the selected prompt's test F1, by feature.

    Beside them stands the mean over folds of the F1 of always answering yes.
    """
    found = []
    for feature in dict.fromkeys(row["feature"] for row in rows):
        values = [row["test"]["f1"] for row in rows if row["feature"] == feature]
        selected = [row["selected"] for row in rows if row["feature"] == feature]
        spread = stdev(values) if len(values) > 1 else float("nan")
        always_yes = mean(row["always_yes_f1"] for row in rows if row["feature"] == feature)
        found.append({"feature": feature, "test_f1": mean(values), "sd": spread,
                      "always_yes_f1": always_yes, "selected": selected})  # fmt: skip
    return found


def cautions(divisions: Mapping[Division, PartsOf]) -> list[str]:
    """Return in sentences which folds' test scores are uninformative."""
    return [
        f"{feature}, fold {fold}: no test recording shows the feature, so its F1 is 0 whatever is answered"
        for (fold, feature), parts in divisions.items()
        if all(each.truth != "yes" for each in parts["test"])
    ]


def unread(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return in sentences for which features no answer could be read."""
    return [
        f"{feature}: no answer about a test recording could be read as yes or no → is the model reached, and "
        "does it answer in words? The folder `answers` of the run holds its replies"
        for feature in dict.fromkeys(row["feature"] for row in rows)
        if all(row["unparsed_rate"] == 1 for row in rows if row["feature"] == feature)
    ]


def _shown(examples: Sequence[Example], answers: Mapping[str, str]) -> dict[str, float]:
    """Return F1 and accuracy with zeros where undefined, as the published tool has it."""
    found = scores_of(examples, answers)
    return {name: (found[name] if found[name] == found[name] else 0.0) for name in ("f1", "accuracy")}


def print_published(summary: Mapping[str, Any], console: Console) -> None:
    """Print the selected prompts and their test F1 by feature, and what to know about them."""
    from rich.table import Table

    table = Table(title=f"Test F1 of the selected prompt, mean and SD over {summary['folds']} folds")
    for name in ("feature", "test F1", "SD", "always-yes", "selected, by fold"):
        table.add_column(name, no_wrap=True)
    for each in summary["features"]:
        spread = "-" if each["sd"] is None else f"{each['sd']:.3f}"
        table.add_row(
            each["feature"], f"{each['test_f1']:.3f}", spread, f"{each['always_yes_f1']:.3f}",
            "\n".join(each["selected"]),
        )  # fmt: skip
    console.print(table)
    for note in summary["notes"]:
        console.print(f"- {note}", markup=False, highlight=False)
    console.print(
        "- As published: development and training are divided by recording, so patients are shared; eight "
        "training recordings and twelve metric calls try very few wordings.",
        highlight=False,
    )
