// Chains of elementwise ops on large tensors run piece by piece, so that what lies between them stays in the cache. Each group has
// one result; what it makes in between nothing else reads. Every element gets the bits that it has without.
import { isFloat, itemBytes } from "../../../bindings/dtype.js";
import { type AnyOp, allocated, computeInto } from "../../../bindings/op.js";
import { sameShape, sizeOf } from "../../../bindings/shape.js";
import { Tensor } from "../../../bindings/tensor.js";
import { tiled } from "../../../bindings/tiles.js";
import { joined } from "../../ops/joined.js";
import { Graph, GraphNode, operands } from "../graph.js";
import { soleUses } from "./uses.js";

/** Bytes of a result from which on pieces pay. */
const LEAST_BYTES = 2 ** 22;
/** Bytes of a piece of each tensor. */
const PIECE_BYTES = 2 ** 11;

export function fusion(graph: Graph): Graph {
  const sole = soleUses(graph);
  const replaced = new Map<GraphNode, GraphNode>();
  const inside = new Set<GraphNode>();
  // from the end: a result before what it is made of
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const root = graph.nodes[i];
    if (inside.has(root) || !fits(root)) continue;
    const members = group(root, sole);
    if (members.size < 2) continue;
    for (const member of members) if (member !== root) inside.add(member);
    replaced.set(root, root);
  }
  if (replaced.size === 0) return graph;
  const place = new Map(graph.nodes.map((node, i) => [node, i]));
  const nodes: GraphNode[] = [];
  for (const node of graph.nodes) {
    if (inside.has(node)) continue;
    const now = replaced.has(node) ? fused(node, group(node, sole), place) : node;
    const next = now.on(now.inputs.map((input) => replaced.get(input) ?? input));
    replaced.set(node, next);
    nodes.push(next);
  }
  return graph.with(
    nodes,
    graph.outputs.map((output) => replaced.get(output) ?? output),
  );
}

function fits(node: GraphNode): boolean {
  return node.op?.split === "elements" && isFloat(node.dtype) && node.shape.length > 0 && sizeOf(node.shape) * itemBytes(node.dtype) >= LEAST_BYTES;
}

/** The root with all that only leads to it. */
function group(root: GraphNode, sole: ReadonlySet<GraphNode>): Set<GraphNode> {
  const members = new Set([root]);
  for (const member of members) {
    for (const input of member.inputs) {
      if (sole.has(input) && fits(input) && input.dtype === root.dtype && sameShape(input.shape, root.shape)) members.add(input);
    }
  }
  return members;
}

function fused(root: GraphNode, members: ReadonlySet<GraphNode>, place: ReadonlyMap<GraphNode, number>): GraphNode {
  const order = [...members].sort((a, b) => (place.get(a) as number) - (place.get(b) as number));
  const inputs = [...new Set(order.flatMap((node) => node.inputs.filter((input) => !members.has(input))))];
  const inner = new Map<GraphNode, GraphNode>(
    inputs.map((input) => [input, new GraphNode({ kind: "input", shape: input.shape, dtype: input.dtype, inputs: [] })]),
  );
  const places = [...inner.values()];
  for (const node of order) inner.set(node, node.on(node.inputs.map((input) => inner.get(input) as GraphNode)));
  const outputs = [inner.get(root) as GraphNode];
  const body = new Graph({ nodes: [...inner.values()], inputs: places, outputs, argumentTree: places, resultTree: outputs[0] });
  return new GraphNode({ ...root, op: opOf(body), params: { ops: order.map((node) => node.name).join(" ") }, inputs, body });
}

/** The body on tensors: as one row of elements where every operand is whole or one number, else by slices of the first axis. */
function opOf(body: Graph): AnyOp {
  const [result] = body.outputs;
  const names = body.inputs.map((_, i) => `x${i}`);
  const size = sizeOf(result.shape);
  const flat = body.inputs.every((input) => sizeOf(input.shape) === 1 || sameShape(input.shape, result.shape));
  return {
    name: "fused",
    split: "elements",
    inputs: names,
    shape: () => result,
    flops: () => body.stats().flops,
    ...joined,
    kernel(_, x, y) {
      const over = names.some((name) => x[name].ptr === y.ptr);
      const handles = flat ? [...names.map((name) => row(x[name])), row(y)] : [...names.map((name) => x[name]), y];
      const slice = flat ? 1 : sizeOf(y.shape.slice(1));
      const slices = Math.max(1, Math.floor(PIECE_BYTES / itemBytes(y.dtype) / slice));
      tiled(handles.slice(0, -1), handles[names.length], slices, (pieces, piece) => evaluate(body, pieces, piece, over));
      if (flat) for (const handle of handles) handle.dispose();
    },
  };

  function row(t: Tensor): Tensor {
    return new Tensor(t.storage, t.origin, t.dtype, t.size === 1 && size > 1 ? [] : [t.size], undefined, t.offset);
  }
}

/**
 * Calls the kernels of the body on pieces; the last one makes `y`. An op writes over an operand that it reads last, and what is
 * made first lies where y will, unless y lies `over` an operand.
 */
function evaluate(body: Graph, given: readonly Tensor[], y: Tensor, over: boolean): void {
  const values = new Map<GraphNode, Tensor>(body.inputs.map((input, i) => [input, given[i]]));
  const free = over ? [] : [y];
  const made: Tensor[] = [];
  const [result] = body.outputs;
  for (const node of body.nodes) {
    if (node.op === undefined) continue;
    const inputs = node.inputs.map((input) => values.get(input) as Tensor);
    // what is made in between is read once
    const done = inputs.filter((_, i) => node.inputs[i].op !== undefined);
    let piece = node === result ? y : (done[0] ?? free.pop());
    if (piece === undefined) {
      piece = allocated(node.name, y.dtype, y.shape);
      made.push(piece);
    }
    computeInto(piece, node.op, operands(node.op, inputs), node.params);
    for (const t of done) if (t !== piece) free.push(t);
    values.set(node, piece);
  }
  for (const piece of made) piece.dispose();
}
