"""Baselines at school: which there are, and how they learn the rows of a benchmark's training Records."""

from collections.abc import Sequence

from affetto.bench.baselines import Baseline, Majority, Random, TfidfLogistic, matter, speaker
from affetto.bench.hearing import CepstralSvm, EgemapsSvm
from affetto.bench.looking import HogLogistic
from affetto.bench.protocol import Benchmark
from affetto.bench.rows import truth_rows
from affetto.core.errors import UnknownNameError
from affetto.core.record import Record
from affetto.core.track import Channel

KINDS: tuple[type[Baseline], ...] = (Majority, Random, TfidfLogistic, CepstralSvm, EgemapsSvm, HogLogistic)


def taught(system: str, benchmark: Benchmark, records: Sequence[Record], seed: int) -> Baseline:
    """Return a baseline that has learned the rows of a benchmark's training Records, in the benchmark's space.

    A Record whose text or picture also stands in a later split is left out.

    Raises:
        UnknownNameError: no baseline is called so.
        MalformedError: no row of truth is left, or the baseline cannot read, listen or look.
        MissingExtraError: scikit-learn is needed and not installed.
    """
    made = {kind.id: kind for kind in KINDS}
    if system not in made:
        raise UnknownNameError("baseline", system, made)
    channel: Channel = benchmark.channel
    pupil = made[system](benchmark.space, seed, benchmark.perspective, channel)
    kept = [record for record in records if not record.meta.get("duplicate_of")]
    rows = truth_rows(benchmark, kept)
    matters = [matter(kept[place.record], channel, place.unit, place.start, place.end) for place in rows.places]
    return pupil.learn(matters, rows.values, [speaker(kept[place.record]) for place in rows.places])
