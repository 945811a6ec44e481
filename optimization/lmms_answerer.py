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
from semiology.data.cache_folder import cache_directory
from semiology.data.content_digest import content_digest
from semiology.features import AUDIO_FEATURES
from semiology.optimization.answerers import KeyOf, WindowQuestion
from semiology.optimization.examples import SearchError
from semiology.prompts.library import prompt_hash
from semiology.tasks.documents import build_documents, choose_prompt
from semiology.tasks.messages import doc_to_messages, doc_to_text, doc_to_visual
from semiology.tasks.plan import Plan
from semiology.tasks.settings import sound_override

TASK, SPLIT = "semiology_search", "test"
FAILED = "[LMMS_EVAL_REQUEST_FAILED"


@functools.lru_cache(maxsize=1)
def task_settings() -> dict[str, Any]:
    """Return generation settings and media forms of the feature tasks (``tasks/_semiology``)."""
    path = Path(__file__).parent.parent / "tasks" / "_semiology"
    # functions are named by tags that only lmms-eval resolves
    text = path.read_text(encoding="utf-8").replace("!function ", "")
    return dict(yaml.safe_load(text))


def media_form(model: str) -> Mapping[str, str]:
    """Return how a model class takes media, as the feature tasks say."""
    forms = task_settings()["lmms_eval_specific_kwargs"]
    return dict(forms.get(model, forms["default"]))


def load_model(model: str, model_args: str) -> Any:
    """Load an lmms-eval model after the checks that every run passes.

    Raises:
        ValueError: an address that is not this machine's, or arguments that the class refuses.
    """
    from lmms_eval.models import get_model

    from semiology.remote_code import refuse_remote_code
    from semiology.remote_guard import check_address, check_client

    check_address(model, model_args)
    refuse_remote_code()
    given = {part.partition("=")[0].strip() for part in model_args.split(",")}
    defaults = {} if "batch_size" in given else {"batch_size": 1}
    lm = get_model(model, False).create_from_arg_string(model_args, defaults)
    check_client(lm)
    return lm


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
            SearchError: some question got no reply; those that did are not lost to a journal around this.
        """
        from semiology.request_order import windows_together

        documents = [self._document(question) for question in questions]
        self._lm.task_dict[TASK] = {SPLIT: documents}
        requests = [self._request(number, document) for number, document in enumerate(documents)]
        with windows_together(self._lm):
            replies = [_text(reply) for reply in self._lm.generate_until(requests)]
        failed = [reply for reply in replies if reply.startswith(FAILED)]
        if failed:
            raise SearchError(
                f"{len(failed)} of {len(replies)} questions got no reply, the first because of "
                f"{failed[0].removeprefix(FAILED).strip(': ]')[:200]!r} → mend it and run the same command "
                "again; every earlier answer is kept"
            )
        return replies

    def _document(self, question: WindowQuestion) -> dict[str, Any]:
        if question.feature not in self._rows:
            rows = build_documents(question.feature, self._plan, choose_prompt(question.feature, "s3"))
            self._rows[question.feature] = {(row["video_id"], int(row["segment"])): row for row in rows}
        row = self._rows[question.feature][question.video_id, question.segment]
        return {**row, "question": question.text, "prompt_hash": prompt_hash(question.text)}

    def _request(self, number: int, document: Mapping[str, Any]) -> Any:
        from lmms_eval.api.instance import Instance

        form, settings = self._form, dict(task_settings()["generation_kwargs"])
        text = doc_to_text(document)
        if getattr(self._lm, "is_simple", True):
            visual = functools.partial(doc_to_visual, lmms_eval_specific_kwargs=form)
            arguments: tuple[Any, ...] = (text, settings, visual, number, TASK, SPLIT)
        else:
            messages = functools.partial(doc_to_messages, lmms_eval_specific_kwargs=form)
            arguments = (text, messages, settings, number, TASK, SPLIT)
        metadata = {"task": TASK, "doc_id": number, "repeats": 1}
        return Instance("generate_until", arguments, 0, metadata=metadata)


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


def _text(reply: Any) -> str:
    """Return the text of what a model class gives: a string, or a result that holds one."""
    return str(getattr(reply, "text", reply) or "")
