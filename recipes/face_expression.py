"""Train and publish `face.expression`: what a face expresses, in eight words.

    python -m recipes.face_expression --work build/face [--seed 20]

After `recipes.face_mesh`, whose network cuts the faces that the calibration is fitted on. One network learns from
Training of FER2013 with the votes of FER+ and, with a second head, the one label of FER2013 (about 100 minutes on one
core); calibration is fitted on PublicTest. PrivateTest is only measured, by `affetto bench run`.
"""

import argparse
import json
import logging
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import torch
from sklearn.linear_model import LogisticRegression

from affetto.models.face.expression import FRAMED, Calibration, Network, closer
from affetto.models.face.mesh import FaceMesh
from affetto.models.face.seen import in_boxes
from affetto.train.export import export_static
from benchmarks.results import save
from recipes import cards
from recipes.face_expression_network import FINISH, ExpressionNetwork, Schooling, taught
from recipes.face_mesh import WEIGHTS as MESH
from recipes.face_mesh import mean
from recipes.face_pictures import EXPRESSIONS, SIDE, Pictures, pictures

log = logging.getLogger("face")
WEIGHTS = MESH.with_name("face.expression.onnx.gz")
WHOLE = (0.0, 0.0, SIDE - 1.0, SIDE - 1.0)
"""The box of a face that is the whole picture."""


def main() -> None:
    """Learn, calibrate, write."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--work", type=Path, required=True)
    asked.add_argument("--seed", type=int, default=Schooling.seed)
    asked.add_argument("--cards", action="store_true", help="only bring the card up to date with the results")
    args = asked.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    if not args.cards:
        args.work.mkdir(parents=True, exist_ok=True)
        kept = args.work / "expression.pt"
        if not kept.exists():
            lessons = pictures("train")
            first = taught(lessons, Schooling(seed=args.seed))
            torch.save(taught(lessons, replace(FINISH, seed=args.seed), net=first).state_dict(), kept)
        net = ExpressionNetwork()
        net.load_state_dict(torch.load(kept, weights_only=True))
        publish(net.eval(), FaceMesh(MESH))
        measure(Network(WEIGHTS), args.seed)
    results = WEIGHTS.parents[5] / "benchmarks" / "results"
    asked_for = ("ferplus.v1", "ferplus-unseen.v1", "fer2013.v1", "fer2013-unseen.v1", "fer-occlusion.v1")
    cards.update(
        "face.expression",
        WEIGHTS,
        [name for name in asked_for if (results / name / "face.expression.json").exists()],
        room="face",
    )


def publish(net: ExpressionNetwork, mesh: FaceMesh) -> None:
    """Write the network in int8, then again with the calibration that fits what it says then."""
    train, dev = pictures("train"), pictures("dev")
    rows = np.random.default_rng(1).permutation(len(train.pixels))[:512]
    shown = [{"close": train.pixels[rows[k : k + 32], None].astype(np.float32) / 255} for k in range(0, 512, 32)]
    example = {"close": torch.rand(2, 1, SIDE, SIDE)}

    def write(facts: dict[str, object]) -> None:
        export_static(net, example, ["logits"], WEIGHTS, {"affetto.calibration": json.dumps(facts)}, shown)

    write({"temperature": 1.0, "trust": [0.0, 1.0, 0.0]})
    facts = fitted(Network(WEIGHTS), dev, mesh)
    log.info("calibration %s", facts)
    write(facts)


def measure(network: Network, seed: int) -> None:
    """Measure both heads of the file on the pictures of PrivateTest as they are, each with its mirror image."""
    test = pictures("test")
    logits = network(test.pixels)
    first, second = logits[:, : len(EXPRESSIONS)], logits[:, len(EXPRESSIONS) :]
    sure = test.majority >= 0
    hit, other = first.argmax(1) == test.majority, second.argmax(1) == test.label
    save(
        "fer-pictures", "face.expression", len(test.pixels),
        {
            "FER+ majority, accuracy": mean(hit[sure], seed),
            "FER+ majority, accuracy, without twins of training": mean(hit[sure & ~test.twin], seed),
            "FER2013 label, accuracy": mean(other, seed),
            "FER2013 label, accuracy, without twins of training": mean(other[~test.twin], seed),
        },
        seed, {},
        "PrivateTest of FER2013, the 48 x 48 pictures as they are, without finding the face first; FER+ by the official"
        " majority rule (3,153 pictures), FER2013 by the second head, which `perceive` does not show.",
    )  # fmt: skip


def fitted(network: Network, dev: Pictures, mesh: FaceMesh) -> dict[str, object]:
    """Return the temperature that makes answers the chances of what most raters say, and the trust in the top one."""
    faces = [in_boxes(mesh, picture, [WHOLE])[0] for picture in dev.pixels]
    error = np.array([face.error for face in faces], np.float32)
    views = [network(np.stack([closer(face.crop, framed) for face in faces])) for framed in FRAMED]
    logits = np.mean(views, 0)[:, : len(EXPRESSIONS)]
    sure = dev.majority >= 0
    heat = best_temperature(logits[sure], np.eye(len(EXPRESSIONS), dtype=np.float32)[dev.majority[sure]])
    values = Calibration(heat, (0.0, 1.0, 0.0)).probabilities(logits)
    top = np.clip(values[sure].max(1), 1e-6, 1 - 1e-6)
    facts = np.stack([np.log(top / (1 - top)), error[sure]], 1)
    line = LogisticRegression(C=100.0).fit(facts, values[sure].argmax(1) == dev.majority[sure])
    return {
        "temperature": heat,
        "trust": [float(line.intercept_[0]), float(line.coef_[0, 0]), float(line.coef_[0, 1])],
    }


def best_temperature(logits: np.ndarray, goals: np.ndarray) -> float:
    """Return the temperature at which the cross-entropy with goals (n x k) is least."""
    x, goal, heat = torch.from_numpy(logits), torch.from_numpy(goals), torch.zeros(1, requires_grad=True)
    solver = torch.optim.LBFGS([heat], max_iter=100)

    def closure() -> torch.Tensor:
        solver.zero_grad()
        loss = -(goal * (x / heat.exp()).log_softmax(1)).sum(1).mean()
        torch.autograd.backward(loss)
        return loss

    solver.step(closure)
    return float(heat.exp().item())


if __name__ == "__main__":
    main()
