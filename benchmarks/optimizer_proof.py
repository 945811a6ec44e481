"""Does the optimizer work? Searches on simulated patients with the embedded model, with and without truth.

    python benchmarks/optimizer_proof.py --work FOLDER [--patients 120] [--budget 200] [--seeds 3]
    python benchmarks/optimizer_proof.py compare --work FOLDER [--features tonic,close_eyes]
        [--proposer NAME@http://127.0.0.1:8000/v1]

Three questions, each on test patients that no search saw:

1. Weak wordings (the library's ``role`` wording) of five features: does the test F1 rise?
2. A planted bad wording: is it improved?
3. The same searches with labels shuffled over all recordings: nothing is to be found, so what rises there is
   chance, or saying "yes" more often. F1 rewards that (always-yes is the best constant answer), so balanced
   accuracy and the F1 of always-yes stand beside it.

All searches run side by side and ask in common rounds, so a window is read once for all of them. The proposer
is the offline one and gets no wording of the library as a whole (no seeds). An interrupted run goes on.

``compare`` repeats the weak searches with a language model as proposer beside the offline one. Without
``--proposer`` a small model is trained on the grammar (`benchmarks/wording_language_model.py`) and served with
``transformers serve``: it shows the road, not what a real one would propose.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from measuring import CONSOLE, Clock, parser, print_table

FEATURES = ("tonic", "close_eyes", "occur_during_sleep", "clonic", "head_turning")
SHUFFLED = ("tonic", "close_eyes", "clonic")
WEAK = "role"
PLANTED = {"tonic": "Does the patient show rapid blinking of the eyes during the video?"}
"""A question about another feature, planted as the wording to begin with."""

OFFLINE, LANGUAGE_MODEL = "offline", "language model"
TIMEOUT_S = 1800.0
SHARES = {"train": 3, "development": 3, "test": 4}


class RememberingReader:
    """Keeps decoded frames in memory: a search sees the same few recordings many times."""

    def __init__(self, reader: Any) -> None:
        self._reader = reader
        self._facts: dict[str, Any] = {}
        self._frames: dict[tuple[str, tuple[int, ...]], Any] = {}

    @contextmanager
    def open(self, path: str) -> Iterator[Any]:
        """Open a recording whose facts and frames may be known already."""
        if path not in self._facts:
            with self._reader.open(path) as recording:
                self._facts[path] = recording.facts
        yield _Remembered(self, path, self._facts[path])

    def frames(self, path: str, wanted: Sequence[Sequence[int]]) -> Iterator[Any]:
        """Yield the frames of windows."""
        missing = [numbers for numbers in wanted if (path, tuple(numbers)) not in self._frames]
        if missing:
            with self._reader.open(path) as recording:
                for numbers, frames in zip(missing, recording.windows(missing), strict=True):
                    self._frames[path, tuple(numbers)] = frames
        yield from (self._frames[path, tuple(numbers)] for numbers in wanted)


@dataclass(frozen=True)
class _Remembered:
    reader: RememberingReader
    path: str
    facts: Any

    def windows(self, wanted: Sequence[Sequence[int]]) -> Iterator[Any]:
        return self.reader.frames(self.path, wanted)


@dataclass(frozen=True)
class Job:
    """One search: what it begins with, and whether its labels are shuffled."""

    kind: str
    feature: str
    seed: int
    examples: Any
    begun_text: str | None = None


def measured(
    options: argparse.Namespace,
    jobs_of: Callable[[Any], Iterable[Job]],
    proposer_of: Callable[[Job, Any, Any], Any],
    result: str,
) -> list[dict[str, Any]]:
    """Run the searches, write the rows and what they cost to a file, print the cost, and return the rows."""
    os.environ.setdefault("SEMIOLOGY_CACHE", str(options.work / "cache"))
    os.environ.setdefault("SEMIOLOGY_QUIET", "1")
    with Clock() as clock:
        plan, answerer, key_of = prepared(options.work, options.patients)
        rows, facts = run_jobs(list(jobs_of(plan)), answerer, key_of, options, proposer_of)
    facts |= {"seconds": round(clock.wall), "cpu_seconds": round(clock.processor),
              "patients": options.patients, "budget": options.budget}  # fmt: skip
    (options.work / result).write_text(json.dumps({"facts": facts, "rows": rows}, indent=2) + "\n")
    CONSOLE.print(json.dumps(facts))
    return rows


def prepared(work: Path, patients: int) -> tuple[Any, Any, Any]:
    """Return the plan of simulated recordings, the embedded model behind it and the key of a question."""
    from semiology.data.simulated import simulate
    from semiology.harness.asking import load_model
    from semiology.harness.run import resolve_model
    from semiology.optimization.search.setup import LmmsEvalAnswerer, reply_key
    from semiology.tasks.plan import make_plan
    from semiology.tasks.settings import Settings, cache_directory

    data = work / "simulated"
    simulate(data, patients=patients, seed=71, recordings_per_patient=1, duration_s=(30.0, 30.3),
             size=(224, 168), fps=15, progress=sys.stderr.isatty())  # fmt: skip
    plan = make_plan(Settings(data, cache_directory(), "s3", "standard"))
    model, model_args = resolve_model("embedded", "journal=none")
    lm = load_model(model, model_args)
    lm.engine.reader = RememberingReader(lm.engine.reader)
    return plan, LmmsEvalAnswerer(lambda: lm, model, plan), reply_key(plan, model, model_args)


def all_jobs(plan: Any, seeds: int) -> Iterator[Job]:
    """Yield every search."""
    from semiology.optimization.folds.draw import Parts, draw_folds
    from semiology.optimization.search.examples import feature_examples
    from semiology.prompts.library import load_library

    folds = draw_folds(plan.recording_set, 10, seed=0)
    names = [part for part, share in SHARES.items() for _ in range(share)]
    of = {part: tuple(p for p, fold in folds.items() if names[int(fold)] == part) for part in SHARES}
    parts = Parts(of["train"], of["development"], of["test"], "ten folds drawn with seed 0")
    for feature in FEATURES:
        found = feature_examples(plan, load_library().feature(feature).reference, parts)
        for seed in range(seeds):
            yield Job("weak", feature, seed, found)
            if feature in SHUFFLED:
                yield Job("shuffled", feature, seed, shuffled(found, seed))
            if feature in PLANTED:
                yield Job("planted", feature, seed, found, PLANTED[feature])


def shuffled(examples: Any, seed: int) -> Any:
    """Return the examples with their labels dealt out anew, within each part."""
    rng = random.Random(seed)  # noqa: S311 - a control, not a secret
    dealt = {}
    for part in SHARES:
        mine = getattr(examples, part)
        truths = rng.sample([each.truth for each in mine], len(mine))
        dealt[part] = tuple(replace(each, truth=truth) for each, truth in zip(mine, truths, strict=True))
    return replace(examples, **dealt)


def run_jobs(
    jobs: Sequence[Job],
    answerer: Any,
    key_of: Any,
    options: argparse.Namespace,
    proposer_of: Callable[[Job, Any, Any], Any],
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Run all searches in common rounds, then test each; return the rows and what was asked."""
    from semiology.backends.journal import Journal
    from semiology.optimization.proposers.rules import CandidateRules
    from semiology.optimization.search.asking import AnswerBook, RememberedAnswers, SharedRounds
    from semiology.optimization.search.options import SearchOptions
    from semiology.optimization.search.run import side_by_side
    from semiology.optimization.search.search import search_feature

    with Journal(options.work / "answers") as journal:
        remembered = RememberedAnswers(answerer, journal, key_of)
        rounds = SharedRounds(remembered, len(jobs))

        def one(job: Job) -> Any:
            rules = CandidateRules(job.feature, frozenset())
            how = SearchOptions(budget=options.budget, begin_with=WEAK, seeds=(), seed=job.seed)
            return search_feature(
                job.examples.train, job.examples.development, AnswerBook(rounds),
                proposer_of(job, rules, journal), rules, how, begun_text=job.begun_text,
            )  # fmt: skip

        found = side_by_side([partial(one, job) for job in jobs], rounds.leave)
        book = AnswerBook(remembered)
        book.ask((text, example) for job, each in zip(jobs, found, strict=True)
                 for text in (each.begun_text, each.chosen) for example in job.examples.test)  # fmt: skip
        rows = [row(job, each, book) for job, each in zip(jobs, found, strict=True)]
        facts = {"questions_asked": remembered.asked, "windows_read": remembered.windows}
    return rows, {**facts, "rounds": rounds.rounds}


