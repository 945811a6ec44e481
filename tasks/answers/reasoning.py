"""Take a model's reasoning off its reply, in the forms in which models write it.

Reasoning is no answer: what stands in it was considered, not said. Read are blocks between tags (``<think>``,
``[THINK]``, ``<analysis>``, ``<unused94>thought`` and others whose names speak of thinking), the channels of
gpt-oss and Gemma (``<|channel|>analysis<|message|>``, ``<|channel>thought``), the token pairs of MiniCPM, Cohere
and Sky-T1 (``<|thought_begin|>``, ``<|START_THINKING|>``, ``<|begin_of_thought|>``), LLaVA-CoT's stages, dspy's
fields, and the same after special tokens were stripped (``analysis…assistantfinal``).
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable

_THINKING = (
    r"[\w:.-]{0,20}(?:think|thought|reasoning|reflection|analysis|scratch_?pad|monolog|deliberat|rationale"
    r"|planning)[\w:.-]{0,20}|cot|plan|reason|summary|caption|observation|perception"
)
_TAG = re.compile(
    rf"[<◁]\s?(?P<closes>/?)\s?(?P<name>{_THINKING})(?:\s[^<>\n]{{0,80}})?\s?[>▷]"
    rf"|\[(?P<closes_square>/?)(?P<square>THINK|THINKING|REASONING|THOUGHT|ANALYSIS)\]"
    r"|<\|(?:begin_of_|start_of_|start_)(?P<opens_token>thought|thinking|think|reasoning)\|>"
    r"|<\|(?P<opens_before>thought|thinking|think|reasoning)_(?:begin|start)\|>"
    r"|<\|(?:end_of_|end_)(?P<closes_token>thought|thinking|think|reasoning)\|>"
    r"|<\|(?P<closes_after>thought|thinking|think|reasoning)_end\|>"
    r"|<\|(?P<closes_pipe>/?)(?P<pipe>think|thinking|thought|reasoning)\|>"
    r"|(?P<opens_inner><\|inner_prefix\|>)|(?P<closes_inner><\|inner_suffix\|>)"
    r"|(?P<unused_opens><unused94>)|(?P<unused_closes><unused95>)",
    re.IGNORECASE,
)
_HARMONY = re.compile(
    r"<\|channel\|>\s?(?P<channel>\w{1,20})[^<]{0,200}(?:<\|constrain\|>[^<]{0,40})?<\|message\|>"
    r"(?P<body>(?:[^<]|<(?!\|(?:end|return|call|start|channel)\|>))*)",
    re.IGNORECASE,
)
_HARMONY_STRIPPED = re.compile(
    r"\A\s*analysis(?=[^\s:,.;!?]|\s).*?assistant\s?(?:commentary.*?assistant\s?)?final", re.DOTALL | re.I
)
_HARMONY_OPENING = re.compile(r"\A\s*(?:analysis(?=[^\W\d_])|thought\n)", re.IGNORECASE)
_CHANNEL_OPENS = re.compile(r"<\|channel>\s?(\w{0,20})", re.IGNORECASE)
_CHANNEL_CLOSES = "<channel|>"
_DSPY_FIELD = re.compile(r"\[\[\s?##\s?(\w{1,40})\s?##\s?\]\]")
_DETAILS = re.compile(r"<(/?)details\b[^<>]{0,80}>", re.IGNORECASE)
_FINAL_RESPONSE = re.compile(
    r"\[BEGIN FINAL RESPONSE\]|\bHere is my (?:final )?response:|\[/INST\]", re.IGNORECASE
)
_GRANITE_THOUGHT = re.compile(r"\A\s*(?:Here is my thought process:|seed:think\b)", re.IGNORECASE)
_ESCAPED = re.compile(r"&(?:lt|gt|quot|nbsp|amp|#\d{2,4});")
_WIDE_BRACKETS = str.maketrans("＜＞", "<>")


def without_reasoning(text: str) -> str | None:
    """Return a reply without its reasoning, or None where the reply ends inside it.

    A closing tag without an opening one ends the reasoning that the chat template had opened in the prompt.

    Example:
        >>> without_reasoning("<think>The arm bends: yes.</think>No")
        '\\nNo'
        >>> without_reasoning("[THINK]The answer is yes. Let me") is None
        True
    """
    text = text.translate(_WIDE_BRACKETS)
    if _ESCAPED.search(text):
        text = html.unescape(text)
    rest = _channels(text)
    if rest is None:
        return None
    rest = _dspy_answer(rest)
    marks = list(_FINAL_RESPONSE.finditer(rest))
    if marks:
        rest = rest[marks[-1].end() :]
    elif _GRANITE_THOUGHT.match(rest):
        return None
    return _outside(_outside(rest, _DETAILS, _details_closes), _TAG, _tag_closes)


def _channels(text: str) -> str | None:
    """Return what stands in the final channel of a reply; text without channels as it is; None without one."""
    if "<|channel|>" in text:
        finals = [one["body"] for one in _HARMONY.finditer(text) if one["channel"].casefold() == "final"]
        return finals[-1] if finals else None
    if stripped := _HARMONY_STRIPPED.match(text[:200_000]):
        return text[stripped.end() :]
    if _HARMONY_OPENING.match(text):
        return None
    if not _CHANNEL_OPENS.search(text):
        return text.rpartition(_CHANNEL_CLOSES)[2]
    kept, position = [], 0
    while opening := _CHANNEL_OPENS.search(text, position):
        kept.append(text[position : opening.start()])
        end = text.find(_CHANNEL_CLOSES, opening.end())
        if opening[1].casefold() == "final":
            kept.append(text[opening.end() : end if end >= 0 else None])
        elif end < 0:
            return None
        if end < 0:
            return "\n".join(kept)
        position = end + len(_CHANNEL_CLOSES)
    return "\n".join([*kept, text[position:]])


def _dspy_answer(text: str) -> str:
    """Return the ``answer`` and ``justification`` fields of a reply in dspy's chat form; others as they are."""
    parts = _DSPY_FIELD.split(text)
    if len(parts) < 3:
        return text
    names = [name.casefold() for name in parts[1::2]]
    if "answer" not in names:
        return text
    kept = [
        f"{name}: {body.strip()}"
        for name, body in zip(names, parts[2::2], strict=True)
        if name in ("answer", "justification")
    ]
    return "\n".join(kept)


def _outside(text: str | None, tag: re.Pattern[str], closes: Callable[[re.Match[str]], bool]) -> str | None:
    """Return the text outside the blocks of a tag, or None where a block is not closed."""
    if text is None:
        return None
    kept: list[str] = []
    position, inside = 0, False
    for match in tag.finditer(text):
        if closes(match):
            if not inside:
                kept = []
            inside = False
        else:
            if not inside:
                kept.append(text[position : match.start()])
            inside = True
        position = match.end()
    return None if inside else "\n".join([*kept, text[position:]])


def _details_closes(match: re.Match[str]) -> bool:
    return bool(match[1])


def _tag_closes(match: re.Match[str]) -> bool:
    names = (
        "closes",
        "closes_square",
        "closes_token",
        "closes_after",
        "closes_pipe",
        "closes_inner",
        "unused_closes",
    )
    return any(match[name] for name in names)
