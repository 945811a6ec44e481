"""Lay a reply out so that every answer word begins a line: choices, tables, options, echoes and run-ons.

Models answer in the form of a questionnaire (``- [x] No``), a multiple choice (``(B) No``), a table, or go on with the
next question of an imagined conversation. Each form is brought to plain lines; what remains ambiguous is left as
it is, for the claims in it to contradict each other.
"""

from __future__ import annotations

import re

_WORD = r"(?:yes|no|n/?a|not applicable)"
_CHECKED = re.compile(
    r"^[ \t]*(?:[-*+•][ \t]*)?(?:[\[(]\s?(?P<mark>[xX✓✔√ ]?)\s?[\])]"
    r"|(?P<box>[☐☑☒✅❌✓✔✗✘□■◉○●◯⬜🔘]))\s*(?P<text>\S.{0,300})$",
    re.MULTILINE,
)
_CHOSEN = set("xX✓✔√☑☒✅■◉●🔘")
_OPEN = set(" ☐□○◯⬜")
_OPTION = re.compile(
    rf"^[ \t]*(?:answer:\s?|option\s"
    rf"|choice\s)?[(\[]?(?P<letter>[A-Da-d1-4])[)\].:][ \t]*(?P<word>{_WORD})(?![\w])",
    re.IGNORECASE | re.MULTILINE,
)
_LETTER = re.compile(
    r"(?:^|\n)\s?(?:(?:the )?(?:final |correct )?(?:answer|option"
    r"|choice)(?: is)?\s?[:=]?\s?)?[(\[]?(?P<letter>[A-Da-d])[)\]]?[.\s]*(?:$|\n)",
    re.IGNORECASE,
)
_TABLE_ROW = re.compile(r"^[ \t]*\|(.{1,2000})\|[ \t]*$", re.MULTILINE)
_TABLE_RULE = re.compile(r"^[\s|:+-]+$")
_ONE_LINE = re.compile(
    rf"^\s*(?:(?P<marks>[\[(]\s?[xX✓✔√ ]?\s?[\])]|[☐☑☒✅❌✓✔✗✘□■◉●○◯⬜🔘])\s*{_WORD}[\s,;/|]*){{2,3}}\.?\s*$",
    re.IGNORECASE,
)
_ONE_ITEM = re.compile(rf"(?:[\[(]\s?[xX✓✔√ ]?\s?[\])]|[☐☑☒✅❌✓✔✗✘□■◉●○◯⬜🔘])\s*{_WORD}", re.IGNORECASE)
_TABBED = re.compile(r"^([^\t\n|]{1,200}(?:\t[^\t\n|]{1,200}){1,10})$", re.MULTILINE)
# "Criterion 1: yes" is a step towards the answer where a conclusion follows.
_CRITERION = re.compile(
    rf"^[ \t]*(?:[-*•]\s?)?[*]{{0,2}}(?:criteri(?:on|a)|step|check|condition"
    rf"|requirement|item|sign)\s?(?:\d{{1,2}}|[A-Ha-h])?\b[^:\n]{{0,80}}:[*]{{0,2}}\s?"
    rf"{_WORD}[.\s]*$",
    re.IGNORECASE | re.MULTILINE,
)
_CONCLUDED = re.compile(
    rf"^[ \t]*[*]{{0,2}}(?:(?:final |overall )?(?:answer|conclusion|verdict|result)|overall"
    rf"|final)[*]{{0,2}}\s?:[*]{{0,2}}\s?{_WORD}\b",
    re.IGNORECASE | re.MULTILINE,
)
_TIME_PREFIX = re.compile(
    r"^[ \t]*[\[(<]\s?(?:\d{1,2}:)?\d{1,4}(?:[.:]\d{1,3})?\s?s?\s?(?:(?:-|–|to"
    r"|,)\s?(?:\d{1,2}:)?\d{1,4}(?:[.:]\d{1,3})?\s?s?\s?)?[\])>]\s*",
    re.MULTILINE,
)
_ECHO = re.compile(
    r"[(\[]\s?(?:answer\s)?(?:with\s)?[\"']?yes[\"']?\s?(?:/|\bor\b|\|)\s?[\"']?no[\"']?(?:\s?(?:/|\bor\b|\|)"
    r"\s?[\"']?n/?a[\"']?)?(?:\sonly)?\s?[)\]]"
    r"|(?:^|(?<=\n))\s?yes\s?(?:/|\|)\s?no(?:\s?(?:/|\|)\s?n/?a)?\s?(?=:)",
    re.IGNORECASE,
)
# The question's own "Answer with 'yes' or 'no'." and other words about the choice.
_INSTRUCTION = re.compile(
    r"\b(?:please\s)?(?:answer|respond|reply)(?:\s\w{1,12}){0,3}?\s(?:with|using)\s(?:only\s|either\s"
    r"|a\ssimple\s)?"
    r"[\"']?yes[\"']?\s?(?:/|\bor\b|,)\s?[\"']?no[\"']?(?:\s?(?:,|\bor\b)\s?[\"']?(?:n/?a"
    r"|not applicable)[\"']?)?"
    r"(?:\s(?:only|alone))?\s?(?:\.|(?=\n|$))"
    r"|\bthe\squestion\s(?:asks\sfor|is|wants)\s(?:a\s)?[\"']?yes[\"']?\s?(?:/"
    r"|\bor\b)\s?[\"']?no[\"']?(?:\s(?:question|answer))?\s?[.,;]"
    r"|\b(?:simple\s)?yes\s?(?:/|or)\s?no\s(?:question|answer\sis\s(?:needed|required|asked))"
    r"|\bbetween\s[\"']?yes[\"']?\sand\s[\"']?no[\"']?"
    r"|\bwith\s[\"']?yes[\"']?\sor\s[\"']?no[\"']?(?=\s(?:when|if|to)\b)",
    re.IGNORECASE,
)
_COURTESY = re.compile(
    r"\A\s*(?:of course|thank you[^.!?\n]{0,60}|thanks[^.!?\n]{0,60}|(?:great|good|interesting) question"
    r"|certainly|sure|absolutely"
    r"|understood|okay|ok|hello|hi|disclaimer:[^.!?\n]{0,100})[.!]\s*",
    re.IGNORECASE,
)
_NUMBERING = re.compile(r"(?:^|(?<=\n))[^\S\n]*\d{1,2}[.)]\s+(?=[a-z])", re.IGNORECASE)
# "Justification: Yes, the arm moves" explains, it does not answer again.
_EXPLAINED = re.compile(
    rf"((?:^|\n|[|;.]\s?)[^\S\n]*(?:justification|explanation|rationale|reason"
    rf"|evidence)\s?:\s?){_WORD}\b[\s,.;:]",
    re.IGNORECASE,
)
_UNSURE_MARK = re.compile(rf"\b({_WORD})\s?[.,]?\s?(?:\(\s?\?{{1,3}}\s?\)|\?{{1,3}})", re.IGNORECASE)
_QUESTION = re.compile(r"[^.!?\n:]{1,400}\?(?=\s|$|[\"')])")
_DOUBT = re.compile(
    rf"(?:or|but|maybe|perhaps|could it|might it|is it|should it)\b[^?]{{0,60}}\b{_WORD}\?", re.IGNORECASE
)
_ROLE = re.compile(
    r"(?:^|(?<=\s))(?:user|human|question|q|prompt|instruction)\s?\d{0,2}\s?:\s?(?=\S)", re.IGNORECASE
)
_NEXT_TURN = re.compile(
    r"\n\s*(?:#{1,4}\s*)?(?:user|human|question|q|prompt|instruction)\s?\d{0,2}\s?:", re.IGNORECASE
)
_ANSWERED = re.compile(rf"(?:^|\n|:)\s?[\"'(*]{{0,2}}{_WORD}(?![\w])", re.IGNORECASE)
_ARROW = re.compile(r"\s?(?:→|⇒|➜|➡|->|=>|⟶|▶)\s?")
_SYMBOL = re.compile("[\U0001f000-\U0001faff\u2600-\u27bf\u2b00-\u2bff]")


