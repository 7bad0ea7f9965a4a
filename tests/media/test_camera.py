import math

import cv2
import numpy as np
import pytest

from affetto.core.errors import UnreadableError
from affetto.media import camera, files
from tests.films import colours, grey, number, quarters


class Device:
    """A camera that shows so many pictures, 30 a second, by a clock of its own."""

    now = 0.0
    opened = 0
    shown = 31

    def __init__(self, number):
        self._left = self.shown if number == 0 else 0
        self._number = number
        Device.opened += 1

    def isOpened(self):
        return self._number < 2

    def get(self, what):
        return 30.0 if what == cv2.CAP_PROP_FPS else 0.0

    def read(self):
        if not self._left:
            return False, None
        self._left -= 1
        Device.now += 1 / 30
        return True, grey(self.shown - self._left - 1)[:, :, ::-1]

    def release(self):
        Device.opened -= 1


@pytest.fixture
def device(monkeypatch):
    monkeypatch.setattr(cv2, "VideoCapture", Device)
    monkeypatch.setattr(camera.time, "monotonic", lambda: Device.now)
    monkeypatch.setattr(Device, "opened", 0)


def test_a_camera_gives_live_frames(device):
    (record,) = files.read("camera:0", frames_rate=5.0)
    (live,) = record.signals
    assert (record.id, live.path, live.rate, live.size) == ("camera-0", "camera:0", 5.0, (64, 64))
    assert math.isnan(live.duration)
    blocks = list(live.timed(0.4))
    times = np.concatenate([t for t, _ in blocks])
    assert [len(t) for t, _ in blocks] == [2, 2, 2] and np.allclose(times, np.arange(6) / 5, atol=0.11)
    assert [number(p) for _, b in blocks for p in b] == [round(t * 30) for t in times]
    assert Device.opened == 0
    stopped = live.blocks(0.4)
    next(stopped)
    stopped.close()
    assert Device.opened == 0
    (every,) = next(files.read("camera:0", frames_rate=0)).signals
    assert every.rate == 30.0 and sum(map(len, every.blocks())) == 31


def test_colours_are_rgb(device, monkeypatch):
    monkeypatch.setattr(Device, "read", lambda self: (True, quarters()[:, :, ::-1]))
    (live,) = next(files.read("camera:0")).signals
    assert colours(next(live.blocks(0.1))[0]) == "rgbw"


def test_no_camera_is_said(device, tmp_path):
    with pytest.raises(UnreadableError, match="there is no camera 5 here"):
        files.read("camera:5")
    with pytest.raises(UnreadableError, match="camera 1 is there but gives no picture"):
        files.read("camera:1")
    with pytest.raises(UnreadableError, match="'camera:x' names no camera"):
        files.read("camera:x")


def test_a_machine_without_cameras_says_so_and_nothing_else(capfd):
    with pytest.raises(UnreadableError, match="there is no camera 97 here"):
        files.read("camera:97")
    assert capfd.readouterr() == ("", "")
