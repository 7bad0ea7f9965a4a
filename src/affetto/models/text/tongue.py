"""In which language a longer text is written, by its commonest words: to tell German subtitles from English ones.

Each language here has the short words without which hardly a sentence is made. Knows only languages in Latin letters
that a model of Affetto reads; of a short text, or one in none of them, it says nothing.
"""

import re
from collections import Counter

COMMON = {
    "en": "the and you that it is to of in i a was for on this have not be are we my with what so do they but he she",
    "de": "der die das und ich nicht ist du es ein zu wir sie mit auf für was den in von so war auch sich hat aber",
    "es": "de que no la el es y en lo un por qué me una te los se con para mi está si bien pero yo eso las su muy",
    "fr": "de je est pas le vous la tu que un il et les à ce en une ne on des qui c'est dans moi pour mais ça nous",
    "pt": "que não de um é para eu se me uma está com do por te os bem em ele como as você mas no isso da na o foi",
    "it": "non che di è la il un in per mi ho sono ti lo una con ma cosa si le ha come della questo bene qui se da",
    "nl": "ik je het de is dat een niet en van we op wat zijn te er in ze ben voor met die hij heb maar mijn als dit",
    "sv": "jag det är du inte att en och har vi på i för han vad med mig som här om dig var den så till kan de men",
    "ro": "nu să de o este un la şi în ce am mai că asta cu pe te pentru sunt ai fi din acum eu dar te bine lui care",
    "pl": "nie to się w na i z że co jest do tak jak a o mnie za ale go ma mam ty już po jestem może tylko być dla",
    "id": "yang dan di aku kau itu ini tidak ada untuk dengan akan kita saya dia dari apa ke bisa tak kamu juga",
    "tr": "bir bu ne ve için mi o ben da çok değil de var sen evet daha gibi şey biz iyi kadar ama onu seni",
}  # fmt: skip
LEAST = 20
"""Words of a text below which nothing is said."""
SHARE = 0.12
"""Share of its words that must be common in a language ..."""
AHEAD = 1.5
"""... and by how much more than in the next one."""
_WORDS = {code: frozenset(words.split()) for code, words in COMMON.items()}


def tongue(text: str) -> str:
    """Return the code of the language of a text, empty where it is too short or none of those known here.

    >>> tongue("Ich weiß nicht, was das ist, aber wir sind hier, und du bist auch da, so wie es immer war mit uns.")
    'de'
    """
    words = Counter(re.findall(r"[^\W\d_]+(?:'[^\W\d_]+)?", text.lower()))
    total = sum(words.values())
    if total < LEAST:
        return ""
    shares = {code: sum(words[word] for word in common) / total for code, common in _WORDS.items()}
    best, next_best = sorted(shares, key=lambda code: -shares[code])[:2]
    return best if shares[best] >= SHARE and shares[best] >= AHEAD * shares[next_best] else ""