def laid_out(text: str) -> str:
    """Return a cleaned reply in plain lines."""
    text = _INSTRUCTION.sub(" ", text)
    text = _COURTESY.sub("", _COURTESY.sub("", text))
    text = _EXPLAINED.sub(r"\1", text)
    text = _before_the_next_turn(text)
    if _ONE_LINE.match(text):
        text = "\n".join(match[0] for match in _ONE_ITEM.finditer(text))
    if _CONCLUDED.search(text):
        text = _CRITERION.sub("", text)
    text = _chosen(_TABBED.sub(lambda row: f"|{row[1].replace(chr(9), '|')}|", text))
    text = _options(text)
    text = _NUMBERING.sub("", text)
    text = _table(text)
    if len(_TIME_PREFIX.findall(text)) == 1:
        text = _TIME_PREFIX.sub("", text)
    text = _ECHO.sub(" ", text)
    text = _ARROW.sub(": ", text)
    text = re.sub(r"(?:^|(?<=\n))[^\S\n]?:\s?", "", text)
    text = _contradicted_symbols(text)
    text = _SYMBOL.sub(" ", text)
    return _without_questions(text)


def _before_the_next_turn(text: str) -> str:
    """Return a reply up to the point where the model goes on with the next question, if it had answered before."""
    turn = _NEXT_TURN.search(text)
    if turn and _ANSWERED.search(text[: turn.start()]):
        return text[: turn.start()]
    return text


