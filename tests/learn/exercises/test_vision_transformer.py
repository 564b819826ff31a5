import pytest
import torch
from torch import nn

from gradlab.learn.exercises.vision_transformer import Encoder, cut_patches
from tests.learn.mutants import Mutants, judged

WRONG = Mutants("vision_transformer")


class Student(nn.Module):
    def __init__(self, embed_dim, num_classes, patch_size, num_patches, num_channels):
        super().__init__()
        self.patch_size = patch_size
        self.encoder = Encoder(embed_dim)
        self.input_layer = nn.Linear(patch_size * patch_size * num_channels, embed_dim)
        self.norm, self.fc = nn.LayerNorm(embed_dim), nn.Linear(embed_dim, num_classes)
        self.cls_token = nn.Parameter(torch.zeros(1, 1, embed_dim))
        self.pos_embedding = nn.Parameter(torch.zeros(1, num_patches + 1, embed_dim))

    def embedded(self, x):
        x = self.input_layer(cut_patches(x, self.patch_size))
        return torch.cat([self.cls_token.repeat(x.shape[0], 1, 1), x], dim=1)

    def head(self, x):
        return self.fc(self.norm(x))

    def encoded(self, x):
        return self.encoder(x.transpose(0, 1)).transpose(0, 1)

    def forward(self, x):
        return self.head(self.encoded(self.embedded(x) + self.pos_embedding)[:, 0])


@WRONG("batch and token axes are swapped")
class NoTranspose(Student):
    def encoded(self, x):
        return self.encoder(x)


@WRONG("the positions are not added")
class NoPositions(Student):
    def forward(self, x):
        return self.head(self.encoded(self.embedded(x))[:, 0])


@WRONG("the positions are added after the encoder")
class Late(Student):
    def forward(self, x):
        return self.head((self.encoded(self.embedded(x)) + self.pos_embedding)[:, 0])


@WRONG("the last patch is classified")
class Last(Student):
    def forward(self, x):
        return self.head(self.encoded(self.embedded(x) + self.pos_embedding)[:, -1])


@WRONG("the mean of all tokens is classified")
class Mean(Student):
    def forward(self, x):
        return self.head(self.encoded(self.embedded(x) + self.pos_embedding).mean(dim=1))


@WRONG("the mean of the patches is classified")
class MeanOfPatches(Student):
    def forward(self, x):
        return self.head(torch.mean(self.encoded(self.embedded(x) + self.pos_embedding)[:, 1:], dim=1))


@WRONG("the class token stands behind and the first patch is classified")
class Behind(Student):
    def embedded(self, x):
        x = self.input_layer(cut_patches(x, self.patch_size))
        return torch.cat([x, self.cls_token.repeat(x.shape[0], 1, 1)], dim=1)


@WRONG("the class token stands behind the patches")
class BehindAndLast(Behind):
    def forward(self, x):
        return self.head(self.encoded(self.embedded(x) + self.pos_embedding)[:, -1])


@WRONG("the class token has no position")
class PatchesPlaced(Student):
    def __init__(self, embed_dim, num_classes, patch_size, num_patches, num_channels):
        super().__init__(embed_dim, num_classes, patch_size, num_patches, num_channels)
        self.pos_embedding = nn.Parameter(torch.zeros(num_patches, embed_dim))

    def forward(self, x):
        x = self.input_layer(cut_patches(x, self.patch_size)) + self.pos_embedding
        x = torch.cat([self.cls_token.expand(len(x), 1, x.shape[-1]), x], 1)
        return self.head(self.encoded(x)[:, 0])


@WRONG("the head has no layer norm")
class NoNorm(Student):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        self.norm = nn.Identity()


@WRONG("there is a softmax at the end")
class Softmax(Student):
    def head(self, x):
        return torch.softmax(super().head(x), dim=-1)


@WRONG("the encoder is not used")
class NoEncoder(Student):
    def encoded(self, x):
        return x


@WRONG("the class token is not learned")
class PlainToken(Student):
    def __init__(self, *sizes):
        super().__init__(*sizes)
        size = self.cls_token.shape
        del self.cls_token
        self.register_buffer("cls_token", torch.zeros(size))


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()


def test_positions_may_be_held_by_an_embedding():
    class Embedded(Student):
        def __init__(self, embed_dim, num_classes, patch_size, num_patches, num_channels):
            super().__init__(embed_dim, num_classes, patch_size, num_patches, num_channels)
            del self.pos_embedding
            self.places = nn.Embedding(num_patches + 1, embed_dim)
            self.cls_token = nn.Parameter(torch.zeros(embed_dim))

        def embedded(self, x):
            x = self.input_layer(cut_patches(x, self.patch_size))
            return torch.cat([self.cls_token.expand(len(x), 1, -1), x], dim=1)

        @property
        def pos_embedding(self):
            return self.places.weight

    assert judged("vision_transformer", Embedded)
    assert judged("vision_transformer", Student)
