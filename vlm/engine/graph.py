"""The language model as one ONNX graph: what decoder.py computes, in a third of the operations.

    x [B, T, D] -> for each layer   x += cross-attention to the pictures, before some of them
                                    x += attention to what the slot has read, in place
                                    x += gated MLP
                -> logits [R, V] of the R rows of B*T that `last` names

A graph is for sequences that have everything in common: of what nobody sees a picture in it has neither cross-attention
nor low-rank updates, so no mask is needed for these. Both can be one model that runs either, with the weights once
(`add_plain_`). Matrices have 8 bits with a scale for every 64 inputs, each row of
x has its own scale for every 64 (MatMulNBits of ONNX Runtime), so that what stands in other rows changes nothing. That
is read faster than the 4-bit blocks that mini's weights come in, whose offsets the kernel knows only as integers.

Operators of com.microsoft: https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md

Shape letters: B sequences, T tokens of each, D width, V vocabulary, N key/value heads, L places, H head dim; P places
of pictures, I heads that look, J their head dim; F output and K input features of a product.
"""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from ..modeling_vlm import VlmForConditionalGeneration
from ..quantization import QuantizedLinear
from .looking import Looking
from .products import Update, base_of
from .variants import products_of

BLOCK = 64  # inputs that share a scale
BITS = 8
ROWS = 4096  # that are rounded at a time: an output head is large, and this takes several times its memory
OPSETS = [helper.make_opsetid("", 18), helper.make_opsetid("com.microsoft", 1)]
MICROSOFT = {
    "FusedMatMul", "Gelu", "GroupQueryAttention", "MatMulNBits", "QuickGelu", "SkipSimplifiedLayerNormalization",
}  # fmt: skip

Known = Mapping[str, TensorProto]  # weights that lie in a file, by name


def quantize_rows(weight: Tensor) -> tuple[np.ndarray, np.ndarray]:
    """weight [F, K] -> codes uint8 [F, blocks, BLOCK], 128 for zero, and scales fp32 [F, blocks]."""
    parts = [_quantize_rows(part) for part in weight.split(ROWS)]
    return np.concatenate([codes for codes, _ in parts]), np.concatenate([scales for _, scales in parts])


def _quantize_rows(weight: Tensor) -> tuple[np.ndarray, np.ndarray]:
    padded = nn.functional.pad(weight.float(), (0, -weight.shape[1] % BLOCK)).unflatten(1, (-1, BLOCK))
    scales = padded.abs().amax(dim=-1, keepdim=True) / 127
    codes = (padded / scales).nan_to_num().round() + 128
    return codes.to(torch.uint8).numpy(), scales[..., 0].numpy()


