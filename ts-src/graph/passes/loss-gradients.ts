// A cross-entropy and its gradient, which read the same logits, in one pass over them.
import type { AnyOp, Layout, Spec } from "../../../bindings/op.js";
import { contiguousStrides, sizeOf } from "../../../bindings/shape.js";
import { crossEntropyWithGrad } from "../../ops/crossentropy.js";
import { joined } from "../../ops/joined.js";
import { type Graph, GraphNode } from "../graph.js";

/** Elements from `offset` on, as a tensor of the node's shape. */
const part: AnyOp = {
  name: "part",
  inputs: ["x"],
  shape: (_: Record<string, Spec>, params: { shape: readonly number[]; dtype: Spec["dtype"] }) => ({ shape: params.shape, dtype: params.dtype }),
  view: (x: Layout, y: Spec, { offset }: { offset: number }) => ({ shape: y.shape, strides: contiguousStrides(y.shape), offset: x.offset + offset }),
  ...joined,
};

/** The one element of a loss for itself, so that the gradient's memory is free when that was read. */
const apart: AnyOp = {
  name: "apart",
  inputs: ["x"],
  shape: ({ x }: Record<string, Spec>) => ({ shape: x.shape, dtype: x.dtype }),
  kernel: (k, { x }, y) => k.copyVectors(y.ptr, x.ptr, 1),
  ...joined,
};

export function lossGradients(graph: Graph): Graph {
  const gradients = graph.nodes.filter((node) => node.name === "crossEntropyGrad" && node.inputs[0].fixed);
  if (gradients.length === 0) return graph;
  /** Losses by what they read. */
  const losses = new Map<GraphNode, GraphNode[]>();
  for (const node of graph.nodes)
    if (node.name === "crossEntropy" && node.shape.length === 0) losses.set(node.inputs[0], [...(losses.get(node.inputs[0]) ?? []), node]);
  const gradientOf = new Map<GraphNode, GraphNode>();
  for (const gradient of gradients) {
    const [, x, target] = gradient.inputs;
    const loss = losses.get(x)?.find((node) => node.inputs[1] === target && node.params === gradient.params && node.region === gradient.region);
    if (loss !== undefined && !gradientOf.has(loss)) gradientOf.set(loss, gradient);
  }
  const done = new Set(gradientOf.values());
  const early = new Set([...done].map((gradient) => gradient.inputs[0]));
  const replaced = new Map<GraphNode, GraphNode>();
  const nodes: GraphNode[] = [...early];
  for (const before of graph.nodes) {
    if (done.has(before) || early.has(before)) continue;
    const node = before.on(before.inputs.map((input) => replaced.get(input) ?? input));
    const gradient = gradientOf.get(before);
    if (gradient === undefined) {
      replaced.set(before, node);
      nodes.push(node);
      continue;
    }
    const count = sizeOf(gradient.shape);
    const inputs = [gradient.inputs[0], ...node.inputs];
    const both = new GraphNode({ ...gradient, op: crossEntropyWithGrad, shape: [count + 1], inputs });
    const view = (like: GraphNode, offset: number): GraphNode =>
      new GraphNode({ ...like, op: part, params: { shape: like.shape, dtype: like.dtype, offset }, inputs: [both] });
    const [dx, last] = [view(gradient, 0), view(before, count)];
    const loss = new GraphNode({ ...before, op: apart, params: undefined, inputs: [last] });
    replaced.set(gradient, dx);
    replaced.set(before, loss);
    nodes.push(both, dx, last, loss);
  }
  return graph.with(
    nodes,
    graph.outputs.map((output) => replaced.get(output) ?? output),
  );
}
