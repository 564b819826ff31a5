import pytest
import torch
from torch import nn

from gradlab.training import Place


@pytest.mark.parametrize(
    ("precision", "arithmetic"), [("float32", torch.float32), ("bfloat16", torch.bfloat16), ("float64", torch.float32)]
)
def test_the_precision_decides_the_arithmetic_of_a_forward_pass(precision, arithmetic):
    layer, inputs = nn.Linear(3, 2), torch.ones(1, 3)
    with Place(precision=precision).autocast():
        assert layer(inputs).dtype == arithmetic
    assert layer(inputs).dtype == torch.float32
    assert layer.weight.dtype == torch.float32
