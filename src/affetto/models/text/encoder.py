"""The embedded English encoder: word pieces in, calibrated answers of several heads out, on onnxruntime.

One ONNX file holds everything: the network, and in its metadata the tokenizer, the calibration, and a weight for each
n-gram and label of the first head, whose sums are added to its logits. Knows texts and numbers; `reading` turns them
into Tracks.
"""

import json
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime
from tokenizers import Tokenizer

from affetto.core.card import Card
from affetto.core.catalog import load as load_card
from affetto.core.errors import UnreadableError
from affetto.core.record import Record
from affetto.core.track import Track
from affetto.models.text.bags import Lines
from affetto.models.text.calibration import Calibration
from affetto.models.text.reading import Answer, read
from affetto.models.text.wording import readable
from affetto.models.weights import network_of, weights

Floats = npt.NDArray[np.float32]
Ids = npt.NDArray[np.int64]
WINDOW = 128
"""Word pieces of a window, the two at its ends included."""
OVERLAP = 32
"""Word pieces that neighbouring windows share."""
BATCH = 1024
"""Word pieces that are computed at once."""


class Network:
    """An ONNX encoder and its tokenizer: texts in, one row of logits a text out.

    Args:
        path: the ONNX file, gzipped or not; its metadata carry `affetto.tokenizer`, `affetto.calibration` and, where
            n-grams have a say, `affetto.lines`.
        threads: how many processors to use; 0 for all.

    Raises:
        UnreadableError: the file is no such network.
    """

    def __init__(self, path: Path, threads: int = 0) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1  # batches run side by side instead: they need not wait for each other
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        try:
            self.session = onnxruntime.InferenceSession(network_of(path), options, providers=["CPUExecutionProvider"])
            facts = self.session.get_modelmeta().custom_metadata_map
            self.tokenizer = Tokenizer.from_str(facts["affetto.tokenizer"])
            self.facts: dict[str, Any] = json.loads(facts["affetto.calibration"])
            self.lines = Lines.from_plain(json.loads(facts["affetto.lines"])) if "affetto.lines" in facts else None
        except Exception as error:  # onnxruntime and tokenizers raise plain exceptions of their own
            raise UnreadableError(f"{path.name} is no text network of affetto: {error}") from None
        self.pool = ThreadPoolExecutor(threads or processors())
        self.tokenizer.no_padding()
        self.tokenizer.no_truncation()
        self.first, self.last = (self.tokenizer.token_to_id(token) or 0 for token in ("[CLS]", "[SEP]"))

    def logits(self, texts: Sequence[str], output: str = "logits") -> Floats:
        """Return the logits of texts, n x k; a long text's are the mean over its windows, by their length."""
        return self.heard(texts, (output,))[0]

    def heard(self, texts: Sequence[str], outputs: Sequence[str] = ("logits", "known")) -> list[Floats]:
        """Return several outputs at once, n x k each, means over the windows of a long text.

        `logits` are what the heads answer; `known` is what they answer from: the state of the first word piece, and the
        mean over all (n x 768).
        """
        windows, owners, sizes = self._windows(texts)

        def ask(batch: tuple[Ids, Ids, Ids]) -> tuple[Ids, list[Floats]]:
            rows, ids, mask = batch
            return rows, self.session.run(list(outputs), {"ids": ids, "mask": mask})

        parts = list(self.pool.map(ask, batches(windows, BATCH)))
        if not parts:
            return [np.zeros((0, 0), np.float32) for _ in outputs]
        whole = np.bincount(owners, sizes, len(texts)).astype(np.float32)[:, None]
        out = [np.zeros((len(texts), part.shape[1]), np.float32) for part in parts[0][1]]
        for rows, found in parts:
            for sums, part in zip(out, found, strict=True):
                np.add.at(sums, owners[rows], part * sizes[rows, None])
        return [sums / whole for sums in out]

    def states(self, texts: Sequence[str]) -> Iterator[tuple[Ids, Floats, Floats, Ids]]:
        """Yield batches of windows: their text numbers (b), sizes (b), middle states (b x t x width), mask (b x t)."""
        windows, owners, sizes = self._windows(texts)
        for rows, ids, mask in batches(windows, BATCH):
            yield owners[rows], sizes[rows], self.session.run(["states"], {"ids": ids, "mask": mask})[0], mask

    def read(self, texts: Sequence[str]) -> Iterator[tuple[Ids, Floats, Ids, Floats, Floats, Floats]]:
        """Yield batches of windows: text numbers, sizes, mask, and all that is said of them at once.

        Text numbers (b), sizes (b), mask (b x t), logits (b x k), known (b x 768), middle states (b x t x width).
        """
        windows, owners, sizes = self._windows(texts)

        def ask(batch: tuple[Ids, Ids, Ids]) -> tuple[Ids, Ids, list[Floats]]:
            rows, ids, mask = batch
            return rows, mask, self.session.run(["logits", "known", "states"], {"ids": ids, "mask": mask})

        for rows, mask, (logits, known, states) in self.pool.map(ask, batches(windows, BATCH)):
            yield owners[rows], sizes[rows], mask, logits, known, states

    def _windows(self, texts: Sequence[str]) -> tuple[list[list[int]], Ids, Floats]:
        """Return the windows of all texts, the text each belongs to, and the share of its text that each stands for."""
        encoded = self.tokenizer.encode_batch_fast([_clean(text) for text in texts], add_special_tokens=False)
        windows: list[list[int]] = []
        owners: list[int] = []
        room, step = WINDOW - 2, WINDOW - 2 - OVERLAP
        for i, words in enumerate(encoded):
            ids = words.ids
            for start in range(0, max(1, len(ids) - OVERLAP), step):
                windows.append([self.first, *ids[start : start + room], self.last])
                owners.append(i)
        return windows, np.array(owners, np.int64), np.array([len(w) - 1 for w in windows], np.float32)


