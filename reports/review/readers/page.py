"""The page on which one reader answers. It listens on 127.0.0.1 and nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from fastapi import HTTPException
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from semiology.reports.local.app import local_app
from semiology.reports.local.guard import Guard
from semiology.reports.review.readers.answers import CHOICES, LONGEST_S, Answer, AnswerStore
from semiology.reports.review.readers.study import CLIPS, Study
from semiology.reports.review.server import check_name

PAGES: Mapping[str, str] = {
    "": "reader.html",
    "review.css": "review.css",
    "saving.js": "saving.js",
    "reader.js": "reader.js",
}


class AnswerIn(BaseModel):
    """What the page sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    answer: Literal["yes", "no", "na", "cannot_tell"]
    seconds: float = Field(ge=0, le=LONGEST_S)


def reader_app(study: Study, folder: Path, store: AnswerStore, reader: str, token: str) -> Guard:
    """Return the page as an ASGI application.

    Args:
        study: what is asked. folder: where its clips lie. store: where answers are kept.
        reader: who answers: 1 to 40 letters, digits, ``_``, ``.`` or ``-``.
        token: first part of every address.

    Raises:
        ReviewError: the reader's name has other characters.
    """
    check_name(reader)
    app = local_app("semiology.reports.review", PAGES)
    order = study.order_of(reader)
    by_item = {item.item: item for item in order}

    @app.get("/{token}/api/study")
    def asked() -> dict[str, object]:
        given = {answer.item: answer for answer in store.latest(reader)}
        items = []
        for item in order:
            # Neither ids, feature, time in the recording nor truth: models were not told them either.
            shown = {"item": item.item, "question": item.question, "fps": item.fps, "heard": item.heard}
            mine = given.get(item.item)
            items.append({**shown, "answer": mine and mine.answer, "seconds": mine.seconds if mine else 0.0})
        return {"reader": reader, "choices": CHOICES, "items": items}

    @app.put("/{token}/api/answers/{item}")
    def answer(item: str, body: AnswerIn) -> dict[str, str]:
        if item not in by_item:
            raise HTTPException(404, "no such item")
        store.save(Answer(reader, item, body.answer, body.seconds))
        return {"saved": item}

    @app.get("/{token}/clip/{item}")
    def clip(item: str) -> FileResponse:
        path = folder / CLIPS / by_item[item].clip if item in by_item else None
        if path is None or not path.is_file():
            raise HTTPException(404, "no clip of this item")
        return FileResponse(path, media_type="video/mp4")

    return Guard(app, token)
