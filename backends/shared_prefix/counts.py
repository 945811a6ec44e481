"""What an engine did, counted: the proof that nothing is done twice."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class WalkCounts:
    """How often each step of a walk through questions ran.

    Attributes:
        recalled: of the questions, answered by the journal without asking.
        repeated: of these, answered once for several identical ones.
        unanswered: of these, left without an answer; each carries its reason.
        decodes: windows whose frames were read.
    """

    questions: int = 0
    recalled: int = 0
    repeated: int = 0
    unanswered: int = 0
    opens: int = 0
    decodes: int = 0


@dataclass
class Counts(WalkCounts):
    """How often each step ran in this process, and how many tokens went through the language model.

    Attributes:
        processor_runs: runs of the processor on pixels.
        vision_runs: runs of the vision tower, one per window.
        prefix_prefills: prefixes that went through the language model.
        cache_hits: questions answered behind a prefix that an earlier question had paid for.
        suffix_tokens: tokens of the questions behind them (the whole prompt where nothing is shared).
        padding_tokens: tokens that only fill up rows (padded sharing).
        fed_tokens: generated tokens that were fed back to go on; the last of an answer never is.
        generated_tokens: tokens of the answers, the stop token included.
        out_of_memory: times that a chunk was halved because memory ran out.
        sharing: questions by the way of sharing that answered them.
    """

    processor_runs: int = 0
    vision_runs: int = 0
    prefix_prefills: int = 0
    cache_hits: int = 0
    prefix_tokens: int = 0
    suffix_tokens: int = 0
    padding_tokens: int = 0
    fed_tokens: int = 0
    generated_tokens: int = 0
    out_of_memory: int = 0
    sharing: Counter[str] = field(default_factory=Counter)

    @property
    def language_model_tokens(self) -> int:
        """Return how many tokens went through the language model."""
        return self.prefix_tokens + self.suffix_tokens + self.padding_tokens + self.fed_tokens

    def as_dict(self) -> dict[str, Any]:
        """Return all counts, ready for JSON."""
        return {
            **asdict(self),
            "sharing": dict(self.sharing),
            "language_model_tokens": self.language_model_tokens,
        }

    def summary(self) -> str:
        """Return the counts that matter in one line for a log."""
        ways = ", ".join(f"{way} {number}" for way, number in sorted(self.sharing.items())) or "none"
        return (
            f"{self.questions} questions ({ways}; recalled {self.recalled}, unanswered {self.unanswered}): "
            f"{self.opens} opens, {self.decodes} decodes, {self.vision_runs} vision runs, "
            f"{self.prefix_prefills} prefills; language-model tokens {self.language_model_tokens:,} = "
            f"{self.prefix_tokens:,} prefix + {self.suffix_tokens:,} suffix + {self.fed_tokens:,} generated"
            + (f" + {self.padding_tokens:,} padding" if self.padding_tokens else "")
        )
