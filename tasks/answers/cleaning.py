"""What a reply says after reasoning, control tokens and typography are taken off it."""

from __future__ import annotations

import re
import unicodedata

# Replies are asked for in at most 2,048 new tokens (about 10,000 characters). What is much longer after the
# reasoning is taken off is a loop, not an answer; the cap also bounds the work that a reply can cause.
LONGEST_REPLY = 20_000

_REASONING_TAG = re.compile(r"[<◁](/?)(?:think|thinking|thought|reasoning|reflection)\s?[>▷]", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(r"<\|[^|<>\n]{1,40}\|>|</?s>|<eos>|<(?:end|start)_of_turn>", re.IGNORECASE)
_ANSWER_TAG = re.compile(r"<(/?)answer\s?>", re.IGNORECASE)
_BOXED = re.compile(r"\\boxed\s?\{\s?(?:\\text\s?\{)?([^{}\n]{1,40})\}{1,2}")
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟″«»", '"'))
_FENCE = re.compile(r"```[ \t]?\w{0,20}")
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF, 0x00AD])


def clean(text: str) -> str | None:
    """Return the part of a reply that can hold the answer, in plain typography; None where there is none.

    None: the reply ends inside its reasoning (an answer in there is not final), or is longer than
    ``LONGEST_REPLY`` characters. ``<answer>…</answer>`` and ``\\boxed{…}`` become ``answer: …``.
    """
    rest = without_reasoning(text)
    if rest is None or len(rest := rest.strip()) > LONGEST_REPLY:
        return None
    rest = _FENCE.sub("\n", rest)
    rest = unicodedata.normalize("NFKC", rest.translate(_QUOTES)).translate(_INVISIBLE)
    rest = _CONTROL_TOKEN.sub("\n", rest)
    rest = _ANSWER_TAG.sub(lambda tag: "\n" if tag[1] else "\nanswer: ", rest)
    rest = _BOXED.sub(r"\nanswer: \1\n", rest)
    return rest.strip() if len(rest) <= 2 * LONGEST_REPLY else None


def without_reasoning(text: str) -> str | None:
    """Return a reply without its reasoning blocks, or None where a block is not closed.

    A closing tag without an opening one ends the reasoning that the chat template had opened in the prompt.
    """
    kept: list[str] = []
    position, inside = 0, False
    for tag in _REASONING_TAG.finditer(text):
        closes = bool(tag[1])
        if closes and not inside:
            kept = []
        elif not closes and not inside:
            kept.append(text[position : tag.start()])
        inside = not closes
        position = tag.end()
    return None if inside else "\n".join([*kept, text[position:]])
