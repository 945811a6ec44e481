"""An lmms-eval model outside of an evaluation: loaded by name, asked about documents, its replies as text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semiology.backends.generation_only import FAILED

TASK, SPLIT = "semiology_requests", "test"

Document = Mapping[str, Any]


def load_model(model: str, model_args: str, *, setting: str = "--model") -> Any:
    """Load an lmms-eval model after the checks that every run passes.

    Args:
        model: name in lmms-eval.
        model_args: its arguments, ``key=value`` separated by commas.
        setting: the option that named it, for messages.

    Raises:
        ValueError: there is no such model, its address is not this machine's, or it refuses an argument.
    """
    from lmms_eval.models import MODEL_REGISTRY_V2, get_model

    from semiology.harness.plugin import manifests
    from semiology.harness.video_errors import name_video_errors
    from semiology.privacy.remote_code import refuse_remote_code
    from semiology.privacy.remote_models import check_address, check_client

    names = MODEL_REGISTRY_V2.list_model_names()
    if model not in names and model not in {each.model_id for each in manifests()}:
        raise ValueError(f"{setting} {model}: lmms-eval has no such model{_nearest(model, names)}")
    check_address(model, model_args)
    refuse_remote_code()
    given = {part.partition("=")[0].strip() for part in model_args.split(",")}
    defaults = {} if "batch_size" in given else {"batch_size": 1}
    lm = get_model(model, False).create_from_arg_string(model_args, defaults)
    check_client(lm)
    name_video_errors()
    return lm


def ask_documents(
    lm: Any,
    documents: Sequence[Document],
    *,
    text: Callable[[Document], str],
    messages: Callable[[Document], Any],
    visual: Callable[[Document], Any],
    settings: Mapping[str, Any],
) -> list[str]:
    """Return the model's replies in the order of the documents.

    Args:
        lm: an lmms-eval model of either protocol.
        documents: one per question.
        text: gives a document's question. messages: its chat messages. visual: its media for simple models.
        settings: generation settings.
    """
    from lmms_eval.api.instance import Instance

    from semiology.harness.request_order import windows_together

    lm.task_dict[TASK] = {SPLIT: list(documents)}
    requests = []
    for number, document in enumerate(documents):
        if getattr(lm, "is_simple", True):
            given: tuple[Any, ...] = (text(document), dict(settings), visual, number, TASK, SPLIT)
        else:
            given = (text(document), messages, dict(settings), number, TASK, SPLIT)
        metadata = {"task": TASK, "doc_id": number, "repeats": 1}
        requests.append(Instance("generate_until", given, 0, metadata=metadata))
    with windows_together(lm):
        return [str(getattr(reply, "text", reply) or "") for reply in lm.generate_until(requests)]


def failure_of(reply: str) -> str | None:
    """Return why there is no reply, None where there is one."""
    return reply.removeprefix(FAILED).strip(": ]") if reply.startswith(FAILED) else None


def _nearest(name: str, names: Sequence[str]) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, names, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
