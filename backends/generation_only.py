"""What every model class of this package has in common inside lmms-eval: it generates text, in one round."""

from __future__ import annotations

from typing import Any

from lmms_eval.api.instance import Instance
from lmms_eval.api.model import lmms


class GenerationOnly(lmms):  # type: ignore[misc]
    """An lmms-eval model class whose only request is ``generate_until``.

    Attributes:
        instead: what a user who wants scores of given answers can do, for the message.
    """

    instead = "the tasks of this package only generate"

    def loglikelihood(self, requests: list[Instance]) -> Any:
        """Not available: the tasks of this package only generate.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{type(self).__name__} only generates text: {self.instead}")

    def generate_until_multi_round(self, requests: list[Instance]) -> Any:
        """Not available: the tasks of this package have one round.

        Raises:
            NotImplementedError: always.
        """
        raise NotImplementedError(f"{type(self).__name__} answers one round only")
