import pytest
from torch import nn

from tests.learn.mutants import Mutants

WRONG = Mutants("attention_block")


class Student(nn.Module):
    activation = nn.GELU

    def __init__(self, embed_dim, hidden_dim, num_heads):
        super().__init__()
        self.ln1, self.ln2 = nn.LayerNorm(embed_dim), nn.LayerNorm(embed_dim)
        self.attn = nn.MultiheadAttention(embed_dim, num_heads)
        self.fc1, self.fc2 = nn.Linear(embed_dim, hidden_dim), nn.Linear(hidden_dim, embed_dim)
        self.act = self.activation()

    def mlp(self, x):
        return self.fc2(self.act(self.fc1(x)))

    def attend(self, x):
        return self.attn(x, x, x, need_weights=False)[0]

    def forward(self, x):
        x = x + self.attend(self.ln1(x))
        return x + self.mlp(self.ln2(x))


@WRONG("batch and token axes are swapped")
class BatchFirst(Student):
    def attend(self, x):
        return super().attend(x.transpose(0, 1)).transpose(0, 1)


@WRONG("the norm comes after the sum")
class PostNorm(Student):
    def forward(self, x):
        x = self.ln1(x + self.attend(x))
        return self.ln2(x + self.mlp(x))


@WRONG("there is no layer norm")
class NoNorm(Student):
    def forward(self, x):
        x = x + self.attend(x)
        return x + self.mlp(x)


@WRONG("the normalised input is added")
class Overwrites(Student):
    def forward(self, x):
        x = self.ln1(x)
        x = self.ln2(x + self.attend(x))
        return x + self.mlp(x)


@WRONG("the input is not added to the attention")
class NoFirstSkip(Student):
    def forward(self, x):
        x = self.attend(self.ln1(x))
        return x + self.mlp(self.ln2(x))


@WRONG("the input is not added to the MLP")
class NoSecondSkip(Student):
    def forward(self, x):
        return self.mlp(self.ln2(x + self.attend(self.ln1(x))))


@WRONG("nothing is added")
class NoSkips(Student):
    def forward(self, x):
        return self.mlp(self.ln2(self.attend(self.ln1(x))))


@WRONG("ReLU instead of GELU")
class Relu(Student):
    activation = nn.ReLU


@WRONG("the MLP has no activation")
class Linear(Student):
    def mlp(self, x):
        return self.fc2(self.fc1(x))


@WRONG("there is an activation after the MLP")
class TwoActivations(Student):
    def mlp(self, x):
        return nn.functional.gelu(super().mlp(x))


@WRONG("attention and MLP work on the same input")
class Parallel(Student):
    def forward(self, x):
        return self.mlp(self.ln2(x)) + self.attend(self.ln1(x)) + x


@WRONG("only the query is normalised")
class QueryOnly(Student):
    def forward(self, x):
        x = x + self.attn(self.ln1(x), x, x)[0]
        return x + self.mlp(self.ln2(x))


@WRONG("one layer norm serves twice")
class OneNorm(Student):
    def __init__(self, embed_dim, hidden_dim, num_heads):
        super().__init__(embed_dim, hidden_dim, num_heads)
        del self.ln2

    def forward(self, x):
        x = x + self.attend(self.ln1(x))
        return x + self.mlp(self.ln1(x))


@pytest.mark.parametrize("mutant", WRONG, ids=str)
def test_the_fault_is_named(mutant):
    mutant.check()
