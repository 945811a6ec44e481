"""What a judge model is told, from ``prompts/judge_instructions.yaml``: one instruction per kind of text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Literal

from semiology.prompts.strict_yaml import read_yaml

JudgeKind = Literal["justification", "report", "retry"]
FILE = Path(__file__).parent / "judge_instructions.yaml"
_PLACE = re.compile(r"\{([a-z]+)\}")


@dataclass(frozen=True)
class JudgeInstruction:
    """One instruction.

    Attributes:
        id, provenance, source: as in the prompt library.
        text: with places in braces.
    """

    id: str
    provenance: str
    source: str
    text: str

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
    """
    return _read()[kind]


@lru_cache(maxsize=1)
def _read() -> Mapping[str, JudgeInstruction]:
    return {kind: JudgeInstruction(**entry) for kind, entry in read_yaml(FILE).items()}
