"""The handbook's optimiser cells (practical 1, part 1), their lines unchanged, and what it says of them."""

import numpy as np
import torch
from matplotlib.figure import Figure

from gradlab.optim import SGDMomentum, pathological_curve_loss, train_curve


def plot_curve(curve_fn, x_range=(-5, 5), y_range=(-5, 5)):
    """The handbook's, without its third dimension (`fig.gca(projection=...)` is gone from matplotlib)."""
    ax = Figure(figsize=(6, 6)).add_subplot()
    x = torch.arange(x_range[0], x_range[1], (x_range[1] - x_range[0]) / 100.0)
    y = torch.arange(y_range[0], y_range[1], (y_range[1] - y_range[0]) / 100.0)
    x, y = torch.meshgrid([x, y], indexing="ij")
    z = curve_fn(x, y)
    x, y, z = x.numpy(), y.numpy(), z.numpy()
    ax.imshow(z.T[::-1], extent=(x_range[0], x_range[1], y_range[0], y_range[1]))
    return ax


def test_optimizer_cells():
    SGDMom_points = train_curve(lambda params: SGDMomentum(params, lr=10, momentum=0.9))  # noqa: N806

    all_points = SGDMom_points
    ax = plot_curve(
        pathological_curve_loss,
        x_range=(-np.absolute(all_points[:, 0]).max(), np.absolute(all_points[:, 0]).max()),
        y_range=(all_points[:, 1].min(), all_points[:, 1].max()),
    )
    ax.plot(SGDMom_points[:, 0], SGDMom_points[:, 1], color="red", marker="o", zorder=2, label="SGDMom")

    # "you should see that the optimizer indeed reaches a point of very low w2 (w2 < -7.5) and w1 close to 0"
    assert SGDMom_points.shape == (100, 3)
    assert SGDMom_points[-1, 1] < -7.5
    assert abs(SGDMom_points[-1, 0]) < 0.05
