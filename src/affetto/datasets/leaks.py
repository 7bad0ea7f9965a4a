"""What a split gives away: shared people, copies and near copies, features that are the answer, dev used as test.

`check_folds` reads anybody's table, looks at all that its columns allow, and says what it could not look at. Each check
is a small function over a `Table`. Knows no corpus and no model.
"""

import hashlib
import itertools
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MalformedError, UnreadableError
from affetto.datasets.columns import Names, Table, recognise
from affetto.datasets.findings import EXAMPLES, Finding, Report, found
from affetto.datasets.nearness import image_hashes, near_hashes, near_texts, plain, read_grey
from affetto.datasets.sharing import FOLDS, Shared, alike, is_folds, numbered_anew, shared
from affetto.datasets.sheets import PART, Sheet, bare, part_name, read_sheets
from affetto.datasets.splits import order_parts

Array = npt.NDArray[Any]
TOO_WELL = 0.98
"""Rank correlation of a feature with the label beyond which it is taken for the label."""
_LONG = 20
"""Characters from which a text is not said twice by chance."""
_READ = 5
"""Rows per different text from which a corpus is one of read sentences, which all speakers share by design."""
_LIKELY = 0.9
"""Share of the rows of a test part that are in dev from which the two are the same."""
_ROWS, _CLASS, _CLASSES = 20, 5, 50
"""Fewest rows, fewest rows of a class, and most classes, of a label that a feature is held against."""
_BROAD = ("culture", "language")
"""Groups that are on both sides unless the protocol says otherwise."""
_PICTURES = (".jpg", ".jpeg", ".png", ".webp", ".bmp", ".gif", ".tif", ".tiff")


def check_folds(
    path: str | Path | Sequence[str | Path],
    media: str | Path | None = None,
    names: Names | None = None,
    *,
    encoding: str | None = None,
) -> Report:
    """Check anybody's table of a split for leaks.

    The table has a column with the parts (train, dev, test as the field calls them) or with the number of the fold,
    or several such columns (`fold1`, `fold2`, ...), each a split of its own. Several tables, or a folder of them, are
    one: each is the part that its name says (`train.csv`, `my_dev.tsv`).

    Args:
        path: a .csv, .tsv, .jsonl or .parquet, also packed (.gz, .xz, .bz2); or several; or a folder of them.
        media: the folder in which the files of the table lie: their bytes are compared, and images by their looks.
        names: of columns that are called otherwise than most, and of the corpus where no column says it.
        encoding: how the characters are written; by default UTF-8, or UTF-16 where the file begins so.

    Raises:
        UnreadableError: a table cannot be read, or nothing in it says the part of a row; names its columns.
        UnknownNameError: a column is not there; names those that are.
        MissingExtraError: a part for .parquet or for images is not installed.
    """
    sheet, told = read_sheets(path, encoding), names or Names()
    if PART in sheet.columns and not told.split:
        told = replace(told, split=(PART,))
    table, taken = recognise(sheet, told)
    if all(len(set(parts) - {""}) < 2 for parts in table.partitions.values()):
        (name, parts), *_ = table.partitions.items()
        raise UnreadableError(
            f"all rows of {sheet.name} are in one part ({name!r} is {max(parts)!r} only); give the other parts too"
        )
    if media is not None and not Path(media).is_dir():
        raise UnreadableError(f"there is no folder {str(media)!r} with the media; check the path")
    sizes = {name: {part: parts.count(part) for part in _named(parts)} for name, parts in table.partitions.items()}
    findings = tuple(check(table, None if media is None else Path(media)))
    return Report(sheet.name, len(table), taken, sizes, findings, tuple(_unseen(table, sheet, media)))


def _named(parts: Sequence[str]) -> list[str]:
    return [*order_parts(part for part in parts if part), *([""] if "" in parts else [])]


def _unseen(table: Table, sheet: Sheet, media: str | Path | None) -> Iterator[str]:
    if sheet.broken:
        yield f"{sheet.broken:,} rows that cannot be read"
    if table.ids is not None and all(_repeats(table.ids, parts) for parts in table.partitions.values()):
        yield "the ids: many rows of one part have the same"
    if not table.groups:
        yield "shared speakers, subjects or dialogues: no column names them"
    if table.corpus is not None and "speaker" in table.groups:
        speaker = table.groups["speaker"]
        said = {name for name, who in zip(table.corpus, speaker, strict=True) if who}
        if silent := sorted(set(table.corpus) - said):
            yield f"the speakers of {', '.join(silent)}: neither a column nor the names of the files tell them"
    if table.text is None:
        yield "texts: no column holds them"
    if table.media is None:
        yield "media: no column names the files"
    elif media is None:
        yield "the bytes of the media: no folder was given"
    else:
        absent = sum(not (Path(media) / name).is_file() for name in set(table.media) if name)
        if absent:
            yield f"{absent:,} files of the table that are not in the folder"
    if not table.labels:
        yield "features that tell the label: no column is the label"
    elif not table.features:
        yield "features that tell the label: no column is a number"


