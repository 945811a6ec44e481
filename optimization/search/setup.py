"""From the options of ``semiology optimize`` to what a search needs: checks, windows, the model, the proposer.

Any lmms-eval model class answers, loaded at the first question and asked through its own ``generate_until``. The
questions are the documents of the feature tasks, with their messages and generation settings, so a search asks
exactly what ``semiology run`` would ask with the same wording.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from semiology.backends.journal import Journal, answer_key, failure_of
from semiology.data.cache import cache_directory, content_digest
from semiology.data.protection.splits import SCORE
from semiology.data.same_patient import refuse_doubtful_patients
from semiology.features import AUDIO_FEATURES, FEATURES, suggest_feature
from semiology.harness.asking import ask_documents
from semiology.optimization.proposers.grammar_walk import OfflineProposer
from semiology.optimization.proposers.guarded import Proposer
from semiology.optimization.proposers.language_model import ReflectiveProposer, reflection_model
from semiology.optimization.proposers.rules import CandidateRules
from semiology.optimization.search.asking import Answerer, KeyOf, UnansweredError, WindowQuestion
from semiology.optimization.search.options import OFFLINE, PRESETS, SearchError, SearchOptions
from semiology.prompts.library import answer_formats, prompt_hash
from semiology.render.text import counted
from semiology.settings import DATA, WINDOW, prefer_decord
from semiology.tasks.documents import build_documents, choose_prompt
from semiology.tasks.messages import doc_to_messages, doc_to_text, doc_to_visual, media_form, task_settings
from semiology.tasks.plan import Plan, current_plan
from semiology.tasks.settings import (
    read_settings,
    sound_override,
    window_for_model,
)

ProposerOf = Callable[[CandidateRules, Journal], Proposer]


@dataclass(frozen=True)
class Prepared:
    """What a search needs besides its options.

    Attributes:
        answerer: the model; asked only for what the journal does not know.
        model: name and arguments of the model, for the record.
    """

    plan: Plan
    answerer: Answerer
    key_of: KeyOf
    model: str
    proposer_of: ProposerOf


def prepare(options: SearchOptions) -> Prepared:
    """Check the options and return what the search or the named experiment needs; no model is loaded yet.

    Raises:
        ValueError: an option, the recording set or the model is not usable; the message says what to change.
    """
    from semiology.harness.asking import load_model
    from semiology.harness.preflight import check_senses
    from semiology.harness.run import check_names, resolve_model, without_journal
    from semiology.privacy.remote_models import check_address

    _check(options)
    proposer_of = _proposer_of(options)
    model, model_args = resolve_model(options.model, options.model_args)
    model_args = without_journal(model, model_args)  # the run's own journal keeps every answer
    check_names(model, "semiology", model_args, options.window)
    check_address(model, model_args)
    check_senses(options.features, model)
    DATA.choose(str(options.data))
    WINDOW.choose(options.window or window_for_model(model, model_args))
    prefer_decord()
    settings = read_settings()
    refuse_doubtful_patients(settings.data, distinct=options.distinct_patients)
    plan = current_plan(replace(settings, purpose=SCORE))  # a search never gets confirm patients
    answerer = LmmsEvalAnswerer(lambda: load_model(model, model_args), model, plan)
    name = f"{options.model} {options.model_args}".strip()
    return Prepared(plan, answerer, reply_key(plan, model, model_args), name, proposer_of)


def _check(options: SearchOptions) -> None:
    if options.preset is not None and options.preset not in PRESETS:
        known = ", ".join(PRESETS)
        raise SearchError(f"--preset {options.preset}: there is no such experiment → use {known}")
    if not options.features and options.preset is None:
        raise SearchError(
            "no feature is named → give --features tonic,oral_automatisms (or --preset published)"
        )
    for name in options.features:
        if name not in FEATURES:
            raise SearchError(f"--features {name}: unknown feature{suggest_feature(name)}")
    if len(set(options.features)) < len(options.features):
        raise SearchError("--features names a feature twice → name each once")
    for name in (options.answer_format, *options.other_formats):
        if name not in answer_formats():
            raise SearchError(f"unknown answer format {name!r} → use one of {', '.join(answer_formats())}")
    options.checked()


def _proposer_of(options: SearchOptions) -> ProposerOf:
    if options.proposer == OFFLINE:
        return lambda rules, journal: OfflineProposer(rules, options.seed)
    complete = reflection_model(
        options.proposer, remote_allowed=options.allow_remote_proposer, timeout_s=options.proposer_timeout
    )

    def make(rules: CandidateRules, journal: Journal) -> Proposer:
        name = f"{options.proposer} seed {options.seed} {rules.feature}"
        return ReflectiveProposer(complete, rules.max_characters, journal, name, rules.ids)

    return make


class LmmsEvalAnswerer:
    """Asks an lmms-eval model about windows of a recording set.

    Args:
        load: returns the loaded model; called at the first question.
        name: its name in lmms-eval, which decides how media are handed over.
    """

    def __init__(self, load: Callable[[], Any], name: str, plan: Plan) -> None:
        self._loaded = functools.lru_cache(maxsize=1)(load)
        self._plan, self._form = plan, media_form(name)
        self._rows: dict[str, dict[tuple[str, int], dict[str, Any]]] = {}

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Return the replies in the order of the questions; no question loads no model.

        Raises:
            UnansweredError: some question got no reply; the replies of the others come along.
        """
        if not questions:
            return []
        form = {"lmms_eval_specific_kwargs": self._form}
        replies = ask_documents(
            self._loaded(), [self._document(each) for each in questions], text=doc_to_text,
            settings=task_settings()["generation_kwargs"],
            messages=functools.partial(doc_to_messages, **form),
            visual=functools.partial(doc_to_visual, **form),
        )  # fmt: skip
        return all_answered(replies)

    def _document(self, question: WindowQuestion) -> dict[str, Any]:
        if question.feature not in self._rows:
            rows = build_documents(question.feature, self._plan, choose_prompt(question.feature, "s3"))
            self._rows[question.feature] = {(row["video_id"], int(row["segment"])): row for row in rows}
        row = self._rows[question.feature][question.video_id, question.segment]
        return {**row, "question": question.text, "prompt_hash": prompt_hash(question.text)}