class GraphBuilder:
    """Nodes, inputs and weights of a graph in the making. A weight that is `known` is referred to, not computed."""

    def __init__(self, known: Known):
        self.known = known
        self.nodes: list[onnx.NodeProto] = []
        self.inputs: list[onnx.ValueInfoProto] = []
        self.outputs: list[onnx.ValueInfoProto] = []
        self.weights: dict[str, TensorProto] = {}

    def input(self, name: str, kind: int, shape: list[int | str]) -> str:
        self.inputs.append(helper.make_tensor_value_info(name, kind, shape))
        return name

    def output(self, name: str, shape: list[int | str]) -> str:
        self.outputs.append(helper.make_tensor_value_info(name, TensorProto.FLOAT, shape))
        return name

    def weight(self, name: str, make: Callable[[], Any]) -> str:
        if name not in self.weights:
            known = self.known.get(name)
            self.weights[name] = known or numpy_helper.from_array(np.ascontiguousarray(make()), name)
        return name

    def add(self, operator: str, *inputs: str, outputs: list[str] | None = None, **attributes: Any) -> str:
        """A node; the name of its first output."""
        outputs = outputs or [f"{operator}.{len(self.nodes)}"]
        domain = "com.microsoft" if operator in MICROSOFT else ""
        self.nodes.append(helper.make_node(operator, list(inputs), outputs, domain=domain, **attributes))
        return outputs[0]

    def product(self, name: str, x: str, shape: tuple[int, int], make: Callable[[], Tensor], bias: Any = None) -> str:
        """x [..., K] times the weights [F, K] that `make` gives, 8 bits of each; and a bias [F]."""
        made: list[tuple[np.ndarray, np.ndarray]] = []

        def quantized() -> tuple[np.ndarray, np.ndarray]:
            if not made:
                made.append(quantize_rows(make().detach()))
            return made[0]

        codes = self.weight(f"{name}.codes", lambda: quantized()[0])
        scales = self.weight(f"{name}.scales", lambda: quantized()[1])
        rest = [] if bias is None else ["", "", self.weight(f"{name}.bias", lambda: bias.detach().float().numpy())]
        return self.add(
            "MatMulNBits", x, codes, scales, *rest,
            K=shape[1], N=shape[0], bits=BITS, block_size=BLOCK, accuracy_level=4,
        )  # fmt: skip

    def norm(self, name: str, x: str, weight: Tensor, eps: float) -> str:
        scale = self.weight(name, lambda: weight.detach().float().numpy())
        return self.add("SimplifiedLayerNormalization", x, scale, axis=-1, epsilon=eps, stash_type=1)

    def add_and_norm(self, name: str, x: str, delta: str, weight: Tensor, eps: float) -> tuple[str, str]:
        """(the RMS norm of x + delta, x + delta)."""
        scale = self.weight(name, lambda: weight.detach().float().numpy())
        normed, total = f"{name}.normed", f"{name}.sum"
        self.add("SkipSimplifiedLayerNormalization", x, delta, scale, outputs=[normed, "", "", total], epsilon=eps)
        return normed, total

    def finish(self) -> onnx.ModelProto:
        graph = helper.make_graph(self.nodes, "language model", self.inputs, self.outputs, list(self.weights.values()))
        return helper.make_model(graph, opset_imports=OPSETS, ir_version=10)


