"""What could be said to a talk, or whom to call instead: `affetto converse --reply` in Python, its page and its plot.

Ties generate, models and report together; decides nothing itself: where the check `dialogue.care` found something,
there is a notice and no reply.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from affetto.core import catalog
from affetto.core.record import Record
from affetto.talks import told

if TYPE_CHECKING:
    from affetto.core.language import LanguageModel
    from affetto.generate.bank import Bank

MATCHER, PLANNER, SITUATION, CARE = "dialogue.reply", "dialogue.planner", "dialogue.situation", "dialogue.care"


@dataclass(frozen=True)
class Offers:
    """Adds to an answered talk, in its meta, `replies`, or else a `notice` of where a person is to be found."""

    count: int
    bank: "Bank"
    country: str = ""
    """Whose help lines are named."""
    model: "LanguageModel | None" = None
    """Chooses and writes beside the small models, where there is one."""
    said: str = field(default="", repr=False)
    """What was asked, for the journal of a batch."""

    def __call__(self, record: Record) -> Record:
        """Return the talk with what could be said to its last turn."""
        from affetto.generate import referral  # noqa: PLC0415
        from affetto.generate.reply import Options, reply  # noqa: PLC0415

        if "error" in record.meta or not record.turns:
            return record
        if not any(track.source.startswith(CARE) for track in record.tracks):
            record = record.add(*catalog.load(CARE)([record.blind()])[0])
        found = referral.noticed(record.tracks)
        if found is not None:
            return told(record, replies=[], notice=referral.notice(found.families, self.country, other=found.other))
        planner, matcher = catalog.load(PLANNER), catalog.load(MATCHER)
        heard = replace(record, tracks=tuple(track for track in record.tracks if track.space.id != "care"))
        chosen = reply(heard, self.bank, matcher, planner, options=Options(choices=self.count))
        plain = [{**asdict(one), "parts": dict(one.parts)} for one in chosen]
        if self.model is not None:
            plain = [*self._written(record, plain), *plain]
        return told(record, replies=plain[: self.count])

    def _written(self, record: Record, others: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
        """Return what the language model writes on what the small models found, if anything."""
        from affetto.generate.hybrid import hybrid  # noqa: PLC0415
        from affetto.generate.manners import unfit  # noqa: PLC0415

        assert self.model is not None
        small = catalog.load(SITUATION)
        feelings = small([record.blind()])[0]
        if not feelings:
            return []
        done = hybrid(record, feelings[0], self.model, small.because(record))
        stages = {"candidates": "one of the small models' first", "others": "none of the small models' first"}
        stage = stages.get(done.stage, "the small models' first")
        reasons = [f"It answers {done.emotion or 'no feeling in particular'}, {stage}."]
        if done.words:
            reasons.append(f"Words that tell why: {', '.join(done.words)}.")
        fault = unfit(done.reply)
        if fault:
            reasons.append(f"What {self.model.name} wrote is left out: {fault}.")
        if not done.reply or fault or done.source == "retrieved":
            if others:
                first = others[0]
                first["reasons"] = (*first["reasons"], *done.warnings, *reasons[-1:] * bool(fault))
            return []
        return [
            {
                "text": done.reply, "score": None, "strategy": "", "feeling": done.emotion, "parts": {},
                "reasons": (*reasons, *done.warnings), "source": f"{done.source}, a language model",
            }
        ]  # fmt: skip


def offers(
    count: int = 5, *, replies: str | Path | None = None, country: str = "", llm: str = "", key: str = ""
) -> Offers:
    """Return who offers answers.

    Args:
        count: how many, at most.
        replies: an index that `affetto.replies.gather` made; those written for Affetto are chosen from as well.
        country: whose help lines are named, as `affetto.generate.referral` knows it.
        llm: a language model: an address such as `http://localhost:8000/v1#model`, to which the last turns are then
            sent, a folder that `transformers` saved, `owner/name@revision` of the hub, or a card such as
            `fake.language`.
        key: the name of the environment variable that holds the endpoint's key.

    Raises:
        UnreadableError: the index cannot be read, or is of another network.
        CatalogError: the language model is none.
    """
    from affetto.generate import bank  # noqa: PLC0415

    matcher = catalog.load(MATCHER)
    kept = bank.written(matcher)
    if replies is not None:
        kept = bank.joined(bank.opened(Path(replies), bank.maker(matcher)), kept)
    model = None
    if llm:
        from affetto.models.reason.language import named  # noqa: PLC0415

        model = named(llm, key)
    said = f"{count} replies of {kept.source}, {country}, {llm}"
    return Offers(count, kept, country, model, said)


def page(records: Sequence[Record], out: str | Path) -> Path:
    """Write talks, with what could be said to them, as one page that needs no network; return its path."""
    from affetto.report.conversation import page_of_conversations  # noqa: PLC0415

    return _whole(page_of_conversations(records), Path(out))


def plot(record: Record, out: str | Path) -> Path:
    """Draw a talk into a .png, .svg or .pdf; return its path.

    Raises:
        MissingExtraError: it needs matplotlib.
    """
    from affetto.report.talk_plot import plot as drawn  # noqa: PLC0415

    drawn(record, out)
    return Path(out)


def _whole(text: str, out: Path) -> Path:
    """Write a file, whole or not at all."""
    fresh = out.with_name(out.name + ".part")
    fresh.write_text(text, encoding="utf-8")
    fresh.replace(out)
    return out
