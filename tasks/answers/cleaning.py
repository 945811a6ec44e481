"""What a reply says after reasoning, control tokens, markup and typography are taken off it."""

from __future__ import annotations

import re
import unicodedata

from semiology.tasks.answers.reasoning import without_reasoning

# Replies are asked for in at most 2,048 new tokens (about 10,000 characters). What is much longer after the
# reasoning is taken off is a loop, not an answer; the cap also bounds the work that a reply can cause.
LONGEST_REPLY = 20_000

CUT = "[cut at the token limit]"
"""What the harness writes after a reply that its engine stopped at the token limit."""

_END_OF_TEXT = re.compile(
    r"<\|(?:endoftext|im_end|eot_id|eom_id|end_of_text|return|END_OF_TURN_TOKEN|user|observation|im_start)\|>"
    r"|<\|assistant_end\|>|</s>|<eos>|<seed:eos>|<pad>|\[EOS\]|<end_of_(?:turn|utterance)>|<turn\|>"
    r"|<｜end▁of▁sentence｜>",
    re.IGNORECASE,
)
_BOX_TOKEN = re.compile(r"<\|begin_of_box\|>([^<]{0,400})<\|end_of_box\|>", re.IGNORECASE)
_CONTROL_TOKEN = re.compile(r"<\|[^|<>\n]{1,40}\|>|<s>|<bos>|<start_of_turn>", re.IGNORECASE)
_ANSWER_TAG = re.compile(
    r"<(?P<closes>/?)\s?(?:(?:final_?)?(?:answer|response|conclusion|result|output|solution|verdict)|ans|final)(?:_text)?"
    r"(?:\s[^<>\n]{0,80})?\s?>"
    r"|\[(?P<closes_square>/?)(?:FINAL[ _])?ANSWER\]",
    re.IGNORECASE,
)
_JUSTIFICATION_TAG = re.compile(r"<(/?)\s?(?:justification|explanation)\s?>", re.IGNORECASE)
_PARAMETER = re.compile(
    r"<parameter(?:=|\sname=\"?)(?:final_)?answer\"?>\s?([^<\n]{1,400})</parameter>"
    r"|<answer\svalue=[\"']([^\"'\n]{1,40})[\"']\s?/?>",
    re.IGNORECASE,
)
_CALL = re.compile(
    r"\b(?:final_answer|submit_answer|answer|submit|respond|print)\(\s?(?:(?:final_)?answer\s?=\s?)?"
    r"[\"']?(yes|no|n/?a)[\"']?\s?\)",
    re.IGNORECASE,
)
_STRUCK = re.compile(r"~~[^~\n]{0,400}~~|<(del|strike)>[^<]{0,400}</\1>", re.IGNORECASE)
_STRUCK_SHORT = re.compile(r"<s>[^<]{1,400}</s>(?=[^\S\n]*\w)", re.IGNORECASE)
_ARGUMENT = re.compile(
    r"<arg_key>\s?answer\s?</arg_key>\s{0,3}<arg_value>\s?([^<\n]{1,400})</arg_value>", re.IGNORECASE
)
_BLOCK = re.compile(r"\A\s*<(?P<name>[A-Za-z][\w:-]{0,39})>(?P<body>.*)</(?P=name)>\s*\Z", re.DOTALL)
_BARE = re.compile(r"\W*(?:yes|no|n/?a|not applicable)\W*", re.IGNORECASE)
_HTML_BREAK = re.compile(
    r"<(?:br|/?p|/?div|/?li|/?ul|/?ol|/?tr|/?h[1-6])(?:\s[^<>\n]{0,80})?\s?/?>", re.IGNORECASE
)
_HTML = re.compile(
    r"</?(?:b|i|u|em|strong|span|font|code|pre|mark|small|big|center|td|th|table|tbody|thead|html|body"
    r"|blockquote"
    r"|tool_call|tool_use|function(?:=[\w.]{1,40})?|invoke|function_calls?)(?:\s[^<>\n]{0,80})?\s?/?>",
    re.IGNORECASE,
)
_LATEX = (
    r"\\(?:text(?:bf|it|rm|tt|sf)?|math(?:rm|bf|it|sf|tt|bb)|bf|rm|boldsymbol|bold|operatorname)"
    r"\s?\{([^{}\n]{1,80})\}"
)
_BOXED = re.compile(r"\\f?boxed\s?\{([^{}\n]{1,80})\}{1,2}")
_QUOTES = str.maketrans(dict.fromkeys("‘’‚‛′`´", "'") | dict.fromkeys("“”„‟″«»「」『』", '"'))
# What stands for a blank before a word in the vocabularies of models, and line ends written as two characters.
_WORD_MARK = re.compile(r"(?:^|(?<=\s))[\u2581\u0120\u010a](?=\w)")
_ESCAPED_END = re.compile(r"\\[nrt](?=[\s\"'\\]|$)|(?<=[.!,;:])\\n|\\n\\n")
_AGAIN = re.compile(r"\A\W*(?P<word>yes|no)(?:[\s.,!]{1,3}(?P=word)){1,200}\W*\Z", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}(?:[ \t]?\w{0,20}(?=\n))?")
_INVISIBLE = dict.fromkeys([*range(0x200B, 0x2010), *range(0x202A, 0x202F), 0x2060, 0xFEFF, 0x00AD, 0xFE0F])


