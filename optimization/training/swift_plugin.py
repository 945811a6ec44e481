"""The rewards as a plug-in of ms-swift: ``--external_plugins …/swift_plugin.py --reward_funcs semiology_sound``.

ms-swift runs this file and looks its reward functions up by name in ``orms``. It hands over the columns of the exported
file beside the completions.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from importlib import import_module
from typing import Any

from semiology.optimization.training.rewards import published_reward, sound_reward


class SoundReward:
    """Our reward (`semiology.optimization.training.rewards`)."""

    def __init__(self, *_: Any, **__: Any) -> None:
        """Take whatever a version of ms-swift hands to its reward classes."""

    def __call__(self, completions: list[str], **columns: Any) -> list[float]:
        """Return one reward for each completion."""
        return sound_reward(completions, **columns)


class PublishedReward(SoundReward):
    """The reward of arXiv 2605.21852."""

    def __call__(self, completions: list[str], **columns: Any) -> list[float]:
        """Return one reward for each completion."""
        return published_reward(completions, **columns)


REWARDS = {"semiology_sound": SoundReward, "semiology_published": PublishedReward}


def register() -> bool:
    """Make the rewards known to ms-swift; return whether it is installed."""
    for name in ("swift.rewards", "swift.plugin"):  # of version 4, of version 3
        try:
            known: MutableMapping[str, Any] = import_module(name).orms
        except (ImportError, AttributeError):
            continue
        known.update(REWARDS)
        return True
    return False


register()
