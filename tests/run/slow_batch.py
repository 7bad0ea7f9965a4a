"""A batch slow enough to be killed: python slow_batch.py INPUT OUT RESUME EVERY. Not a test itself."""

import sys
import time

from affetto import formats
from affetto.core.space import Axis, Space
from affetto.core.track import Track
from affetto.media import files
from affetto.run import batch

MOOD = Space("mood-2", "one", (Axis("good"), Axis("bad")))


def work(records):
    time.sleep(0.004)
    answered = []
    for record in records:
        if "bad" in record.text:
            raise ValueError(f"cannot feel {record.text!r}")
        good = (len(record.text) % 10) / 10
        answered.append(record.add(Track(MOOD, [0], [len(record.text)], [[good, 1 - good]], "char", "writer")))
    return answered


def main(source, out, resume, every):
    batch._EVERY = float(every)
    reading = files.read(source)
    appender = formats.by_path(out).appender(columns=reading.columns)
    batch.run(reading, work, out, appender, source=source, resume=resume == "resume", chunk=40)


if __name__ == "__main__":
    main(*sys.argv[1:])