class LanguageModelGraph:
    """The language model with this cross-attention and these low-rank updates of each layer's products."""

    def __init__(
        self,
        model: VlmForConditionalGeneration,
        looking: Looking | None,
        updates: list[dict[str, Update]],
        known: Known,
    ):
        self.graph = GraphBuilder(known)
        self.model, self.looking, self.updates = model, looking, updates
        self.config = model.config.text_config
        self.decoder = model.language_model.get_decoder()

    def build(self) -> onnx.ModelProto:
        """The graph, with all its weights but those that are known."""
        graph, config = self.graph, self.config
        x = graph.input("x", TensorProto.FLOAT, ["B", "T", config.hidden_size])
        graph.input("lengths", TensorProto.INT32, ["B"])  # of each sequence after this, less one
        graph.input("longest", TensorProto.INT32, [])  # of them, not less one
        graph.input("last", TensorProto.INT64, ["R"])
        rotation = self._rotation()
        if self.looking is not None:
            graph.input("image_mask", TensorProto.FLOAT, ["B", 1, "T", "P"])
            graph.input("is_sink", TensorProto.FLOAT, ["P"])  # 1 at place 0, else 0
        delta, block = "", 0
        for i, layer in enumerate(self.decoder.layers):
            plain = getattr(layer, "decoder_layer", layer)
            if self.looking is not None and plain is not layer:
                x, delta = self._look(block, x, delta)
                block += 1
            norm = plain.input_layernorm
            normed, x = self._add_and_norm(f"layers.{i}.attn_norm", x, delta, norm.weight, norm.variance_epsilon)
            attended = self._attend(i, plain, normed, rotation)
            norm = plain.post_attention_layernorm
            normed, x = self._add_and_norm(f"layers.{i}.mlp_norm", x, attended, norm.weight, norm.variance_epsilon)
            delta = self._mlp(i, plain, normed)
        norm = self.decoder.norm
        normed, _ = self._add_and_norm("norm", x, delta, norm.weight, norm.variance_epsilon)
        rows = graph.add("Reshape", normed, self._shape("rows", [-1, config.hidden_size]))
        head = self.model.get_output_embeddings()
        rows = graph.add("Gather", rows, "last", axis=0)
        shape = (config.vocab_size, config.hidden_size)
        graph.product("head", rows, shape, lambda: weight_of(head), base_of(head).bias)
        graph.nodes[-1].output[0] = graph.output("logits", ["R", config.vocab_size])
        return graph.finish()

    def _add_and_norm(self, name: str, x: str, delta: str, weight: Tensor, eps: float) -> tuple[str, str]:
        if not delta:  # nothing has been added yet
            return self.graph.norm(name, x, weight, eps), x
        return self.graph.add_and_norm(name, x, delta, weight, eps)

    def _shape(self, name: str, shape: list[int]) -> str:
        return self.graph.weight(f"shape.{name}", lambda: np.array(shape, np.int64))

    def _rotation(self) -> list[str]:
        places = torch.arange(self.config.max_position_embeddings)[None]
        cos, sin = self.decoder.rotary_emb(torch.empty(0), position_ids=places)  # [1, L, H], both halves the same
        half = cos.shape[-1] // 2
        return [
            self.graph.weight("cos", lambda: cos[0, :, :half].float().numpy()),
            self.graph.weight("sin", lambda: sin[0, :, :half].float().numpy()),
        ]

    def _product(self, i: int, layer: nn.Module, name: str, x: str) -> str:
        """One of `products_of` a layer, and what its update adds."""
        graph = self.graph
        linears, order = products_of(layer, layer.self_attn.head_dim)[name]
        full = f"layers.{i}.{name}"

        def weights() -> Tensor:
            joined = torch.cat([weight_of(linear) for linear in linears])
            return joined if order is None else joined[order]

        biases = [base_of(linear).bias for linear in linears]
        bias = None if biases[0] is None else torch.cat(biases) if order is None else torch.cat(biases)[order]
        shape = (sum(linear.out_features for linear in linears), linears[0].in_features)
        y = graph.product(full, x, shape, weights, bias)
        if (update := self.updates[i].get(name)) is None:
            return y
        down = graph.product(f"{full}.update.down", x, tuple(update.down.shape), lambda: update.down)
        up = graph.product(f"{full}.update.up", down, tuple(update.up.shape), lambda: update.up)
        return graph.add("Add", y, up)

    def _attend(self, i: int, layer: nn.Module, x: str, rotation: list[str]) -> str:
        graph, attention = self.graph, layer.self_attn
        heads, size = self.config.num_key_value_heads, attention.head_dim
        query_key_value = self._product(i, layer, "query_key_value", x)
        shape: list[int | str] = ["B", heads, "L", size]
        kept = [graph.input(f"{what}.{i}", TensorProto.FLOAT, shape) for what in ("keys", "values")]
        new = [graph.output(f"new_{what}.{i}", shape) for what in ("keys", "values")]
        found = graph.add(
            "GroupQueryAttention", query_key_value, "", "", *kept, "lengths", "longest", *rotation,
            outputs=[f"layers.{i}.attended", *new], num_heads=self.config.num_attention_heads, kv_num_heads=heads,
            scale=float(attention.scaling), do_rotary=1, rotary_interleaved=1,
        )  # fmt: skip
        return self._product(i, layer, "out", found)

    def _mlp(self, i: int, layer: nn.Module, x: str) -> str:
        graph = self.graph
        gate, up = f"layers.{i}.gate", f"layers.{i}.up"
        gate_up = self._product(i, layer, "gate_up", x)
        graph.add("Split", gate_up, outputs=[gate, up], axis=-1, num_outputs=2)
        inner = graph.add("Mul", graph.add("QuickGelu", gate, alpha=1.0), up)  # with alpha 1 it is SiLU
        return self._product(i, layer, "down", inner)

    def _look(self, number: int, x: str, delta: str) -> tuple[str, str]:
        """Cross-attention block `number` (see `vlm.cross_attention`): (x + delta, what the block adds to that)."""
        graph, looking = self.graph, self.looking
        assert looking is not None
        block, name = looking.blocks[number], f"blocks.{number}"
        heads, size = looking.heads, looking.head_size
        width, inner = heads * size, block.mlp[0].out_features
        model_width = self.config.hidden_size
        keys, values = (
            graph.input(f"image_{what}.{number}", TensorProto.FLOAT, ["B", heads, "P", size])
            for what in ("keys", "values")
        )
        normed, x = self._add_and_norm(f"{name}.attn_norm", x, delta, block.attn_norm.weight, 1e-5)
        query = graph.product(f"{name}.query", normed, (width, model_width), lambda: looking.queries[number])
        query = graph.add("Reshape", query, self._shape("looking", [0, 0, heads, size]))
        query = graph.add("Transpose", query, perm=[0, 2, 1, 3])  # [B, I, T, J]
        sink = graph.weight(f"{name}.sink", lambda: looking.sinks[number].view(1, heads, 1, 1).numpy())
        mask = graph.add("Add", "image_mask", graph.add("Mul", "is_sink", sink))
        scores = graph.add("Add", graph.add("FusedMatMul", query, keys, transB=1), mask)
        found = graph.add("MatMul", graph.add("Softmax", scores, axis=-1), values)
        found = graph.add("Transpose", found, perm=[0, 2, 1, 3])
        found = graph.add("Reshape", found, self._shape("looked", [0, 0, width]))
        found = graph.product(f"{name}.out", found, (model_width, width), lambda: block.out.weight)
        attn_gate, mlp_gate = looking.gates[number]
        squares = graph.add("ReduceMean", graph.add("Mul", x, x), self._shape("last", [-1]), keepdims=1)
        gate = graph.weight(f"{name}.gate", lambda: np.float32(attn_gate))
        size_of_x = graph.add("Mul", graph.add("Sqrt", squares), gate)  # what is found is in units of x
        normed, x = graph.add_and_norm(
            f"{name}.mlp_norm", x, graph.add("Mul", found, size_of_x), block.mlp_norm.weight, 1e-5
        )
        hidden = graph.product(f"{name}.mlp.0", normed, (inner, model_width), lambda: block.mlp[0].weight)
        hidden = graph.add("Gelu", hidden)
        return x, graph.product(f"{name}.mlp.2", hidden, (model_width, inner), lambda: block.mlp[2].weight * mlp_gate)


