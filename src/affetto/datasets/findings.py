"""What a check found, as values and as words to be printed: findings, and the report of a table.

Knows numbers and words; looks for nothing itself.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

from affetto.datasets.sharing import FOLDS, Shared

EXAMPLES = 5
"""How many examples a finding gives at most."""


@dataclass(frozen=True)
class Finding:
    """One thing that a check found."""

    kind: str
    """`id`, `group`, `text`, `near text`, `media`, `near image`, `feature` or `dev`."""
    column: str
    """Which group, or which column."""
    parts: tuple[str, ...]
    """Between which parts."""
    count: int
    """How many different speakers, texts, images ... are concerned."""
    words: str
    """What was found, as a sentence without its end."""
    rows: int = 0
    """Rows of the later part that are concerned."""
    examples: tuple[str, ...] = ()
    leak: bool = True
    """False for what is only worth knowing."""
    corpus: str = ""
    """Of which corpus of the table."""
    splits: tuple[str, ...] = ()
    """In which of several splits or folds of the table, the worst first."""

    def __str__(self) -> str:
        """Return it as one line."""
        head = f"{self.corpus}: " if self.corpus else ""
        where = f" [{', '.join(self.splits)}]" if self.splits else ""
        such = f": {', '.join(self.examples)}" + (", ..." if self.count > len(self.examples) else "")
        return f"{'LEAK' if self.leak else 'note'}  {head}{self.words}{where}{such if self.examples else ''}"


@dataclass(frozen=True)
class Report:
    """What was looked at, what was found, and what could not be looked at; `str` of it is to be printed."""

    name: str
    n: int
    columns: Mapping[str, str]
    """Column -> what it was taken for."""
    sizes: Mapping[str, Mapping[str, int]]
    """Split -> part -> rows."""
    findings: tuple[Finding, ...]
    unseen: tuple[str, ...]
    """What could not be checked, and why."""

    @property
    def leaks(self) -> tuple[Finding, ...]:
        """The findings that make a score on these parts worthless, or at least too good."""
        return tuple(finding for finding in self.findings if finding.leak)

    def __str__(self) -> str:
        """Return it as lines."""
        roles: dict[str, list[str]] = {}
        for column, role in self.columns.items():
            roles.setdefault(role, []).append(column)
        lines = [f"{self.name}: {self.n:,} rows"]
        for name, parts in self.sizes.items():
            counts = ", ".join(f"{part or 'no part'} {count:,}" for part, count in itertools.islice(parts.items(), 12))
            lines.append(f"{name}: {counts}{', ...' if len(parts) > 12 else ''}")
        said = (f"{role}: {', '.join(names[:8])}{', ...' if len(names) > 8 else ''}" for role, names in roles.items())
        lines.append("columns: " + "; ".join(said))
        lines += [str(finding) for finding in sorted(self.findings, key=lambda finding: not finding.leak)]
        lines += [f"not looked at: {words}" for words in self.unseen]
        leaks = len(self.leaks)
        lines.append(f"{leaks} leak{'s' * (leaks != 1)} found" if leaks else "no leak found in what was looked at")
        return "\n".join(lines)


def found(kind: str, column: str, both: Shared, split: str, noun: str, how: str = "") -> Finding:
    """Return a finding in words: `all 91 speakers are in train and in test`.

    Args:
        kind: of the finding.
        column: which group or column.
        both: what the parts share.
        split: in which split of the table.
        noun: what is shared, one of it.
        how: `the same`, `nearly the same`, `named`; where it is said, so are the rows that are concerned.
    """
    n, folds = len(both.values), both.parts == FOLDS
    plural = f"{noun[:-1]}ies" if noun.endswith("y") else f"{noun}s"
    if how:
        what = f"{n:,} {noun if n == 1 else plural}"
    elif n == both.held:
        what = f"the only {noun}" if n == 1 else f"both {plural}" if n == 2 else f"all {n:,} {plural}"
    else:
        what = f"{n:,} of {both.held:,} {plural}"
    where = "more than one fold" if folds else f"{both.parts[0]} and in {both.parts[1]}"
    words = " ".join(filter(None, (what, "is" if n == 1 else "are", how, "in", where)))
    if how:
        words += f" ({both.rows:,} of {both.of:,} rows{'' if folds else f' of {both.parts[1]}'})"
    examples = tuple(f"{value:.60}" for value in both.values[:EXAMPLES])
    return Finding(kind, column, both.parts, n, words, both.rows, examples, splits=(split,))
