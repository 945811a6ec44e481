"""Enhanced against plain: the same model and wording, one comparison for each enhancement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from semiology.reports.compare.comparison import Comparison, Options, compare_conditions
from semiology.reports.compare.sides import Condition, Side, SideError

PLAIN = "none"


def compare_enhancements(base: Side, enhanced: Side, options: Options) -> list[Comparison]:
    """Compare every enhanced condition with the plain one of the same model and wording.

    Args:
        base: holds the plain conditions; enhanced ones in it are ignored.
        enhanced: holds the enhanced conditions; plain ones in it are ignored.
        options: how to compare. Each enhancement is a comparison of its own, over the features it is for.

    A recording that an enhancement failed on has no enhanced answer: it is left out of both sides, and
    listed among the unpaired.

    Raises:
        SideError: a side holds no such condition, or an enhanced one has no plain counterpart.
        ValueError: as `compare_conditions`.
    """
    if base.constant or enhanced.constant:
        raise SideError("an enhancement is compared with a run → constant answers can only be A or B")
    if base.data and enhanced.data and base.data != enhanced.data and not options.any_set:
        raise SideError(
            f"the runs are about different recording sets ({base.data}; {enhanced.data}) → an enhancement is "
            "compared on one set; add --any-set if it is the same under two names"
        )
    plain = {(c.model, c.prompt): c for c in base.conditions if c.enhancement in ("", PLAIN)}
    turned = [c for c in enhanced.conditions if c.enhancement not in ("", PLAIN)]
    if not plain:
        raise SideError(
            f"{base.text}: holds no answers without an enhancement → give the plain run as --base"
        )
    if not turned:
        raise SideError(
            f"{enhanced.text}: holds no answers with an enhancement → run a task such as pose_semiology_tonic"
        )
    facts = (base.facts, enhanced.facts)
    notes = tuple(dict.fromkeys((*base.notes, *enhanced.notes)))
    made = []
    for condition in turned:
        counterpart = _counterpart(condition, plain, base)
        shared = set(condition.answers["feature"]) & set(counterpart.answers["feature"])
        chosen = replace(options, features=tuple(f for f in options.features if f in shared))
        if not chosen.features:
            continue
        made.append(compare_conditions(counterpart, condition, chosen, facts=facts, notes=notes))
    if not made:
        raise SideError(
            "no enhanced feature was asked without the enhancement too → run the plain tasks as well"
        )
    return made


def _counterpart(condition: Condition, plain: Mapping[tuple[str, str], Condition], base: Side) -> Condition:
    found = plain.get((condition.model, condition.prompt))
    if found is None:
        there = "; ".join(f"{model} with wording {prompt}" for model, prompt in plain)
        raise SideError(
            f"{base.text}: has no plain answers of {condition.model} with wording {condition.prompt}, "
            f"only of {there} → compare one model and wording with and without the enhancement"
        )
    return found
