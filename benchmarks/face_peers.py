"""Other people's face tools on frames that lie in a file, in whatever interpreter has them.

    PEER_PYTHON -m benchmarks.face_peers NAME FRAMES.npy ANSWER.json [--most 1]

FRAMES is n x height x width x 3, uint8 RGB. ANSWER says for each frame the boxes of its faces (left, top, right,
bottom, pixels), the seconds of loading and of answering all frames, and the version. Tools:

    mediapipe-mesh          the face mesh, as in a film: following from frame to frame
    mediapipe-mesh-still    the same, each frame for itself
    mediapipe-faces         the detector alone, for faces up to 2 m away, each frame for itself
    fer                     justinshenk/fer: a cascade and a network of seven expressions

Imports nothing of Affetto, so that an interpreter with another numpy can run it (`python benchmarks/face_peers.py`
does the same). None of them downloads anything: their networks lie in their packages.
"""

import argparse
import json
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import numpy as np

Boxes = list[list[float]]
Answer = Callable[[np.ndarray], Boxes]


def mediapipe_mesh(most: int, still: bool = False) -> tuple[Answer, str]:
    """Return what finds the 478 points of faces, as the boxes of those."""
    import mediapipe as mp  # noqa: PLC0415 - of this interpreter only

    mesh = mp.solutions.face_mesh.FaceMesh(static_image_mode=still, max_num_faces=most, refine_landmarks=True)

    def answer(frame: np.ndarray) -> Boxes:
        tall, wide = frame.shape[:2]
        found = []
        for face in mesh.process(frame).multi_face_landmarks or ():
            x = [point.x * wide for point in face.landmark]
            y = [point.y * tall for point in face.landmark]
            found.append([min(x), min(y), max(x), max(y)])
        return found

    return answer, version("mediapipe")


def mediapipe_faces(most: int) -> tuple[Answer, str]:
    """Return what finds faces."""
    import mediapipe as mp  # noqa: PLC0415 - of this interpreter only

    detection = mp.solutions.face_detection.FaceDetection(model_selection=0, min_detection_confidence=0.5)

    def answer(frame: np.ndarray) -> Boxes:
        tall, wide = frame.shape[:2]
        found = []
        for face in detection.process(frame).detections or ():
            box = face.location_data.relative_bounding_box
            left, top = box.xmin * wide, box.ymin * tall
            found.append([left, top, left + box.width * wide, top + box.height * tall])
        return found[:most]

    return answer, version("mediapipe")


def fer(most: int) -> tuple[Answer, str]:
    """Return what finds faces and says seven expressions of each."""
    from fer.fer import FER  # noqa: PLC0415 - of this interpreter only

    detector = FER()

    def answer(frame: np.ndarray) -> Boxes:
        found = []
        for face in detector.detect_emotions(np.ascontiguousarray(frame[:, :, ::-1])):  # it wants BGR
            left, top, wide, tall = map(float, face["box"])
            found.append([left, top, left + wide, top + tall])
        return found[:most]

    return answer, version("fer")


PEERS: dict[str, Callable[[int], tuple[Answer, str]]] = {
    "mediapipe-mesh": mediapipe_mesh,
    "mediapipe-mesh-still": lambda most: mediapipe_mesh(most, still=True),
    "mediapipe-faces": mediapipe_faces,
    "fer": fer,
}


def main(arguments: list[str]) -> None:
    """Answer all frames and write what was found."""
    ask = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ask.add_argument("name", choices=PEERS)
    ask.add_argument("frames", type=Path)
    ask.add_argument("answer", type=Path)
    ask.add_argument("--most", type=int, default=1, help="faces in a frame")
    given = ask.parse_args(arguments)
    frames = np.load(given.frames)
    began = time.perf_counter()
    answer, said = PEERS[given.name](given.most)
    answer(frames[0])
    loaded = time.perf_counter()
    boxes = [answer(frame) for frame in frames]
    took = time.perf_counter() - loaded
    plain = {"boxes": boxes, "load_seconds": loaded - began, "seconds": took, "version": said}
    given.answer.write_text(json.dumps(plain), "utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
