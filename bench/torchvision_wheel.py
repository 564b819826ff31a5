"""torchvision, imported beside a torch of another build: its wheel registers two operators for its own build only."""

from typing import Any

import torch


def import_torchvision() -> Any:
    """The package torchvision, with the operators defined that its Python asks for."""
    for operator in ("nms", "qnms"):
        if not hasattr(torch.ops.torchvision, operator):
            signature = "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            torch.library.define(f"torchvision::{operator}", signature)
    import torchvision  # noqa: TID251 (a peer)

    return torchvision
