"""torchvision for its datasets and transforms, also where its compiled operators can't load.

The published torchvision is compiled for CUDA builds of torch; beside a CPU build its operators don't load,
and the import stops where it describes two of them. Datasets and transforms use none: once the two names have
a schema, the import goes through.
"""

from __future__ import annotations

import importlib
from typing import Any

KEPT: list[Any] = []  # the schemas last as long as the library object


def import_torchvision() -> Any:
    """The torchvision module, with `datasets` and `transforms` in working order.

    Raises:
        ImportError: if it is not installed.
    """
    try:
        return importlib.import_module("torchvision")
    except ModuleNotFoundError as error:
        raise ImportError("torchvision is not installed: pip install -e '.[parity]'") from error
    except RuntimeError:  # "operator torchvision::nms does not exist"
        KEPT.append(importlib.import_module("torch.library").Library("torchvision", "FRAGMENT"))
        for name in ("nms", "qnms"):
            KEPT[-1].define(f"{name}(Tensor dets, Tensor scores, float iou_threshold) -> Tensor")
        return importlib.import_module("torchvision")
