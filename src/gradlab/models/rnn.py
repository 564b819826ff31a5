"""Recurrent networks, read at the last step of a sequence."""

from typing import Literal

from torch import Tensor, nn

from gradlab.nn import as_features, initialization

Start = Literal["torch", "orthogonal", "variance"]
Cell = Literal["RNN", "LSTM", "GRU"]
_LAYERS: dict[str, type[nn.RNN | nn.LSTM | nn.GRU]] = {"RNN": nn.RNN, "LSTM": nn.LSTM, "GRU": nn.GRU}


class RNNModel(nn.Module):
    """Recurrent layers h_t = tanh(W x_t + b + U h_(t-1) + c), from h_0 = 0, and a linear layer on the last h.

    Args:
        input_size: features of one step.
        hidden_size: units of a recurrent layer.
        output_size: outputs.
        num_layers: recurrent layers, each fed with the one below.
        start: initial recurrent weights: "torch" leaves torch's, uniform in +-1 / sqrt(hidden); "orthogonal"; or
            "variance", normal with variance 1 / inputs. The last two start the biases at zero.
        cell: what a layer computes: "RNN", the recurrence above; "LSTM" or "GRU", which have gates.

    Source: cheat-sheet, "Recurrent Neural Networks"; the two starts from there and "Parameter initialization"; LSTM:
    Hochreiter and Schmidhuber 1997, "Long short-term memory"; GRU: Cho et al. 2014, "Learning phrase representations
    using RNN encoder-decoder".
    Differs from the handbook: integer tokens are taken too, as one-hot vectors; layers with gates can be chosen.

    Raises:
        ValueError: an unknown start or cell.
    """

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        output_size: int,
        num_layers: int = 1,
        *,
        start: Start = "torch",
        cell: Cell = "RNN",
    ) -> None:
        super().__init__()
        if start not in ("torch", "orthogonal", "variance"):
            raise ValueError(f"start must be 'torch', 'orthogonal' or 'variance': got '{start}'")
        if cell not in _LAYERS:
            raise ValueError(f"cell must be 'RNN', 'LSTM' or 'GRU': got '{cell}'")
        self.rnn = _LAYERS[cell](input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)
        if start == "orthogonal":
            initialization.orthogonal(self.rnn)
        elif start == "variance":
            initialization.recurrent(self.rnn)

    def forward(self, sequences: Tensor) -> Tensor:
        """Returns [batch, outputs] of sequences [batch, time, features], or of integer tokens [batch, time].

        Raises:
            ValueError: a step has another number of features.
        """
        states, _ = self.rnn(as_features(sequences, self.rnn.input_size, self.fc.weight.dtype))
        return self.fc(states[:, -1])