def check(table: Table, media: Path | None = None) -> list[Finding]:
    """Return all that is found in a table: by all checks, in all of its splits, corpus by corpus.

    Args:
        table: its columns.
        media: the folder in which its media lie; None: their bytes are not looked at.
    """
    corpora = sorted(set(table.corpus or ("",)))
    findings: list[Finding] = []
    for name in corpora:
        one = table
        if len(corpora) > 1:
            one = table.rows([i for i, of in enumerate(table.corpus or ()) if of == name])
        inside = [*shared_ids(one), *shared_groups(one), *telling_features(one), *dev_as_test(one)]
        if one.media is not None and media is None:
            inside += shared_media(one)
        findings += [replace(finding, corpus=name if len(corpora) > 1 else "") for finding in inside]
    findings += [*shared_texts(table), *(shared_files(table, media) if media is not None else ())]
    return _merged(findings, len(table.partitions))


def _merged(findings: Iterable[Finding], splits: int) -> list[Finding]:
    """Return what is found in several splits as one, said as it is in the worst."""
    alike_ones: dict[tuple[Any, ...], list[Finding]] = {}
    for finding in findings:
        whole = "" if finding.splits else finding.words  # what holds of all splits at once is said by its words
        key = (finding.kind, finding.column, finding.parts, finding.leak, finding.corpus, whole)
        alike_ones.setdefault(key, []).append(finding)
    merged = []
    for same in alike_ones.values():
        same.sort(key=lambda finding: -finding.rows)
        names = dict.fromkeys(name for finding in same for name in finding.splits)
        merged.append(replace(same[0], splits=tuple(names) if splits > 1 else ()))
    return merged


def shared_ids(table: Table) -> Iterator[Finding]:
    """Yield rows that are in two parts of one split. Ids that many rows of one part share are no ids of rows."""
    for name, parts in table.partitions.items():
        if table.ids is None or _repeats(table.ids, parts):
            continue
        if numbered_anew(table.ids, parts):
            yield _anew("id", "id", "ids", name, parts)
            continue
        for both in shared(table.ids, parts):
            yield found("id", "id", both, name, "id")


def _repeats(ids: Sequence[str], parts: Sequence[str]) -> bool:
    rows = [row for row in zip(ids, parts, strict=True) if all(row)]
    return len(set(rows)) < 0.9 * len(rows)


def shared_groups(table: Table) -> Iterator[Finding]:
    """Yield speakers, subjects, dialogues ... that are in two parts of one split."""
    for (kind, column), (name, parts) in itertools.product(table.groups.items(), table.partitions.items()):
        if kind in ("dialogue", "session", "video", "trial") and numbered_anew(column, parts):
            yield _anew("group", kind, f"{kind}s", name, parts)
            continue
        for both in shared(column, parts):
            yield replace(found("group", kind, both, name, kind), leak=kind not in _BROAD)


def _anew(kind: str, column: str, nouns: str, name: str, parts: Sequence[str]) -> Finding:
    words = f"the {nouns} count from the same number on in each part, as if each were numbered by itself: not compared"
    return Finding(kind, column, tuple(_named(parts)), 0, words, leak=False, splits=(name,))


def shared_texts(table: Table) -> Iterator[Finding]:
    """Yield texts that are in two parts of one split: the same, or nearly (Jaccard of 5-character shingles >= .8).

    It is only worth knowing, and no leak, where all of them are short, or where the corpus is one of read sentences.
    """
    if table.text is None:
        return
    bare_texts = {text: plain(text) for text in dict.fromkeys(table.text)}
    keys = [bare_texts[text] for text in table.text]
    spoken = [key for key in dict.fromkeys(keys) if key]
    near = _twins(spoken, near_texts(spoken, _kinds(spoken, keys, table)))
    read = len(spoken) * _READ <= sum(map(bool, keys))
    design = f" (it has {len(spoken):,} different texts in {len(keys):,} rows: read by design?)" if read else ""
    for name, parts in table.partitions.items():
        for both in shared(table.text, parts):
            yield _text("text", "the same", both, name, design)
        for both in alike(table.text, keys, near, parts):
            yield _text("near text", "nearly the same", both, name, design)


def _text(kind: str, how: str, both: Shared, name: str, design: str) -> Finding:
    long = any(len(plain(text)) >= _LONG for text in both.values)
    finding = found(kind, "text", both, name, "text", how)
    words = finding.words + (design or ("" if long else ", all of them short"))
    longest = sorted(zip(both.values, both.twins, strict=True), key=lambda pair: -len(pair[0]))[:EXAMPLES]
    said = [f'"{a:.60}"' if a == b else f'"{a:.60}" ~ "{b:.60}"' for a, b in longest]
    return replace(finding, words=words, examples=tuple(said), leak=long and not design)


