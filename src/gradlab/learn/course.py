"""The exercises in the order of the practicals."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Chapter:
    """A part of the course.

    Args:
        folder: its folder and the name of its notebook.
        title: what it is about.
        exercises: in order.
    """

    folder: str
    title: str
    exercises: tuple[str, ...]


CHAPTERS = (
    Chapter(
        "introduction",
        "Tensors and autograd",
        (
            "select_parts",
            "replace_where",
            "images_to_tensor",
            "squared_distances",
            "bilinear_form",
            "gradient_by_hand",
            "linear_backward",
            "jacobian_chain",
            "intermediate_gradient",
            "descent_step",
            "continuous_xor",
            "binary_cross_entropy",
            "binary_accuracy",
        ),
    ),
    Chapter(
        "classification",
        "From logits to a trained classifier",
        (
            "one_hot",
            "softmax",
            "cross_entropy",
            "cross_entropy_gradient",
            "logistic_regression_step",
            "running_error",
            "confusion_matrix",
        ),
    ),
    Chapter(
        "practical1",
        "Multi-layer perceptrons",
        (
            "mlp",
            "sgd_momentum",
            "train_curve",
            "train_epoch",
            "evaluate_model",
            "keep_best",
            "save_and_load",
            "dropout",
            "penalized_loss",
            "initial_weights",
            "batch_norm",
            "shuffle_pixels",
        ),
    ),
    Chapter(
        "practical2",
        "Convolutional networks",
        (
            "convolution_size",
            "convolve",
            "lenet",
            "preact_block",
            "resnet",
            "rotate_images",
            "rotation_accuracies",
        ),
    ),
    Chapter(
        "practical3",
        "Vision transformers",
        (
            "img_to_patch",
            "attention",
            "multi_head_attention",
            "layer_norm",
            "sinusoidal_positions",
            "attention_block",
            "vision_transformer",
            "classification_step",
        ),
    ),
    Chapter(
        "practical4",
        "Group-equivariant networks",
        (
            "cyclic_group",
            "cayley_table",
            "rotation_matrix",
            "action_on_plane",
            "lifted_grids",
            "lifting_kernels",
            "lifting_convolution",
            "group_kernels",
            "group_convolution",
            "invariant_head",
            "equivariance_error",
        ),
    ),
    Chapter(
        "practical5",
        "Contrastive learning",
        (
            "projection_network",
            "cosine_similarities",
            "info_nce_loss",
            "contrastive_accuracy",
            "judge_the_loss",
            "encode_images",
            "smaller_dataset",
        ),
    ),
    Chapter(
        "cheatsheet",
        "Recurrent networks and autoencoders",
        (
            "rnn_step",
            "reparameterize",
            "negative_elbo",
        ),
    ),
)
