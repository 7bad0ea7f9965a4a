"""Who is where from picture to picture: faces are followed by their points, and looked for anew but rarely.

A face is cut where its points were in the picture before, which costs one pass of the mesh network. The detector is
asked now and then, at a cut of the film, and where a face was lost. People who come back keep their names, as far as
`identity` tells. Knows grey pictures and their seconds, in order; knows no Records (`looking`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from affetto.models.face.crop import Grey, Place
from affetto.models.face.detect import NEW, Finder
from affetto.models.face.identity import Identity, Texture
from affetto.models.face.keeping import kept, packed, unpacked
from affetto.models.face.mesh import place_of
from affetto.models.face.seen import Enough, Face, Mesh, apart, look, off, overlap

Floats = npt.NDArray[np.float32]
STILL = Enough(0.3, 0.25)
"""What counts as a face that was followed here."""
_NEARLY = 0.12
"""How far a face may be off the middle of its crop before it is cut again."""
_ROUNDS = 3
"""How often a face is cut again in one picture, before it is lost."""
_GROWN = 1.5
"""How much larger the place is where a face that left its crop is looked for."""
_THUMB = (32, 24)
_SOON = 0.1
"""Seconds from the loss of a face to the second look for it; then they double."""
_CLOSE = 4
"""Every so manieth look is a close one."""
_GALLERY = 12
"""Looks of a person that are remembered."""


@dataclass(frozen=True)
class Following:
    """How people are followed."""

    every: float = 1.0
    """Seconds from one look for new faces to the next."""
    people: int = 64
    """Faces that are followed at a time, at most."""
    alike: float = 0.72
    """Likeness from which on somebody who comes back is the same person."""
    alike_there: float = 0.66
    """The same, for one who comes back soon where the person was last."""
    soon: float = 3.0
    """Seconds after which nobody is expected where they were."""
    noted: float = 0.5
    """Seconds from one look that is remembered of a person to the next."""
    cut: float = 22.0
    """Mean difference of two pictures, in grey levels, from which on the film may have been cut between them."""
    new: Enough = NEW
    """What counts as a face that is found."""
    still: Enough = STILL
    """What counts as a face that is followed."""


@dataclass
class _Person:
    name: str
    looks: list[Floats]
    place: Place
    seen: float
    """When last."""
    noted: float
    """When a look was remembered last."""

    def likeness(self, seen: Floats) -> float:
        return max(float(one @ seen) for one in self.looks)

    def remember(self, seen: Floats, second: float) -> None:
        if len(self.looks) == _GALLERY:
            del self.looks[_GALLERY // 2]  # the first ones stay, and the last
        self.looks.append(seen)
        self.noted = second


class Tracker:
    """Follows the faces of one film.

    Args:
        mesh: the network.
        finder: finds faces in a picture.
        identity: tells people apart; None: by texture.
        options: how.
        state: what another Tracker of the same film knew after a picture; this one goes on with the next picture.
    """

    def __init__(
        self,
        mesh: Mesh,
        finder: Finder,
        identity: Identity | None = None,
        options: Following | None = None,
        state: Mapping[str, Any] | None = None,
    ) -> None:
        self._mesh, self._finder, self._identity = mesh, finder, identity or Texture()
        self._options = options or Following()
        self._people: list[_Person] = []
        self._followed: dict[str, Face] = {}
        self._places: dict[str, tuple[Place, Place]] = {}
        """Where each face that is followed was cut in the last picture, and where it is to be cut in the next."""
        self._before: tuple[tuple[int, ...], Grey] | None = None
        self._next = 0.0
        self._wait = self._options.every
        self._looks = 0
        if state:
            self._go_on(state)

    @property
    def state(self) -> dict[str, Any]:
        """What it knows after a picture, as JSON can hold it: for those who go on later, and not to be published."""
        people = [
            {
                "name": one.name,
                "looks": packed(np.stack(one.looks)),
                "place": kept(one.place),
                "seen": one.seen,
                "noted": one.noted,
            }
            for one in self._people
        ]
        return {
            "people": people,
            "places": {name: [kept(was), kept(goes)] for name, (was, goes) in self._places.items()},
            "before": None if self._before is None else [list(self._before[0]), packed(self._before[1])],
            "next": self._next,
            "wait": self._wait,
            "looks": self._looks,
        }

    def _go_on(self, state: Mapping[str, Any]) -> None:
        self._people = [
            _Person(one["name"], list(unpacked(one["looks"])), Place(*one["place"]), one["seen"], one["noted"])
            for one in state["people"]
        ]
        self._places = {name: (Place(*was), Place(*goes)) for name, (was, goes) in state["places"].items()}
        if state["before"]:
            self._before = tuple(state["before"][0]), unpacked(state["before"][1])
        self._next, self._wait, self._looks = state["next"], state["wait"], state["looks"]

    def step(self, picture: Grey, second: float) -> list[Face]:
        """Return the faces of the next picture, with the names of their persons, in the order of those."""
        first, cut = self._before is None, self._is_cut(picture)
        faces = {} if cut and first else self._follow(picture)
        if cut:
            faces = self._still(faces)
        lost = len(faces) < len(self._places)
        self._followed = faces
        if lost:
            self._wait = _SOON
        if first or cut or lost or second >= self._next:
            self._add(picture, self._look(picture, first, cut), second, cut)
            self._wait = min(self._wait, self._options.every)
            self._next, self._wait = second + self._wait, 2 * self._wait
        self._note(second)
        self._places = {name: (face.place, place_of(face.points)) for name, face in self._followed.items()}
        return [self._followed[one.name] for one in self._people if one.name in self._followed]

    def _is_cut(self, picture: Grey) -> bool:
        """Tell whether a picture is the first, or so unlike the one before that the film may have been cut."""
        thumb = np.asarray(cv2.resize(picture, _THUMB, interpolation=cv2.INTER_AREA), np.uint8)
        before, self._before = self._before, (picture.shape, thumb)
        if before is None or before[0] != picture.shape:
            return True
        return float(cv2.absdiff(before[1], thumb).mean()) > self._options.cut

    def _follow(self, picture: Grey) -> dict[str, Face]:
        """Return the faces that were there in the last picture, where they are now."""
        found: dict[str, Face] = {}
        waiting = {name: goes for name, (_, goes) in self._places.items()}
        for _ in range(_ROUNDS):
            seen = dict(zip(waiting, look(self._mesh, picture, list(waiting.values())), strict=True))
            waiting = {}
            for name, face in seen.items():
                good, place = self._options.still.holds(face), place_of(face.points)
                if good:
                    found[name] = replace(face, person=name)
                    if off(place, face.place) > _NEARLY:
                        waiting[name] = place
                elif name not in found:
                    waiting[name] = replace(face.place, size=face.place.size * _GROWN)
            if not waiting:
                break
        near = sorted(found.values(), key=lambda face: off(place_of(face.points), self._places[face.person][0]))
        return {face.person: face for face in apart(near)}

    def _still(self, faces: dict[str, Face]) -> dict[str, Face]:
        """Return those of the faces that look like the persons they were before a cut."""
        looks = self._identity.of([face.crop for face in faces.values()])
        people = {one.name: one for one in self._people}
        return {
            name: face
            for (name, face), seen in zip(faces.items(), looks, strict=True)
            if people[name].likeness(seen) >= self._options.alike
        }

    def _look(self, picture: Grey, first: bool, cut: bool) -> list[Face]:
        """Look for faces: thoroughly in the first picture; else quickly, and where nobody is, one way more."""
        if first:
            return self._finder(picture)
        self._looks += 1
        if self._followed and not cut:
            return self._finder.near(picture) if self._looks % _CLOSE == 0 else self._finder.quick(picture)
        found = self._finder.quick(picture)
        if found or self._followed:
            return found
        if cut or self._looks % 2:
            return self._finder.near(picture)
        return self._finder.again(picture, self._looks // 2)

    def _add(self, picture: Grey, found: Sequence[Face], second: float, cut: bool) -> None:
        """Follow the faces that are found and nobody's yet: people who come back, or new ones."""
        new = [f for f in found if all(overlap(f.box, other.box) <= 0.3 for other in self._followed.values())]
        new = sorted(new, key=_size, reverse=True)[: max(0, self._options.people - len(self._followed))]
        looks = self._identity.of([face.crop for face in new])
        names = self._names(new, looks, second, cut)
        for face, seen, known in zip(new, looks, names, strict=True):
            name = known or f"person-{len(self._people) + 1}"
            if not known:
                self._people.append(_Person(name, [seen], face.place, second, second))
            self._followed[name] = replace(face, person=name)

    def _names(self, faces: Sequence[Face], looks: Floats, second: float, cut: bool) -> list[str]:
        """Return for each face the name of the person who comes back in it; empty for a new one."""
        chances = []
        for person in self._people:
            if person.name in self._followed:
                continue
            for k, face in enumerate(faces):
                there = not cut and second - person.seen <= self._options.soon and off(face.place, person.place) < 0.6
                wanted = self._options.alike_there if there else self._options.alike
                chances.append((person.likeness(looks[k]) - wanted, k, person.name))
        names = [""] * len(faces)
        for surplus, k, name in sorted(chances, reverse=True):
            if surplus >= 0 and not names[k] and name not in names:
                names[k] = name
        return names

    def _note(self, second: float) -> None:
        """Remember when and where everybody was, and now and then what they looked like."""
        due = []
        for person in self._people:
            if face := self._followed.get(person.name):
                person.seen, person.place = second, face.place
                if second - person.noted >= self._options.noted:
                    due.append((person, face.crop))
        for (person, _), seen in zip(due, self._identity.of([crop for _, crop in due]), strict=True):
            person.remember(seen, second)


def _size(face: Face) -> float:
    return face.place.size
