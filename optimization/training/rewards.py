"""Rewards of replies for reinforcement learning, as plain functions and in the form that TRL calls.

``published`` is arXiv 2605.21852, section 3.4.1: accuracy (tasks 1, 3, 7), nearness in time (4), LCS ratio (5), mean of
BLEU and ROUGE (2, 6). The paper gives no formula for nearness and no weights: here it is one minus the error over
the clip's length, and the mean of BLEU, ROUGE-1 and ROUGE-L.

``sound`` is ours. The published LCS ratio pays in full for one right word, and word overlap does not see that a report
says the same thing again and again: its authors report that training by it made models repeat themselves. Instead:
F1 over pairs of features for the order (task 5), what the expert's justification states (task 2), and for reports (6)
the mean of Seizure-RQI with its gates (length, invented features, hazards, off topic) and the score of stated
findings, which an empty report cannot earn, times the share of sentences that are new.

Every reward lies between 0 and 1. A reply that cannot be read is worth 0, never left out. Columns tell the task:
TRL and ms-swift call it with the columns ``task``, ``feature`` and ``solution`` of the exported file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from semiology.metrics.s3.sequence.measures import first_mentions, lcs_ratio, temporal_relation_scores
from semiology.metrics.s3.text.bleu_rouge import bleu, rouge
from semiology.metrics.s3.text.interpretation_score import explained_score, interpretation_score
from semiology.metrics.s3.text.justification_rules import READERS, extract_answers
from semiology.metrics.s3.text.report_rules import extract_findings
from semiology.metrics.s3.text.seizure_rqi import seizure_rqi, stated_findings_score
from semiology.tasks.answers.parse import parse_reply
from semiology.tasks.s3.answers.fields import parse_report
from semiology.tasks.s3.answers.labels import parse_diagnosis, parse_region, parse_side
from semiology.tasks.s3.answers.sequences import parse_sequence
from semiology.tasks.s3.answers.times import parse_timestamp

Solution = Mapping[str, Any]
Reward = Callable[[str, str, Solution], float]
"""From a reply, the feature asked about and the solution to a number between 0 and 1."""
_SENTENCE = re.compile(r"[.!?;\n]+")


def yes_no_accuracy(reply: str, feature: str, solution: Solution) -> float:
    """Return 1 if the reply is read as the annotation (task 1), else 0."""
    return float(parse_reply(reply).answer == solution["answer"])


def side_accuracy(reply: str, feature: str, solution: Solution) -> float:
    """Return 1 for the right side or region (task 3), else 0."""
    parse = parse_region if feature == "onset_region" else parse_side
    return float(parse(reply) == solution["answer"])


def diagnosis_accuracy(reply: str, feature: str, solution: Solution) -> float:
    """Return 1 for the right diagnosis (task 7), else 0."""
    return float(parse_diagnosis(reply) == solution["answer"])


def nearness_in_time(reply: str, feature: str, solution: Solution) -> float:
    """Return one minus the error over the clip's length (task 4), at least 0; a reply without a time is worth 0."""
    seconds = parse_timestamp(reply)
    if seconds is None:
        return 0.0
    return max(0.0, 1.0 - abs(seconds - float(solution["answer"])) / float(solution["clip_s"]))


def published_sequence(reply: str, feature: str, solution: Solution) -> float:
    """Return the published LCS ratio (task 5): the longest common subsequence over the length of the reply."""
    items = _items(reply)
    if not solution["answer"]:
        return float(items == [])
    return 0.0 if items is None else lcs_ratio(items, solution["answer"])


def relation_f1(reply: str, feature: str, solution: Solution) -> float:
    """Return F1 over pairs of features and their order (task 5).

    Repeats cost as wrong items do. Where the truth holds fewer than two features there is no pair, and it is the F1 of
    what is named.
    """
    items, truth = _items(reply), list(solution["answer"])
    if items is None:
        return 0.0
    if not items or not truth:
        return float(items == truth)
    once = len(set(items)) / len(items)
    if len(truth) < 2:
        return once * 2 * len(set(items) & set(truth)) / (len(set(items)) + len(truth))
    onsets = dict(zip(truth, map(float, solution["onsets_s"]), strict=True))
    return once * _defined(temporal_relation_scores(onsets, first_mentions(items)).f1)


def published_overlap(reply: str, feature: str, solution: Solution) -> float:
    """Return the mean of BLEU, ROUGE-1 and ROUGE-L with the reference text (tasks 2 and 6)."""
    reference = str(solution.get("justification") or solution.get("report") or "")
    text = (parse_reply(reply).justification if "justification" in solution else parse_report(reply)) or ""
    if not text or not reference:
        return 0.0
    overlap = rouge([text], [reference])
    return float(bleu([text], [reference])[0] / 100 + overlap.rouge1[0] + overlap.rouge_l[0]) / 3