def row(job: Job, found: Any, book: Any) -> dict[str, Any]:
    """Return one search's result on the test patients."""
    from semiology.optimization.search.scores import compare_wordings, plain

    answers = [book.answers(text, job.examples.test) for text in (found.begun_text, found.chosen)]
    record, by_number, trials = found.lineage, found.lineage["candidates"], found.lineage["trials"]
    return {
        "kind": job.kind, "feature": job.feature, "seed": job.seed, "begun": found.begun_text,
        "chosen": found.chosen, "metric_calls": record["metric_calls"],
        "candidates": len(by_number), "trials": len(trials), "proposed": record["proposed"],
        "refused": record["refused"], "accepted": sum(each["accepted"] for each in trials),
        "notes": list(found.notes),
        "development": [by_number[number]["development"]["f1"] for number in (0, record["chosen"])],
        "test": plain(compare_wordings(job.examples.test, *answers)),
    }  # fmt: skip


COLUMNS = (
    "search", "feature", "seed", "test F1 before → after", "difference [95 %]", "p", "balanced accuracy",
    "always-yes F1", "development F1", "wordings tried",
)  # fmt: skip


def cells(row: dict[str, Any]) -> list[str]:
    """Return one search's line of the table."""

    def shown(*values: float | None, form: str = ".2f") -> str:
        return " → ".join("undefined" if value is None else f"{value:{form}}" for value in values)

    test = row["test"]
    change = test["difference"]["f1"]
    interval = "no interval" if change["low"] is None else f"[{change['low']:+.2f}, {change['high']:+.2f}]"
    f1, balanced = (
        shown(*(test[side][score]["value"] for side in ("before", "after")))
        for score in ("f1", "balanced_accuracy")
    )
    return [
        row["kind"], row["feature"], str(row["seed"]), f1, f"{change['value'] or 0:+.2f} {interval}",
        shown(test["p_value"]["f1"], form=".4f"), balanced, shown(test["always_yes_f1"]),
        shown(*row["development"]), str(row["trials"]),
    ]  # fmt: skip


