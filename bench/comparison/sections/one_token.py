"""One symbol at a time, as in writing text, beside ONNX Runtime."""

from .. import inference_case

NAME = "one_token"
HELP = "one symbol at a time on one thread, f32, bf16 and int8, beside ONNX Runtime"
PROGRAMS = ["infer_step"]
SETS = ["onnx"]

TEXT = """\
One symbol in, all logits out, the state carried on; one thread on both sides, networks and checks as in the section on
scoring. ONNX Runtime's outputs and states have their memory from the start, and its session is called without waiting
for Node's event loop. Still a call through Node takes time that a call from C would not: the last column is the ratio
when all that a network of one unit (H 1) takes this way is left out of ONNX Runtime's time, its own work on such a
network included. "Weights, GB/s": the bytes of the multiplied weights (4, 2 or 1 each) that this speed reads."""


def measure(context):
    rows = inference_case.section(context, 1, 1, 1, with_bytes=True)
    return f"## One symbol at a time\n\n{TEXT}\n\n{rows}" if rows else ""
