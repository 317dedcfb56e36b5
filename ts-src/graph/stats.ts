// What a graph costs: counted from shapes, not measured.
import { itemBytes } from "../../bindings/dtype.js";
import { sizeOf } from "../../bindings/shape.js";
import type { Graph, GraphNode } from "./graph.js";
import { operands } from "./graph.js";

export interface GraphStats {
  /** Ops and changes of memory. */
  nodes: number;
  /** Operands read. */
  edges: number;
  /** Floating-point operations, multiply and add apart. */
  flops: number;
  /** Bytes that ops read and write; a view moves none. */
  bytesMoved: number;
  /** Most bytes that intermediate results hold at one time, each freed after its last use. */
  peakBytes: number;
  /** Groups of elementwise ops that run piece by piece. */
  fusedGroups: number;
}

function bytesOf(node: GraphNode): number {
  return sizeOf(node.shape) * itemBytes(node.dtype);
}

export function stats(graph: Graph): GraphStats {
  const found: GraphStats = { nodes: 0, edges: 0, flops: 0, bytesMoved: 0, peakBytes: 0, fusedGroups: 0 };
  for (const node of graph.nodes) {
    if (node.kind === "input" || node.kind === "constant") continue;
    found.nodes++;
    found.edges += node.inputs.length;
    if (node.body !== undefined) found.fusedGroups++;
    if (node.op?.view !== undefined) continue;
    found.bytesMoved += node.inputs.reduce((n, input) => n + bytesOf(input), 0) + (node.op === undefined ? 0 : bytesOf(node));
    if (node.op !== undefined) found.flops += node.op.flops?.(operands(node.op, node.inputs), node) ?? sizeOf(node.shape);
  }
  found.peakBytes = peak(graph);
  return found;
}

function peak(graph: Graph): number {
  // a view holds the memory of what it shows
  const owner = new Map<GraphNode, GraphNode>();
  for (const node of graph.nodes) owner.set(node, node.op?.view === undefined ? node : (owner.get(node.inputs[0]) ?? node.inputs[0]));
  const last = new Map<GraphNode, number>();
  for (const [i, node] of graph.nodes.entries()) {
    last.set(owner.get(node) as GraphNode, i);
    for (const input of node.inputs) last.set(owner.get(input) ?? input, i);
  }
  for (const output of graph.outputs) last.set(owner.get(output) ?? output, graph.nodes.length);
  const ends = new Map<number, number>();
  let live = 0;
  let most = 0;
  for (const [i, node] of graph.nodes.entries()) {
    if (node.op !== undefined && owner.get(node) === node) {
      live += bytesOf(node);
      const end = last.get(node) as number;
      ends.set(end, (ends.get(end) ?? 0) + bytesOf(node));
    }
    most = Math.max(most, live);
    live -= ends.get(i) ?? 0;
  }
  return most;
}
