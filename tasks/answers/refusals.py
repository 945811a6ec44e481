"""Replies that are no look at the video: the model says that it saw none, refuses, or only offers to begin.

"No, I can't view videos." is no "no", and "Yes, of course! Please provide the video." no "yes".
"""

from __future__ import annotations

import re

_MEDIA = (
    r"(?:videos?|images?|frames?|pictures?|photos?|clips?|footage|recordings?|files?|attachments?|media"
    r"|visuals?|uploads?|links?)"
)
_CANNOT = (
    r"(?:can\s?not|can't|could\snot|couldn't|do\snot|don't|did\snot|didn't|have\snot|haven't|am\snot\sable\sto"
    r"|'m\snot\sable\sto|am\sunable\sto|'m\sunable\sto|was\sunable\sto|was\snot\sable\sto|lack"
    r"|do\snot\scurrently|don't\scurrently"
    r"|am\snot\scurrently\sable\sto|am\snot\scapable\sof|'m\snot\scapable\sof|won't|will\snot"
    r"|cannot\scurrently|can't\scurrently|won't\sbe\sable\sto"
    r"|(?:am|'m)\sincapable\sof|never)"
)
_SENSE = (
    r"(?:view(?:ed|ing)?|see(?:n|ing)?|watch(?:ed|ing)?|process(?:ed|ing)?|open(?:ed)?|access(?:ed|ing)?"
    r"|play(?:ed)?"
    r"|load(?:ed)?|receive[d]?|get|got|interpret(?:ing)?|perceive|hear|listen\sto|analy[sz](?:e[d]?|ing)"
    r"|examin(?:e[d]?|ing)|review(?:ed)?|inspect|display|have|had|ability|support|handle|read)"
)
_FEW_WORDS = r"(?:\s(?!no\b|if\b|whether\b|in\b|on\b|during\b|of\sthe\sarm)[\w'/,-]{1,20}){0,4}?"
_NO_LOOK = re.compile(
    rf"\bi\s?{_CANNOT}\s(?:\w+ly\s)?(?:directly\s)?(?:have\s(?:direct\s)?(?:access|the\sability"
    rf"|any)\b{_FEW_WORDS}\s?)?(?:to\s)?"
    rf"(?:{_SENSE}{_FEW_WORDS}\s)?{_MEDIA}\b"
    r"|\bi\s(?:do\snot|don't)\shave\s(?:access|the\sability|the\scapability|eyes|any\sway)\b"
    rf"|\b(?:there\s(?:is|are|was|were|seems?\sto\sbe|appears?\sto\sbe)\s)?no\s(?:\w{{1,12}}\s)?{_MEDIA}"
    r"\s(?:(?:is|are|was|were|has\sbeen|have\sbeen|seems\sto\sbe)\s)?"
    r"(?:attached|provided|included|uploaded|available|given|shared|found|supplied|loaded|received|accessible"
    r"|here|to\s(?:view|analy[sz]e))\b"
    rf"|\bno\s{_MEDIA}\s(?:was|were|is|are)\s(?:visible|sent|present)\b"
    rf"|\bthere\s(?:is|are|was|were)\sno\s(?:actual\s|accompanying\s)?{_MEDIA}\s?(?:here|[.!,]|$|in\s(?:your"
    rf"|this|the)\s(?:message|conversation|prompt|chat|request))"
    rf"|\b{_MEDIA}\s(?:(?:did|does|do)\snot|didn't|doesn't|failed\sto|could\snot\sbe|couldn't\sbe"
    rf"|can\s?not\sbe|can't\sbe"
    r"|was\snot|wasn't|is\snot|isn't|were\snot|weren't|are\snot|aren't|has\snot\sbeen"
    r"|hasn't\sbeen)\s(?:\w+ly\s)?"
    r"(?:come\sthrough|load(?:ed)?|upload(?:ed)?|open(?:ed)?|play(?:ed)?|attached|available|accessible|provided"
    r"|displayed|processed|received|shared|supplied|sent|included|appear\sto\s(?:be\sattached|have)|exist"
    r"|supported|work"
    r"|render(?:ed)?|viewed|viewable)\b"
    rf"|\b(?:{_MEDIA}|screen)(?:\s(?:link|file|url))?\s(?:is|are|was|were|(?:seem|appear|look)s?(?:\sto\sbe)?)\s(?:missing"
    r"|broken|dead|corrupt(?:ed)?|unavailable|empty"
    r"|(?:completely\s|entirely\s|all\s|identical\sand\s)?(?:black|blank)|inaccessible|not\svisible\sto\sme)\b"
    # "No, I'm not a doctor." refuses; "No. Note that I am not a doctor." is a disclaimer beside an answer.
    r"|(?:^|\n)\s?(?:yes|no)[\s,:-]{1,3}(?:unfortunately,?\s)?as\san?\s(?:\w+[\s-]){0,3}?(?:ai"
    r"|language\smodel|llm|assistant|model|chatbot)\b"
    r"|(?:^|\n)\s?(?:yes|no)[\s,:-]{1,3}(?:unfortunately,?\s)?i(?:'m|\sam)\s(?:just\s"
    r"|only\s)?an?\s(?:\w+[\s-]){0,3}?"
    r"(?:ai|language\smodel|llm|assistant|chatbot)\b"
    r"|(?:^|\n)\s?(?:yes|no)[\s,:-]{1,3}i(?:'m|\sam)\snot\s(?:a\s(?:doctor|physician|neurologist|medical)"
    r"|qualified|trained|allowed|permitted|licensed|authori[sz]ed)\b"
    rf"|\b(?:only|just|nothing\sbut)\s(?:a\s)?(?:completely\s|entirely\s)?(?:black|blank|empty)\s(?:screen|{_MEDIA})\b"
    # Directly after the word: "No, my input is text only.", "No, audio is not available."
    r"|(?:^|\n)\s?(?:yes|no)[\s,:;.–—-]{1,3}(?:sorry|unfortunately)?,?\s?(?:but\s|because\s|since\s|as\s)?(?:"
    r"(?:this|that|it)(?:'s|\sis|\sfalls|\sgoes)\s(?:outside|beyond|against)\s(?:of\s)?(?:my|the|our|safety|content|usage)\b"
    r"|(?:this|the|your|such\sa)\s(?:request|question|content)\s(?:violates|is\sagainst|goes\sagainst|is\snot\sallowed)"
    r"|my\sinput\sis\s|i(?:'m|\sam)\sa\stext|(?:this|the)\s(?:model|system|interface|tool|api)\s(?:does\snot|doesn't|cannot|can't)\s"
    rf"(?:support|process|accept|handle|view|see)\s|i\s(?:(?:was\s(?:given|shown|sent)|got|(?:have\s)?received|have)\sno|lack)\s"
    rf"(?:{_MEDIA}|audio|sound)\b|i\sonly\s(?:got|received|have|see)\s(?:the\s)?text\b|no\s{_MEDIA}\s(?:came|arrived|reached)\b"
    r"|(?:the\s)?audio(?:\strack)?\s(?:(?:is|was)\s)?(?:not\s(?:available|provided|included)|unavailable|missing)\b"
    r"|(?:there(?:'s|\sis|\swas)\s)?no\saudio(?:\strack)?\s?(?=$|[.,;]|(?:is|was)\s(?:available|provided|included|given))"
    r"|(?:please\s(?:consult|contact|ask|see)|consult|contact)\s(?:with\s)?(?:a|an|your|the)\s(?:\w+\s)?"
    r"(?:doctor|physician|neurologist|clinician|professional|specialist|epileptologist)\b)"
    r"|\bnothing\s(?:is\s|was\s)?(?:attached|uploaded|provided)\b|\bi\sonly\ssee\s(?:text|an?\s(?:black|blank"
    r"|empty))"
    r"|(?:\bnot|n't)\ssomething\si\s(?:can|could|offer|provide|do)\b|\bi(?:'d|\swould)\srather\snot\b|\bmy\scapabilit"
    r"|\bif\syou\s(?:can\s)?(?:describe|provide|share|upload|send|give)\b"
    rf"|\bi\s(?:need|require|would\sneed)\s(?:to\ssee\s)?(?:the|a|your)\s{_MEDIA}\b"
    r"|\bi\s(?:can\s?not|can't|am\s(?:not\sable|unable)\sto|won't(?:\sbe\sable\sto)?|will\snot(?:\sbe\sable\sto)?|do\snot"
    r"|don't)\s(?:\w+ly\s)?(?:give|provide|offer|make)\s(?:any\s|a\s|you\s|with\s)?"
    r"(?:with\s)?(?:medical|clinical|diagnos\w+|health|an?\s(?:answer|assessment|diagnosis|opinion))\b"
    rf"|\b(?:please|kindly|could\syou|can\syou|you\s(?:can|need\sto"
    rf"|would\sneed\sto))\s(?:\w+ly\s)?(?:re-?)?(?:upload|provide|share|attach|send|supply|paste|describe)\b"
    r"|\bi\s(?:must\s|have\sto\s)?(?:decline|refuse)\b"
    rf"|\bupload\s(?:it|the|a)\b|\b(?:send|share|provide|attach)\s(?:me\s)?(?:it|(?:the|a|your)\s{_MEDIA})\b",
    re.IGNORECASE,
)
_HELP = (
    r"help|assist|happy|glad|pleased|delighted|analy[sz]e|take\sa\slook|look\s(?:at|into)|watch|review|answer"
    r"|do\s(?:that|so|this)|describe"
    r"|examine|evaluate|try|check|provide|need|like|love|ready|here|able|try|start|begin|go\sthrough|assess"
    r"|give|tell\syou"
)
_OFFER = re.compile(
    r"(?:^|\n)\s?(?:yes|yeah|sure|okay|of\scourse|certainly|absolutely"
    r"|no(?=\sproblem))\b[\s,!:-]{0,4}(?:\.\s(?=i\sunderstand))?"
    r"(?:(?:of\scourse|sure|certainly|absolutely|no\sproblem|thank\syou|thanks"
    r"|okay)\b[\s,.!:-]{0,4}){0,2}"
    r"(?:i(?:'d|'ll|'m|\s(?:can|could|will|would|am|shall))\s(?:\w+ly\s)?(?:be\s)?(?:more\sthan\s)?"
    rf"(?:{_HELP})\b"
    rf"|i\s(?:can|am\sable\sto|could)\s(?:\w+ly\s)?(?:see|view|watch|access|play|open|process|hear)\s(?:the"
    rf"|your|this|that|these|those|all)\s{_MEDIA}\b(?!\s(?:show|clearly|that))"
    rf"|i\s(?:can\s)?(?:see|have|got)\s(?:the|your|this|that|all)\s(?:\w+\s)?{_MEDIA}(?=\s?(?:[.!?\n]|$))"
    r"|i\s(?:understand|see\s(?:your|the\squestion|what\syou)|got\sit|have\s(?:access\sto\s)?(?:the"
    r"|your)\s(?:video|clip|frames)"
    rf"|(?:watched|saw|viewed)\s(?:the|your|this|all)\s(?:\w+\s)?{_MEDIA}\b(?!\sand))"
    rf"|(?:the|your)\s{_MEDIA}\s(?:is|are|has\sbeen|was|were)\s(?:loaded|visible\sto\sme|received|attached"
    rf"|here|open|available)\b"
    rf"|{_MEDIA}\scan\sbe\sanaly"
    rf"|i(?:\shave|'ve)\s(?:\w+ly\s)?(?:received|watched|viewed|seen|reviewed|analy[sz]ed|looked\sat"
    rf"|examined)\s(?:the|your|this|that|these|all)\s(?:\w+\s)?{_MEDIA}\b"
    r"|(?:happy|glad|ready|pleased)\sto\b"
    r"|let(?:'s|\sme|\sus)\b|here(?:'s|\sis|\sare)\b|go\sahead\b|please\b|what(?:'s|\sis)\syour\b"
    r"|what\swould\b|how\s(?:can|may)\b"
    r"|(?:which|what|where)\s(?:\w+\s){0,3}?(?:videos?|clips?|films?|files?|recordings?|do\syou)\b"
    r"|(?:understood|got\sit|noted)\b|(?:that|this)(?:'s|\sis)\sa\s(?:good|great|valid|interesting|yes)\b"
    r"|i\sdo\shave\saccess\b|(?:(?:ready|go\son|continue|sir|ma'am)(?=\s?(?:[.,!]|$))"
    r"|i(?:'m|\sam)\s(?:listening|ready|familiar\swith|aware\sof)\b)"
    r"|i\sknow\s(?:what|about|how)\b)"
    r"[^.!?\n]{0,400}[.!?]?",
    re.IGNORECASE,
)


def says_no_look(text: str) -> bool:
    """Tell whether a reply says that the model saw no video, that it refuses, or asks for the video.

    Example:
        >>> says_no_look("No, I can't view or process videos.")
        True
        >>> says_no_look("No. I cannot see any twitching.")
        False
    """
    return bool(_NO_LOOK.search(text))


def without_offers(text: str) -> tuple[str, bool]:
    """Return a reply without sentences such as "Yes, I can help with that!", and whether there were any."""
    rest, count = _OFFER.subn("\n", text)
    return rest, count > 0
