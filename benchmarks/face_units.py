"""Whether the action units that belong to an expression are higher where raters see it: AUROC of each unit.

    python -m benchmarks.face_units [--seed 7] [--dry]

Faces are those of FER2013's PrivateTest on which more than half of the raters of FER+ agree; which units belong to
which expression, the codebook on the card of `facs-au` says (Belharbi et al. 2024, their figure). Of each expression
and unit: the chance that a face with the expression has the unit higher than one with another expression. That is no
proof that a unit is measured right, but one that is measured wrong would not pass.

- `face.au`: as it ships
- `face.au, mesh alone`: the same without what the mesh network knows of the crop
"""

import argparse

import cv2
import numpy as np
from sklearn.metrics import roc_auc_score

from affetto.core.catalog import find
from affetto.models.face import units
from affetto.models.face.mesh import FaceMesh
from affetto.models.face.seen import in_boxes
from affetto.models.weights import weights
from benchmarks.results import interval, save
from recipes.face_pictures import EXPRESSIONS, SIDE, pictures

WHOLE = (0.0, 0.0, SIDE - 1.0, SIDE - 1.0)
"""The box of a face that is the whole picture."""
CALLED = {"joy": "happiness"}
"""Words of the codebook that FER+ says otherwise."""


def main() -> None:
    """Measure, and keep the results."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--seed", type=int, default=7)
    asked.add_argument("--dry", action="store_true")
    args = asked.parse_args()
    cv2.setNumThreads(1)
    test = pictures("test")
    test = test[test.majority >= 0]
    mesh = FaceMesh(weights(find("face.mesh")))
    faces = [in_boxes(mesh, picture, [WHOLE])[0] for picture in test.pixels]
    part = units.load(find("face.au"))
    names = part.spaces[0].names
    with_crop = part(faces)[0].values
    alone = part.of(part.shapes.of(np.stack([face.points for face in faces]))[0].values).values
    for model, said in (("face.au", with_crop), ("face.au, mesh alone", alone)):
        metrics = {}
        for expression, expected in codebook().items():
            there = test.majority == EXPRESSIONS.index(CALLED.get(expression, expression))
            for unit in expected:
                values = said[:, names.index(unit)]
                if not np.isnan(values).any():
                    metrics[f"AUROC, {expression}, {unit}"] = interval(
                        lambda rows, y=there, x=values: _auroc(y[rows], x[rows]), len(there), args.seed, resamples=300
                    )
        higher = np.array([one["value"] > 0.5 for one in metrics.values()])
        mean = float(np.mean([one["value"] for one in metrics.values()]))
        whole_table = {
            "mean AUROC": {"value": mean, "low": np.nan, "high": np.nan},
            "expected units that are higher": {"value": float(higher.mean()), "low": np.nan, "high": np.nan},
        }
        for name, one in (whole_table | metrics).items():
            print(f"{model}: {name}: {one['value']:.3f}")
        if not args.dry:
            save("face-units", model, len(faces), whole_table | metrics, args.seed, {}, __doc__.split("\n\n")[2])


def codebook() -> dict[str, list[str]]:
    """Return the units of each expression that the card of `facs-au` names."""
    bridge = next(one for one in find("facs-au", "space").facts["bridges"] if one["kind"] == "linear")
    return {expression: list(line["weights"]) for expression, line in bridge["lines"].items()}


def _auroc(truth: np.ndarray, values: np.ndarray) -> float:
    return float(roc_auc_score(truth, values)) if 0 < truth.sum() < len(truth) else np.nan


if __name__ == "__main__":
    main()
