"""Yes, no or NA in running text: which answers a reply claims, and what forbids to believe the claim.

A claim is an answer word at the beginning of a line that ends there or goes on as an explanation
(``Yes, the arms bend.``), a statement (``The answer is no.``, ``I would say no.``), a label (``Verdict: yes``) or a
last sentence (``… No.``). All claims must agree. An opposite answer word that stands as a clause of its own
anywhere, an echoed choice (``yes or no``), second thoughts (``Yes. Wait, …``) or a confession that the model cannot
tell take the claim back. An explicit correction (``Yes. Sorry, I meant no.``) replaces it. "No" as an ordinary word
(``no other limb moves``) does neither.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from semiology.tasks.answers.languages import english_no_or_na
from semiology.tasks.answers.layout import laid_out
from semiology.tasks.answers.refusals import without_offers

Claim = Literal["yes", "no", "na"]

# The whole vocabulary. "Yeah", "nope", "affirmative", "present", "1" and the like are not answers to a
# question that asked for 'yes' or 'no'.
_WORD = r"(?P<word>yes|no|n\s?/\s?a\b|n\.a\.?(?![\w.])(?!\s(?!because|since)[a-z])|na|not applicable)(?!\w)"
_GOES_ON = (
    r"because|since|the|there|it|he|she|they|this|that|i|we|his|her|their|both"
    r"|justification|explanation|reason|reasoning|rationale"
)
_ENDS = r"(?=\s?(?:$|[.,;:!\n(){}\[\]\"'|]|//|#+\s?$|[-–—](?:\s|$)|[–—]))"
# "No. 4" and "No. of frames" are about numbers, "Yes, if …" and "yes, or …" are no answers yet.
_NOT_AN_ANSWER = r"(?!\.\s?\d(?!\d?[.)]\s)|\.\s?of\s|\.\s?:\s?\d)(?!,?\s(?:if|unless|or|either)\b)"
_RIGHT = rf"{_NOT_AN_ANSWER}(?:{_ENDS}|(?=\s(?:{_GOES_ON})\b))"

_FILLER = (
    r"(?:(?:(?:i would say|i'd say|sorry|unfortunately|i think|i believe|so|sure|okay|ok|well|in short"
    r"|in summary|in brief|overall|in conclusion|to conclude"
    r"|to summari[sz]e|therefore|thus|hence|finally|definitely|clearly|certainly|undoubtedly|simply put"
    r"|based on the (?:video|frames|images|clip)"
    r"|most likely|very likely|likely|probably|almost certainly)\s?[,:!.]?\s?){1,3})"
)
_QUOTE = r"(?:[\"'(\[]\s?)?(?:\(?[a-d]\)\s?)?"
# A clause that leads to the answer: "In this video, no." Parts of the video or the body lead to part of an answer.
_LEAD_IN = (
    r"(?:(?!(?:if|unless|not|no|yes)\b)(?:based\son|from|as\sfar\sas|in|for|after|looking\sat"
    r"|with\sregard\sto|with\srespect\sto|as\sfor|regarding"
    r"|given|considering|according\sto|upon|having|to\sanswer|answering|ultimately|honestly|frankly|here"
    r"|to\sbe\sclear|sure|unfortunately|at\sno\spoint)\b"
    r"(?:(?!\b(?:first|second|half|beginning|end|last|initial|left|right|before|until|not|no|yes"
    r"|if)\b)[^.!?\n,:;])"
    r"{0,90}[,:]\s)"
)
_LINE = re.compile(rf"(?:^|\n)\s?{_LEAD_IN}?{_FILLER}?{_QUOTE}{_WORD}{_RIGHT}", re.IGNORECASE)
_THEREFORE = re.compile(
    r"[.!;,:]\s?(?:and\s)?(?:so|therefore|thus|hence|consequently|accordingly|overall|in\s(?:conclusion|short"
    r"|summary))[,:]?\s"
    rf"{_QUOTE}{_WORD}{_RIGHT}",
    re.IGNORECASE,
)
_NOUN = (
    r"(?:answer|response|reply|verdict|conclusion|decision|prediction|assessment|classification|judge?ment"
    r"|determination|finding|result|output|choice)"
)
_VERB = (
    r"(?:is|was|would\sbe|should(?:\s(?:therefore|thus|then))?\sbe|must(?:\stherefore)?\sbe|has\sto\sbe|remains"
    r"|stays|:|=|[-–—](?=\s))"
)
_ADVERB = r"(?:\s(?:clearly|definitely|therefore|thus|simply|likely|most\slikely|probably|still|a|an|that))?"
_ANSWER_IS = (
    rf"\b{_NOUN}(?:\sto\s(?:the|this|that|your)\squestion|\shere|\stherefore|\sthus|\sfor\sthis\s\w{{1,12}}"
    rf"|\sin\sthis\s\w{{1,12}})?\s?"
    rf"{_VERB}{_ADVERB}\s?:?\s?{_QUOTE}"
)
_I_ANSWER = (
    r"\bi(?:'d|'ll|\s(?:would|will|must|have\sto|can|should))?(?:\s(?:\w{1,10}ly|therefore|thus|then))?\s"
    r"(?:say|answer|respond|reply|conclude|decide|go\swith|choose|pick|select|vote|judge)"
    r"(?:\s(?:with|for|that\sthe\sanswer\sis|that\sit\sis|that))?(?:\sa)?:?\s?" + _QUOTE
)
_IT_IS = (
    r"(?:^|[\n.!;,]\s?)(?:so\s|then\s|and\s)?(?:it|this|that)(?:\sis|'s)(?:\s(?:clearly|definitely|therefore"
    r"|thus))?(?:\sa)?(?:\s(?:firm|clear|definite|definitive|strong|resounding|hard|simple))?\s?" + _QUOTE
)
_STATEMENT = re.compile(
    rf"(?:{_ANSWER_IS}|{_I_ANSWER}){_WORD}{_RIGHT}"
    rf"|{_IT_IS}{_WORD.replace('word', 'it')}(?=\s?(?:from\sme\b\s?)?(?:$|[.!\n\"'])(?!\s?\d))",
    re.IGNORECASE,
)
_LABELLED = re.compile(
    rf"(?:^|\n)\s?(?P<label>[^\n:?!.=]{{1,70}}?)(?:\s?[:=]|\s[-–—])\s?{_FILLER}?{_QUOTE}{_WORD}{_RIGHT}",
    re.IGNORECASE,
)
# What a label says that is no answer to the question: a speaker, the media, or the opposite of the feature.
_OTHER_LABEL = re.compile(
    r"\b(?:videos?|visible|audio|sounds?|images?|frames?\s(?:received|available|visible|readable)|files?"
    r"|received|quality|normal|absent|absence|not|no|exclud\w*"
    r"|ruled|rules?|confiden\w*|sure|certain\w*|understood|help|patient|nurses?|staff|doctor|mother|father|he"
    r"|she|they|says?|said|asks?|asked|replie[sd]"
    r"|shouts?|example|e\.?g|if|format|options?|false|incorrect|wrong|initial\w*|first|previous|maybe|perhaps"
    r"|possibly|unless|note|yes|or|never|without|negative|healthy|isn't|doesn't|don't|unclear|uncertain"
    r"|alternative\w*|otherwise|hypothe\w*|review\w*|second\sopinion)\b",
    re.IGNORECASE,
)
_LOOSE_STATEMENT = re.compile(
    rf"(?:{_ANSWER_IS}|{_I_ANSWER}){_WORD}(?!\s(?:only\s)?(?:if|unless|when)\b)", re.IGNORECASE
)
_LAST_SENTENCE = re.compile(
    rf"(?<!\bdr)(?<!\bmr)(?<!\bms)[.!]\s?{_QUOTE}{_WORD}\s?[.!\"')]{{0,3}}$", re.IGNORECASE
)
_FIRST_WORD = re.compile(
    rf"{_WORD}(?!\s(?:further|other|additional|more|need|problem|comments?|doubt|worries)\b)", re.IGNORECASE
)
_CLAUSE = re.compile(rf"[.!?:;]\s?[(\"']?{_WORD}(?:{_ENDS}|(?=\s(?:{_GOES_ON})\b))", re.IGNORECASE)
_ASIDE = re.compile(
    r"(?:[,(\-–—]|\b(?:but|actually|rather|then|so|maybe|perhaps|well|hence|therefore|thus|is)\b),?\s?"
    rf"{_WORD}(?=\s?(?:$|[.,;:!?\n)]))",
    re.IGNORECASE,
)
# "I will go with yes." at the end of a clause, but not what somebody in the video says.
_CLOSING = re.compile(
    r"\b(?!(?:not|than|of|never|nor|neither|said|says?|saying|repl(?:y|ies|ied)|answers?|answered|answering"
    r"|shouts?|shouting|yells?|whispers?|nods?"
    rf"|repeats?|repeating|mumbles?|words?)\b)[a-z']{{1,20}}\s\"?{_WORD}(?=\s?(?:$|[.!\n\")]))(?!\.\s?\d)",
    re.IGNORECASE,
)
_OBJECTIONS = (_CLAUSE, _ASIDE, _LOOSE_STATEMENT, _CLOSING)

# An explicit correction: its word is the answer, whatever stood before.
_CORRECTION = re.compile(
    r"(?:\b(?:sorry|apologies|my\smistake|oops)\b[\s,.!:;-]{1,3})?"
    r"(?:\bi\s(?:really\s)?(?:meant?|mean)(?:\sto\ssay|\sto\sanswer)?|\b(?:correction|corrected"
    r"|edit(?:ed)?)\s?[:,.;-]|\bscratch\sthat[\s,.:;-]"
    r"|\bi(?:'ll|'d|\s(?:will|must|would|have\sto|need\sto|should|want\sto))?\s(?:change|revise|correct"
    r"|update|amend)\smy\s(?:answer|response|mind)(?:\sto|\s?[:,-])"
    r"|\bmy\s(?:previous|earlier|first|initial)\sanswer\s(?:was|is)\s(?:wrong|incorrect|mistaken)\s?[:,;-]"
    r"|\b(?:my\s|the\s)?(?:corrected|revised|updated)\s(?:answer|verdict|response|conclusion)\s?(?:is|:)"
    r"|\b(?:first|initially)\s[^.!?\n]{0,60},\s?but\s(?=(?:it\sis|it's|the\sanswer\sis)\s)"
    rf"|\b(?:my\s|the\s)final\s{_NOUN}\s?(?:is|:)|\n\s?(?:overall|final|combined)(?:\s{_NOUN})?\s?[:=-])"
    rf"\s?(?:the\sanswer\sis|it\sis|it's|it\sshould\sbe|to)?\s?:?\s?{_QUOTE}{_WORD}{_RIGHT}",
    re.IGNORECASE,
)
# Second thoughts: what was claimed before them no longer stands.
_SECOND_THOUGHTS = re.compile(
    r"(?:(?:^|[.!\n;]|,|\s[-–—]|[-–—])\s?[(\"']?(?:but\s|oh\s|no\s)?(?:wait(?=\s?(?:[,.!;:–—-]|$|no\b|that\b"
    r"|actually))|hmm+|hm|hold\son|scratch\sthat"
    r"|on\ssecond\sthought|i\stake\s(?:it|that)\sback|oops|my\smistake)\b"
    r"|[.!\n;]\s?[(\"']?(?:correction|sorry|apologies|actually|edit|(?:up)?on\s(?:closer|further|second|re)"
    r"|let\sme\s(?:re|think|look|check|see|verify|consider)|let's\s(?:re|check|look|verify))"
    r"|[,;–—-]\s?sorry[,:;]?\s(?:that|this|it|i|the|wrong)\b|\bwrong\s(?:video|clip|film|question|patient|file)\b"
    r"|\bcorrect\smyself\b|[.!,;]\s?not\sreally\b|\b(?:that|this|it)(?:'s|\sis|\swas)\s(?:not\s(?:correct"
    r"|right|true|my\sfinal)|incorrect|wrong|a\smistake)\b"
    r"|\bi\s(?:was|am)\s(?:wrong|mistaken)\b|\bi\s(?:should|need\sto|have\sto|must)\s(?:\w+ly\s)?(?:check"
    r"|verify|look|re)"
    r"|\bmy\s(?:previous|first|earlier|initial)\sanswer\s(?:was|is)\s(?:wrong|incorrect|mistaken))",
    re.IGNORECASE,
)
# "Yes, there is no tonic posturing." says both; "Yes, there is no response." may be what was asked for.
_YES_BUT_NONE = re.compile(
    r"(?:^|\n)\s?yes\s?[,.:;–—-]?\s?(?:there\s(?:is|are|was|were)|i\s(?:see|saw|find|found|observe|observed))?\s?no\s"
    r"(?:(?:visible|clear|obvious|such|real|true|definite)\s)?"
    r"(?:(?:evidence|signs?|indications?)\sof\b|tonic|clonic|postur|stiffen|jerk|automatism|blinking|grimac|vocali[sz]"
    r"|turning\b|version\b|pelvic|hyperkinetic|cycling)",
    re.IGNORECASE,
)
# A new sentence that nothing ends.
_BREAKS_OFF = re.compile(r"[.!]\s[^.!?\n]{0,400}[\w,]$")
_CHOICE = re.compile(
    r"\b(?:yes\b[\s\"'(),]{0,6}(?:\bor\b|/|\||\bvs\b)[\s\"'()]{0,6}no|no\b[\s\"'(),]{0,6}(?:\bor\b|/|\|)"
    r"[\s\"'()]{0,6}yes)\b"
    r"|\byes\b[\s\"',&-]{1,6}(?:and\b[\s\"']{0,3})?no(?=\s?(?:$|[.,;:!?\"')\n|/]))"
    r"|\bno\b[\s\"',&-]{1,6}(?:and\b[\s\"']{0,3})?yes(?=\s?(?:$|[.,;:!?\"')\n|/]))",
    re.IGNORECASE,
)
_DENIED_WORD = re.compile(r"\b(?:not|isn't) (?:a )?(?:yes|no)\b", re.IGNORECASE)
_JUDGED = r"(?:determined|told|said|decided|judged|answered|assessed|evaluated|known|ascertained|established)"
# What the patient cannot do is no doubt of the answer: "Yes, the patient cannot say his name."
_NOT_THE_PATIENT = (
    r"(?<!patient\s)(?<!he\s)(?<!they\s)(?<!nurse\s)"
    r"(?<!patient\sis\s)(?<!he\sis\s)(?<!they\sare\s)(?<!patient\swas\s)(?<!he\swas\s)"
)
_JUDGING = r"(?:judge?ments?|assessments?|determination|evaluation|answers?|conclusions?|verdict|decision)"
_CANNOT_TELL = re.compile(
    rf"\b(?:{_NOT_THE_PATIENT}(?:can\s?not|can't|could\snot|couldn't|unable\sto)|impossible\sto|not\spossible\sto"
    r"|(?:nobody|no\sone|nothing)\s(?:can|could|(?:\w{1,12}\s){0,3}?(?:allows?|lets?|helps?)\s(?:me|us|one)(?:\sto)?)"
    r"|(?:hard|difficult|insufficient)\sto|no\sway\sto|too\s(?:\w{1,12}\s){1,4}?to|(?:not|isn't|aren't)\s\w{1,12}\senough\sto"
    r"|(?:not\senough|insufficient)\s\w{1,12}\sto)\s(?:\w{1,12}ly\s)?"
    r"(?:determine|tell|say|decide|judge|assess|evaluate|know|conclude|be\s(?:sure|certain)|see\s(?:this|that|it|anything|much)\b"
    r"|make\s(?:a|any)\s(?:judge?ment|determination|assessment|decision))\b"
    rf"|\b(?:impossible|impracticable|not\spossible|not\sfeasible|too\s(?:\w{{1,12}}\s){{1,4}}?for\s(?:a|an|any))\s{_JUDGING}\b"
    rf"|\b{_JUDGING}\s(?:is|was|seems|becomes)\s(?:\w{{1,12}}\s)?(?:impossible|not\spossible|not\sfeasible|hindered|prevented)\b"
    r"|\bno\sway\sof\s(?:knowing|telling)\b"
    rf"|\b{_NOT_THE_PATIENT}(?:can\s?not|can't)\sbe\s(?:\w{{1,12}}\s)?{_JUDGED}\b"
    r"|\b(?:do|does)(?:\snot|n't)\s(?:allow|permit)\s(?:for\s)?(?:(?:a|an|any|me\sto|us\sto|one\sto)\s)?(?:\w{1,12}\s)?"
    rf"(?:{_JUDGING}|judge|assess|evaluate|determine|tell|say)\b"
    # What is said of the answer itself: "No, it remains unclear." The picture may be unclear and the answer stand.
    r"|\b(?:yes|no)\s?[,;:.–—-]{1,2}\s?(?:but\s|though\s|as\s|since\s|because\s)?"
    r"(?:(?:it|this|that|the\s(?:answer|sign|feature|finding|evidence))(?:'s|\sis|\sremains|\sseems)\s)?(?:\w{1,12}ly\s|very\s|too\s)?"
    r"(?:unclear|inconclusive|undetermin(?:able|ed)|indetermina(?:ble|te)|not\s(?:determinable|assessable|evaluable|clear)"
    r"|ambiguous|unknown|uncertain)(?:\senough)?(?=\s?(?:$|[.,;:!?\n)]|(?:whether|from|with|by|on|in)\b))"
    r"|(?:\bnot\s(?:have\s)?enough|n't\s(?:have\s)?(?:enough|sufficient|the)"
    r"|\b(?:insufficient|too\slittle|lack(?:ing|s)?\s(?:the|enough|sufficient)))"
    r"\s(?:\w{1,12}\s)?information\b"
    r"|\bi(?:'m|\sam)\s(?:not\ssure|unsure|not\scertain|uncertain|unable\sto|not\sable\sto)\b"
    r"|\b(?:yes|no)\b\s?[(,.–-]\s?(?:but\s|though\s)?(?:not\s(?:sure|certain)|unsure)\b"
    r"|\bi\s(?:can\s?not|can't|could\snot|couldn't|do\snot|don't|won't|will\snot)\s(?:\w{1,12}\s)?"
    r"(?:answer|assess|confirm|provide|know|help|assist)\b",
    re.IGNORECASE,
)
_UNKNOWN = re.compile(
    r"\b(?:unknown|not\ssure|unsure|uncertain|unclear|undetermined|indeterminate|inconclusive|no\sidea"
    r"|cannot\sdetermine|insufficient\s(?:information|evidence)|not\senough\s(?:information|evidence))\b",
    re.IGNORECASE,
)
_CONDITION = re.compile(
    r"\b(?:if|unless|whether|suppose|assuming|wrong|incorrect|previous|opposite|example|sample|template)\b",
    re.IGNORECASE,
)
_DENIAL = re.compile(
    r"(?:\bnot|n't|\bnever|\bcannot)"
    r"(?:\s(?:think|believe|say|mean|know|conclude|confirm|claim|sure|certain|that|the|my|final|correct"
    r"|right))*\s?$",
    re.IGNORECASE,
)

_OTHERS_ANSWER = re.compile(
    r"\b(?:patient|nurse|staff|doctor|mother|father)(?:'s)?\s?$|\b(?:his|her|their)\s$", re.IGNORECASE
)
_MARKDOWN = re.compile(r"[*$~]|(?<![^\W_])_+|_+(?![^\W_])|(?:^|(?<=\n))[ \t]{0,8}(?:#{1,6}|>|[-•·+–])[ \t]")
_QUOTED_WORD = re.compile(r"\\?([\"'])\1?\s?(yes|no|n/?a)([.!]?)\s?\\?\1\1?", re.IGNORECASE)
_QUOTATION = re.compile(r"\"[^\"\n]{0,300}\"|(?<!\w)'[^'\n]{0,300}'(?!\w)")
_STOPS = str.maketrans({"。": ". ", "、": ", "})
_PUNCTUATION = " .,;:!-–—)\n"
_ANSWERS_ONLY = re.compile(r"(?:\W|\b(?:yes|no|na)\b)*", re.IGNORECASE)
_ENCLOSURES = (('"', '"'), ("'", "'"), ("[", "]"), ("(", ")"))


@dataclass(frozen=True)
class Claims:
    """What a text claims.

    ``answers`` are the claimed ones, ``objections`` all that stand as clauses of their own, claimed or not;
    ``refused`` means an echoed choice, a condition or "I cannot tell"; ``rest`` is the text around the claim.
    """

    answers: frozenset[Claim]
    objections: frozenset[Claim]
    refused: bool
    rest: str

    @property
    def single(self) -> Claim | None:
        """The one answer that is claimed and not taken back, if so."""
        return next(iter(self.answers)) if len(self.answers) == 1 and self.agrees_with(self.answers) else None

    def agrees_with(self, answers: Collection[str]) -> bool:
        """Tell whether nothing in the text speaks against these answers."""
        return not self.refused and self.answers.union(self.objections).issubset(answers)


def find_claims(text: str, *, cut: bool = False) -> Claims:
    """Return what a cleaned reply claims in running text.

    Args:
        text: the reply after `semiology.tasks.answers.cleaning.clean`.
        cut: whether it was stopped at the token limit: then only an answer that begins it is final.
    """
    text, offered = without_offers(text.replace("*", ""))
    text = _plain(laid_out(text))
    spoken = _QUOTATION.sub('""', text)
    claims = _claims(spoken)
    correction = _last_correction(spoken)
    if correction is not None:
        claims, heard = [correction], spoken[correction.end() :]
    else:
        heard = spoken
    statements = [claim for claim in claims if claim.re is _STATEMENT]
    refused = (
        bool(_CHOICE.search(heard) or _CANNOT_TELL.search(spoken))
        or any(_taken_back(spoken, match) for match in (*statements, *filter(None, [correction])))
        or not english_no_or_na(text)
        or _YES_BUT_NONE.search(spoken) is not None
        or bool(claims and _unsettled(spoken, max(claims, key=re.Match.end), cut))
    )
    objections = _objections(heard, first=correction is None and not offered)
    return Claims(
        answers=frozenset(_value(match) for match in claims),
        objections=objections,
        refused=refused,
        rest=_around(min(claims, key=re.Match.start), text, spoken) if claims else "",
    )


def _claims(spoken: str) -> list[re.Match[str]]:
    """Return the places where a text gives an answer."""
    labelled = [match for match in _LABELLED.finditer(spoken) if not _OTHER_LABEL.search(match["label"])]
    return [
        *_LINE.finditer(spoken),
        *_STATEMENT.finditer(spoken),
        *labelled,
        *_LAST_SENTENCE.finditer(spoken),
        *_THEREFORE.finditer(spoken),
    ]


def _last_correction(spoken: str) -> re.Match[str] | None:
    """Return the last explicit correction in a text, if it corrects something."""
    found = list(_CORRECTION.finditer(spoken))
    return found[-1] if found else None


def _unsettled(spoken: str, last: re.Match[str], cut: bool) -> bool:
    """Tell whether a text goes on thinking after its last claim, or breaks off after a claim inside its reasoning."""
    after = spoken[last.end() :]
    if _SECOND_THOUGHTS.search(after):
        return True
    inside = bool(spoken[: last.start()].strip())
    return (
        inside
        and last.re is _STATEMENT
        and bool(_BREAKS_OFF.search(after) or (cut and after.strip(_PUNCTUATION)))
    )


def _around(claim: re.Match[str], text: str, spoken: str) -> str:
    """Return what follows a claim, or else the whole sentences before it.

    ``spoken`` is ``text`` without quotations, in which the claim was found.
    """
    if text.startswith(spoken[: claim.end()]):
        spoken = text
    after, before = spoken[claim.end() :], spoken[: claim.start()]
    if claim.re is _STATEMENT:
        before = before[: max(before.rfind(end) for end in ".!?\n") + 1]
    for part in (after, before):
        words = part.lstrip(_PUNCTUATION).rstrip()
        if not _ANSWERS_ONLY.fullmatch(words):
            return words
    return ""


def bare_boolean(text: str) -> Claim | None:
    """Return the answer where a whole text is ``true`` or ``false``, as JSON writes it."""
    word = _plain(text).strip(" .!\n").casefold()
    return "yes" if word == "true" else "no" if word == "false" else None


def has_second_thoughts(text: str) -> bool:
    """Tell whether a text takes back or doubts what it said before ("Left. Wait, right.")."""
    return bool(_SECOND_THOUGHTS.search(text))


def says_unknown(text: str) -> bool:
    """Tell whether a text says that the answer cannot be told."""
    return bool(_CANNOT_TELL.search(text) or _UNKNOWN.search(text))


def _plain(text: str) -> str:
    """Return text without markdown, without quotes around answer words, with single spaces."""
    text = text.translate(_STOPS)
    text = re.sub(r"[^\S\n]+", " ", _MARKDOWN.sub("", re.sub(r"[^\S\n]+", " ", text)))
    text = re.sub(r" ?\n[ \n]*", "\n", text).strip()
    for start, end in _ENCLOSURES:
        if len(text) > 2 and text.startswith(start) and text.endswith(end) and start not in text[1:-1]:
            text = text[1:-1].strip()
    text = _QUOTED_WORD.sub(r"\2\3", text)
    # "…, not yes" says nothing beyond the no before it, and "is not yes" is no answer.
    return _DENIED_WORD.sub("", text)


def _objections(text: str, *, first: bool) -> frozenset[Claim]:
    """Return the answer words that stand as clauses of their own, whether or not they count as claims."""
    matches = [match for pattern in _OBJECTIONS for match in pattern.finditer(text)]
    # "Duration: not applicable" speaks of something else.
    found = {_value(match) for match in matches if _value(match) != "na" or match[0][0] in ".!"}
    beginning = _FIRST_WORD.match(text) if first else None
    return frozenset(found | ({_value(beginning)} if beginning else set()))


def _taken_back(text: str, statement: re.Match[str]) -> bool:
    """Tell whether a statement of the answer is conditional or denied (``if``, ``I do not think``)."""
    before = re.split(r"[.!?\n]", text[max(0, statement.start() - 300) : statement.start()])[-1]
    before = re.sub(r"\bto the question whether\b", "", before, flags=re.IGNORECASE)
    return bool(_CONDITION.search(before) or _DENIAL.search(before) or _OTHERS_ANSWER.search(before))


def _value(match: re.Match[str]) -> Claim:
    """Return the answer that a matched word stands for."""
    word = (match.groupdict().get("word") or match.groupdict()["it"]).casefold()
    return "yes" if word == "yes" else "no" if word == "no" else "na"
