"""Draw the faces of `examples/`: a picture of three people, and a film of one who smiles and is then astonished.

    python -m recipes.example_faces

Nobody is shown: the heads are the ICT face model's (MIT), with made-up skin, brows and hair. Needs AFFETTO_DATA with
`face/ict-facekit-light`, and numba.
"""

import os
from pathlib import Path

import av
import cv2
import numpy as np

from affetto.datasets.ict_face import Floats, Head
from affetto.datasets.ict_scenes import Grey, Scenes, Studio

EXAMPLES = Path(__file__).resolve().parents[1] / "examples"
JOY = {"mouthSmile": 0.9, "cheekSquint": 0.7, "mouthUpperUp": 0.3, "jawOpen": 0.1}
SURPRISE = {"browInnerUp": 0.9, "browOuterUp": 0.9, "eyeWide": 0.8, "jawOpen": 0.55}
SADNESS = {"browInnerUp": 1.0, "mouthFrown": 0.9, "mouthShrugLower": 0.6, "browDown": 0.2}
FRONT = Scenes(plain=True, yaw=12, pitch=6, roll=4)
RATE, SECONDS = 15, 4


def main() -> None:
    """Draw both."""
    head = Head.read(Path(os.environ["AFFETTO_DATA"]) / "face" / "ict-facekit-light")
    studio = Studio(head, side=480)
    people = [
        studio.scene(np.random.default_rng(seed), FRONT, weights(head, how)).picture
        for seed, how in ((40, JOY), (41, SURPRISE), (43, SADNESS))
    ]
    cv2.imwrite(str(EXAMPLES / "faces.jpg"), np.hstack(people)[40:440], [cv2.IMWRITE_JPEG_QUALITY, 88])
    film(Studio(head, side=320), head, EXAMPLES / "face.mp4")


def weights(head: Head, how: dict[str, float], strength: float = 1.0) -> Floats:
    """Return the weights of ICT's expressions, both sides alike."""
    return np.array([strength * how.get(name.split("_")[0], 0) for name in head.names], np.float32)


def film(studio: Studio, head: Head, path: Path) -> None:
    """Draw somebody at rest, smiling, at rest, astonished, and gone for the last half second."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=RATE, options={"crf": "26"})
        stream.width = stream.height = studio.side
        stream.pix_fmt = "yuv420p"
        for k in range(RATE * SECONDS):
            second = k / RATE
            smile, start = (np.clip(np.sin(np.pi * (second - at) / 1.2), 0, 1) if 0 < second - at < 1.2 else 0.0
                            for at in (0.4, 2.0))  # fmt: skip
            shown = weights(head, JOY, smile) + weights(head, SURPRISE, start)
            scene = studio.scene(np.random.default_rng(40), FRONT, shown)
            picture: Grey = scene.picture if second < SECONDS - 0.5 else np.full_like(scene.picture, 204)
            frame = av.VideoFrame.from_ndarray(np.repeat(picture[..., None], 3, axis=2), "rgb24")
            container.mux(stream.encode(frame))
        container.mux(stream.encode())


if __name__ == "__main__":
    main()
