"""Any lmms-eval model class as an answerer: loaded once, asked through its own ``generate_until``.

The questions are the documents of the feature tasks, with their messages and generation settings, so a search
asks exactly what ``semiology run`` would ask with the same wording.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from semiology.backends.journal import answer_key
from semiology.data.cache import cache_directory, content_digest
from semiology.features import AUDIO_FEATURES
from semiology.harness.requests import ask_documents, failure_of
from semiology.optimization.search.answerers import KeyOf, UnansweredError, WindowQuestion
from semiology.prompts.library import prompt_hash
from semiology.render.noun_counts import counted
from semiology.tasks.documents import build_documents, choose_prompt
from semiology.tasks.messages import doc_to_messages, doc_to_text, doc_to_visual
from semiology.tasks.plan import Plan
from semiology.tasks.settings import sound_override


@functools.lru_cache(maxsize=1)
def task_settings() -> dict[str, Any]:
    """Return generation settings and media forms of the feature tasks (``tasks/_semiology``)."""
    path = Path(__file__).parents[2] / "tasks" / "_semiology"
    # functions are named by tags that only lmms-eval resolves
    text = path.read_text(encoding="utf-8").replace("!function ", "")
    return dict(yaml.safe_load(text))


def media_form(model: str) -> Mapping[str, str]:
    """Return how a model class takes media, as the feature tasks say."""
    forms = task_settings()["lmms_eval_specific_kwargs"]
    return dict(forms.get(model, forms["default"]))


class LmmsEvalAnswerer:
    """Asks an lmms-eval model about windows of a recording set.

    Args:
        lm: the model, loaded.
        name: its name in lmms-eval, which decides how media are handed over.
        plan: windows of the recording set.
    """

    def __init__(self, lm: Any, name: str, plan: Plan) -> None:
        self._lm, self._plan, self._form = lm, plan, media_form(name)
        self._rows: dict[str, dict[tuple[str, int], dict[str, Any]]] = {}

    def answer(self, questions: Sequence[WindowQuestion]) -> list[str]:
        """Return the replies in the order of the questions.

        Raises:
            UnansweredError: some question got no reply; the replies of the others come along.
        """
        documents = [self._document(question) for question in questions]
        form = {"lmms_eval_specific_kwargs": self._form}
        replies = ask_documents(
            self._lm, documents, text=doc_to_text, settings=task_settings()["generation_kwargs"],
            messages=functools.partial(doc_to_messages, **form),
            visual=functools.partial(doc_to_visual, **form),
        )  # fmt: skip
        failures = [failure_of(reply) for reply in replies]
        failed = [reason for reason in failures if reason is not None]
        if failed:
            given = [
                reply if failure is None else None for reply, failure in zip(replies, failures, strict=True)
            ]
            raise UnansweredError(
                f"{len(failed)} of {counted(len(replies), 'question')} got no reply, the first because of "
                f"{failed[0][:200]!r} → fix it and run the same command "
                "again; every answer that came is kept",
                given,
            )
        return replies

    def _document(self, question: WindowQuestion) -> dict[str, Any]:
        if question.feature not in self._rows:
            rows = build_documents(question.feature, self._plan, choose_prompt(question.feature, "s3"))
            self._rows[question.feature] = {(row["video_id"], int(row["segment"])): row for row in rows}
        row = self._rows[question.feature][question.video_id, question.segment]
        return {**row, "question": question.text, "prompt_hash": prompt_hash(question.text)}


def reply_key(plan: Plan, model: str, model_args: str) -> KeyOf:
    """Return the function that gives a question's key in the journal: wording, window, file, model.

    Args:
        plan: windows of the recording set.
        model: lmms-eval name.
        model_args: its arguments; a checkpoint folder among them is told by its content.
    """
    stamp = f"{model}|{model_args}|{_checkpoint(model_args)}"
    sampling = {
        "window": [plan.window.window_s, plan.window.fps, plan.window.max_frames],
        "media": dict(media_form(model)),
        "sound": sound_override(),
    }
    generation = task_settings()["generation_kwargs"]
    cache = cache_directory()

    def key(question: WindowQuestion) -> str:
        recording = plan.recordings[question.video_id]
        segment = next(each for each in recording.segments if each.index == question.segment)
        digest = content_digest(recording.recording.video, cache)
        media = [("video", digest, segment.start_s, segment.end_s)]
        if recording.recording.audio is not None:
            sound = content_digest(recording.recording.audio, cache)
            media.append(("audio", sound, segment.start_s, segment.end_s))
        hears = {**sampling, "hear": question.feature in AUDIO_FEATURES}
        return answer_key(
            prompt=question.text, media=media, sampling=hears, generation=generation, model=stamp
        )

    return key


def _checkpoint(model_args: str) -> str:
    """Return what identifies the weights of a checkpoint folder among the arguments; empty without one."""
    from semiology.backends.checkpoint_stamp import checkpoint_stamp

    for part in model_args.split(","):
        name, _, value = part.partition("=")
        if name.strip() in ("pretrained", "model") and Path(value.strip()).expanduser().is_dir():
            return checkpoint_stamp(value.strip(), cache_directory())
    return ""