def clean(text: str) -> str | None:
    """Return the part of a reply that can hold the answer, in plain typography; None where there is none.

    None: the reply ends inside its reasoning (an answer in there is not final), or is longer than
    ``LONGEST_REPLY`` characters. ``<answer>…</answer>``, ``[ANSWER]…``, ``\\boxed{…}`` and an ``answer`` argument
    of a tool call become ``answer: …``; text after the end of the reply's turn and text struck out are dropped.
    """
    rest = without_reasoning(text.replace(CUT, ""))
    if rest is None:
        return None
    rest = _STRUCK_SHORT.sub(" ", rest.strip()).strip()
    end = _END_OF_TEXT.search(rest)
    while end and not rest[: end.start()].strip():
        rest = rest[end.end() :]
        end = _END_OF_TEXT.search(rest)
    rest = (rest[: end.start()] if end else rest).strip()
    if len(rest) > LONGEST_REPLY:
        return None
    rest = _AGAIN.sub(r"\g<word>", _FENCE.sub("\n", _WORD_MARK.sub("", rest)))
    rest = rest if "{" in rest else _ESCAPED_END.sub("\n", rest)
    rest = unicodedata.normalize("NFKC", rest.translate(_QUOTES)).translate(_INVISIBLE)
    rest = _BOX_TOKEN.sub(r"\nanswer: \1\n", rest)
    rest = _CONTROL_TOKEN.sub("\n", rest)
    rest = _known_block(_markup(rest))
    return rest.strip() if len(rest) <= 2 * LONGEST_REPLY else None


def _known_block(text: str) -> str:
    """Return "" where a reply is one block of an unknown tag: nobody knows whether it is said or thought."""
    block = _BLOCK.match(text)
    return (
        text
        if block is None
        or _BARE.fullmatch(block["body"])
        or "answer:" in block["body"]
        or "{" in block["body"][:20]
        else ""
    )


def was_cut(text: str) -> bool:
    """Tell whether the harness marked a reply as stopped at the token limit."""
    return text.rstrip().endswith(CUT)


def _markup(text: str) -> str:
    """Return a reply whose tags, calls and LaTeX are plain text."""
    text = _STRUCK.sub(" ", text)
    text = _ARGUMENT.sub(r"\nanswer: \1\n", text)
    text = _PARAMETER.sub(lambda found: f"\nanswer: {found[1] or found[2]}\n", text)
    text = _CALL.sub(r"\nanswer: \1\n", text)
    text = _ANSWER_TAG.sub(lambda tag: "\n" if tag["closes"] or tag["closes_square"] else "\nanswer: ", text)
    text = _JUSTIFICATION_TAG.sub(lambda tag: "\n" if tag[1] else "\njustification: ", text)
    text = _HTML.sub(" ", _HTML_BREAK.sub("\n", text))
    text = re.sub(_LATEX, r"\1", text)
    return _BOXED.sub(r"\nanswer: \1\n", text)