def processors() -> int:
    """Return how many processors this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def batches(windows: Sequence[Sequence[int]], size: int) -> Iterator[tuple[Ids, Ids, Ids]]:
    """Yield (window numbers, ids, mask) of windows of like length, at most `size` word pieces at once."""
    lengths = np.array([len(window) for window in windows], np.int64)
    order, at = np.argsort(lengths, kind="stable"), 0
    while at < len(order):
        count = min(max(1, size // int(lengths[order[at]])), len(order) - at)
        while count > 1 and lengths[order[at + count - 1]] * count > size:
            count -= 1
        rows = order[at : at + count]
        ids = np.zeros((len(rows), int(lengths[rows[-1]])), np.int64)
        mask = np.arange(ids.shape[1]) < lengths[rows, None]
        ids[mask] = np.concatenate([windows[i] for i in rows])
        yield rows, ids, mask.astype(np.int64)
        at += len(rows)


def _clean(text: str) -> str:
    """Make a text that UTF-8 can hold: a lone surrogate becomes a replacement character."""
    try:
        text.encode()
    except UnicodeEncodeError:
        text = text.encode("utf-8", "replace").decode()
    return readable(text)


@dataclass(frozen=True)
class TextEncoder:
    """A Model over the embedded encoder: answers in every space that its card names."""

    card: Card
    network: Network
    calibration: Calibration

    def __call__(self, records: Sequence[Record]) -> list[tuple[Track, ...]]:
        """Return the Tracks of each Record."""
        return read(records, self.answer, self.card)

    def answer(self, texts: Sequence[str], languages: Sequence[str] = ()) -> list[Answer]:
        """Answer texts in every space, calibrated; `languages` are not looked at, all is read as English."""
        logits = self.network.logits(texts) if texts else np.zeros((0, self.calibration.width), np.float32)
        if self.network.lines:
            lined = self.network.lines.logits([_clean(text) for text in texts])
            logits[:, : lined.shape[1]] += lined
        return self.calibration.answers(logits)


def load(card: Card) -> TextEncoder:
    """Load the encoder that a card names."""
    network = Network(weights(card))
    return TextEncoder(card, network, Calibration.from_plain(network.facts, load_card))
