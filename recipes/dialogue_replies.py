"""Make a bank of replies from corpora whose text Affetto may not ship, or from anybody's own talks.

    python -m recipes.dialogue_replies --out replies.npz [--corpus empatheticdialogues --corpus esconv] [--most 20000]
    python -m recipes.dialogue_replies --out mine.npz --talks FILE

What comes out is for who has the right to the texts: EmpatheticDialogues and ESConv are CC BY-NC 4.0, and so is a bank
made from them; the file says so. `affetto converse --replies replies.npz` chooses from it and from the replies that
were written for Affetto. Corpora are looked for below AFFETTO_DATA; of each only train is used. About five minutes for
20,000 replies on one core. With `--written` the vectors of the replies that ship are made anew, beside their table.
"""

import argparse
import logging
from collections.abc import Iterator
from pathlib import Path

import affetto
from affetto.core.catalog import find, load
from affetto.core.record import Record
from affetto.generate import bank
from affetto.models.dialogue.replying import Replying
from affetto.spaces.bridges import translate

log = logging.getLogger("dialogue.replies")
CORPORA = ("empatheticdialogues", "esconv")
LEAST = 0.5
"""Share that a feeling must have of what a talk is about."""


def about(record: Record) -> tuple[str, ...]:
    """Return what a talk is about in the labels of `ekman-7`, by what its speaker said that he felt."""
    names: list[str] = []
    for track in record.tracks:
        if track.space.id == "empathetic-32" and track.perspective == "felt":
            shares = translate(track, "ekman-7")
            names += [axis for axis, share in zip(shares.space.names, shares.values[0], strict=True) if share >= LEAST]
        elif track.space.id == "esconv-11" and (axis := track.top(0)) is not None:
            names += TROUBLES.get(axis.name, ())
    return tuple(dict.fromkeys(name for name in names if name in bank.FEELINGS))


TROUBLES = {
    "anxiety": ("fear",), "fear": ("fear",), "nervousness": ("fear",), "depression": ("sadness",), "pain": ("sadness",),
    "sadness": ("sadness",), "shame": ("sadness",), "guilt": ("sadness",), "anger": ("anger",), "jealousy": ("anger",),
    "disgust": ("disgust",),
}  # fmt: skip
"""The emotions of ESConv in the labels of `ekman-7`, by the same groups as empathetic-32."""


def corpus_bank(corpus: str, encoder: Replying, most: int = 0) -> bank.Bank:
    """Return the bank of a corpus' training talks.

    Args:
        corpus: `empatheticdialogues` (or its other layout, `empathetic-intents`) or `esconv`.
        encoder: `dialogue.reply`.
        most: replies at most; 0: all.
    """
    card = find(corpus, "dataset")
    records: Iterator[Record] = load(corpus).read("train")
    return bank.gathered(records, encoder, card.title.split(":")[0], card.licence, about, most)


def main() -> None:
    """Make a bank and write it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--corpus", action="append", default=[], help=f"{', '.join(CORPORA)}, or another of talks")
    parser.add_argument("--talks", type=Path, action="append", default=[], help="a file of talks of your own")
    parser.add_argument("--most", type=int, default=0, help="replies at most of each; 0: all")
    parser.add_argument("--written", action="store_true", help="make the vectors of the replies that ship anew")
    options = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    encoder: Replying = load("dialogue.reply")
    if options.written:
        made = bank.written(encoder)
        made.save(bank.WRITTEN.with_suffix(".npz"))
        log.info("%d replies written for Affetto", len(made))
    if not options.out:
        return
    parts = [
        corpus_bank(corpus, encoder, options.most) for corpus in options.corpus or (() if options.talks else CORPORA)
    ]
    for path in options.talks:
        parts.append(bank.gathered(affetto.read(path), encoder, path.name, "as the talks'", most=options.most))
    whole = parts[0]
    for part in parts[1:]:
        whole = bank.joined(whole, part)
    whole.save(options.out)
    log.info("%s: %d replies from %s (%s)", options.out, len(whole), whole.source, whole.licence)


if __name__ == "__main__":
    main()
