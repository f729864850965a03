#!/usr/bin/python3
"""Writes a network as an ONNX model: from the file of infer_step --write to what infer_step_onnx.cjs runs.

    infer_step_onnx.py FILE B T MODEL.onnx IDS.bin

Inputs: ids (T, B) and targets (T*B, 1), 32-bit; state (2*L, B, H), each layer's h and c; one
tensor, because each that goes in or out of a session costs time. Outputs: next_state; and log_probs (T*B, 1), the
targets' log-probabilities. With T = B = 1 there are no targets, and logits (1, V) in place of
log_probs. IDS.bin holds the symbols, 32-bit, time-major.
"""

import json
import sys

try:
    import numpy
    import onnx
    from onnx import TensorProto, helper, numpy_helper
except ModuleNotFoundError as missing:
    sys.exit(f"bench/infer_step_onnx.py: {missing}: tools/setup onnx installs it")

GATES = [0, 3, 1, 2]  # ONNX has i o f c where PyTorch, and unroll, has i f g o


def read_tensors(path):
    with open(path, "rb") as file:
        header = json.loads(file.read(int.from_bytes(file.read(8), "little")))
        values = numpy.fromfile(file, dtype="<f4")
    header.pop("__metadata__", None)
    return {
        name: values[entry["data_offsets"][0] // 4 : entry["data_offsets"][1] // 4].reshape(entry["shape"])
        for name, entry in header.items()
    }


def in_onnx_order(tensor):
    """Blocks of H rows, one a gate, in ONNX's order; with the dimension of directions that ONNX wants."""
    return numpy.concatenate([numpy.split(tensor, 4)[gate] for gate in GATES])[numpy.newaxis]


class Graph:
    def __init__(self):
        self.nodes, self.inputs, self.outputs, self.initializers = [], [], [], []

    def constant(self, name, values):
        self.initializers.append(numpy_helper.from_array(numpy.ascontiguousarray(values), name))
        return name

    def input(self, name, kind, shape):
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name, shape):
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def node(self, operator, inputs, outputs, **attributes):
        self.nodes.append(helper.make_node(operator, inputs, outputs, **attributes))
        return outputs[0]


def add_layer(graph, tensors, l, x):
    """LSTM layer l on x; returns its outputs (T, B, H)."""
    H = tensors[f"rnn.weight_hh_l{l}"].shape[1]
    W, R = (graph.constant(f"{n}_{l}", in_onnx_order(tensors[f"rnn.weight_{n}_l{l}"])) for n in ("ih", "hh"))
    biases = numpy.concatenate([in_onnx_order(tensors[f"rnn.bias_{n}_l{l}"]) for n in ("ih", "hh")], axis=1)
    b = graph.constant(f"b_{l}", biases)
    state, after = ([f"{moment}{part}_{l}" for part in "hc"] for moment in ("", "next_"))
    y = graph.node("LSTM", [x, W, R, b, "", *state], [f"y_{l}", *after], hidden_size=H)
    return graph.node("Squeeze", [y, "one"], [f"x_{l + 1}"])


def network(tensors, B, T):
    V, H = tensors["decoder.weight"].shape
    graph = Graph()
    graph.constant("one", numpy.array([1], dtype=numpy.int64))
    ids = graph.input("ids", TensorProto.INT32, [T, B])
    x = graph.node("Gather", [graph.constant("encoder", tensors["encoder.weight"]), ids], ["x_0"])
    layers = sum(name.startswith("rnn.weight_hh_l") for name in tensors)
    parts = [f"{part}_{l}" for l in range(layers) for part in "hc"]
    graph.node("Split", [graph.input("state", TensorProto.FLOAT, [len(parts), B, H])], parts, axis=0)
    for l in range(layers):
        x = add_layer(graph, tensors, l, x)
    after = graph.output("next_state", [len(parts), B, H])
    graph.node("Concat", [f"next_{part}" for part in parts], [after], axis=0)
    flat = graph.node("Reshape", [x, graph.constant("rows", numpy.array([-1, H], dtype=numpy.int64))], ["flat"])
    decoder = [graph.constant("decoder", tensors["decoder.weight"].T), graph.constant("bias", tensors["decoder.bias"])]
    if T * B == 1:
        graph.node("Gemm", [flat, *decoder], [graph.output("logits", [1, V])])
    else:
        logits = graph.node("Gemm", [flat, *decoder], ["logits"])
        log_softmax = graph.node("LogSoftmax", [logits], ["log_softmax"], axis=1)
        targets = graph.input("targets", TensorProto.INT32, [T * B, 1])
        graph.node("GatherElements", [log_softmax, targets], [graph.output("log_probs", [T * B, 1])], axis=1)
    made = helper.make_graph(graph.nodes, "language model", graph.inputs, graph.outputs, graph.initializers)
    return helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], producer_name="unroll bench")


def main():
    if len(sys.argv) != 6:
        print("usage: infer_step_onnx.py FILE B T MODEL.onnx IDS.bin", file=sys.stderr)
        return 2
    path, B, T, model_path, ids_path = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4], sys.argv[5]
    tensors = read_tensors(path)
    tensors.pop("ids").astype("<i4").tofile(ids_path)
    model = network(tensors, B, T)
    onnx.checker.check_model(model)
    onnx.save(model, model_path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
