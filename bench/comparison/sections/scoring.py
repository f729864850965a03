"""Log-probabilities of text in batches, beside ONNX Runtime."""

from .. import inference_case

NAME = "scoring"
HELP = "log-probabilities of text in batches, f32, bf16 and int8, beside ONNX Runtime"
PROGRAMS = ["infer_step"]
SETS = ["onnx"]
B, T = 64, 35

TEXT = """\
Embedding, two LSTM layers, softmax: the log-probability of each symbol in windows of {T} steps by {B} rows, which go on
from the state that the window before them left; the same random weights on all sides. ONNX Runtime runs the same
network as one graph (Gather, LSTM, Gemm, LogSoftmax, GatherElements), its weights as constants, all its optimizations
on. Its log-probabilities agree with f32's to {peer:g} each; those of bf16 to {bf16:g} and those of int8 to {int8:g} (root of
the mean square). "Of floor": the time of 2 operations per multiplied weight and token at that round's peak of the
precision, as a share of the time taken. ONNX Runtime's memory is that of the Node process it lives in, some 45 MiB of
it Node's own."""


def measure(context):
    rows = inference_case.section(context, B, T, context.threads, with_bytes=False)
    text = TEXT.format(T=T, B=B, peer=inference_case.PEER_TOLERANCE, **inference_case.ROUNDED_TOLERANCES)
    return f"## Scoring in batches\n\n{text}\n\n{rows}" if rows else ""
