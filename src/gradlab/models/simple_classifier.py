"""The small network of the introduction: one hidden layer, enough for exclusive or."""

from torch import Tensor, nn


class SimpleClassifier(nn.Module):
    """Linear, tanh, linear.

    Args:
        num_inputs: numbers in one sample.
        num_hidden: units of the hidden layer.
        num_outputs: logits; one for a question of yes or no.

    Source: handbook, introduction to PyTorch, "Simple classifier".
    """

    samples_apart = True  # see `gradlab.training.stacked_rows`

    def __init__(self, num_inputs: int, num_hidden: int, num_outputs: int) -> None:
        super().__init__()
        self.linear1 = nn.Linear(num_inputs, num_hidden)
        self.act_fn = nn.Tanh()
        self.linear2 = nn.Linear(num_hidden, num_outputs)

    def forward(self, inputs: Tensor) -> Tensor:
        """Returns the logits [batch, outputs] of inputs [batch, inputs]."""
        hidden = self.act_fn(self.linear1(inputs))
        return self.linear2(hidden)
