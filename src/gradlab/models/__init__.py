"""Networks, one paper a file.

`__all__` holds the networks; their blocks can be imported from here as well.
"""

from gradlab.models.barlow_twins import BarlowTwins
from gradlab.models.base_network import BaseNetwork
from gradlab.models.baseline import Baseline
from gradlab.models.byol import BYOL
from gradlab.models.cnn import CNN
from gradlab.models.dense_net import DenseLayer as DenseLayer
from gradlab.models.dense_net import DenseNet
from gradlab.models.google_net import GoogleNet
from gradlab.models.google_net import InceptionBlock as InceptionBlock
from gradlab.models.group_equivariant_cnn import GroupEquivariantCNN
from gradlab.models.lenet import LeNet
from gradlab.models.log_regression import LogRegression
from gradlab.models.lstm import MyRecurrentNet
from gradlab.models.mlp import MLP
from gradlab.models.p4_cnn import P4CNN
from gradlab.models.post_activation_resnet import PostActivationResNet
from gradlab.models.post_activation_resnet import ResNetBlock as ResNetBlock
from gradlab.models.residual_cnn import ResidualBlock as ResidualBlock
from gradlab.models.residual_cnn import ResidualCNN
from gradlab.models.residual_group_cnn import ResidualGroupBlock as ResidualGroupBlock
from gradlab.models.residual_group_cnn import ResidualGroupCNN
from gradlab.models.resnet import PreActResNetBlock as PreActResNetBlock
from gradlab.models.resnet import ResNet
from gradlab.models.resnet18 import BasicBlock as BasicBlock
from gradlab.models.resnet18 import ResNet18
from gradlab.models.rnn import RNNModel
from gradlab.models.sim_clr import SimCLR
from gradlab.models.simple_classifier import SimpleClassifier
from gradlab.models.strided_group_cnn import StridedGroupCNN
from gradlab.models.transformer import EncoderBlock as EncoderBlock
from gradlab.models.transformer import TransformerEncoder as TransformerEncoder
from gradlab.models.transformer import TransformerPredictor
from gradlab.models.vae import VariationalAutoencoder
from gradlab.models.vision_transformer import VisionTransformer
from gradlab.models.whitened_cnn import SixViews as SixViews
from gradlab.models.whitened_cnn import WhitenedCNN
from gradlab.models.whitened_cnn import whitening_filters as whitening_filters

__all__ = [
    "BYOL",
    "CNN",
    "MLP",
    "P4CNN",
    "BarlowTwins",
    "BaseNetwork",
    "Baseline",
    "DenseNet",
    "GoogleNet",
    "GroupEquivariantCNN",
    "LeNet",
    "LogRegression",
    "MyRecurrentNet",
    "PostActivationResNet",
    "RNNModel",
    "ResNet",
    "ResNet18",
    "ResidualCNN",
    "ResidualGroupCNN",
    "SimCLR",
    "SimpleClassifier",
    "StridedGroupCNN",
    "TransformerPredictor",
    "VariationalAutoencoder",
    "VisionTransformer",
    "WhitenedCNN",
]
