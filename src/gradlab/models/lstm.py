"""Long short-term memory that foretells the next symbol."""

from torch import Tensor, nn

from gradlab.nn import as_features


class MyRecurrentNet(nn.Module):
    """An LSTM layer and a linear layer on its output at every step.

    Args:
        vocab_size: symbols that there are.
        hidden_size: numbers in the hidden and in the cell state.

    Source: cheat-sheet, "LSTM"; Hochreiter and Schmidhuber 1997, "Long short-term memory", with the forget gate of
    Gers et al. 2000, "Learning to forget".
    Differs from the handbook: `vocab_size` is an argument instead of a global name; integer tokens are taken as well as
    one-hot vectors; rows are flattened with a reshape, since its `view` fails on the CPU, where the layer's output is
    not contiguous. That the last layer needs no bias because the LSTM has one is not quite so: its states lie in
    (-1, 1), so logits far from zero take weights where a bias would do.
    """

    def __init__(self, vocab_size: int, hidden_size: int = 50) -> None:
        super().__init__()
        self.lstm = nn.LSTM(vocab_size, hidden_size, num_layers=1, batch_first=True)
        self.l_out = nn.Linear(hidden_size, vocab_size, bias=False)

    def forward(self, sequences: Tensor) -> Tensor:
        """Returns the next symbol's logits [batch x time, vocabulary], the steps of a sequence one after the other.

        Args:
            sequences: integer tokens [batch, time], or vectors [batch, time, vocabulary].

        Raises:
            ValueError: a step has another number of features.
        """
        states, _ = self.lstm(as_features(sequences, self.lstm.input_size, self.l_out.weight.dtype))
        return self.l_out(states.reshape(-1, self.lstm.hidden_size))
