"""From the choices of ``semiology optimize`` to a run: checks first, the model last and only if needed."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from typing import Any

from semiology.backends.journal import Journal
from semiology.features import FEATURES, suggest_feature
from semiology.optimization.proposers.guarded import Proposer
from semiology.optimization.proposers.language_model import ReflectiveProposer, reflection_model
from semiology.optimization.proposers.offline_proposer import OfflineProposer
from semiology.optimization.proposers.rules import CandidateRules
from semiology.optimization.search.answerers import Answerer, KeyOf, WindowQuestion
from semiology.optimization.search.choices import DEFAULT_BUDGET, OFFLINE, RunChoices
from semiology.optimization.search.examples import SearchError, divide_patients
from semiology.optimization.search.lmms_answerer import LmmsEvalAnswerer, reply_key
from semiology.optimization.search.run import (
    Optimization,
    OptimizationResult,
    ProposerOf,
    optimize,
)
from semiology.optimization.search.run_folder import SUMMARY
from semiology.optimization.search.search import SearchOptions
from semiology.prompts.library import answer_formats
from semiology.tasks.plan import Plan, current_plan
from semiology.tasks.settings import DATA_VARIABLE, WINDOW_VARIABLE, read_settings, window_for_model


class LoadedWhenAsked:
    """An lmms-eval model that is loaded at the first question, if there is one.

    Args:
        model: name in lmms-eval. model_args: its arguments. plan: windows of the recording set.
    """

    def __init__(self, model: str, model_args: str, plan: Plan) -> None:
        self._model, self._model_args, self._plan = model, model_args, plan
        self._answerer: LmmsEvalAnswerer | None = None

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Return the replies; no question loads no model."""
        if not questions:
            return []
        if self._answerer is None:
            from semiology.harness.requests import load_model

            lm = load_model(self._model, self._model_args)
            self._answerer = LmmsEvalAnswerer(lm, self._model, self._plan)
        return self._answerer.answer(questions)


def run(choices: RunChoices) -> tuple[OptimizationResult | None, dict[str, Any]]:
    """Run the searches, or the named experiment; return the result (None for an experiment) and its summary.

    Raises:
        ValueError: a choice, the recording set or the model is not usable; the message says what to change.
    """

    _check(choices)
    plan, answerer, key_of, model = _asked(choices)
    if choices.preset is not None:
        from semiology.optimization.published.experiment import run_published

        return None, run_published(choices, plan, answerer, key_of, model, proposer_of(choices))
    parts = divide_patients(plan.recording_set, test_fold=choices.test_fold, seed=choices.seed)
    task = Optimization(
        features=choices.features, plan=plan, parts=parts, model=model, proposer=choices.proposer,
        proposer_of=proposer_of(choices), answerer=answerer, key_of=key_of, search=search_options(choices),
    )  # fmt: skip
    result = optimize(task, choices.out)
    return result, json.loads((choices.out / SUMMARY).read_text(encoding="utf-8"))


def search_options(choices: RunChoices) -> SearchOptions:
    """Return how to search."""
    budget = choices.budget
    if budget is None and choices.minutes is None:
        budget = DEFAULT_BUDGET
    return SearchOptions(
        objective=choices.objective, metric_calls=budget, minutes=choices.minutes,
        minibatch=choices.minibatch, siblings=choices.siblings, begin_with=choices.begin_with,
        seeds=choices.seeds,
        answer_format=choices.answer_format, other_formats=choices.other_formats,
        max_characters=choices.max_characters, seed=choices.seed,
    ).checked()  # fmt: skip


def proposer_of(choices: RunChoices) -> ProposerOf:
    """Return what makes the proposer of each feature.

    Raises:
        SearchError: the language model's address is not this machine's and not allowed.
    """
    if choices.proposer == OFFLINE:
        return lambda rules, journal: OfflineProposer(rules, choices.seed)
    complete = reflection_model(
        choices.proposer, remote_allowed=choices.allow_remote_proposer, timeout_s=choices.proposer_timeout
    )

    def make(rules: CandidateRules, journal: Journal) -> Proposer:
        name = f"{choices.proposer} seed {choices.seed} {rules.feature}"
        return ReflectiveProposer(complete, rules.max_characters, journal, name, rules.ids)

    return make


def _check(choices: RunChoices) -> None:

    if choices.preset is not None and choices.preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise SearchError(f"--preset {choices.preset}: there is no such experiment → use {known}")
    if not choices.features and choices.preset is None:
        raise SearchError(
            "no feature is named → give --features tonic,oral_automatisms (or --preset published)"
        )
    for name in choices.features:
        if name not in FEATURES:
            raise SearchError(f"--features {name}: unknown feature{suggest_feature(name)}")
    if len(set(choices.features)) < len(choices.features):
        raise SearchError("--features names a feature twice → name each once")
    for name in (choices.answer_format, *choices.other_formats):
        if name not in answer_formats():
            raise SearchError(f"unknown answer format {name!r} → use one of {', '.join(answer_formats())}")
    search_options(choices)
    proposer_of(choices)


def _asked(choices: RunChoices) -> tuple[Plan, Answerer, KeyOf, str]:
    """Return the windows, the model behind them, the key of a question, and the model's name."""
    from semiology.harness.preflight import check_senses
    from semiology.harness.run import check_names, resolve_model
    from semiology.privacy.remote_models import check_address

    model, model_args = resolve_model(choices.model, choices.model_args)
    if model == "semiology_hf" and "journal=" not in model_args:
        model_args = f"{model_args},journal=none".lstrip(",")  # the run's own journal keeps every answer
    check_names(model, "semiology")
    check_address(model, model_args)
    check_senses(choices.features, model)
    os.environ[DATA_VARIABLE] = str(choices.data)
    os.environ[WINDOW_VARIABLE] = choices.window or window_for_model(model, model_args)
    os.environ.setdefault("FORCE_QWENVL_VIDEO_READER", "decord")
    plan = current_plan(read_settings())
    name = f"{choices.model} {choices.model_args}".strip()
    return plan, LoadedWhenAsked(model, model_args, plan), reply_key(plan, model, model_args), name


PRESETS = ("published",)
