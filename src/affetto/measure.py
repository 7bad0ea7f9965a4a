"""The verbs of measuring: corpora and what is in them, benchmarks, leaks in anyone's split.

Stands beside `api`, and like it ties rooms that know only the core; decides nothing itself.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from affetto.bench import runs
from affetto.core import catalog
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.datasets import leaks
from affetto.datasets.columns import Names, Table
from affetto.datasets.corpus import Corpus, packed, tally
from affetto.datasets.findings import Report


def corpus(id: str) -> Corpus:
    """Return a corpus by its id; `read(split, folder=...)` gives its Records with their raters' Tracks.

    Raises:
        UnknownNameError: no corpus is called so; names those there are.
    """
    catalog.find(id, "dataset")
    found: Corpus = catalog.load(id)
    return found


def corpus_in(folder: str | Path) -> Corpus:
    """Return the corpus whose files lie in a folder: the one of which the largest share is there.

    Raises:
        UnreadableError: there is no such folder, no corpus' file lies in it, or the same share of several does.
    """
    home = Path(folder)
    if not home.is_dir():
        raise UnreadableError(f"there is no folder {str(folder)!r}; check the path")
    shares: dict[str, float] = {}
    for id, card in catalog.cards("dataset").items():
        parts = card.facts.get("parts", [""])
        for layout in ("splits", "packed"):
            names = {
                name.replace("{part}", part)
                for split in card.facts.get(layout, {}).values()
                for part in split.get("parts", parts)
                for name in split["files"]
            }
            there = sum(packed(home / name) is not None for name in names)
            if there:
                shares[id] = max(shares.get(id, 0.0), there / len(names))
    best = [id for id, share in shares.items() if share == max(shares.values())]
    if not best:
        raise UnreadableError(f"{str(folder)!r} holds no file of a corpus that Affetto knows: see `affetto data list`")
    if len(best) > 1:
        raise UnreadableError(f"{str(folder)!r} may be {' or '.join(best)}: say which with --corpus")
    return corpus(best[0])


def corpus_stats(id: str, folder: str | Path | None = None) -> dict[str, dict[str, Any]]:
    """Return counts of each split that is there: records, turns, words, people, twins, and of each space its labels.

    Of spaces with a label `neutral` it is also said how many rows show another one (`emotional`), and of Tracks whose
    rows are about something, such as causes, how many different pairs there are (`pairs`): raters may mark one twice.

    Raises:
        UnknownNameError: no corpus is called so.
        UnreadableError: no split of it is there.
    """
    one = corpus(id)
    home = one.folder(folder)
    found = {split: _counted(one.read(split, folder=home)) for split in one.splits if one.has(split, home)}
    if not found:
        raise UnreadableError(
            f"no split of {id} is whole in {home}: `affetto data check {home} --corpus {id}` says why"
        )
    return found


def benchmark(
    name: str, models: Sequence[str], options: runs.RunOptions | None = None, say: runs.Said = lambda words: None
) -> runs.Ran:
    """Let systems answer a benchmark, each in a process of its own; store what they say; score and compare them.

    Args:
        name: of the benchmark, such as `goemotions`.
        models: ids of cards, peers such as `vader`, or baselines such as `tfidf`; the one in question first.
        options: where corpus, predictions and results lie, seed and draws.
        say: is told what happens.

    Raises:
        UnknownNameError: no benchmark or system is called so; names those there are.
        UnreadableError: the corpus is not there, or a system learned from the rows that are scored.
    """
    return runs.run(runs.benchmark(name), models, options or runs.RunOptions(), shared_rows, say)


def shared_rows(records: Mapping[str, Sequence[Record]]) -> list[str]:
    """Return a sentence for each thing that splits share and should not: texts, speakers, dialogues; none is quoted.

    Args:
        records: by split.
    """
    rows = [(split, record) for split, own in records.items() for record in own]
    keys = ("speaker", "subject", "dialogue", "film", "artist", "group")
    groups = {key: tuple(str(record.meta.get(key, "")) for _, record in rows) for key in keys}
    table = Table(
        {"split": tuple(split for split, _ in rows)},
        groups={key: said for key, said in groups.items() if any(said)},
        text=tuple(record.text or "" for _, record in rows),
    )
    return [finding.words for finding in leaks.check(table) if finding.leak]


def check_split(
    path: str | Path,
    media: str | Path | None = None,
    part: str | None = None,
    groups: Sequence[str] = (),
    text: str | None = None,
    label: str | None = None,
) -> Report:
    """Look for leaks in anyone's table of a split; the Report prints as what was looked at and what leaks.

    Args:
        path: .csv .tsv .jsonl .parquet, packed or not.
        media: the folder of the files that the table names.
        part: the column that says train, dev or test, or the fold; by default known by its name.
        groups: columns whose values no two parts may share.
        text: the column with the words.
        label: the column with the answer.

    Raises:
        UnreadableError: the table cannot be read, or nothing says the part of a row.
        UnknownNameError: it has no such column; names those it has.
    """
    named = Names(
        (part,) if part else (), groups={column: column for column in groups}, text=text or "", label=label or ""
    )
    return leaks.check_folds(path, media, named)


def _counted(records: Any) -> dict[str, Any]:
    counts: Counter[str] = Counter()
    people: set[str] = set()
    labels: dict[str, Counter[str]] = {}
    rows: Counter[str] = Counter()
    emotional: Counter[str] = Counter()
    pairs: Counter[str] = Counter()
    for record in records:
        counts["records"] += 1
        counts["turns"] += len(record.turns)
        counts["words"] += len((record.text or "").split())
        counts["twins of a later split"] += "duplicate_of" in record.meta
        people.update(str(record.meta[key]) for key in ("speaker", "subject") if key in record.meta)
        people.update(turn.speaker for turn in record.turns if "dialogue" not in record.meta)
        for track in record.tracks:
            if track.source.startswith("rater:"):
                continue
            space, found = track.space.id, tally(track)
            labels.setdefault(space, Counter()).update(found)
            rows[space] += int((~np.isnan(track.values).all(1)).sum())
            if track.space.kind == "one" and "neutral" in track.space.names:
                emotional[space] += found.total() - found["neutral"]
            if track.about is not None:
                pairs[space] += len(set(zip(track.start, track.end, track.about, strict=True)))
    heads = ("records", "turns", "words", "twins of a later split")
    spaces = {"labels": {name: dict(found) for name, found in labels.items()}, "rows": dict(rows)}
    more = {name: dict(found) for name, found in (("emotional", emotional), ("pairs", pairs)) if found}
    return {head: counts[head] for head in heads} | {"people": len(people)} | spaces | more
