"""A language model as proposer beside the offline one: same simulated patients, same budget, same beginnings.

    python benchmarks/proposer_comparison.py --work FOLDER [--patients 120] [--budget 200] [--seeds 3]
        [--features tonic,close_eyes] [--proposer NAME@http://127.0.0.1:8000/v1]

Without ``--proposer`` a small model is trained on the grammar (`benchmarks/wording_language_model.py`) and
served with ``transformers serve``: it shows the road, not what a real one would propose. The recordings, the
division of patients and the embedded model are those of `benchmarks/optimizer_proof.py`; its folder may be
given, and then answers are not asked again. An interrupted run goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from language_model_server import LanguageModelServer
from optimizer_proof import WEAK, Job, all_jobs, cells, prepared, row, search_options
from wording_language_model import FEATURES, Recipe, train

OFFLINE, LANGUAGE_MODEL = "offline", "language model"
TIMEOUT_S = 1800.0


def _own_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--features", default=",".join(FEATURES), help="features, comma-separated")
    parser.add_argument("--proposer", help="another language model than the small one")


def main() -> None:
    """Run the searches and print their table."""
    options = search_options(__doc__, _own_options)
    names = tuple(options.features.split(","))
    began = time.monotonic()
    with ExitStack() as stack:
        chosen = options.proposer or _small_model(options.work, names, stack)
        plan, answerer, key_of = prepared(options.work, options.patients)
        weak = [each for each in all_jobs(plan, options.seeds) if each.kind == "weak"]
        jobs = [(name, each) for name in (OFFLINE, LANGUAGE_MODEL) for each in weak if each.feature in names]
        rows = run_jobs(jobs, chosen, answerer, key_of, options.work, options.budget)
    facts = {"seconds": round(time.monotonic() - began), "cpu_seconds": round(time.process_time()),
             "patients": options.patients, "budget": options.budget}  # fmt: skip
    (options.work / "proposers.json").write_text(json.dumps({"facts": facts, "rows": rows}, indent=2) + "\n")
    print_table(rows)
    print(json.dumps(facts))  # noqa: T201


def _small_model(work: Path, features: tuple[str, ...], stack: ExitStack) -> str:
    """Train the small model if it is not there, serve it, and return its name and address."""
    folder = work / f"writer_{'_'.join(features)}"
    if not (folder / "tokenizer.json").exists():  # written last
        train(folder, Recipe(features=features))
    server = stack.enter_context(LanguageModelServer(work / "writer.log"))
    return f"{folder}@{server.address}"


def run_jobs(
    jobs: Sequence[tuple[str, Job]], chosen: str, answerer: Any, key_of: Any, work: Path, budget: int
) -> list[dict[str, Any]]:
    """Run all searches in common rounds, then test each.

    Args:
        jobs: proposer and search. chosen: the language model, as ``NAME@ADDRESS``.
        answerer, key_of: the model that answers, and the key of a question.
        work: folder of the answers. budget: metric calls of each search.
    """
    from semiology.backends.journal import Journal
    from semiology.optimization.proposers.rules import CandidateRules
    from semiology.optimization.search.asking import AnswerBook, RememberedAnswers, SharedRounds
    from semiology.optimization.search.options import SearchOptions
    from semiology.optimization.search.run import side_by_side
    from semiology.optimization.search.search import search_feature

    with Journal(work / "answers") as journal:
        remembered = RememberedAnswers(answerer, journal, key_of)
        rounds = SharedRounds(remembered, len(jobs))
        proposer_of = _proposers(chosen, journal)

        def one(kind: str, job: Job) -> Any:
            rules = CandidateRules(job.feature, frozenset())
            options = SearchOptions(budget=budget, begin_with=WEAK, seeds=(), seed=job.seed)
            return search_feature(
                job.examples.train, job.examples.development, AnswerBook(rounds),
                proposer_of(kind, rules, job.seed), rules, options,
            )  # fmt: skip

        found = side_by_side([lambda each=each: one(*each) for each in jobs], rounds.leave)
        book = AnswerBook(remembered)
        book.ask(
            (text, example)
            for (_, job), each in zip(jobs, found, strict=True)
            for text in (each.begun_text, each.chosen)
            for example in job.examples.test
        )
        return [_row(kind, job, each, book) for (kind, job), each in zip(jobs, found, strict=True)]


def _proposers(chosen: str, journal: Any) -> Callable[[str, Any, int], Any]:
    from semiology.optimization.proposers.grammar_walk import OfflineProposer
    from semiology.optimization.proposers.language_model import ReflectiveProposer, reflection_model

    complete = reflection_model(chosen, remote_allowed=False, timeout_s=TIMEOUT_S)
    name = chosen.rpartition("@")[0]

    def make(kind: str, rules: Any, seed: int) -> Any:
        if kind == OFFLINE:
            return OfflineProposer(rules, seed)
        return ReflectiveProposer(
            complete, rules.max_characters, journal, f"{name} seed {seed} {rules.feature}"
        )

    return make


def _row(kind: str, job: Job, found: Any, book: Any) -> dict[str, Any]:
    record = found.lineage
    accepted = sum(each["accepted"] for each in record["trials"])
    return row(job, found, book) | {
        "kind": kind, "proposed": record["proposed"], "refused": record["refused"], "accepted": accepted,
        "notes": list(found.notes),
    }  # fmt: skip


COLUMNS = ("proposer", "feature", "seed", "usable", "refused", "better on a minibatch", "on development",
           "test F1 before → after", "difference [95 %]", "p")  # fmt: skip


def print_table(rows: Sequence[dict[str, Any]]) -> None:
    """Print the results as a Markdown table."""
    for line in (COLUMNS, ["---"] * len(COLUMNS), *map(_cells, rows)):
        print(f"| {' | '.join(line)} |")  # noqa: T201


def _cells(each: dict[str, Any]) -> list[str]:
    kind, feature, seed, scores, difference, p_value, *_ = cells(each)
    counts = [each["proposed"], sum(each["refused"].values()), each["accepted"], each["candidates"] - 1]
    return [kind, feature, seed, *map(str, counts), scores, difference, p_value]


if __name__ == "__main__":
    main()
