"""Who speaks in a file, as far as its name says: the naming rules of published speech corpora.

Knows names of files; opens none. Corpora whose names do not say who speaks (or where a rule was not found to hold of
every name) are not here.
"""

import re
from collections.abc import Sequence

SPEAKERS: dict[str, str] = {
    "aesdd": r".*\(0?(\d+)\)[ab]?",
    "ased": r"[a-zA-Z]\d(?:-\d+){3}-(\d+)",
    "asvpesd": r"(?:\d+-){5}(\d+)-.*",
    "cafe": r"(\d\d)-[A-Z]-\d-\d",
    "cremad": r"(\d{4})_[A-Z]{3}_[A-Z]{3}_[A-Z]{2}",
    "emodb": r"(\d\d)[a-z]\d\d[A-Z][a-z]",
    "emovo": r"[a-z]{3}-([fm]\d)-[a-z]\d",
    "enterface": r"s_?(\d+)_.*",
    "jlcorpus": r"((?:fe)?male\d)_.*",
    "oreau": r"(\d\d)[a-z]\d\d[A-Z]a",
    "polish": r"([fm]\d)\..*",
    "ravdess": r"\d\d(?:-\d\d){5}-(\d\d)",
    "savee": r"([A-Z]{2})_[a-z]{1,2}\d\d",
    "shemo": r"([FM]\d\d)[A-Z]\d\d",
    "subesco": r"([FM]_\d\d)_[A-Z]+_S_.*",
    "tess": r"(OAF|YAF|OA|YA)_.*",
    "turevdb": r"(\d+)_[a-z]{2}_.*",
    "urdu": r"(S[FM]\d+)_.*",
}
"""Corpus -> what the whole name (without folder and suffix) looks like, the speaker in brackets.

Each rule holds of every name in the EmoBox partitions (Ma et al. 2024) and gives as many speakers as the corpus has
there; the meaning of the fields is that of the corpora's own descriptions (RAVDESS: the last field is the actor;
EMO-DB: the first two digits; CREMA-D: the first four).
"""
_UNMISTAKABLE = ("ravdess", "cremad")
"""Corpora that are known by their names alone."""


def speakers(files: Sequence[str], corpus: str = "") -> list[str] | None:
    """Return who speaks in each file; None where the names do not say.

    Args:
        files: names, with or without folders and suffixes.
        corpus: which corpus they belong to (`EMO-DB`, `crema_d`); without one only unmistakable names are understood.

    >>> speakers(["1001_DFA_ANG_XX.wav"]), speakers(["03a01Fa.wav"], "EMO-DB"), speakers(["03a01Fa.wav"])
    (['1001'], ['03'], None)
    """
    known = re.sub(r"[^a-z]", "", corpus.casefold())
    rules = [known] if known in SPEAKERS else _UNMISTAKABLE if not known else []
    stems = [re.split(r"[/\\]", file)[-1].rsplit(".", 1)[0] for file in files]
    for rule in rules:
        said = [re.fullmatch(SPEAKERS[rule], stem) for stem in stems]
        if stems and all(said):
            return [match[1] for match in said if match]
    return None