def _twins(keys: Sequence[str], pairs: Iterable[tuple[int, int]]) -> dict[str, set[str]]:
    near: dict[str, set[str]] = {}
    for i, j in pairs:
        near.setdefault(keys[i], set()).add(keys[j])
        near.setdefault(keys[j], set()).add(keys[i])
    return near


def _kinds(distinct: Sequence[str], keys: Sequence[str], table: Table) -> Array:
    """Return a number for the parts, in all splits, that a key is in; -1 for one of several rows of different parts."""
    numbers: dict[tuple[str, ...], int] = {}
    kind: dict[str, int] = {}
    for key, row in zip(keys, zip(*table.partitions.values(), strict=True), strict=True):
        number = numbers.setdefault(row, len(numbers))
        kind[key] = number if kind.get(key, number) == number else -1
    return np.array([kind[key] for key in distinct])


def shared_media(table: Table) -> Iterator[Finding]:
    """Yield files that rows of two parts name, by their names alone."""
    for name, parts in table.partitions.items():
        if table.media is None:
            continue
        if numbered_anew(table.media, parts):
            yield _anew("media", "file", "files", name, parts)
            continue
        for both in shared(table.media, parts):
            finding = found("media", "file", both, name, "file", "named")
            hint = "; are its rows cuttings of one file, or are the folders missing from the names?"
            yield replace(finding, words=finding.words + hint) if _repeats(table.media, parts) else finding


def shared_files(table: Table, media: Path) -> Iterator[Finding]:
    """Yield files with the same bytes, and images that look the same, in two parts; files that are absent are left out.

    Raises:
        MissingExtraError: there are images, and Pillow is not installed.
    """
    if table.media is None:
        return
    there = {name: media / name for name in dict.fromkeys(table.media) if name and (media / name).is_file()}
    digests = _digests(there)
    pictures = {name: path for name, path in there.items() if path.suffix.lower() in _PICTURES}
    looks = {name: read_grey(path) for name, path in pictures.items()}
    hashes = {name: int(image_hashes([grey])[0]) for name, grey in looks.items() if grey is not None and grey.size}
    yield from _copies(
        table,
        [digests.get(name, "") for name in table.media],
        np.array([hashes.get(name, 0) for name in table.media], np.uint64),
        table.media,
        "file",
    )


def _digests(files: Mapping[str, Path]) -> dict[str, str]:
    """Return name -> SHA-256 of its bytes, or, of a file of a size that no other has, its size."""
    sizes = {name: path.stat().st_size for name, path in files.items()}
    often = Counter(sizes.values())
    digests = {}
    for name, path in files.items():
        if often[sizes[name]] == 1:
            digests[name] = f"{sizes[name]} bytes"
            continue
        with path.open("rb") as file:
            digests[name] = hashlib.file_digest(file, "sha256").hexdigest()
    return digests


def check_images(images: Array, parts: Sequence[str], ids: Sequence[str] | None = None) -> list[Finding]:
    """Return the images in memory that are in two parts, the same pixel by pixel or alike to the eye.

    Args:
        images: n x height x width (x 3), in 0..255.
        parts: n, as a table has them: `Training` is train.
        ids: n names for the examples; by default the numbers of the rows.

    Raises:
        MalformedError: the columns differ in length, or these are no images.
    """
    names = tuple(ids) if ids is not None else tuple(str(i) for i in range(len(images)))
    if not len(images) == len(parts) == len(names):
        raise MalformedError(f"images, parts and ids want one length, not {len(images)}, {len(parts)}, {len(names)}")
    digests = [hashlib.sha256(np.ascontiguousarray(image).tobytes()).hexdigest() for image in images]
    table = Table({"part": tuple(part_name(part) for part in parts)})
    return list(_copies(table, digests, image_hashes(images), names, "image"))


def _copies(table: Table, digests: Sequence[str], hashes: Array, names: Sequence[str], what: str) -> Iterator[Finding]:
    keys = [f"{word:016x}" if word else "" for word in hashes.tolist()]
    distinct = [key for key in dict.fromkeys(keys) if key]
    words = np.array([int(key, 16) for key in distinct], np.uint64)
    near = _twins(distinct, near_hashes(words, _kinds(distinct, keys, table)))
    for split, parts in table.partitions.items():
        first = {(digest, part): i for i, (digest, part) in reversed(list(enumerate(zip(digests, parts, strict=True))))}
        same = (("media", "the same", both) for both in shared(digests, parts))
        close = (("near image", "alike to the eye", both) for both in alike(digests, keys, near, parts))
        for kind, how, both in itertools.chain(same, close):
            noun = "image" if kind == "near image" else what
            pairs = (_pair(a, b, both.parts, first) for a, b in zip(both.values, both.twins, strict=True))
            examples = tuple(f"{names[i]} = {names[j]}" for i, j in itertools.islice(pairs, EXAMPLES))
            yield replace(found(kind, "file", both, split, noun, how), examples=examples)


