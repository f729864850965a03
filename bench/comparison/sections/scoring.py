"""Log-probabilities of text in batches, beside ONNX Runtime."""

from .. import inference_case

NAME = "scoring"
HELP = "log-probabilities of text in batches, f32, bf16 and int8, beside ONNX Runtime"
PROGRAMS = ["infer_step"]
SETS = ["onnx"]
B, T = 64, 35

TEXT = f"""\
Embedding, two LSTM layers, softmax: the log-probability of each symbol in windows of {T} steps by {B} rows, which go on
from the state that the window before them left; the same random weights on all sides. ONNX Runtime runs the same network as
one graph (Gather, LSTM, Gemm, LogSoftmax, GatherElements) with its weights as constants and all its optimizations. Its
log-probabilities agree with f32's to {inference_case.PEER_TOLERANCE:g} each; those of bf16 and int8 to {inference_case.ROUNDED_TOLERANCE:g} (root of the mean square). "Of
floor": the time of 2 operations per multiplied weight and token at that round's peak of the precision, as a share of
the time taken. ONNX Runtime's memory is that of the Node process it lives in, some 45 MiB of it Node's own."""


def measure(context):
    rows = inference_case.section(context, B, T, context.threads, with_bytes=False)
    return f"## Scoring in batches\n\n{TEXT}\n\n{rows}" if rows else ""
