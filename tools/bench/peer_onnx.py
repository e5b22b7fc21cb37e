"""ONNX Runtime, for inference only."""

import numpy
import onnx
import onnxruntime
import peer
from onnx import TensorProto, helper, numpy_helper

options = peer.options()
workload = options.workload


def model():
    nodes, weights, value = [], [], "x"
    activation = {"relu": "Relu", "tanh": "Tanh"}[workload.activation]
    for i, (kernel, bias) in enumerate(peer.initial_weights(options.folder, workload)):
        if i:
            nodes.append(helper.make_node(activation, [value], [f"a{i}"]))
            value = f"a{i}"
        weights.append(numpy_helper.from_array(kernel, f"k{i}"))
        weights.append(numpy_helper.from_array(bias, f"b{i}"))
        nodes.append(helper.make_node("Gemm", [value, f"k{i}", f"b{i}"], [f"z{i}"]))
        value = f"z{i}"
    shapes = [("x", workload.widths[0]), (value, workload.widths[-1])]
    x, y = (helper.make_tensor_value_info(n, TensorProto.FLOAT, [workload.batch, w])
            for n, w in shapes)
    graph = helper.make_graph(nodes, "peer", [x], [y], weights)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)


def make():
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    session = onnxruntime.InferenceSession(model().SerializeToString(), settings,
                                           providers=["CPUExecutionProvider"])
    x = numpy.ascontiguousarray(peer.batches(options.folder, workload)[0][0])
    return None, lambda: session.run(None, {"x": x}), None


peer.serve(make)
