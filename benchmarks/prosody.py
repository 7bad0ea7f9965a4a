"""How far our 88 functionals of eGeMAPS are openSMILE's, on 60 clips of acted speech, and which of the two is faster.

    python -m benchmarks.prosody [--clips 20] [--seed 5] [--dry]

Takes so many clips each of RAVDESS, EMO-DB and EMOVO, drawn by the seed, decodes each once and gives both the same
samples, as 16 bits hold them (openSMILE's Python wrapper cuts to these). Of every functional: Pearson's correlation
over the clips. What was fitted to openSMILE was fitted on the clips of seed 4; so take another. Time is that of the
processor, one thread, the faster of two turns each, by turns in one process. Needs the data folder (AFFETTO_DATA),
`pip install 'affetto[oracles]'` and soundfile. Writes the table of docs/reference/prosody.md too.
"""

import argparse
import io
import os
import re
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import soundfile

from affetto.bench import report
from affetto.models.speech.descriptors import descriptors
from affetto.models.speech.functionals import NAMES, functionals
from benchmarks.results import HOME, interval, save

DATA = Path(os.environ.get("AFFETTO_DATA", HOME.parent / "shared" / "data"))
ARCHIVES = (
    "speech/ravdess/ravdess_speech_16k_opus32k.zip",
    "speech/emodb/emodb_16k_opus40k.zip",
    "speech/emovo/emovo_16k_opus24k.zip",
)
RATE = 16000
PAGE = HOME / "docs" / "reference" / "prosody.md"
REGION = re.compile(r"(<!-- functionals -->\n).*?(<!-- end of functionals -->)", re.S)
MEDIAN = "median correlation over functionals"
Floats = npt.NDArray[np.float32]


def clips(count: int, seed: int) -> list[Floats]:
    """Return the samples of `count` clips of each archive, drawn by the seed."""
    found = []
    for archive in ARCHIVES:
        with zipfile.ZipFile(DATA / archive) as held:
            names = sorted(name for name in held.namelist() if name.endswith(".opus"))
            for i in sorted(np.random.default_rng(seed).choice(len(names), count, replace=False)):
                samples, rate = soundfile.read(io.BytesIO(held.read(names[i])), dtype="float32")
                if rate != RATE or samples.ndim != 1:
                    raise SystemExit(
                        f"{names[i]} is no single channel at {RATE} Hz; take the archives of the data folder"
                    )
                found.append((np.trunc(samples * 32768) / 32768).astype(np.float32))
    return found


def ours(sounds: list[Floats]) -> Floats:
    """Return our functionals, clips x 88."""
    return np.stack([functionals(descriptors(sound)) for sound in sounds])


def theirs(smile: Any, sounds: list[Floats]) -> Floats:
    """Return openSMILE's functionals, clips x 88."""
    return np.concatenate([smile.process_signal(sound, RATE).to_numpy(np.float32) for sound in sounds])


def correlation(one: Floats, other: Floats) -> float:
    """Return Pearson's correlation over the clips of which both say something."""
    both = np.isfinite(one) & np.isfinite(other)
    if both.sum() < 3 or one[both].std() == 0 or other[both].std() == 0:
        return float("nan")
    return float(np.corrcoef(one[both], other[both])[0, 1])


def table(values: dict[str, float], names: list[str]) -> str:
    """Return the page's table: ours, the name of openSMILE, the correlation."""
    rows = [(f"`{name}`", f"`{other}`", f"{values[name]:.3f}") for name, other in zip(NAMES, names, strict=True)]
    return report.markdown(("functional", "in openSMILE", "correlation"), rows)


def main() -> None:
    """Measure, print, keep."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clips", type=int, default=20, help="of each corpus")
    parser.add_argument("--seed", type=int, default=5)
    parser.add_argument("--dry", action="store_true", help="keep nothing")
    options = parser.parse_args()
    sounds = clips(options.clips, options.seed)
    import opensmile  # noqa: PLC0415 - an extra, and only here

    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    seconds = sum(map(len, sounds)) / RATE
    best = {"openSMILE": np.inf, "ours": np.inf}
    for _ in range(2):
        start = time.process_time()
        truth = theirs(smile, sounds)
        between = time.process_time()
        estimate = ours(sounds)
        best["openSMILE"] = min(best["openSMILE"], between - start)
        best["ours"] = min(best["ours"], time.process_time() - between)
    values = {name: correlation(estimate[:, i], truth[:, i]) for i, name in enumerate(NAMES)}

    def median(rows: npt.NDArray[np.intp]) -> float:
        found = [correlation(estimate[rows, i], truth[rows, i]) for i in range(len(NAMES))]
        return float(np.nanmedian(found))

    metrics = {MEDIAN: interval(median, len(sounds), options.seed, resamples=200)}
    metrics |= {name: {"value": value} for name, value in values.items()}
    speed = {
        "ours, times faster than real time": seconds / best["ours"],
        "openSMILE's Python wrapper, times faster than real time": seconds / best["openSMILE"],
        "ratio to openSMILE's Python wrapper": best["openSMILE"] / best["ours"],
    }
    weak = [f"{name} {value:.2f}" for name, value in values.items() if not value >= 0.95]
    print(f"{MEDIAN}: {metrics[MEDIAN]['value']:.4f}; {len(NAMES) - len(weak)} of {len(NAMES)} reach .95; not: {weak}")
    for name, value in speed.items():
        print(f"{value:10.1f}  {name}")
    if options.dry:
        return
    notes = (
        f"{options.clips} clips each of RAVDESS, EMO-DB and EMOVO, {seconds:.0f} s; openSMILE eGeMAPSv02; one thread"
    )
    print(save("prosody-egemaps", "speech.prosody", len(sounds), metrics, options.seed, speed, notes).name)
    page = PAGE.read_text("utf-8")
    PAGE.write_text(REGION.sub(lambda at: at[1] + table(values, list(smile.feature_names)) + at[2], page), "utf-8")


if __name__ == "__main__":
    main()