def _chosen(text: str) -> str:
    """Return a reply with the chosen items of a check list only, if it holds chosen and open ones."""
    items = [
        match
        for match in _CHECKED.finditer(text)
        if re.match(rf"[*\"']{{0,2}}{_WORD}\b", match["text"], re.IGNORECASE)
    ]
    if len(items) == 1 and (items[0]["mark"] or items[0]["box"] or " ") in _OPEN:
        return "\n".join(line for line in text.split("\n") if line.strip() != items[0][0].strip())
    crosses = {match["box"] for match in items if match["box"]}
    if len(items) < 2:
        return text
    # A cross is a choice in "☐ Yes ☒ No", and a denial in "✅ Yes ❌ No".
    chosen = [
        match["text"]
        for match in items
        if (match["mark"] or match["box"] or " ")
        in _CHOSEN - ({"☒"} if crosses & {"☑"} and "☐" not in crosses else set())
    ]
    return "\n".join(chosen) if len(chosen) == 1 else text


def _options(text: str) -> str:
    """Return a multiple-choice reply with the word in place of its letter."""
    options = {match["letter"].casefold(): match["word"] for match in _OPTION.finditer(text)}
    if len(options) > 1:
        rest = _OPTION.sub("\n", text)
        letters = {match["letter"].casefold() for match in _LETTER.finditer(rest)}
        if len(letters) == 1 and (letter := letters.pop()) in options:
            return f"answer: {options[letter]}"
        return text
    return _OPTION.sub(lambda match: match["word"], text) if options else text


def _table(text: str) -> str:
    """Return a reply with the cells of a table's only row, or of its row for the answer, on lines of their own."""
    rows = [match[1] for match in _TABLE_ROW.finditer(text) if not _TABLE_RULE.match(match[1])]
    answered = [
        row
        for row in rows
        if any(re.fullmatch(rf"[\s*]*{_WORD}[\s*.]*", cell, re.IGNORECASE) for cell in row.split("|"))
    ]
    totals = [
        row
        for row in answered
        if re.match(r"[\s*]*(?:overall|final|answer|total|conclusion)\b", row, re.IGNORECASE)
    ]
    kept = totals if len(totals) == 1 else answered
    if len(kept) == 1:
        cells = "\n".join(cell.strip() for cell in kept[0].split("|"))
        return _TABLE_ROW.sub("", text) + "\n" + cells
    return text


def _contradicted_symbols(text: str) -> str:
    """Return a reply in which a cross before a yes is a question, not an answer."""
    return re.sub(
        r"[❌✗✘👎🚫⛔]\s?\*{0,2}yes\b|\byes\*{0,2}\s?[❌✗✘👎🚫⛔]", "yes?", text, flags=re.IGNORECASE
    )


def _without_questions(text: str) -> str:
    """Return a reply without the questions in it: an echo of the question asked, or the model's own."""
    text = _UNSURE_MARK.sub(r"\1?", text)
    text = re.sub(rf"(?:^|(?<=[\n.!:]))[^\S\n]?\b{_WORD}\?", "?", text, flags=re.IGNORECASE)
    answered = rf"\s?[\"'(*]{{0,2}}{_WORD}\s?[,.;:(\n-]"

    def without(question: re.Match[str]) -> str:
        if re.match(answered, question[0], re.IGNORECASE):
            return question[0]
        # "Or is it no?" doubts the answer before it.
        return "\nyes or no\n" if _DOUBT.match(question[0].strip()) else "\n"

    return _ROLE.sub("", _QUESTION.sub(without, text))
