"""Instructions of the judge models, from ``prompts/judge_instructions.yaml``: one instruction per kind of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, Field, StrictStr

from semiology.prompts.checks import PROVENANCES, problems_of
from semiology.prompts.library import PromptLibraryError
from semiology.render.strict_yaml import read_yaml
from semiology.render.validation import one_of

JudgeKind = Literal["justification", "report", "retry"]
FILE = Path(__file__).parent / "judge_instructions.yaml"
_PLACE = re.compile(r"\{([a-z]+)\}")


class JudgeInstruction(BaseModel, frozen=True, extra="forbid"):
    """One instruction; ``text`` has places in braces, the others are as in the prompt library."""

    id: Annotated[StrictStr, Field(min_length=1)]
    provenance: Annotated[str, one_of(PROVENANCES)]
    source: Annotated[StrictStr, Field(min_length=1)]
    text: Annotated[StrictStr, Field(min_length=1)]

    def filled(self, values: Mapping[str, str]) -> str:
        """Return the text with its places filled; braces inside the values stay.

        Raises:
            KeyError: a place has no value.
        """
        return _PLACE.sub(lambda place: values[place[1]], self.text).strip()


def judge_instruction(kind: JudgeKind) -> JudgeInstruction:
    """Return the instruction for a kind of text, or the one that asks again.

    Raises:
        KeyError: there is none.
        PromptLibraryError: the file has faults; all of them are listed.
    """
    return _read()[kind]


@lru_cache(maxsize=1)
def _read() -> Mapping[str, JudgeInstruction]:
    content = read_yaml(FILE)
    if problems := problems_of(dict[JudgeKind, JudgeInstruction], content, FILE.name):
        raise PromptLibraryError(problems)
    return {kind: JudgeInstruction(**entry) for kind, entry in content.items()}
