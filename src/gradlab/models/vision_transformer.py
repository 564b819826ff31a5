"""The vision transformer: an image is a sequence of patches."""

import torch
from torch import Tensor, nn

from gradlab.nn import AttentionBlock, Dropout, check_images, img_to_patch


class VisionTransformer(nn.Module):
    """Patches become tokens, a class token joins them, attention blocks mix them; the class token gives the logits.

    Args:
        embed_dim: numbers of a token, a multiple of `num_heads`.
        hidden_dim: units of the hidden layer of each block's feed-forward network.
        num_channels: channels of the images.
        num_heads: attention heads of each block.
        num_layers: attention blocks.
        num_classes: number of classes.
        patch_size: height and width of a patch in pixels.
        num_patches: the most patches that an image may have.
        dropout: probability of dropping a number, in the feed-forward networks and of the tokens at the start.
        positional_embedding: adds a learned vector to the token of each place. Without, the network sees a bag of
            patches: their order makes no difference, and any number of them is taken.

    Source: Dosovitskiy et al. 2021, "An image is worth 16x16 words", figure 1; handbook, practical 3, part 1; its
    defaults are those of the practical's text.
    Differs from the paper: class token and positions start from N(0, 1), dropout as in the handbook.

    Raises:
        ValueError: the heads do not divide the numbers of a token.
    """

    def __init__(
        self,
        embed_dim: int = 128,
        hidden_dim: int = 256,
        num_channels: int = 3,
        num_heads: int = 4,
        num_layers: int = 6,
        num_classes: int = 10,
        patch_size: int = 4,
        num_patches: int = 64,
        dropout: float = 0.0,
        positional_embedding: bool = True,
    ) -> None:
        super().__init__()
        self.num_channels = num_channels
        self.patch_size = patch_size
        self.embed = nn.Linear(num_channels * patch_size**2, embed_dim)
        self.class_token = nn.Parameter(torch.randn(1, 1, embed_dim))
        self.positions = nn.Parameter(torch.randn(1, 1 + num_patches, embed_dim)) if positional_embedding else None
        self.dropout = Dropout(dropout)
        self.blocks = nn.Sequential(
            *(AttentionBlock(embed_dim, hidden_dim, num_heads, dropout) for _ in range(num_layers))
        )
        self.head = nn.Sequential(nn.LayerNorm(embed_dim), nn.Linear(embed_dim, num_classes))

    def forward(self, x: Tensor) -> Tensor:
        """Returns the logits [batch, classes] of images [batch, channels, height, width].

        Raises:
            ValueError: the images have other channels, too many patches, or sides that the patch does not divide.
        """
        class_token = self.blocks(self._tokens(x))[0]
        return self.head(class_token)

    def attention_maps(self, x: Tensor) -> list[Tensor]:
        """For each block, how much each token looks at each: [batch, heads, 1 + patches, 1 + patches].

        Token 0 is the class token; patches follow left to right and top to bottom. Each row has sum 1.

        Raises:
            ValueError: as `forward`.
        """
        tokens, maps = self._tokens(x), []
        for block in self.blocks:
            assert isinstance(block, AttentionBlock)
            maps.append(block.attention_map(tokens))
            tokens = block(tokens)
        return maps

    def _tokens(self, images: Tensor) -> Tensor:
        """Class token and patches with their positions, [1 + patches, batch, embed_dim]."""
        check_images(images, "VisionTransformer", channels=self.num_channels)
        patches = self.embed(img_to_patch(images, self.patch_size))
        tokens = torch.cat([self.class_token.expand(len(images), -1, -1), patches], dim=1)
        if self.positions is not None:
            count, most = patches.shape[1], self.positions.shape[1] - 1
            if count > most:
                raise ValueError(f"VisionTransformer takes at most {most} patches an image: got {count}")
            tokens = tokens + self.positions[:, : 1 + count]
        return self.dropout(tokens).transpose(0, 1).contiguous()
