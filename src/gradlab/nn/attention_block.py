"""The block of a transformer's encoder."""

from torch import Tensor, nn

from gradlab.nn.dropout import Dropout
from gradlab.nn.self_attention import SelfAttention


class AttentionBlock(nn.Module):
    """Self-attention, then a small network on each token; each with layer norm in front and a shortcut around it.

    Args:
        embed_dim: numbers of a token, a multiple of `num_heads`.
        hidden_dim: units of the hidden layer of the feed-forward network, usually 2 to 4 times `embed_dim`.
        num_heads: attention heads.
        dropout: probability of dropping a number, after the hidden layer and after the feed-forward network.

    Source: Xiong et al. 2020, "On layer normalization in the transformer architecture", figure 1b; handbook,
    practical 3, part 1.
    Differs from the paper: GELU for ReLU, as in Dosovitskiy et al. 2021; no dropout after the attention.

    Raises:
        ValueError: the heads do not divide the numbers of a token.
    """

    def __init__(self, embed_dim: int, hidden_dim: int, num_heads: int, dropout: float = 0.0) -> None:
        super().__init__()
        self.attention_norm = nn.LayerNorm(embed_dim)
        self.attention = SelfAttention(embed_dim, num_heads)
        self.feed_forward_norm = nn.LayerNorm(embed_dim)
        self.feed_forward = nn.Sequential(
            nn.Linear(embed_dim, hidden_dim),
            nn.GELU(),
            Dropout(dropout),
            nn.Linear(hidden_dim, embed_dim),
            Dropout(dropout),
        )

    def forward(self, x: Tensor) -> Tensor:
        """Returns [tokens, batch, embed_dim] for tokens `x` of the same shape."""
        x = x + self.attention(self.attention_norm(x))
        return x + self.feed_forward(self.feed_forward_norm(x))

    def attention_map(self, x: Tensor) -> Tensor:
        """How much each token looks at each: [batch, heads, tokens, tokens], each row non-negative with sum 1."""
        return self.attention.weights(self.attention_norm(x))
