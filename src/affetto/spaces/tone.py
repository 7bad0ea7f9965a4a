"""The TONE system: a tree of emotion words with opposites, parts and consequences, checked, resolved and exported.

Knows the laws of such a tree, how an ambiguous word finds its node, and OWL in Turtle. Works for every space that has
parents; made for `parrott`. Similarity of definitions is counted in shared words: no embedding is loaded.
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import NamedTuple
from urllib.parse import quote

from affetto.core.space import Space
from affetto.spaces.taxonomy import ancestors
from affetto.spaces.taxonomy import space as load_space

_OWL, _RDF = "http://www.w3.org/2002/07/owl#", "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
_RDFS, _SKOS = "http://www.w3.org/2000/01/rdf-schema#", "http://www.w3.org/2004/02/skos/core#"
_XSD = "http://www.w3.org/2001/XMLSchema#"
_IDLE = frozenset(
    "a about after all also an and any are as at be because been being by can cannot could do does done for from get "
    "gets had has have having he her him his how i if in into is it its just like lot made make makes may me more most "
    "much my no nobody not of off on one ones or other others our out over own s she so some somebody something such "
    "t than that the their them then there they thing things this to too up us very was way we were what when which "
    "who whom with without would you your feel feeling feels felt person people".split()
)


_SENSES: dict[tuple[str, tuple[str, ...]], Mapping[str, tuple[str, ...]]] = {}
_ENDINGS = "lessness fulness iness fully edly ness less ment ing ful ily ied ies ed ly".split()


class Triple(NamedTuple):
    """A statement of the ontology; IRIs stand in angle brackets, literals in quotes."""

    subject: str
    predicate: str
    object: str


@dataclass(frozen=True)
class Sense:
    """Where a word belongs, and how sure that is."""

    term: str
    """The node; where nothing decides, the nearest one above all candidates, or "" where there is none."""
    scores: Mapping[str, float]
    """Likeness of the context to each candidate, 0 to 1."""


def check(space: Space) -> list[str]:
    """Return what breaks the laws of the tree; an empty list where all hold.

    The laws: nobody stands above itself (so each is reached from a root, by one parent), opposites answer each other,
    nobody is made of itself, and no two nodes are one another's part.
    """
    wrong = []
    for axis in space.axes:
        path = ancestors(space, axis.name)
        if space[path[-1]].parent:
            wrong.append(f"{axis.name} stands above itself: {' < '.join(path)}")
        if axis.opposite and space[axis.opposite].opposite != axis.name:
            wrong.append(f"{axis.name} is opposite to {axis.opposite}, but not the other way round")
        if axis.opposite and axis.opposite in path:
            wrong.append(f"{axis.name} is opposite to {axis.opposite}, which it is a kind of")
    parts: dict[str, set[str]] = {}
    for relation in space.relations:
        if relation.kind == "composed_of":
            parts.setdefault(relation.subject, set()).update(relation.objects)
    wrong += [f"{name} is made of itself" for name in parts if name in _below(parts, name)]
    return wrong


def resolve(word: str, context: str = "", space: str = "parrott") -> Sense:
    """Return the node of a word that stands under several, by the likeness of its context to their definitions.

    The likeness is the cosine of word counts weighted by rarity (tf-idf) between the context (a gloss of the word, or
    the sentence it stands in) and each node's name, definition and synonyms, and by half those above and below it.
    Where no word is shared, the word goes to the node whose first synonym it is (anxious to anxiety, not to eagerness).

    >>> resolve("sore", "angry at having been treated unfairly").term
    'resentment'
    """
    tree = load_space(space)
    nodes = senses(tree).get(word.casefold(), ())
    if len(nodes) == 1:
        return Sense(nodes[0], {nodes[0]: 1.0})
    said = _bag(context, without=word)
    scores = {node: _likeness(tree, said, node, word) for node in nodes}
    best = sorted(scores, key=lambda node: -scores[node])
    if not best or (scores[best[0]] > 0 and scores[best[0]] > scores[best[1]]):
        return Sense(best[0] if best else "", scores)
    own = [node for node in nodes if tree[node].synonyms[0].casefold() == word.casefold()]
    if len(own) == 1:
        return Sense(own[0], scores)
    shared = [above for above in ancestors(tree, nodes[0]) if all(above in ancestors(tree, node) for node in nodes)]
    return Sense(shared[0] if shared else "", scores)


def senses(space: Space) -> Mapping[str, tuple[str, ...]]:
    """Return each name and synonym (case folded) with the nodes it stands under; a name stands under itself only."""
    key = (space.id, space.names)
    if key not in _SENSES:
        found: dict[str, tuple[str, ...]] = {}
        for axis in space.axes:
            for word in dict.fromkeys(synonym.casefold() for synonym in axis.synonyms):
                found[word] = (*found.get(word, ()), axis.name)
        _SENSES[key] = found | {axis.name.casefold(): (axis.name,) for axis in space.axes}
    return _SENSES[key]


def triples(space: Space) -> tuple[Triple, ...]:
    """Return a space as statements in OWL: classes, `isOppositeOf`, `isComposedOf`, `leadsTo`, words, coordinates."""
    home = f"urn:affetto:{quote(space.id)}"

    def iri(name: str) -> str:
        return f"<{home}#{quote(name, safe='')}>"

    a, ontology = f"<{_RDF}type>", f"<{home}>"
    said = [Triple(ontology, a, f"<{_OWL}Ontology>")]
    for name in ("isOppositeOf", "isComposedOf", "leadsTo"):
        said.append(Triple(iri(name), a, f"<{_OWL}ObjectProperty>"))
    said.append(Triple(iri("isOppositeOf"), a, f"<{_OWL}SymmetricProperty>"))
    for name in ("valence", "arousal", "dominance"):
        said.append(Triple(iri(name), a, f"<{_OWL}DatatypeProperty>"))
    for axis in space.axes:
        node = iri(axis.name)
        said.append(Triple(node, a, f"<{_OWL}Class>"))
        said.append(Triple(node, f"<{_RDFS}label>", f"{_literal(axis.name)}@en"))
        if axis.definition:
            said.append(Triple(node, f"<{_RDFS}comment>", f"{_literal(axis.definition)}@en"))
        if axis.parent:
            said.append(Triple(node, f"<{_RDFS}subClassOf>", iri(axis.parent)))
        if axis.opposite:
            said.append(Triple(node, iri("isOppositeOf"), iri(axis.opposite)))
        said += [Triple(node, f"<{_SKOS}altLabel>", f"{_literal(word)}@en") for word in dict.fromkeys(axis.synonyms)]
        for name, value in zip(("valence", "arousal", "dominance"), axis.vad or (), strict=False):
            said.append(Triple(node, iri(name), f'"{value}"^^<{_XSD}decimal>'))
    for relation in space.relations:
        name = "isComposedOf" if relation.kind == "composed_of" else "leadsTo"
        said += [Triple(iri(relation.subject), iri(name), iri(object)) for object in relation.objects]
    return tuple(dict.fromkeys(said))


def turtle(space: Space) -> str:
    """Return a space as an OWL ontology in Turtle, one statement a line."""
    head = f"# {space.id}, written by Affetto. Coordinates: {space.vad_source or 'none'}\n"
    return head + "".join(f"{s} {p} {o} .\n" for s, p, o in triples(space))


def _literal(text: str) -> str:
    for plain, written in (("\\", "\\\\"), ('"', '\\"'), ("\n", "\\n"), ("\r", "\\r")):
        text = text.replace(plain, written)
    return f'"{text}"'


def _below(parts: Mapping[str, set[str]], name: str) -> set[str]:
    found: set[str] = set()
    fresh = set(parts.get(name, ()))
    while fresh:
        found |= fresh
        fresh = {part for node in fresh for part in parts.get(node, ())} - found
    return found


def _likeness(space: Space, said: Mapping[str, float], node: str, word: str) -> float:
    rarity = _rarity(space.id)
    own = _document(space, node, word)
    top = sum(count * own.get(stem, 0.0) * rarity.get(stem, 1.0) ** 2 for stem, count in said.items())
    size = math.prod(
        math.sqrt(sum((count * rarity.get(stem, 1.0)) ** 2 for stem, count in bag.items())) for bag in (said, own)
    )
    return top / size if size else 0.0


def _document(space: Space, node: str, word: str) -> Mapping[str, float]:
    axis, bag = space[node], defaultdict[str, float](float)
    for text, weight in (
        (axis.name, 2.0),
        (axis.definition, 2.0),
        (" ".join(axis.synonyms), 1.0),
        (" ".join(space.children(node)), 0.5),
        *((f"{above} {space[above].definition}", 0.5) for above in ancestors(space, node)[1:]),
    ):
        for stem, count in _bag(text, without=word).items():
            bag[stem] += count * weight
    return bag


@cache
def _rarity(id: str) -> Mapping[str, float]:
    tree = load_space(id)
    seen = Counter(stem for axis in tree.axes for stem in _document(tree, axis.name, ""))
    return {stem: math.log(1 + len(tree.axes) / count) for stem, count in seen.items()}


def _bag(text: str, without: str = "") -> Counter[str]:
    words = re.findall(r"[a-z]+", text.casefold())
    left_out = {_stem(part) for part in without.casefold().split()}
    return Counter(stem for word in words if word not in _IDLE and (stem := _stem(word)) not in left_out)


def _stem(word: str) -> str:
    """Return a word without its commonest endings, at least three letters long."""
    for ending in _ENDINGS:
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    word = word[:-1] if len(word) > 3 and word[-1] in "sey" else word
    return word[:-1] if len(word) > 3 and word[-1] == word[-2] else word
