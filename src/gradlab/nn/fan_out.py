"""Initial weights of deep convolutional networks."""

from torch import nn


def kaiming_fan_out(network: nn.Module) -> None:
    """Draws the weights of all 2D convolutions from N(0, 2 / fan-out); batch norms start as the identity.

    The fan-out of a convolution is its output channels times the numbers of its kernel: the variance of the gradients
    stays the same from layer to layer. Biases of convolutions keep torch's values.

    Source: He et al. 2015, "Delving deep into rectifiers", section 2.2; handbook, practical 2, `_init_params`.
    """
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.ones_(module.weight)
            nn.init.zeros_(module.bias)
