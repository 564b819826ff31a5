"""The cheat-sheet: it asks no questions, but its advice can be tried out."""

from gradlab.answers.question import Practical, Question
from gradlab.experiments import (
    initialization,
    learning_rates,
    lstm_next_symbol,
    regularization,
    rnn_rows,
    transformer_reverse,
    vae,
)

PRACTICAL = Practical(
    title="Cheat-sheet: its advice, tried out",
    subject="Does what the cheat-sheet recommends hold in small experiments?",
    questions=(
        Question(
            part="Parameter initialization",
            text="How large must initial weights be for signals to pass through many layers?",
            experiment=initialization,
        ),
        Question(
            part="Ballpark estimates of hyperparameters",
            text="Do the learning rates for SGD with momentum, Adam and RMSprop hold?",
            experiment=learning_rates,
            shows=("Validation accuracy by learning rate",),
        ),
        Question(
            part="Parameters and optimisers",
            text="Do weight decay, L1, dropout and batch normalisation keep a network from learning images by heart?",
            experiment=regularization,
            shows=("Error over epochs",),
        ),
        Question(
            part="Recurrent Neural Networks",
            text="What do gates and initial weights do for networks that read a digit row by row?",
            experiment=rnn_rows,
            shows=("Accuracy by the number of rows seen",),
        ),
        Question(
            part="LSTM",
            text="Does an LSTM learn to count, and how far?",
            experiment=lstm_next_symbol,
            shows=("Determined symbols right, by n",),
        ),
        Question(
            part="Transformer",
            text="Does the attention of an encoder that writes backwards look where it should?",
            experiment=transformer_reverse,
        ),
        Question(
            part="Variational autoencoder",
            text="What does it learn of handwritten digits, with few numbers in a code and with more?",
            experiment=vae,
        ),
    ),
)
"""The cheat-sheet."""
