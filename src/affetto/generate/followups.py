"""How good a reply is by what would come next: are good follow-ups likelier than bad ones (FLR, Zhang et al. 2024)?

The lists of follow-ups are handed in, in the words of the one who is replied to ("Thank you, that helps"). Knows the
Protocol of language models; writes nothing.
"""

from collections.abc import Sequence

import numpy as np

from affetto.core.language import LanguageModel, NoAnswerError
from affetto.core.record import Record, Turn
from affetto.generate.prompting import WINDOW, Window, called, shown


def followup(
    record: Record, reply: str, model: LanguageModel, good: Sequence[str], bad: Sequence[str], window: Window = WINDOW
) -> float:
    """Return how much likelier good follow-ups are than bad ones after a reply: the difference of two means.

    Each is a mean over follow-ups of the mean log-likelihood of their tokens (natural logarithm). NaN where one side
    has none that the model scores.

    Args:
        record: the conversation that is replied to.
        reply: to its last turn.
        model: that scores.
        good: what who is replied to would say next, were the reply a good one.
        bad: what he would say, were it a bad one.
        window: how much of the conversation is shown.
    """
    last = record.turns[-1].speaker if record.turns else ""
    other = next((turn.speaker for turn in reversed(record.turns) if turn.speaker != last), "listener")
    whole = Record(record.id, turns=(*record.turns, Turn(other, None, reply)))
    before = f"{shown(whole, window)}\n{called(Turn(last, None, ''))}:"
    sides = [[value for text in side if (value := _score(model, before, text)) is not None] for side in (good, bad)]
    return float(np.mean(sides[0]) - np.mean(sides[1])) if all(sides) else float("nan")


def ranked_replies(
    record: Record,
    replies: Sequence[str],
    model: LanguageModel,
    good: Sequence[str],
    bad: Sequence[str],
    window: Window = WINDOW,
) -> list[tuple[int, float]]:
    """Return the numbers of replies and their scores, the best first; those without one last, in their order."""
    scores = [followup(record, reply, model, good, bad, window) for reply in replies]
    order = sorted(range(len(scores)), key=lambda k: (np.isnan(scores[k]), -np.nan_to_num(scores[k]), k))
    return [(k, scores[k]) for k in order]


def _score(model: LanguageModel, before: str, text: str) -> float | None:
    """Return the mean log-likelihood of a follow-up, or None where the model gives none."""
    try:
        return model.score(before, f" {text}")
    except NoAnswerError:
        return None
