"""The cheat-sheet's cells, as it prints them but for the slips that keep them from running: ours give the same."""

# ruff: noqa: RET504, RUF059

import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Bernoulli

from gradlab import rng
from gradlab.models import MyRecurrentNet, RNNModel, VariationalAutoencoder
from gradlab.nn import MultiHeadedAttention, ReparameterizedDiagonalGaussian, attention
from gradlab.objectives import VariationalInference, reduce


def test_autograd():
    x = torch.ones(2, 2, requires_grad=True)
    y = x + 2
    z = y * y * 3
    out = z.mean()
    y.retain_grad()
    out.backward()
    assert (y.grad == 4.5).all()
    assert (x.grad == 4.5).all()


class TheirRNNModel(nn.Module):
    def __init__(self, input_size, hidden_size, output_size, num_layers=1):
        super().__init__()
        self.rnn = nn.RNN(input_size, hidden_size, num_layers, batch_first=True)
        self.fc = nn.Linear(hidden_size, output_size)

    def forward(self, x):
        out, _ = self.rnn(x)  # out: tensor of shape (batch_size, seq_length, hidden_size)
        out = self.fc(out[:, -1, :])  # get the last time step
        return out


vocab_size = 4


class TheirRecurrentNet(nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = nn.LSTM(input_size=vocab_size, hidden_size=50, num_layers=1, batch_first=True)
        self.l_out = nn.Linear(in_features=50, out_features=vocab_size, bias=False)

    def forward(self, x):
        x, (h, c) = self.lstm(x)
        x = x.reshape(-1, self.lstm.hidden_size)  # the cheat-sheet: view, which fails
        x = self.l_out(x)
        return x


def their_attention(query, key, value, mask=None, dropout=None):
    d_k = query.size(-1)
    scores = torch.matmul(query, key.transpose(-2, -1)) / math.sqrt(d_k)
    if mask is not None:
        scores = scores.masked_fill(mask == 0, -math.inf)
    p_attn = F.softmax(scores, dim=-1)
    if dropout is not None:
        p_attn = dropout(p_attn)
    return torch.matmul(p_attn, value), p_attn


class TheirMultiHeadedAttention(nn.Module):
    def __init__(self, h, d_model, dropout=0.1):
        super().__init__()
        assert d_model % h == 0
        self.d_k = d_model // h
        self.h = h
        self.linears = nn.ModuleList([nn.Linear(d_model, d_model) for _ in range(4)])
        self.attn = None
        self.dropout = nn.Dropout(p=dropout)

    def forward(self, query, key, value, mask=None):
        nbatches = query.size(0)
        if mask is not None:
            mask = mask.unsqueeze(1)
        query, key, value = [
            l(x).view(nbatches, -1, self.h, self.d_k).transpose(1, 2)
            for l, x in zip(self.linears, (query, key, value))  # noqa: B905, E741 - the cheat-sheet lacks the brackets
        ]
        x, self.attn = their_attention(query, key, value, mask=mask, dropout=self.dropout)
        x = x.transpose(1, 2).contiguous().view(nbatches, -1, self.h * self.d_k)
        return self.linears[-1](x)


class TheirVariationalAutoencoder(nn.Module):
    def __init__(self, input_shape, latent_features):
        super().__init__()
        self.input_shape = input_shape
        self.latent_features = latent_features
        self.observation_features = np.prod(input_shape)
        self.encoder = nn.Sequential(
            nn.Linear(in_features=self.observation_features, out_features=256),
            nn.ReLU(),
            nn.Linear(in_features=256, out_features=128),
            nn.ReLU(),
            nn.Linear(in_features=128, out_features=2 * latent_features),
        )
        self.decoder = nn.Sequential(
            nn.Linear(in_features=latent_features, out_features=128),
            nn.ReLU(),
            nn.Linear(in_features=128, out_features=256),
            nn.ReLU(),
            nn.Linear(in_features=256, out_features=self.observation_features),
        )
        self.register_buffer("prior_params", torch.zeros(torch.Size([1, 2 * latent_features])))

    def posterior(self, x):
        h_x = self.encoder(x)
        mu, log_sigma = h_x.chunk(2, dim=-1)
        return ReparameterizedDiagonalGaussian(mu, log_sigma)

    def prior(self, batch_size=1):
        prior_params = self.prior_params.expand(batch_size, *self.prior_params.shape[-1:])
        mu, log_sigma = prior_params.chunk(2, dim=-1)
        return ReparameterizedDiagonalGaussian(mu, log_sigma)

    def observation_model(self, z):
        px_logits = self.decoder(z)
        px_logits = px_logits.view(-1, *self.input_shape)
        return Bernoulli(logits=px_logits, validate_args=False)

    def forward(self, x):
        x = x.view(x.size(0), -1)
        qz = self.posterior(x)
        pz = self.prior(batch_size=x.size(0))
        z = qz.rsample()
        px = self.observation_model(z)
        return {"px": px, "pz": pz, "qz": qz, "z": z}


class TheirVariationalInference(nn.Module):
    def __init__(self, beta=1.0):
        super().__init__()
        self.beta = beta

    def forward(self, model, x):
        outputs = model(x)
        px, pz, qz, z = [outputs[k] for k in ["px", "pz", "qz", "z"]]
        log_px = reduce(px.log_prob(x))
        log_pz = reduce(pz.log_prob(z))
        log_qz = reduce(qz.log_prob(z))
        kl = log_qz - log_pz
        elbo = log_px - kl
        beta_elbo = log_px - self.beta * kl
        loss = -beta_elbo.mean()
        with torch.no_grad():
            diagnostics = {"elbo": elbo, "log_px": log_px, "kl": kl}
        return loss, diagnostics, outputs


def with_weights_of(theirs, ours):
    """Theirs with our weights: the names in the state dicts are the same, or this raises."""
    theirs.load_state_dict(ours.state_dict())
    return theirs


def test_rnn_and_lstm():
    sequences = torch.randn(3, 6, 4)
    ours = RNNModel(4, 5, 2, 2)
    assert torch.equal(ours(sequences), with_weights_of(TheirRNNModel(4, 5, 2, 2), ours)(sequences))
    ours = MyRecurrentNet(vocab_size)
    assert torch.equal(ours(sequences), with_weights_of(TheirRecurrentNet(), ours)(sequences))


@pytest.mark.parametrize("masked", [True, False])
def test_attention_and_multi_headed_attention(masked):
    query, key, value = (torch.randn(3, 5, 8) for _ in range(3))
    mask = (torch.rand(3, 5, 5) > 0.4).long() | torch.eye(5, dtype=torch.long) if masked else None
    for found, expected in zip(
        attention(query, key, value, mask), their_attention(query, key, value, mask), strict=True
    ):
        torch.testing.assert_close(found, expected)
    ours = MultiHeadedAttention(2, 8)
    theirs = with_weights_of(TheirMultiHeadedAttention(2, 8), ours)
    with rng.global_stream(0, "dropout"):
        found = ours(query, key, value, mask)
    with rng.global_stream(0, "dropout"):
        torch.testing.assert_close(found, theirs(query, key, value, mask))
    torch.testing.assert_close(ours.attn, theirs.attn.detach())


def test_variational_autoencoder_and_inference():
    images = torch.rand(6, 1, 28, 28)
    vae = VariationalAutoencoder(images[0].shape, latent_features=2)
    theirs = with_weights_of(TheirVariationalAutoencoder(images[0].shape, 2), vae)
    for beta in (1.0, 0.5):
        vi = VariationalInference(beta=beta)
        with rng.global_stream(0, "codes"):
            loss, diagnostics, outputs = vi(vae, images)
        with rng.global_stream(0, "codes"):
            their_loss, their_diagnostics, their_outputs = TheirVariationalInference(beta)(theirs, images)
        torch.testing.assert_close(loss, their_loss)
        torch.testing.assert_close(outputs["z"], their_outputs["z"])
        assert list(diagnostics) == list(their_diagnostics)
        for name, value in diagnostics.items():
            torch.testing.assert_close(value, their_diagnostics[name].detach())