def _pair(value: str, twin: str, parts: tuple[str, str], first: Mapping[tuple[str, str], int]) -> tuple[int, int]:
    """Return the first row of a value in the later part, and that of its twin in the earlier."""
    if parts != FOLDS:
        return first[twin, parts[0]], first[value, parts[1]]
    ones = sorted(row for (held, _), row in first.items() if held == value)
    others = sorted(row for (held, _), row in first.items() if held == twin and row not in ones[:1])
    return ones[0], others[0]


def telling_features(table: Table) -> Iterator[Finding]:
    """Yield numbers that predict the label too well, over all rows: a rank correlation over .98.

    With a label of numbers it is Spearman's. With classes it is the rank-biserial correlation (Cureton 1956) of the
    feature with each class against all others, 2 AUROC - 1, so that .98 means an AUROC of .99; a label of few whole
    numbers is taken both ways. Classes of fewer than 5 rows, and labels of more than 50 classes, are not looked at.
    """
    for (feature, values), (label, cells) in itertools.product(table.features.items(), table.labels.items()):
        said = np.array([bool(cell) for cell in cells]) & ~np.isnan(values)
        if said.sum() < _ROWS:
            continue
        strength, how = _strength(_ranks(values[said]), [cell for cell, kept in zip(cells, said, strict=True) if kept])
        if strength > TOO_WELL:
            words = f"{feature!r} alone tells {label!r} ({how} {strength:.3f}): is it the label in other words?"
            yield Finding("feature", feature, (), 1, words, int(said.sum()))


def _strength(ranks: Array, label: Sequence[str]) -> tuple[float, str]:
    """Return the highest rank correlation of ranked values with a label, and what it is one of."""
    best, how = 0.0, ""
    try:
        numbers = np.array([float(cell) for cell in label])
    except ValueError:
        numbers = np.full(len(label), np.nan)
    if np.isfinite(numbers).all() and len(set(numbers.tolist())) > 2 and ranks.std() > 0:
        best, how = abs(float(np.corrcoef(ranks, _ranks(numbers))[0, 1])), "Spearman's correlation"
    classes = Counter(label)
    if not 2 <= len(classes) <= _CLASSES:
        return best, how
    column = np.array(label)
    for name, count in classes.items():
        others = len(label) - count
        if min(count, others) < _CLASS:
            continue
        above = float(ranks[column == name].sum()) - count * (count + 1) / 2
        strength = abs(2 * above / (count * others) - 1)
        if strength > best:
            best, how = strength, f"rank-biserial correlation with {name!r}"
    return best, how


def _ranks(values: Array) -> Array:
    """Return ranks from 1, the mean one for equals."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    ranks: Array = (np.cumsum(counts) - (counts - 1) / 2)[place]
    return ranks


def dev_as_test(table: Table) -> Iterator[Finding]:
    """Yield splits whose test part is their dev part: by its rows, by its name, or because there is no other."""
    for name, parts in table.partitions.items():
        names = order_parts(part for part in parts if part)
        if is_folds(names):
            continue
        for part in names:
            if part not in ("dev", "test") and {part_name(word) for word in _tokens(part)} >= {"dev", "test"}:
                yield Finding("dev", name, (part,), 1, f"the part {part!r} is dev and test at once", splits=(name,))
        if "test" not in names and "dev" in names:
            words = "there is no test part; a score on dev, on which one chooses, is no test score"
            yield Finding("dev", name, ("dev",), 1, words, leak=False, splits=(name,))
        for what, column in (("ids", table.ids), ("files", table.media), ("texts", table.text)):
            if column is None or numbered_anew(column, parts):
                continue
            both = next((both for both in shared(column, parts) if both.parts == ("dev", "test")), None)
            if both and both.rows >= _LIKELY * both.of and not _repeats(column, parts):
                words = f"the test part is the dev part: {both.rows:,} of its {both.of:,} {what} are in dev"
                yield Finding("dev", name, both.parts, len(both.values), words, both.rows, splits=(name,))
                break


def _tokens(part: str) -> list[str]:
    """Return the words of a part's name: `val_test` and `devtest` are two each."""
    words = bare(part)
    cuts = [[words[:i], words[i:]] for i in range(1, len(words))]
    return next((cut for cut in cuts if {part_name(word) for word in cut} == {"dev", "test"}), [words])
