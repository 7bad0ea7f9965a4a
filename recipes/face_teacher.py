"""The teacher of `face.mesh`: the face mesh of MediaPipe, asked about grey pictures. Runs by itself, in its own Python.

    python recipes/face_teacher.py PICTURES.npz MESHES.npz [--grow 4] [--margin 0.33] [--faces 1]

Needs `mediapipe==0.10.21` (Apache-2.0), which wants numpy 1: give it an environment of its own. PICTURES.npz holds
arrays n x h x w or h x w, uint8; MESHES.npz gets, under the same names, faces x (picture, 478 x 3 points in its
pixels) as an array m x 1435.
"""

import argparse

import cv2
import mediapipe
import numpy as np


def meshes(mesher: object, grey: np.ndarray, grow: float, margin: float) -> list[np.ndarray]:
    """Return the meshes, 478 x 3 each, of a picture, which is shown larger and with its edge continued."""
    big = cv2.resize(grey, None, fx=grow, fy=grow, interpolation=cv2.INTER_CUBIC)
    edge = round(margin * max(big.shape))
    big = cv2.copyMakeBorder(big, edge, edge, edge, edge, cv2.BORDER_REPLICATE)
    high, wide = big.shape
    found = mesher.process(cv2.cvtColor(big, cv2.COLOR_GRAY2RGB)).multi_face_landmarks or []
    out = []
    for face in found:
        points = np.array([[p.x * wide, p.y * high, p.z * wide] for p in face.landmark], np.float32)
        points[:, :2] -= edge
        points /= grow
        points[:, :2] -= 0.5
        out.append(points)
    return out


def main() -> None:
    """Ask about every picture."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("pictures")
    asked.add_argument("meshes")
    asked.add_argument("--grow", type=float, default=4)
    asked.add_argument("--margin", type=float, default=0.33)
    asked.add_argument("--faces", type=int, default=1)
    args = asked.parse_args()
    cv2.setNumThreads(1)
    mesher = mediapipe.solutions.face_mesh.FaceMesh(
        static_image_mode=True, refine_landmarks=True, max_num_faces=args.faces, min_detection_confidence=0.2
    )
    said = {}
    with np.load(args.pictures) as file:
        for name in file.files:
            pictures = file[name] if file[name].ndim == 3 else file[name][None]
            rows = [
                np.concatenate([[i], points.ravel()])
                for i, grey in enumerate(pictures)
                for points in meshes(mesher, grey, args.grow, args.margin)
            ]
            said[name] = np.array(rows, np.float32).reshape(-1, 1 + 478 * 3)
    np.savez(args.meshes, **said)


if __name__ == "__main__":
    main()
