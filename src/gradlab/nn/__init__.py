"""Pieces that two or more models share."""

from gradlab.nn import initialization
from gradlab.nn.attention import MultiHeadedAttention, attention
from gradlab.nn.attention_block import AttentionBlock
from gradlab.nn.dense import DenseProducts
from gradlab.nn.distributions import ReparameterizedDiagonalGaussian, gaussian_kl
from gradlab.nn.dropout import Dropout
from gradlab.nn.fan_out import kaiming_fan_out
from gradlab.nn.image_size import check_images
from gradlab.nn.norm_silu import NormSiLUSequential, native_norm
from gradlab.nn.patches import img_to_patch
from gradlab.nn.positions import PositionalEncoding, sinusoidal_positions
from gradlab.nn.replicas import replicas_draw_from, standard_normal
from gradlab.nn.self_attention import DotProductAttention, SelfAttention
from gradlab.nn.tokens import as_features, one_hot

__all__ = [
    "AttentionBlock",
    "DenseProducts",
    "DotProductAttention",
    "Dropout",
    "MultiHeadedAttention",
    "NormSiLUSequential",
    "PositionalEncoding",
    "ReparameterizedDiagonalGaussian",
    "SelfAttention",
    "as_features",
    "attention",
    "check_images",
    "gaussian_kl",
    "img_to_patch",
    "initialization",
    "kaiming_fan_out",
    "native_norm",
    "one_hot",
    "replicas_draw_from",
    "sinusoidal_positions",
    "standard_normal",
]
