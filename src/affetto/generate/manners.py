"""What no reply of Affetto says: a diagnosis of the other, medical or legal orders, insults, promises, where to call.

A check of words in English, meant to be strict: a good reply that is left out costs little. Knows texts alone.
"""

import re

_NAMES = (
    r"depress(?:ed|ion|ive)|bipolar|schizophren\w*|psychotic|psychosis|borderline|autistic|ptsd|ocd|adhd|anorexi\w*|"
    r"bulimi\w*|manic|paranoid|narcissis\w*|addict(?:ed)?|alcoholic|mentally ill|a disorder|an? \w+ disorder"
)
_CARE = r"pills?|medication|meds|antidepressants?|xanax|prozac|zoloft|ssris?|benadryl|melatonin|painkillers?|insulin"
_RUDE = (
    r"idiot\w*|stupid|moron\w*|dumb(?:ass)?|loser|pathetic|crazy|insane|lazy|ugly|worthless|a coward|a liar|disgusting"
)
PATTERNS: dict[str, re.Pattern[str]] = {
    name: re.compile(words, re.IGNORECASE)
    for name, words in {
        "a diagnosis": rf"\byou(?:'re| are| have| suffer from| might be| may be| might have| may have| must be"
        rf"| must have| sound| seem| could be| could have| probably are| probably have)(?: \w+){{0,2}} (?:{_NAMES})\b",
        "a medical order": rf"\b(?:take|try|stop taking|start taking|increase|double|get on|go on|need)(?: \w+){{0,3}} "
        rf"(?:{_CARE})\b|\b\d+ ?mg\b|\bdosage\b|\byou(?:'ll| will)? need (?:surgery|an operation|chemo\w*)\b",
        "a legal order": r"\b(?:you should|you could|you can|you need to|you must|just) (?:sue|press charges|file a "
        r"lawsuit|get a lawyer|call a lawyer|take (?:him|her|them|it) to court|get a divorce|divorce (?:him|her))\b",
        "an insult": rf"\byou(?:'re| are| were| must be| sound| look)(?: such| so| a| an| really| just| kind of| being"
        rf")* (?:{_RUDE})\b|\bshut up\b|\bscrew you\b|\bhate you\b|\bget over it\b|\bshame on you\b|\bgrow up\b|"
        r"\bf+u+c+k\w*|\bshit\w*|\bbitch\w*|\basshole\w*|\bcunt\w*|\bbastards?\b|\bsluts?\b|\bwhores?\b|\bretard\w*|\bfag",
        "harm": r"\b(?:kill|hurt|hang|cut|shoot|stab|poison|slap|punch|beat(?: up)?) (?:yourself|him|her|them|your)\b|"
        r"\bsuicid\w*|\bgo die\b|\bbetter off dead\b|\b(?:get|have|take) (?:a |your )?revenge\b|\bget (?:him|her|them) "
        r"back\b|\bget (?:drunk|wasted|high)\b",
        "a promise": r"\bi promise\b|\bguarantee\w*|\bi will always\b|\bi'll always\b|\bi swear\b|\bwill never happen "
        r"again\b|\b(?:everything|it) will (?:definitely|certainly) be\b",
        "an address": r"https?://|www\.|\S+@\S+\.\w+|\b\d{3}[-. ]\d{3,4}\b|\b\d{7,}\b",
    }.items()
}
"""What is looked for, by its name."""


def unfit(text: str) -> str:
    """Return what makes a text no reply, such as "a diagnosis"; empty where nothing was found.

    >>> unfit("You are clearly bipolar."), unfit("I am sorry you feel so low."), unfit("You should sue them!")
    ('a diagnosis', '', 'a legal order')
    """
    plain = text.replace("\u2019", "'")
    return next((name for name, pattern in PATTERNS.items() if pattern.search(plain)), "")