def all_answered(replies: Sequence[str]) -> list[str]:
    """Return replies of which each is one.

    Raises:
        UnansweredError: some question got none; the replies of the others come along.
    """
    failures = [failure_of(reply) for reply in replies]
    failed = [reason for reason in failures if reason is not None]
    if failed:
        raise UnansweredError(
            f"{len(failed)} of {counted(len(replies), 'question')} got no reply, the first because of "
            f"{failed[0][:200]!r} → fix it and run the same command again; every answer that came is kept",
            [reply if failure is None else None for reply, failure in zip(replies, failures, strict=True)],
        )
    return list(replies)


def reply_key(plan: Plan, model: str, model_args: str) -> KeyOf:
    """Return the function that gives a question's key in the journal: wording, window, file, model.

    Args:
        model_args: its arguments; a checkpoint folder among them counts by its content.
    """
    stamp = f"{model}|{model_args}|{checkpoint_content(model_args)}"
    sampling = {
        "window": [plan.window.window_s, plan.window.fps, plan.window.max_frames],
        "media": dict(media_form(model)),
        "sound": sound_override(),
    }
    generation = task_settings()["generation_kwargs"]
    cache = cache_directory()

    def key(question: WindowQuestion) -> str:
        planned = plan.recordings[question.video_id]
        segment = next(each for each in planned.segments if each.index == question.segment)
        files = (("video", planned.recording.video), ("audio", planned.recording.audio))
        media = [
            (kind, content_digest(path, cache), segment.start_s, segment.end_s)
            for kind, path in files
            if path
        ]
        hears = {**sampling, "hear": question.feature in AUDIO_FEATURES}
        return answer_key(
            prompt=question.text, media=media, sampling=hears, generation=generation, model=stamp
        )

    return key


def checkpoint_content(model_args: str) -> str:
    """Return what identifies the weights of a checkpoint folder among the arguments; empty without one."""
    from semiology.backends.checkpoint_stamp import checkpoint_stamp

    for part in model_args.split(","):
        name, _, value = part.partition("=")
        if name.strip() in ("pretrained", "model") and Path(value.strip()).expanduser().is_dir():
            return checkpoint_stamp(value.strip(), cache_directory())
    return ""
