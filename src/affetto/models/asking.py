"""Who is asked: the model that somebody names, or else those for what there is. Loads them by their cards.

Knows channels, languages and ids; knows no model and no file.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import islice
from typing import Any, TypeVar

from affetto.core import catalog
from affetto.core.card import Card
from affetto.core.errors import (
    AffettoError,
    CatalogError,
    MalformedError,
    MissingExtraError,
    UnknownNameError,
    UnreadableError,
)
from affetto.core.record import Record
from affetto.core.roles import Model, Observer
from affetto.core.signal import Audio, Frames, Image, Text

ENGLISH = "text.affect-en"
"""Who answers English where no model is named."""
MANY = "text.affect-multi"
"""Who answers all other languages where no model is named."""
SPEECH = ("speech",)
"""Who listens to a recording where only the voice is asked about."""
FACE = ("face",)
"""Who looks at a picture, or at a film of which only the face is asked about."""
TIMELINE = "timeline"
"""Who goes through a recording as a whole where no model and no channel is named."""
CHUNK = 1024
"""Records that a model is asked about at a time."""

Models = str | Model | Sequence[str | Model]
Work = Callable[[Sequence[Record]], list[Record]]
Watcher = Callable[[], Any]
"""Returns a Model; called when the first recording is asked about."""
Item = TypeVar("Item")


def perceiver(
    model: Models | None = None,
    language: str | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watcher: Watcher | None = None,
) -> Work:
    """Return the function that adds the models' Tracks to Records, with whatever it needs loaded but once.

    Args:
        model: the id of a card, a Model, or several; None: by what there is, and by the language.
        language: BCP 47 code of all Records; None: each Record's own, or else English, unless it is written in
            another script.
        rate: rows a second of those that listen or look; 0: a row a stretch of voice, or a picture of a film.
        channels: ask only the models of these channels (`text`, `voice`, `face`); empty: of all.
        watcher: returns who goes through recordings as a whole; by default the model `timeline`.

    Raises:
        UnknownNameError: no such model or channel, or it does not read that language; names those there are.
    """
    given = None if model is None else [at_rate(one, rate) for one in models_for(None, model, language, channels)]
    _check(channels)
    if model is None and language:
        _default(language)

    def work(records: Sequence[Record]) -> list[Record]:
        records = [in_language(record, language) for record in records]
        if given is not None:
            return _ask(given, records)
        rows: dict[tuple[str, ...], list[int]] = {}
        for i, record in enumerate(records):
            whole = not channels and any(isinstance(signal, Audio | Frames) for signal in record.signals)
            rows.setdefault((TIMELINE,) if whole else _defaults_for(record, channels), []).append(i)
        answered = list(records)
        for ids, mine in rows.items():
            asked = [watcher() if watcher is not None and id == TIMELINE else _model(id) for id in ids]
            models = [at_rate(one, rate) for one in asked]
            for i, record in zip(mine, _ask(models, [records[i] for i in mine]), strict=True):
                answered[i] = record
        return answered

    return work


def models_for(
    record: Record | None, model: Models | None = None, language: str | None = None, channels: Sequence[str] = ()
) -> tuple[Model, ...]:
    """Return the models to ask: those that are named, or the one for the language, or those for the Record.

    Raises:
        UnknownNameError: no such model or channel, or it does not read that language; names those there are.
    """
    _check(channels)
    if model is None:
        if record is not None:
            return tuple(_model(id) for id in _defaults_for(in_language(record, language), channels))
        return (_model(_default(language) if language else ENGLISH),)
    chosen = (model,) if isinstance(model, str | Model) else tuple(model)
    for one in chosen:
        card = catalog.find(one, "model") if isinstance(one, str) else one.card
        if language and not _reads(card, language):
            raise UnknownNameError(f"language of {card.id}", language, card.languages)
    models = [_model(one) for one in chosen]
    told = {one.card.channel for one in models}
    if channels and not told & {*channels}:
        raise UnknownNameError("channel of the models that are named", channels[0], told)
    return tuple(one for one in models if not channels or one.card.channel in channels)


def names(model: Models | None = None) -> list[str]:
    """Return the ids and versions of all models that may be asked.

    >>> names("fake")
    ['fake@1']
    """
    if model is None:
        known = catalog.cards("model")
        return [str(known[id]) for id in (ENGLISH, MANY, *SPEECH, *FACE, TIMELINE) if id in known]
    return [str(_model(one).card) for one in ((model,) if isinstance(model, str | Model) else model)]


def perceive_each(
    records: Iterable[Record],
    model: Models | None = None,
    *,
    language: str | None = None,
    rate: float = 0.0,
    channels: Sequence[str] = (),
    watcher: Watcher | None = None,
    at_once: int = CHUNK,
    keep: bool = False,
) -> Iterator[Record]:
    """Yield each Record with the models' Tracks; what `affetto.api.perceive_each` asks of Records of one text each."""
    work = perceiver(model, language, rate, channels, watcher)
    return (answered for chunk in chunks(records, at_once) for answered in _each(work, chunk, keep))


