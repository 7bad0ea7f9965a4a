"""Every corpus, walked by one contract: its fake is read back, odd folders are told, real counts are official."""

import gzip
import itertools
import lzma
import os
from pathlib import Path

import pytest

from affetto.core import catalog, plain
from affetto.core.errors import AffettoError, UnknownNameError, UnreadableError
from affetto.datasets.corpus import Corpus, counts

DATA = Path(os.environ.get("AFFETTO_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
IDS = [id for id, card in catalog.cards("dataset").items() if card.load.startswith("affetto.")]


@pytest.fixture(params=IDS)
def corpus(request: pytest.FixtureRequest) -> Corpus:
    return catalog.load(request.param)


@pytest.fixture
def fake(corpus: Corpus, tmp_path: Path) -> Path:
    corpus.faker(tmp_path)
    return tmp_path


def test_the_card_says_what_a_card_of_data_must(corpus: Corpus) -> None:
    card = corpus.card
    assert card.licence and card.citation and card.source and card.limits and card.spaces
    assert card.facts["get"] and card.facts["folder"] and card.facts["perspectives"]
    assert all(catalog.find(space, "space") for space in card.spaces)


def test_its_fake_is_read_in_full(corpus: Corpus, fake: Path) -> None:
    assert [odd for odd in corpus.check(fake) if odd.kind in ("missing", "broken")] == []
    ids = set()
    for split in corpus.splits:
        records = list(corpus.read(split, folder=fake))
        assert records, split
        for record in records:
            assert record.meta["split"] == split
            assert (record.id, record.meta.get("part")) not in ids or corpus.card.facts.get("overlapping_splits")
            ids.add((record.id, record.meta.get("part")))
            assert record.signals or record.turns
            for track in record.tracks:
                assert track.space.id in corpus.card.spaces and track.source
                assert track.perspective in corpus.card.facts["perspectives"]
        assert any(record.tracks for record in records) or not corpus.card.facts["splits"][split].get("labelled", True)
        record = records[0]
        assert plain.to_record(plain.from_record(record), catalog.load) == record


def test_a_missing_file_is_named(corpus: Corpus, fake: Path) -> None:
    gone = next(path for path in sorted(fake.rglob("*")) if path.is_file() and _needed(corpus, fake, path))
    gone.unlink()
    assert any(odd.kind == "missing" for odd in corpus.check(fake))
    with pytest.raises(UnreadableError, match="lacks"):
        for split in corpus.splits:
            list(corpus.read(split, folder=fake))


def test_a_truncated_file_gives_one_sentence(corpus: Corpus, fake: Path) -> None:
    for path in sorted(fake.rglob("*")):
        if path.is_file() and path.suffix in (".gz", ".xz"):
            path.write_bytes(path.read_bytes()[:-12])
        elif path.is_file():
            path.write_bytes(b"\xff\xfe\x00 no corpus, \xc3\x28")
    with pytest.raises(AffettoError) as caught:
        for split in corpus.splits:
            list(corpus.read(split, folder=fake))
    assert "\n" not in str(caught.value)


def test_an_unknown_split_or_part_names_the_known(corpus: Corpus, fake: Path) -> None:
    with pytest.raises(UnknownNameError, match=corpus.splits[0]):
        next(corpus.read("nowhere", folder=fake))
    with pytest.raises(UnknownNameError):
        next(corpus.read(corpus.splits[0], "nowhere", folder=fake))


def test_a_folder_that_is_not_there_says_where_to_get_it(corpus: Corpus, tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="to be had"):
        next(corpus.read(corpus.splits[0], folder=tmp_path / "none"))


@pytest.mark.corpus
def test_the_real_corpus_has_its_official_counts(corpus: Corpus) -> None:
    folder = DATA / corpus.card.facts["folder"]
    if not folder.is_dir():
        pytest.skip("the corpus is not here")
    there = [split for split in corpus.splits if corpus.has(split, folder)]
    if not there:
        pytest.skip("only its labels, or nothing of it, is here")
    assert [odd for odd in corpus.check(folder) if odd.kind != "missing"] == []
    assert counts(itertools.islice(corpus.read(there[-1], folder=folder), 500))


def _needed(corpus: Corpus, fake: Path, path: Path) -> bool:
    """Tell whether a split names this very file, packed or not."""
    names = {
        name.replace("{part}", part)
        for split in corpus.card.facts["splits"].values()
        for part in split.get("parts", corpus.parts)
        for name in split["files"]
    }
    here = path.relative_to(fake).as_posix()
    return here in names or here.removesuffix(".gz").removesuffix(".xz") in names


def test_packed_twins_are_found(tmp_path: Path) -> None:
    corpus = catalog.load("goemotions")
    corpus.faker(tmp_path)
    whole = gzip.decompress((tmp_path / "dev.tsv.gz").read_bytes())
    (tmp_path / "dev.tsv.gz").unlink()
    (tmp_path / "dev.tsv.xz").write_bytes(lzma.compress(whole))
    assert len(list(corpus.read("dev", folder=tmp_path))) == 3
