"""Draws triangles into a grey picture, nearest first (a z-buffer). Knows points and shades; knows no faces.

Compiled by numba when first used: `pip install 'affetto[bench]'`.
"""

from functools import cache
from typing import Any

import numpy as np
import numpy.typing as npt

from affetto.core.errors import MissingExtraError

Floats = npt.NDArray[np.float32]


def normals(points: Floats, triangles: npt.NDArray[np.int32]) -> Floats:
    """Return the unit normal of each point, n x 3: of the triangles around it, weighed by their areas."""
    out = np.zeros_like(points)
    _compiled()[0](points, triangles, out)
    return out


def drawn(
    points: Floats, shades: Floats, triangles: npt.NDArray[np.int32], high: int, wide: int
) -> tuple[Floats, Floats, npt.NDArray[np.int32]]:
    """Draw triangles.

    Args:
        points: n x 3: pixels from the left, pixels from the top, and nearness: the largest is seen.
        shades: n: blended between the corners.
        triangles: t x 3; those that turn away are drawn as well.
        high: of the picture, pixels.
        wide: likewise.

    Returns:
        Shades (high x wide, NaN where nothing is), nearness (-inf where nothing is), and the number of the triangle
        that is seen (-1 where none).
    """
    nearest = np.full((high, wide), -np.inf, np.float32)
    shade = np.full((high, wide), np.nan, np.float32)
    which = np.full((high, wide), -1, np.int32)
    _compiled()[1](points, shades, triangles, nearest, shade, which)
    return shade, nearest, which


@cache
def _compiled() -> tuple[Any, Any]:
    try:
        import numba  # noqa: PLC0415
    except ImportError:
        raise MissingExtraError("drawing faces", "bench") from None

    def gather(points: Any, triangles: Any, out: Any) -> None:
        for t in range(triangles.shape[0]):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ux, uy, uz = points[b, 0] - points[a, 0], points[b, 1] - points[a, 1], points[b, 2] - points[a, 2]
            vx, vy, vz = points[c, 0] - points[a, 0], points[c, 1] - points[a, 1], points[c, 2] - points[a, 2]
            nx, ny, nz = uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx
            for k in (a, b, c):
                out[k, 0] += nx
                out[k, 1] += ny
                out[k, 2] += nz
        for k in range(out.shape[0]):
            size = np.sqrt(out[k, 0] ** 2 + out[k, 1] ** 2 + out[k, 2] ** 2) + 1e-9
            out[k, 0] /= size
            out[k, 1] /= size
            out[k, 2] /= size

    def fill(points: Any, shades: Any, triangles: Any, nearest: Any, shade: Any, which: Any) -> None:
        high, wide = nearest.shape
        for t in range(triangles.shape[0]):
            a, b, c = triangles[t, 0], triangles[t, 1], triangles[t, 2]
            ax, ay, bx, by, cx, cy = (
                points[a, 0], points[a, 1], points[b, 0], points[b, 1], points[c, 0], points[c, 1],
            )  # fmt: skip
            area = (bx - ax) * (cy - ay) - (cx - ax) * (by - ay)
            if abs(area) < 1e-9:
                continue
            left, right = max(0, int(np.ceil(min(ax, bx, cx)))), min(wide - 1, int(np.floor(max(ax, bx, cx))))
            top, bottom = max(0, int(np.ceil(min(ay, by, cy)))), min(high - 1, int(np.floor(max(ay, by, cy))))
            for y in range(top, bottom + 1):
                for x in range(left, right + 1):
                    wb = ((x - ax) * (cy - ay) - (cx - ax) * (y - ay)) / area
                    wc = ((bx - ax) * (y - ay) - (x - ax) * (by - ay)) / area
                    wa = 1.0 - wb - wc
                    if wa < -1e-6 or wb < -1e-6 or wc < -1e-6:
                        continue
                    near = wa * points[a, 2] + wb * points[b, 2] + wc * points[c, 2]
                    if near > nearest[y, x]:
                        nearest[y, x] = near
                        shade[y, x] = wa * shades[a] + wb * shades[b] + wc * shades[c]
                        which[y, x] = t

    jit = numba.njit(cache=True, fastmath=False)
    return jit(gather), jit(fill)