def prove(options: argparse.Namespace) -> None:
    """Run the proof and print its table."""
    from semiology.optimization.proposers.grammar_walk import OfflineProposer

    rows = measured(
        options,
        lambda plan: all_jobs(plan, options.seeds),
        lambda job, rules, journal: OfflineProposer(rules, job.seed),
        "proof.json",
    )
    rows.sort(key=lambda row: (row["kind"], row["feature"], row["seed"]))
    print_table(COLUMNS, map(cells, rows))


def compare(options: argparse.Namespace) -> None:
    """Run the weak searches with both proposers and print their table."""
    from semiology.optimization.proposers.grammar_walk import OfflineProposer
    from semiology.optimization.proposers.language_model import ReflectiveProposer, reflection_model

    names = tuple(options.features.split(","))
    with ExitStack() as stack:
        chosen = options.proposer or _small_model(options.work, names, stack)
        complete = reflection_model(chosen, remote_allowed=False, timeout_s=TIMEOUT_S)

        def proposer_of(job: Job, rules: Any, journal: Any) -> Any:
            if job.kind == OFFLINE:
                return OfflineProposer(rules, job.seed)
            model = f"{chosen.rpartition('@')[0]} seed {job.seed} {rules.feature}"
            return ReflectiveProposer(complete, rules.max_characters, journal, model)

        def jobs_of(plan: Any) -> Iterator[Job]:
            for kind in (OFFLINE, LANGUAGE_MODEL):
                for job in all_jobs(plan, options.seeds):
                    if job.kind == "weak" and job.feature in names:
                        yield replace(job, kind=kind)

        rows = measured(options, jobs_of, proposer_of, "proposers.json")
    columns = ("proposer", "feature", "seed", "usable", "refused", "better on a minibatch", "on development",
               "test F1 before → after", "difference [95 %]", "p")  # fmt: skip
    table = []
    for each in rows:
        kind, feature, seed, scores, difference, p_value, *_ = cells(each)
        counts = (each["proposed"], sum(each["refused"].values()), each["accepted"], each["candidates"] - 1)
        table.append([kind, feature, seed, *map(str, counts), scores, difference, p_value])
    print_table(columns, table)


def _small_model(work: Path, features: tuple[str, ...], stack: ExitStack) -> str:
    """Train the small model if it is not there, serve it, and return its name and address."""

    from wording_language_model import LanguageModelServer, Recipe, train

    folder = work / f"writer_{'_'.join(features)}"
    if not (folder / "tokenizer.json").exists():  # written last
        train(folder, Recipe(features=features))
    server = stack.enter_context(LanguageModelServer(work / "writer.log"))
    return f"{folder}@{server.address}"


def main() -> None:
    """Prove, or compare."""
    options = parser(__doc__)
    options.add_argument("part", nargs="?", choices=("prove", "compare"), default="prove")
    options.add_argument(
        "--work", type=Path, required=True, help="folder for recordings, answers and results"
    )
    options.add_argument("--patients", type=int, default=120)
    options.add_argument("--budget", type=int, default=200, help="metric calls of each search")
    options.add_argument("--seeds", type=int, default=3)
    options.add_argument(
        "--features", default="tonic,close_eyes", help="features to compare on, comma-separated"
    )
    options.add_argument("--proposer", help="another language model than the small one")
    given = options.parse_args()
    (compare if given.part == "compare" else prove)(given)


if __name__ == "__main__":
    main()
