import pytest
import torch
from torch import nn

from gradlab.learn.exercises.multi_head_attention import dot_product_attention
from tests.learn.mutants import Mutants

WRONG = Mutants("multi_head_attention")


class Student(nn.Module):
    def __init__(self, embed_dim, num_heads):
        super().__init__()
        self.num_heads = num_heads
        self.query, self.key, self.value, self.out = (nn.Linear(embed_dim, embed_dim) for _ in range(4))

    def projected(self, x):
        return self.query(x), self.key(x), self.value(x)

    def forward(self, x):
        q, k, v = self.projected(x)
        parts = [t.chunk(self.num_heads, dim=-1) for t in (q, k, v)]
        heads = [self.attend(*head) for head in zip(*parts, strict=True)]
        return self.out(torch.cat(heads, dim=-1))

    def attend(self, q, k, v):
        return dot_product_attention(q, k, v)


def test_heads_one_by_one_are_right():
    from tests.learn.mutants import judged

    assert judged("multi_head_attention", Student)


@WRONG("the heads are split without a transpose")
class Viewed(Student):
    def forward(self, x):
        b, t, e = x.shape
        q, k, v = (y.contiguous().view(b, self.num_heads, t, e // self.num_heads) for y in self.projected(x))
        return self.out(dot_product_attention(q, k, v).permute(0, 2, 1, 3).reshape(b, t, e))


@WRONG("the heads are joined without a transpose")
class JoinedRaw(Student):
    def forward(self, x):
        b, t, e = x.shape
        q, k, v = (y.view(b, t, self.num_heads, -1).permute(0, 2, 1, 3) for y in self.projected(x))
        return self.out(dot_product_attention(q, k, v).contiguous().view(b, t, e))


@WRONG("the heads of one token attend to each other")
class AmongHeads(Student):
    def forward(self, x):
        b, t, _e = x.shape
        q, k, v = (y.view(b, t, self.num_heads, -1) for y in self.projected(x))
        return self.out(dot_product_attention(q, k, v).flatten(2))


@WRONG("a head takes every n-th number")
class Strided(Student):
    def forward(self, x):
        out = torch.zeros_like(x)
        q, k, v = self.projected(x)
        for h in range(self.num_heads):
            out[..., h :: self.num_heads] = dot_product_attention(*(t[..., h :: self.num_heads] for t in (q, k, v)))
        return self.out(out)


@WRONG("there is a single head")
class Single(Student):
    def forward(self, x):
        return self.out(dot_product_attention(*self.projected(x)))


@WRONG("scaled by the whole size instead of a head's")
class WholeScale(Student):
    def attend(self, q, k, v):
        d = q.shape[-1] * self.num_heads
        return torch.softmax(q @ k.mT / d**0.5, -1) @ v


@WRONG("the last linear layer is missing")
class NoOut(Student):
    def forward(self, x):
        heads = zip(*(t.chunk(self.num_heads, dim=-1) for t in self.projected(x)), strict=False)
        return torch.cat([dot_product_attention(*head) for head in heads], dim=-1)


@WRONG("the values are not projected")
class RawValues(Student):
    def projected(self, x):
        return self.query(x), self.key(x), x


@WRONG("the queries serve as keys")
class CopyPaste(Student):
    def projected(self, x):
        q, v = self.query(x), self.value(x)
        return q, q, v


@WRONG("queries and keys are swapped")
class Swapped(Student):
    def projected(self, x):
        return self.key(x), self.query(x), self.value(x)


@WRONG("batch and token axes are swapped")
class BatchSecond(Student):
    def attend(self, q, k, v):
        return dot_product_attention(q.transpose(0, 1), k.transpose(0, 1), v.transpose(0, 1)).transpose(0, 1)


@WRONG("the input is added")
class Residual(Student):
    def forward(self, x):
        return super().forward(x) + x


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
