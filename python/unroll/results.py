"""What evaluate(), train() and import_model() return: plain values with names, which print themselves; vars(x) is a dict."""

from types import SimpleNamespace


class Evaluation(SimpleNamespace):
    """How well a model predicts a text.

    tokens                      predictions that count
    unknown_tokens              unknown symbols of the text
    nats_per_token              mean of -ln p; perplexity is its exponential
    nats_per_known_token        the mean over tokens that are not unknown; perplexity_without_unknown its exponential
    characters, bytes           of the text
    bits_per_char, bits_per_byte
    comparable                  whether bits can be compared between tokenizers
    state, begin, exact         how the text was read
    seconds                     spent predicting
    """


class StepReport(SimpleNamespace):
    """One step of training, and the validation after it, if there was one.

    step, tokens                steps made, predictions trained on so far
    nats_per_token              training loss of this step
    lr, grad_norm               learning rate; norm of the gradient before clipping
    tokens_per_s                speed of this step
    valid_nats_per_token        validation loss, average_valid_nats_per_token that of averaged weights, or None
    valid_accuracy              share of right answers, where answers are labels, or None
    """


class TrainResult(SimpleNamespace):
    """What a training run came to.

    steps, tokens               made so far, those of a run that was resumed included
    nats_per_token              mean training loss of the last steps
    best_valid_nats_per_token   validation loss of the weights in the file, best_valid_accuracy, or None
    best_step, best_is_average  which weights these are
    interrupted                 a callback returned False: resume=True goes on
    stopped_early               patience ended the run
    already_complete            a finished run was resumed: nothing was done
    notes                       what a person should know, a sentence each
    seconds                     of this call
    """


class ImportedModel(SimpleNamespace):
    """A network that another program trained.

    model                       the Model
    format                      of the file, in words
    tensors                     a dict: each tensor of the model, and where in the file its numbers come from
    notes                       what a person should know, a sentence each
    """
