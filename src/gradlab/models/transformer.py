"""The transformer's encoder, and a network that says something about every token of a sequence."""

import torch
from torch import Tensor, nn

from gradlab.nn import Dropout, MultiHeadedAttention, PositionalEncoding, as_features


class EncoderBlock(nn.Module):
    """Attention among the tokens, then two linear layers at each; each is added to its input and normalised after.

    Args:
        input_dim: features of a token.
        num_heads: heads, which divide the features.
        dim_feedforward: hidden units of the two linear layers.
        dropout: share dropped in the attention weights and in each branch.

    Source: Vaswani et al. 2017, "Attention is all you need", figure 1, left; the solved tutorial 6.
    """

    def __init__(self, input_dim: int, num_heads: int, dim_feedforward: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.self_attn = MultiHeadedAttention(num_heads, input_dim, dropout)
        self.linear_net = nn.Sequential(
            nn.Linear(input_dim, dim_feedforward),
            nn.ReLU(),
            Dropout(dropout),
            nn.Linear(dim_feedforward, input_dim),
        )
        self.norm1 = nn.LayerNorm(input_dim)
        self.norm2 = nn.LayerNorm(input_dim)
        self.dropout = Dropout(dropout)

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns [batch, time, features] of tokens of that shape; for the mask see `MultiHeadedAttention`."""
        tokens = self.norm1(tokens + self.dropout(self.self_attn(tokens, tokens, tokens, mask)))
        return self.norm2(tokens + self.dropout(self.linear_net(tokens)))


class TransformerEncoder(nn.Module):
    """Encoder blocks one after the other.

    Args:
        num_layers: blocks.
        input_dim: features of a token.
        num_heads: heads, which divide the features.
        dim_feedforward: hidden units of the linear layers in each block.
        dropout: share dropped in each block.

    Source: Vaswani et al. 2017, figure 1, left; the solved tutorial 6.
    """

    def __init__(
        self, num_layers: int, input_dim: int, num_heads: int, dim_feedforward: int, dropout: float = 0.0
    ) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            [EncoderBlock(input_dim, num_heads, dim_feedforward, dropout) for _ in range(num_layers)]
        )

    def forward(self, tokens: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns [batch, time, features] of tokens [batch, time, features]."""
        for layer in self.layers:
            tokens = layer(tokens, mask)
        return tokens

    @torch.no_grad()
    def get_attention_maps(self, tokens: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """Each block's attention weights [batch, heads, time, time] over tokens [batch, time, features]."""
        maps = []
        for layer in self.layers:
            assert isinstance(layer, EncoderBlock)
            tokens = layer(tokens, mask)
            maps.append(layer.self_attn.attn)
        return maps


class TransformerPredictor(nn.Module):
    """Tokens through a linear layer, positions, an encoder and a small network at each token.

    Args:
        input_dim: features of a token, or how many symbols there are.
        num_classes: logits at each token.
        model_dim: features inside the encoder, even.
        num_heads: heads, which divide `model_dim`.
        num_layers: encoder blocks.
        dropout: share dropped inside.
        input_dropout: share dropped of the input features.
        max_len: the longest sequence.

    Source: the solved tutorial 6, "Sequence to sequence".
    Differs from the tutorial: integer tokens are taken too, as one-hot vectors.

    Raises:
        ValueError: an odd `model_dim`, or heads that do not divide it.
    """

    def __init__(
        self,
        input_dim: int,
        num_classes: int,
        model_dim: int = 32,
        num_heads: int = 1,
        num_layers: int = 1,
        dropout: float = 0.0,
        input_dropout: float = 0.0,
        max_len: int = 512,
    ) -> None:
        super().__init__()
        self.input_dim = input_dim
        self.input_net = nn.Sequential(Dropout(input_dropout), nn.Linear(input_dim, model_dim))
        self.positional_encoding = PositionalEncoding(model_dim, max_len)
        self.transformer = TransformerEncoder(num_layers, model_dim, num_heads, 2 * model_dim, dropout)
        self.output_net = nn.Sequential(
            nn.Linear(model_dim, model_dim),
            nn.LayerNorm(model_dim),
            nn.ReLU(inplace=True),
            Dropout(dropout),
            nn.Linear(model_dim, num_classes),
        )

    def forward(self, sequences: Tensor, mask: Tensor | None = None) -> Tensor:
        """Returns the logits [batch, time, classes].

        Args:
            sequences: integer tokens [batch, time], or features [batch, time, input_dim].
            mask: [batch or 1, time or 1, time]; a token does not see those where it is 0 or False.

        Raises:
            ValueError: a token has another number of features, or the sequence is longer than `max_len`.
        """
        return self.output_net(self.transformer(self._embedded(sequences), mask))

    @torch.no_grad()
    def get_attention_maps(self, sequences: Tensor, mask: Tensor | None = None) -> list[Tensor]:
        """Each block's attention weights [batch, heads, time, time] over the sequences."""
        return self.transformer.get_attention_maps(self._embedded(sequences), mask)

    def _embedded(self, sequences: Tensor) -> Tensor:
        features = as_features(sequences, self.input_dim, self.positional_encoding.table.dtype)
        return self.positional_encoding(self.input_net(features))