def interpretation(reply: str, feature: str, solution: Solution) -> float:
    """Return how well a justification states what the expert's does (task 2), texts read by rules.

    That is the share of what the expert states, so that an answer without a reason is worth nothing where a reason was
    given, or the Semiology Interpretation Score where none can be read. Repeated sentences cost as in `report_quality`.
    """
    parsed = parse_reply(reply)
    text = parsed.justification or ""
    texts = (text, str(solution["justification"]))
    said, wanted = (extract_answers(feature, each) if feature in READERS else () for each in texts)
    judged = (str(parsed.answer), str(solution["answer"]), said, wanted)
    explained = explained_score(*judged)
    return new_share(text) * (interpretation_score(*judged) if explained != explained else explained)


def report_quality(reply: str, feature: str, solution: Solution) -> float:
    """Return the quality of a report (task 6): Seizure-RQI and stated findings, less what is said again.

    The reference is the part of the clinical report about the window; both texts are read by rules.
    """
    text = parse_report(reply)
    if text is None:
        return 0.0
    report, reference = extract_findings(text), extract_findings(str(solution["report"]))
    shown = solution.get("shown")
    rqi = seizure_rqi(report, reference, set(shown) if shown else None)
    stated = _defined(stated_findings_score(report, reference)["value"])
    gates = rqi.value / rqi.base if rqi.base else 1.0
    return new_share(text) * max(0.0, (rqi.value + gates * stated) / 200)


def new_share(text: str) -> float:
    """Return the share of a text's sentences that were not said before in it; 1 for an empty text.

    >>> new_share("Head turns left. Head turns left. Then tonic.")
    0.6666666666666666
    """
    said = [" ".join(part.lower().split()) for part in _SENTENCE.split(text)]
    said = [part for part in said if part]
    return len(set(said)) / len(said) if said else 1.0


def _items(reply: str) -> list[str] | None:
    parsed = parse_sequence(reply)
    return None if parsed is None else list(parsed.items)


def _defined(value: float) -> float:
    return 0.0 if value != value else float(value)


_SHARED: Mapping[int, Reward] = {
    1: yes_no_accuracy,
    3: side_accuracy,
    4: nearness_in_time,
    7: diagnosis_accuracy,
}
PUBLISHED: Mapping[int, Reward] = {
    **_SHARED,
    2: published_overlap,
    5: published_sequence,
    6: published_overlap,
}
SOUND: Mapping[int, Reward] = {**_SHARED, 2: interpretation, 5: relation_f1, 6: report_quality}
REWARDS: Mapping[str, Mapping[int, Reward]] = {"published": PUBLISHED, "sound": SOUND}
"""By the name that commands take, then by task."""


def published_reward(completions: Sequence[Any], **columns: Any) -> list[float]:
    """Return the published reward of each completion; see `sound_reward`."""
    return _rewards(PUBLISHED, completions, columns)


def sound_reward(completions: Sequence[Any], **columns: Any) -> list[float]:
    """Return our reward of each completion, for TRL's ``reward_funcs`` and ms-swift's plugin.

    Args:
        completions: texts, or conversations whose last message is the reply.
        columns: those of the exported file, one value per completion: ``task``, ``feature``, ``solution`` (JSON).

    Raises:
        ValueError: a column is missing.
    """
    return _rewards(SOUND, completions, columns)


def _rewards(
    of_task: Mapping[int, Reward], completions: Sequence[Any], columns: Mapping[str, Any]
) -> list[float]:
    missing = [name for name in ("task", "feature", "solution") if name not in columns]
    if missing:
        raise ValueError(
            f"the rewards need the column {missing[0]} → train on a file that `semiology export grpo` wrote"
        )
    asked = zip(completions, columns["task"], columns["feature"], columns["solution"], strict=True)
    return [
        of_task[int(task)](text_of(completion), str(feature), _solution(solution))
        for completion, task, feature, solution in asked
    ]


def text_of(completion: Any) -> str:
    """Return the text of a completion as an engine gives it: a text, or a conversation."""
    if isinstance(completion, str):
        return completion
    content = completion[-1]["content"] if completion else ""
    if isinstance(content, str):
        return content
    return "".join(part.get("text", "") for part in content)


def _solution(value: Any) -> Solution:
    found: Solution = json.loads(value) if isinstance(value, str) else value
    return found