def weight_of(linear: nn.Module) -> Tensor:
    """The weights [F, K] of a linear layer, whatever they are stored in, without the update beside them."""
    base = base_of(linear)
    weight = base.dequantize() if isinstance(base, QuantizedLinear) else base.weight
    return weight.detach().float()


def add_plain_(seeing: onnx.ModelProto, plain: onnx.ModelProto) -> None:
    """Make of a graph one that is itself where its new input `sees` is true, and else `plain`, of the same weights."""
    graph = seeing.graph
    names = [output.name for output in graph.output]
    then_branch, else_branch = _branch(graph), _branch(plain.graph)
    del graph.node[:]
    graph.node.append(helper.make_node("If", ["sees"], names, then_branch=then_branch, else_branch=else_branch))
    graph.input.append(helper.make_tensor_value_info("sees", TensorProto.BOOL, []))


def _branch(graph: onnx.GraphProto) -> onnx.GraphProto:
    """The nodes of a graph as a part of another, which needs other names for what comes out of it."""
    names = {output.name: f"branch.{output.name}" for output in graph.output}
    branch = onnx.GraphProto(name="branch", node=graph.node, output=graph.output)
    for output in branch.output:
        output.name = names[output.name]
    for node in branch.node:
        node.output[:] = [names.get(name, name) for name in node.output]
    return branch


def known_weights(graph: Path) -> dict[str, TensorProto]:
    """The weights of a kept graph by name, as another graph in the same folder refers to them."""
    return {weight.name: weight for weight in onnx.load(graph, load_external_data=False).graph.initializer}


def save_raw(graph: onnx.ModelProto, path: Path, least: int) -> None:
    """Write a graph, and its weights of `least` bytes or more into a file beside it."""
    onnx.save_model(graph, path, save_as_external_data=True, location="raw.data", size_threshold=least)
