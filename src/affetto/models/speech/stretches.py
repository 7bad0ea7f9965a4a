"""A piece of time in which somebody is heard. Knows seconds; knows no sound and no network."""

from dataclasses import dataclass


@dataclass(frozen=True, order=True)
class Stretch:
    """From when to when, in seconds from the start of the sound."""

    start: float
    end: float

    @property
    def length(self) -> float:
        """How long it is, in seconds."""
        return self.end - self.start
