"""How much of a transcript a question quotes, as the user sets it."""

from __future__ import annotations

from semiology.data.problems import SettingsError
from semiology.enhancements.speech.quoting import LIMIT
from semiology.settings import TRANSCRIPT_LIMIT


def transcript_limit() -> int:
    """Return the most characters of a transcript that are quoted, 5000 unless set otherwise.

    The transcripts themselves do not depend on it, so nothing has to be enhanced anew.

    Raises:
        SettingsError: the value is not a whole number of at least 1.
    """
    given = TRANSCRIPT_LIMIT.text()
    if not given:
        return LIMIT
    if not (given.isascii() and given.isdigit()) or int(given) < 1:
        raise SettingsError(
            f"{TRANSCRIPT_LIMIT}={given}: give the most characters quoted, a whole number from 1 up "
            f"({LIMIT} by default)"
        )
    return int(given)
