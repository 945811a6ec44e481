"""A language model as proposer beside the offline one: same simulated patients, same budget, same beginnings.

    python benchmarks/proposer_comparison.py --work FOLDER [--patients 120] [--budget 200] [--seeds 3]
        [--features tonic,close_eyes] [--proposer NAME@http://127.0.0.1:8000/v1]

Without ``--proposer`` a small model is trained on the grammar (`benchmarks/wording_language_model.py`) and
served with ``transformers serve``: it shows the road, not what a real one would propose. The recordings, the
division of patients and the embedded model are those of `benchmarks/optimizer_proof.py`; its folder may be
given, and then answers are not asked again. An interrupted run goes on.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from language_model_server import LanguageModelServer
from measuring import print_table
from optimizer_proof import Job, all_jobs, cells, measured, search_options
from wording_language_model import FEATURES, Recipe, train

OFFLINE, LANGUAGE_MODEL = "offline", "language model"
TIMEOUT_S = 1800.0


def main() -> None:
    """Run the searches and print their table."""
    from semiology.optimization.proposers.grammar_walk import OfflineProposer
    from semiology.optimization.proposers.language_model import ReflectiveProposer, reflection_model

    parser = search_options(__doc__)
    parser.add_argument("--features", default=",".join(FEATURES), help="features, comma-separated")
    parser.add_argument("--proposer", help="another language model than the small one")
    options = parser.parse_args()
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
    print_table(COLUMNS, map(_cells, rows))


def _small_model(work: Path, features: tuple[str, ...], stack: ExitStack) -> str:
    """Train the small model if it is not there, serve it, and return its name and address."""
    folder = work / f"writer_{'_'.join(features)}"
    if not (folder / "tokenizer.json").exists():  # written last
        train(folder, Recipe(features=features))
    server = stack.enter_context(LanguageModelServer(work / "writer.log"))
    return f"{folder}@{server.address}"


COLUMNS = ("proposer", "feature", "seed", "usable", "refused", "better on a minibatch", "on development",
           "test F1 before → after", "difference [95 %]", "p")  # fmt: skip


def _cells(each: dict[str, Any]) -> list[str]:
    kind, feature, seed, scores, difference, p_value, *_ = cells(each)
    counts = [each["proposed"], sum(each["refused"].values()), each["accepted"], each["candidates"] - 1]
    return [kind, feature, seed, *map(str, counts), scores, difference, p_value]


if __name__ == "__main__":
    main()
