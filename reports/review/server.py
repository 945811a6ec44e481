"""The local page on which justifications and reports are rated. It listens on 127.0.0.1 and nowhere else."""

from __future__ import annotations

import mimetypes
import re
import secrets
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastapi import HTTPException
from fastapi.responses import FileResponse
from pydantic import BaseModel, ConfigDict, Field

from semiology.reports.local.app import local_app
from semiology.reports.local.guard import Guard
from semiology.reports.review.sheet import SHOWN, Case, ReviewError
from semiology.reports.review.store import LONGEST_COMMENT, Rating, RatingStore
from semiology.reports.review.subjects import JUSTIFICATION, Subject

TOKEN = "token"  # noqa: S105 - the name of a file
RATER = re.compile(r"[A-Za-z0-9_.-]{1,40}")
PAGES: Mapping[str, str] = {
    "": "review.html",
    "review.css": "review.css",
    "saving.js": "saving.js",
    "review.js": "review.js",
}


class RatingIn(BaseModel):
    """What the page sends."""

    model_config = ConfigDict(extra="forbid", strict=True)

    rating: int | None = Field(default=None, ge=1, le=5)
    comment: str = Field(default="", max_length=LONGEST_COMMENT)


def review_app(
    cases: Sequence[Case],
    store: RatingStore,
    rater: str,
    token: str,
    videos: Mapping[str, Path],
    subject: Subject = JUSTIFICATION,
) -> Guard:
    """Return the page as an ASGI application.

    Args:
        cases: what is rated, in the order shown.
        store: where ratings are kept.
        rater: who rates: 1 to 40 letters, digits, ``_``, ``.`` or ``-``.
        token: first part of every address.
        videos: file of each video_id that can be shown; others are named only.
        subject: what is rated.

    Raises:
        ReviewError: the rater's name has other characters.
    """
    check_name(rater)
    app = local_app("semiology.reports.review", PAGES)
    by_item = {case.item: case for case in cases}

    @app.get("/{token}/api/review")
    def review() -> dict[str, Any]:
        given = {rating.item: rating for rating in store.latest(rater)}
        shown = []
        for case in cases:
            rated = given.get(case.item, Rating(rater, case.item, None))
            own = {"rating": rated.rating, "comment": rated.comment}
            seen = {name: getattr(case, name) for name in SHOWN}
            shown.append({**seen, "has_video": case.video_id in videos, **own})
        scale = {str(k): text for k, text in subject.scale.items()}
        texts = {"heading": subject.heading, "labels": subject.labels}
        return {"rater": rater, "scale": scale, **texts, "cases": shown}

    @app.put("/{token}/api/ratings/{item}")
    def rate(item: str, body: RatingIn) -> dict[str, str]:
        if item not in by_item:
            raise HTTPException(404, "no such item")
        store.save(Rating(rater, item, body.rating, body.comment))
        return {"saved": item}

    @app.get("/{token}/video/{item}")
    def video(item: str) -> FileResponse:
        case = by_item.get(item)
        path = videos.get(case.video_id) if case else None
        if path is None or not path.is_file():
            raise HTTPException(404, "no video of this item on this machine")
        # Starlette answers requests for a part of the file, which a player needs to jump.
        return FileResponse(path, media_type=mimetypes.guess_type(path.name)[0] or "video/mp4")

    return Guard(app, token)


def check_name(rater: str) -> str:
    """Return the name of a rater or reader.

    Raises:
        ReviewError: it has other characters than those of initials, or is too long.
    """
    if not RATER.fullmatch(rater):
        raise ReviewError(f"rater {rater!r}: use 1 to 40 letters, digits, '_', '.' or '-'; initials will do")
    return rater


def token_of(folder: Path, name: str = TOKEN) -> str:
    """Return the token of a review folder, or that under another name, made once: a restart keeps the address."""
    path = folder / name
    if path.is_file():
        kept = path.read_text(encoding="ascii").strip()
        if re.fullmatch(r"[A-Za-z0-9_-]{20,}", kept):
            return kept
    made = secrets.token_urlsafe(24)
    path.touch(mode=0o600)
    path.write_text(made, encoding="ascii")
    path.chmod(0o600)
    return made