def in_language(record: Record, language: str | None) -> Record:
    """Return the Record with its language said where it was not; a talk says it in a Text of all its words."""
    if not language:
        return record
    signals = tuple(
        replace(signal, language=language) if isinstance(signal, Text) and not signal.language else signal
        for signal in record.signals
    )
    if record.turns and not any(isinstance(signal, Text) for signal in signals):
        signals += (Text(record.text or "", language),)
    return replace(record, signals=signals)


def chunks(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Yield the items in lists of `size`, the last one shorter.

    >>> list(chunks("abc", 2))
    [['a', 'b'], ['c']]
    """
    rest = iter(items)
    while chunk := list(islice(rest, size)):
        yield chunk


def _each(work: Work, records: list[Record], keep: bool) -> list[Record]:
    """Answer all at once or, where that fails, one by one, so that a bad one never stops the others."""
    open = [not ("error" in record.meta or (keep and record.tracks)) for record in records]
    asked = [record for record, yes in zip(records, open, strict=True) if yes]
    try:
        answers = iter(work(asked) if asked else ())
        return [next(answers) if yes else record for record, yes in zip(records, open, strict=True)]
    except (MissingExtraError, CatalogError, UnknownNameError):
        raise
    except Exception as error:
        if len(records) > 1:
            return [answered for record in records for answered in _each(work, [record], keep)]
        said = str(error) if isinstance(error, AffettoError) else f"{type(error).__name__}: {error}"
        return [replace(records[0], meta={**records[0].meta, "error": said})]


def _model(model: str | Model) -> Model:
    if not isinstance(model, str):
        return model
    catalog.find(model, "model")
    loaded: Model = catalog.load(model)
    return loaded


def _ask(models: Sequence[Model], records: Sequence[Record]) -> list[Record]:
    """Return the Records with the Tracks of all models; an Observer also says who is there and who says what."""
    answered = list(records)
    for model in models:
        if isinstance(model, Observer):
            answered = [model.observe(record) for record in answered]
            continue
        answers = model(records)
        if len(answers) != len(records):
            raise MalformedError(f"{model.card.id} gave {len(answers)} answers to {len(records)} Records")
        answered = [record.add(*tracks) for record, tracks in zip(answered, answers, strict=True)]
    return answered


def _default(language: str) -> str:
    """Return the id of the model that reads a language, which somebody named for all."""
    for id in (ENGLISH, MANY):
        if _reads(catalog.find(id), language):
            return id
    known = {code for id in (ENGLISH, MANY) for code in catalog.find(id).languages}
    raise UnknownNameError("language that a model of Affetto reads", language, known)


def _defaults_for(record: Record, channels: Sequence[str] = ()) -> tuple[str, ...]:
    """Return the ids of the models for a Record: those that listen, those that look, and the one that reads."""
    heard = SPEECH if any(isinstance(signal, Audio) for signal in record.signals) else ()
    seen = FACE if any(isinstance(signal, Frames | Image) for signal in record.signals) else ()
    ids: tuple[str, ...] = (*heard, *seen)
    if record.text is not None or not ids:
        ids += (_default_for(record),) if not channels or "text" in channels else ()
    return tuple(id for id in ids if not channels or catalog.find(id, "model").channel in channels)


def _check(channels: Sequence[str]) -> None:
    """Refuse a channel that no model has."""
    known = {card.channel for card in catalog.cards("model").values() if card.channel} if channels else set()
    for channel in channels:
        if channel not in known:
            raise UnknownNameError("channel of a model", channel, known)


def at_rate(model: Any, rate: float) -> Any:
    """Return a model as it answers at a rate, if it is one that listens or looks."""
    if rate and hasattr(model, "at"):
        return model.at(rate)
    for name in ("listening", "looking"):
        options: Any = getattr(model, name, None)
        if rate and hasattr(options, "rate"):
            model = replace(model, **{name: replace(options, rate=rate)})
    return model


def _default_for(record: Record) -> str:
    """Return the id of the model for a Record that may say its own language, or show it by its script."""
    said = next((signal.language for signal in record.signals if isinstance(signal, Text) and signal.language), "")
    if said:
        try:
            return _default(said)
        except UnknownNameError as error:
            raise UnreadableError(f"record {record.id!r}: {error}") from None
    return MANY if _other_script(record.text or "") else ENGLISH


def _other_script(text: str) -> bool:
    """Tell whether most letters are not Latin, so that it cannot be English."""
    if text.isascii():
        return False
    letters = [ord(character) for character in text[:2000] if character.isalpha()]
    return 2 * sum(code > 0x24F for code in letters) > len(letters)


def _reads(card: Card, language: str) -> bool:
    codes = {code.lower() for code in card.languages}
    plain = language.lower().replace("_", "-")
    family = plain.partition("-")[0]
    return (
        not codes
        or plain in codes
        or family in codes
        or (plain == family and any(c.startswith(f"{plain}-") for c in codes))
    )
