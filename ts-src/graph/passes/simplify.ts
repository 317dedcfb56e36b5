// Rules that change no bit: views of views, what is done and undone, arithmetic with 1 and -0.
import { sameShape } from "../../../bindings/shape.js";
import { type Graph, GraphNode } from "../graph.js";
import { rewrite } from "./rewrite.js";

/** `is` tells whether a node is the one number `value`, and stays it. */
type Rule = (node: GraphNode, is: (node: GraphNode, value: number) => boolean) => GraphNode | undefined;

/** The other operand, if it has the whole shape of the result. */
function other(node: GraphNode, index: number): GraphNode | undefined {
  const kept = node.inputs[index];
  return sameShape(kept.shape, node.shape) ? kept : undefined;
}

const rules: { readonly [op: string]: Rule } = {
  neg: ({ inputs: [x] }) => (x.name === "neg" ? x.inputs[0] : undefined),
  reshape(node) {
    // an inner one keeps the order of elements, so the outer one can read what it read
    const [x] = node.inputs[0].name === "reshape" ? node.inputs[0].inputs : node.inputs;
    return sameShape(x.shape, node.shape) ? x : node.on([x]);
  },
  permute(node) {
    const order = (node.params as { order: readonly number[] }).order;
    const [x] = node.inputs;
    if (order.every((axis, i) => axis === i)) return x;
    if (x.name !== "permute") return undefined;
    const inner = (x.params as { order: readonly number[] }).order;
    const both = order.map((axis) => inner[axis]);
    if (both.every((axis, i) => axis === i)) return x.inputs[0];
    return new GraphNode({ ...node, inputs: x.inputs, params: { order: both } });
  },
  broadcastTo: (node) => other(node, 0),
  mul(node, is) {
    if (is(node.inputs[1], 1)) return other(node, 0);
    return is(node.inputs[0], 1) ? other(node, 1) : undefined;
  },
  div: (node, is) => (is(node.inputs[1], 1) ? other(node, 0) : undefined),
  sub: (node, is) => (is(node.inputs[1], 0) ? other(node, 0) : undefined),
};

/** Outputs, and what views lead from to them: the user may change these, so arguments and weights must not stand there. */
function shown(graph: Graph): Set<GraphNode> {
  const found = new Set(graph.outputs);
  for (const node of found) if (node.op?.view !== undefined) found.add(node.inputs[0]);
  return found;
}

/** Whether a value stays as it is: weights may be changed before it is read, and so may what views show. */
function stays(node: GraphNode): boolean {
  if (node.op?.view !== undefined) return stays(node.inputs[0]);
  return node.op !== undefined || node.kind === "input";
}

export function simplify(graph: Graph): Graph {
  const results = shown(graph);
  const written = graph.written;
  const is = ({ fixed, value: t }: GraphNode, value: number): boolean => fixed && t?.size === 1 && !written.has(t.storage) && Object.is(t.item(), value);
  return rewrite(graph, (node, before) => {
    const simpler = node.op === undefined ? undefined : rules[node.op.name]?.(node, is);
    // a view stays a view; what made elements of its own may only give way to what has such
    if (simpler === undefined || node.op?.view !== undefined) return simpler ?? node;
    return stays(simpler) && !(results.has(before) && !isOwn(simpler)) ? simpler : node;
  });
}

/** Whether its elements lie in memory of the graph. */
function isOwn(node: GraphNode): boolean {
  return node.op !== undefined && (node.op.view === undefined || isOwn(node.inputs[0]));
}
