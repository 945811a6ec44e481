"""Patterns of what may identify a person in free text: dates, ages, addresses, numbers, people with titles.

Languages: English, German, French, Spanish, Italian, Portuguese, Dutch; dates also as Chinese, Japanese and Korean
write them. Every repetition is bounded and every pattern begins at an edge, so that a text of any length is read in linear
time. The categories are those of the safe-harbour list of 45 CFR 164.514(b)(2), and years of birth beyond it.
"""

# ruff: noqa: E501, ISC004
# A pattern reads better whole than broken at the width of a page.
from __future__ import annotations

import re

_MONTHS = r"""
    jan(?:uary|uar|vier|eiro)? jänner ener[oe]? gennaio gen januari
    feb(?:ruary|ruar|brero|braio|ruari)? février fevrier févr fév fevereiro fev
    mar(?:ch|s|zo|ço|co)? märz maerz mär mrz maart mrt
    apr(?:il|ile)? avril avr abril abr
    may mai mayo maio mei maggio mag
    june? juni juin junio giugno giu junho
    july? juli juillet juil julio luglio lug julho
    aug(?:ust|ustus)? août aout agosto ago
    sept?(?:ember|embre|iembre|embro)? settembre set setembro
    oct(?:ober|obre|ubre)? okt(?:ober)? ottobre ott outubro out
    nov(?:ember|embre|iembre|embro)?
    dec(?:ember|embre)? dez(?:ember|embro)? déc(?:embre)? dic(?:iembre|embre)?
"""
_LONG_MONTHS = r"""
    january january februar(?:y)? january march april june july august september october november december
    januar jänner märz maerz juni juli oktober dezember janvier février fevrier avril juin juillet août septembre
    octobre novembre décembre enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre
    gennaio febbraio aprile maggio giugno luglio settembre ottobre dicembre janeiro fevereiro março maio junho julho
    setembro outubro novembro dezembro januari februari maart augustus
"""
_MONTH = rf"(?:{'|'.join(_MONTHS.split())})\.?"
_LONG_MONTH = rf"(?:{'|'.join(_LONG_MONTHS.split())})"
_ONES = r"(?:one|two|three|four|five|six|seven|eight|nine)"
_ORDINAL = (
    r"(?:(?:twenty|thirty)[ -]?)?(?:first|second|third|fourth|fifth|sixth|seventh|eighth|ninth)|tenth|eleventh|twelfth|"
    r"(?:thir|four|fif|six|seven|eigh|nine)teenth|twentieth|thirtieth|"
    r"erste[rn]?|zweite[rn]?|dritte[rn]?|vierte[rn]?|fünfte[rn]?|sechste[rn]?|siebte[rn]?|achte[rn]?|neunte[rn]?|"
    r"zehnte[rn]?|elfte[rn]?|zwölfte[rn]?|(?:drei|vier|fünf|sech|sieb|acht|neun)zehnte[rn]?|"
    r"(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)?(?:und)?(?:zwanzig|dreißig|dreissig)ste[rn]?"
)
_DAY = rf"(?:\d{{1,2}}\s?(?:st|nd|rd|th|er|º|ª|\.)?|{_ORDINAL})"
_YEAR = r"(?:19|20)\d\d"
_TENS = r"(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)"
_YEAR_WORDS = (
    rf"(?:nineteen|twenty)[ -](?:(?:hundred|oh)[ -])?(?:{_TENS}(?:[ -]{_ONES})?|{_ONES}|ten|eleven|twelve|\w{{3,6}}teen)|"
    r"two thousand(?: and)?(?: [a-z]{3,9}){1,2}|(?:neunzehnhundert|zweitausend)[a-zäöüß]{3,30}"
)
_UNIT = r"(?:ms|msec|s|sec|seconds?|sekunden?|hz|khz|frames?|px|pixels?|ml|mg|µg|mcg|g|kg|cm|mm|m|uv|µv|min|minutes?|times|x|%)"
_DAY_MONTH = (
    rf"{_DAY}\s{{0,3}}[-–/. ]{{0,2}}\s{{0,3}}(?:(?:of|de|di|do|d['’])\s{{1,3}})?(?:the\s{{1,3}})?{_MONTH}"
)
_TITLE = (
    r"dr|drs|dott(?:\.?ssa)?|prof(?:\.?essor(?:in)?)?|priv\.?-?doz|pd|doz|ober(?:arzt|ärztin|aerztin)|chef(?:arzt|ärztin)|"
    r"assistenz(?:arzt|ärztin)|(?:stations|fach|haus)(?:arzt|ärztin)|arzt|ärztin|schwester|pfleger(?:in)?|herrn?|frau|hr|fr|"
    r"mr|mrs|ms|miss|mx|mister|nurse|sister|doctor|physician|mme|mlle|madame|monsieur|docteur|infirmi[eè]re?|sra?|srta|"
    r"se[ñn]or(?:a|ita)?|don|do[ñn]a|doctora?|enfermer[oa]|sig(?:\.?ra|nor|nora)?|infermier[ea]|dra|mevrouw|meneer|dhr|"
    r"mevr|mw|mta|mtaf|technician|attending|resident|fellow"
)
_KIN = (
    r"husband|wife|mother|father|mom|mum|dad|son|daughter|brother|sister|partner|ehemann|ehefrau|mutter|vater|sohn|tochter|"
    r"bruder|mari|femme|mère|père|fils|fille|frère|soeur|sœur|marido|esposa|esposo|madre|padre|hijo|hija|hermano|hermana|"
    r"marito|moglie|figlio|figlia|fratello|sorella"
)
_CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’]{0,30}(?:-[A-ZÀ-Þ][\w'’]{0,30})?"
_STREET_END = r"stra(?:ß|ss)e|str\.?|weg|platz|allee|gasse|ring|damm|ufer|chaussee|steig|pfad|hof|straat|laan|plein|gracht|kade"
_ENGLISH_STREET = r"Street|St|Avenue|Ave|Road|Rd|Lane|Ln|Drive|Dr|Boulevard|Blvd|Court|Ct|Place|Pl|Way|Square|Sq|Terrace|Close|Crescent"
_ROMANCE_STREET = r"rue|avenue|boulevard|chemin|impasse|quai|calle|avenida|plaza|paseo|via|viale|piazza|corso|vicolo|rua|travessa|largo"
_HOSPITAL = (
    r"Hospital|Clinic|Medical Cent(?:er|re)|Klinik(?:um)?|Uniklinik(?:um)?|Universitäts(?:klinik(?:um)?|spital)|Krankenhaus|"
    r"Spital|Hôpital|CHU|Ospedale|Policlinico|Ziekenhuis|UMC"
)
_OLD = r"(?:9\d|1[0-2]\d)"

_HOLIDAY = (
    r"(?:christmas|new year['’]?s|easter|good friday|thanksgiving|halloween|hanukkah|ramadan|passover|diwali|weihnacht(?:en|s\w{0,10})|"
    r"heiligabend|silvester|neujahr|ostern|karfreitag|pfingsten|noël|pâques|navidad|natale|pasqua)(?:\s(?:eve|day|sunday|monday))?"
)
_TEXTS: tuple[tuple[str, str, int], ...] = (
    (
        "url",
        r"(?<![\w])(?:https?|ftp|file|smb|sftp|rtsp|dicom)://[^\s<>\"']{1,200}|(?<!\w)www\.[^\s<>\"']{1,200}",
        re.I,
    ),
    (
        "email",
        r"(?<![\w.+-])[\w.+-]{1,64}(?:\s(?:dot|punkt|point)\s[\w-]{1,40}){0,3}\s?(?:@|[(\[]?\bat\b[)\]]?|\[at\])\s?[\w-]{1,63}(?:\s?[(\[]?\b(?:dot|punkt)\b[)\]]?\s?[\w-]{2,63}){1,3}",
        re.I,
    ),
    ("email", r"(?<![\w.+-])[\w.+-]{1,64}\s?(?:@|\(at\)|\[at\])\s?[\w-]{1,63}(?:\.[\w-]{1,63}){1,6}", re.I),
    (
        "url",
        r"(?<![\w.@-])(?:[a-z0-9-]{1,63}\.){1,5}(?:com|org|net|edu|gov|int|info|io|de|at|ch|fr|es|it|nl|be|uk|eu|example|"
        r"local|lan|intern|cloud|health|hospital)(?![\w-])(?:/[^\s<>\"']{0,200})?",
        re.I,
    ),
    (
        "url",
        r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2}|:\d{1,5})?(?![\w.]\d)|(?<![\w:])(?:[0-9a-f]{2}[:-]){5}[0-9a-f]{2}"
        r"|(?<![\w:])(?=[0-9a-f:]{0,39}[a-f:]{2})(?:[0-9a-f]{1,4}:){1,7}(?::[0-9a-f]{1,4}){1,6}(?![\w:])|(?<![\w:])(?:[0-9a-f]{1,4}:){7}[0-9a-f]{1,4}(?![\w:])",
        re.I,
    ),
    (
        "path",
        r"(?<!\w)(?:[A-Za-z]:[\\/]|\\\\)[^\s<>\"']{1,200}|(?<![\w/.])/(?:[\w.-]{1,80}/){1,20}[\w.-]{0,80}|(?<![\w.])~/\S{1,200}",
        0,
    ),
    (
        "place",
        r"(?<![\w.])[-+]?\d{1,3}[.,]\d{3,9}\s?°?\s?[NSEWO]?\s?[,;/]?\s{0,3}[-+]?\d{1,3}[.,]\d{3,9}\s?°?\s?[NSEWO]?(?!\w)"
        r"|(?<![\w.])\d{1,3}(?:[.,]\d{1,9})?\s?°?\s?[NS],?\s?\d{1,3}(?:[.,]\d{1,9})?\s?°?\s?[EWO](?!\w)"
        r"|(?<![\w.])\d{1,3}\s?°\s?\d{1,2}\s?['’′]\s?(?:\d{1,2}(?:\.\d{1,4})?\s?[\"”″]\s?)?[NSEWO](?!\w)"
        r"|(?<!\w)geo:[-\d.,;=a-z]{3,40}|///\w{2,20}\.\w{2,20}\.\w{2,20}|(?<!\w)[23456789CFGHJMPQRVWX]{4,8}\+[23456789CFGHJMPQRVWX]{2,3}(?!\w)",
        0,
    ),
    (
        "date",
        rf"(?<!\w){_YEAR}-?W[0-5]\d(?:-?[1-7])?(?!\w)|(?<![\w.])\d{{1,2}}\.\s?[IVX]{{1,4}}\.\s?(?:{_YEAR}|\d\d)(?!\d)"
        r"|(?:昭和|平成|令和|大正|民國|民国)\s?(?:元|\d{1,3})\s?年(?:\s?\d{1,2}\s?月(?:\s?\d{1,2}\s?日)?)?"
        rf"|(?<![\w.])\d{{1,2}}\.?\s[^\W\d_]{{3,14}}\.?\s{_YEAR}(?!\w)(?!\s?{_UNIT}\b)|(?<![\w.])[IVXLCDM]{{1,6}}\.[IVX]{{1,4}}\.M[IVXLCDM]{{2,9}}(?!\w)"
        rf"|(?<!\w){_MONTH}[-/]['’]?\d\d(?!\d)|(?<!\w){_HOLIDAY}(?:,?\s{_YEAR})?(?!\w)|(?<!\w){_YEAR}-\d{{1,2}}-\d{{1,2}}(?:-\d{{1,6}}){{1,3}}(?!\w)",
        re.I,
    ),
    (
        "date",
        rf"(?<![\d.,])(?:{_YEAR}\s?[-./]\s?\d{{1,2}}\s?[-./]\s?\d{{1,2}}(?:T[\d:.+Z-]{{2,25}})?|\d{{1,2}}\s?[-./]\s?\d{{1,2}}\s?[-./]\s?"
        rf"(?:\d{{4}}|\d{{2}}))(?!\d)|(?<!\d){_YEAR}\s?[年년]\s?\d{{1,2}}\s?[月월](?:\s?\d{{1,2}}\s?[日일号])?"
        r"|(?<!\d)\d{1,2}\s?[月월]\s?\d{1,2}\s?[日일号]|(?<!\d)\d{1,2}[-/](?:19|20)\d\d(?!\d)",
        re.I,
    ),
    (
        "date",
        rf"(?<!\w)(?:{_DAY_MONTH}(?:,?\s{{0,3}}[-–/. ]?\s{{0,3}}(?:(?:de|del|of)\s)?(?:{_YEAR}|['’]\d\d|{_YEAR_WORDS}))"
        rf"|{_DAY}\s{{0,3}}[-–/. ]{{1,2}}\s{{0,3}}(?:(?:of|de|di|do)\s{{1,3}})?(?:the\s{{1,3}})?{_MONTH}"
        rf"|\d{{1,2}}{_MONTH}\d{{2,4}}"
        rf"|{_MONTH}\s{{1,3}}(?:the\s)?{_DAY}(?!\s{{0,3}}{_UNIT}\b)(?!\d)(?:,?\s{{1,3}}(?:{_YEAR}|{_YEAR_WORDS}))?"
        rf"|{_MONTH}[ ,/-]{{1,3}}(?:(?:de|del|of|')\s?)?{_YEAR}"
        rf"|(?:in|im|since|seit|en|au|em|a|mid|early|late|anfang|mitte|ende|fin|last|next)\s(?:{_LONG_MONTH}|(?-i:May|Mai|Mayo|Maggio))(?:\s{_YEAR})?"
        rf"|{_MONTH}\s'\d\d)(?!\w)",
        re.I,
    ),
    (
        "date",
        r"(?<!\w)(?:am|vom|seit|bis|den|on|since|until)\s(?:0?[1-9]|[12]\d|3[01])[./](?:0?[1-9]|1[0-2])\.?(?![\d])(?!\s?(?:s|sec|hz)\b)"
        r"|(?<![\d.,])(?:0[1-9]|[12]\d|3[01])\.(?:0[1-9]|1[0-2])\.(?!\d)",
        re.I,
    ),
    ("date", rf"(?<!\w)(?:{_YEAR_WORDS})(?!\w)", re.I),
    (
        "birth",
        r"(?<!\w)(?:born|birth|dob|d\.o\.b\.?|geb(?:oren|\.)?|geburtsdatum|geburtsjahr|jahrgang|jg\.?|née?|nacid[oa]|nat[oa]|"
        r"nascid[oa]|geboren|yob|year of birth)\s{0,3}[:=]?\s{0,3}(?:(?:in|on|im|am|en|le|el|nel|em|the year)\s{1,3}){0,2}"
        r"(?:(?:19|20)\d\d|['’]\d\d|\d\d(?!\d))|(?<!\w)[*†]\s?(?:19|20)\d\d(?!\d)",
        re.I,
    ),
    (
        "age",
        rf"(?<!\w)(?:age[ds]?|alter|edad|âge|età|idade|leeftijd)\W{{0,4}}(?:(?:is|of|von|de|di|about|ca\.?)\s){{0,2}}{_OLD}(?!\d)"
        rf"|(?<![\d.,]){_OLD}(?:\s|-){{0,2}}(?:years?|yrs?|y/?o\b|j(?:ä|ae)hrig\w{{0,2}}|jahre?n?\b|j\.|ans\b|años\b|anni\b|anos\b|jaar\b|"
        r"歳|岁|歲|세)(?:[\s-]{0,2}old)?|(?<!\w)(?:ninety|neunzig|quatre-vingt-dix|noventa|novanta)(?:[ -](?:one|two|three|four|five|six|seven|eight|nine))?"
        r"[\s-]{1,2}(?:years?|jahre?|ans|años|anni)(?:[\s-]old)?|(?<!\w)(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun)undneunzig(?:jährige?r?)?"
        r"|(?<!\w)(?:age[ds]?|alter)\W{0,4}(?:over|above|beyond|more than|older than|über|mehr als)\s(?:ninety|neunzig|9\d|1[0-2]\d)(?!\d)"
        rf"|(?<!\w)turned\s{_OLD}(?!\d)|(?<![\w.,-]){_OLD}\s?(?:y(?!\w)|J\.)|(?<!\w)(?:age[ds]?|alter)\W{{0,4}}(?:ninety|neunzig)(?:-\w{{3,5}})?(?!\w)"
        r"|(?<!\w)(?:hundred|hundert)(?:[\s-]years?[\s-]old|jährige?r?)",
        re.I,
    ),
    (
        "time",
        r"(?<![\d:.])\d{1,2}:\d{2}(?::\d{2}(?:[.,]\d{1,6})?)?(?:\s?[ap]\.?m\b\.?)?(?:\s?(?:uhr|h)\b)?(?![\d:])"
        r"|(?<![\w.])\d{1,2}\s?[ap]\.?m\b\.?|(?<![\w.])\d{1,2}(?:[.:]\d{2})?\s?uhr(?:\s?\d{1,2}(?!\d))?|(?<![\w.])\d{1,2}\s?h\s?\d{2}(?!\d)"
        r"|(?<![\w.])\d{1,2}\s?o['’]?clock|(?<!\w)(?:half|quarter|viertel|halb)\s(?:past|to|nach|vor)?\s?(?:one|two|three|four|five|six|seven|"
        r"eight|nine|ten|eleven|twelve|eins|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf|\d{1,2})(?!\w)"
        r"|(?<!\w)(?:one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)\so['’]?clock"
        r"|(?<!\w)(?:ein|zwei|drei|vier|fünf|sechs|sieben|acht|neun|zehn|elf|zwölf)\suhr(?!\w)",
        re.I,
    ),
    (
        "address",
        r"(?<!\w)[A-ZÄÖÜ][\wäöüß'-]{2,40}\s(?:Stra(?:ß|ss)e|Allee|Gasse)(?!\w)(?!\s{0,3}\d)|(?<!\w)(?:C/|[Uu]l\.|[Aa]l\.|[Pp]za\.|[Aa]v\.)\s?"
        rf"{_CAPITAL}(?:\s{_CAPITAL})?,?\s?\d{{1,4}}"
        rf"|(?<!\w)(?:[A-ZÄÖÜ][\wäöüß.'-]{{0,40}}?(?:{_STREET_END})|[A-ZÄÖÜ][\wäöüß.'-]{{0,40}}\s(?:Stra(?:ß|ss)e|Str\.|Weg|Platz|Allee|Gasse|Ring))"
        rf"\s{{0,3}}\d{{1,4}}\s?[a-z]?(?!\w)(?:,?\s{{0,3}}(?:[A-Z]{{1,2}}-)?\d{{4,5}}\s{{1,3}}{_CAPITAL})?"
        rf"|(?<![\w.])\d{{1,5}}[A-Za-z]?\s(?:{_CAPITAL}\s){{1,3}}(?:{_ENGLISH_STREET})\.?(?!\w)(?:,?\s{_CAPITAL}){{0,2}}"
        rf"|(?<!\w)(?:\d{{1,4}},?\s)?(?:{_ROMANCE_STREET}|{_ROMANCE_STREET.title()})\s(?:(?:de|du|des|la|le|los|las|del|della|di|do|da)\s){{0,2}}"
        rf"{_CAPITAL}(?:\s{_CAPITAL})?(?:,?\s\d{{1,4}})?"
        rf"|(?<!\w)[Pp]\.?\s?[Oo]\.?\s?[Bb]ox\s?\d{{1,8}}|(?<!\w)Postfach\s?\d{{1,8}}",
        0,
    ),
    (
        "address",
        rf"(?<![\w.])(?:[A-Z]{{1,2}}-)?\d{{5}}\s{{1,2}}{_CAPITAL}|(?<!\w)[A-Z]{{2}}\s\d{{5}}(?:-\d{{4}})?(?!\w)"
        r"|(?<!\w)[A-Z]{1,2}\d[A-Z\d]?\s\d[A-Z]{2}(?!\w)|(?<![\w.])\d{4}\s[A-Z]{2}(?!\w)",
        0,
    ),
    (
        "number",
        r"(?<!\w)(?:mrn|(?:fall|pat(?:ient(?:en)?)?|aufnahme|akten|kranken(?:blatt)?|versicherten|kassen)[-. ]?(?:nummer|nr|no|id)|chart|"
        r"accession|medical record|(?:record|hospital|case|patient|pat)(?=\.?\s{0,2}(?:number|nummer|no|nr|id|#))|nhs|ssn|insurance|policy|account|license|licence|serial|s/n|"
        r"dossier|expediente|cartella|nip|nss)\.?\s{0,2}(?:number|nummer|no|nr|id|#)?[.:#=]{0,2}\s{0,2}(?=[\w/-]{0,20}\d{3})[A-Za-z]{0,5}[-/ ]?\d[\w/-]{1,25}",
        re.I,
    ),
    (
        "number",
        r"(?<!\w)(?:pager|beeper|durchwahl|extension|room|zimmer|bed|bett|bay|pat\.?-?(?:nr|id|no)\.?|fall|matrikel|pid)\s?[:#]?\s?(?:nr\.?\s?)?"
        rf"\d{{1,6}}[A-Z]?(?:/\d{{2,4}})?(?!\w)(?!\s?{_UNIT}\b)(?![.,]\d)(?!\s?[-–]\s?\d)"
        r"|(?<!\w)(?:case|fall|study|akte)\s?[:#]?\s?\d{2,6}[-/]\d{2,8}(?!\w)",
        re.I,
    ),
    (
        "number",
        r"(?<![\w-])[A-Z]{1,5}(?:-\d{2,8}){2,4}(?!\w)|(?<![\w-])(?=[A-Z0-9-]{0,16}\d)(?=[A-Z0-9-]{0,16}[A-Z])[A-Z0-9]{3,5}-[A-Z0-9]{3,5}-[A-Z0-9]{3,5}(?![\w-])"
        r"|(?<![\w.])\d(?:\s\d{2,3}){4,7}(?!\w)",
        0,
    ),
    (
        "number",
        r"(?<!\w)\d{3}-\d{2}-\d{4}(?!\w)|(?<!\w)[A-Z]{2}\d{2}(?:\s?[A-Z0-9]{4}){3,7}(?:\s?[A-Z0-9]{1,3})?(?!\w)",
        0,
    ),
    (
        "number",
        r"(?<![\w/.])[A-Za-z]{0,4}\d{1,6}[/]\d{3,12}(?![\w/])|(?<![\w.])[A-Za-z]{1,5}[-_]?\d{4,20}[A-Za-z]{0,3}(?!\w)",
        0,
    ),
    (
        "phone",
        r"(?<!\w)\+\d[\d\s/().-]{5,24}\d(?!\w)|(?<![\w.])(?=(?:[\s./()+-]{0,3}\d){7})(?:\+\d{1,3}[\s./-]?)?\(?\d{2,4}\)?(?:[\s./-]?\(?\d{2,4}\)?){2,4}(?![\w])",
        0,
    ),
    ("number", r"(?<![\w.])[A-Za-z]{0,4}\d{5,30}(?!\w)", 0),
    ("number", r"(?<!\w)(?=[A-Z0-9]{0,19}\d[A-Z0-9]{0,19}\d)(?=[A-Z0-9]{0,19}[A-Z])[A-Z0-9]{6,20}(?!\w)", 0),
    ("number", r"(?<![\w-])[A-ZÄÖÜ]{1,3}-[A-Z]{1,2}\s?\d{1,4}(?![\w-])", 0),
    (
        "place",
        rf"(?<!\w)(?:{_HOSPITAL})\s{{1,2}}(?:(?:of|de|du|di|der|St\.|Saint)\s){{0,2}}{_CAPITAL}(?:\s{_CAPITAL})?|(?<!\w){_CAPITAL}(?:\s{_CAPITAL})?\s(?:{_HOSPITAL})(?!\w)",
        0,
    ),
    (
        "name",
        rf"(?<![\w.])(?:(?i:{_TITLE})\.?\s{{1,2}}(?:(?i:{_TITLE}|med|phil|habil|rer\.nat)\.?\s{{1,2}}){{0,3}})"
        rf"(?:(?:von|van|de|der|den|zu|la|di|da|dos|Mc|O['’])\s?){{0,2}}(?:[A-Z]\.\s?){{0,2}}{_CAPITAL}(?:\s(?:[A-Z]\.\s)?{_CAPITAL}){{0,2}}"
        rf"|(?<![\w.])(?i:dr|prof|dott|mrs|mr)\.?\s{{1,2}}[a-zà-ž]{{3,30}}(?!\w)|(?<![\w.])M\.\s{_CAPITAL}"
        rf"|(?<!\w){_CAPITAL}(?:\s{_CAPITAL}){{0,2}},\s?(?:MD|M\.D\.|PhD|RN|DO|NP|PA|MTA)(?!\w)",
        0,
    ),
    (
        "name",
        rf"(?<!\w)(?:(?i:{_KIN}),?\s{_CAPITAL}(?:\s{_CAPITAL})?|(?i:name|surname|vorname|nachname|first name|last name|nom|nombre|nome|naam)"
        rf"(?:\s(?i:is|ist|est|es|è|é))?\s?[:=]?\s{_CAPITAL}(?:,?\s{_CAPITAL}){{0,2}}"
        rf"|(?i:named|called|namens|heißt|heisst|s['’]appelle|se llama|si chiama|my name is|ich bin|je suis|i am|i['’]m)\s{_CAPITAL}(?:\s{_CAPITAL})?"
        rf"|(?<!\w)@[A-Za-z_][\w.]{{2,30}})",
        0,
    ),
    ("year", rf"(?<!frame )(?<!frames )(?<![\w.,:/-]){_YEAR}(?![\w:/-]|[.,]\d)(?!\s?{_UNIT}\b)", re.I),
)
FIRST = 7
"""So many patterns (addresses of the net, of mail and of files) come before the names that would break them."""
PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, flags)) for kind, pattern, flags in _TEXTS
)
"""Kind of identifier and its pattern, in the order in which they are applied."""
