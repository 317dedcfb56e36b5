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

/** What an op computes and moves, from its shapes; undefined for a change, whose kernels say nothing of it, and for what moves nothing. */
export function nodeCost(node: GraphNode): { flops: number; bytes: number } | undefined {
  if (node.op === undefined || node.op.view !== undefined) return undefined;
  return {
    flops: node.op.flops?.(operands(node.op, node.inputs), node) ?? sizeOf(node.shape),
    bytes: node.inputs.reduce((n, input) => n + bytesOf(input), bytesOf(node)),
  };
}

export function stats(graph: Graph): GraphStats {
  const found: GraphStats = { nodes: 0, edges: 0, flops: 0, bytesMoved: 0, peakBytes: 0, fusedGroups: 0 };
  for (const node of graph.nodes) {
    if (node.kind === "input" || node.kind === "constant") continue;
    found.nodes++;
    found.edges += node.inputs.length;
    if (node.body !== undefined) found.fusedGroups++;
    const cost = nodeCost(node);
    if (cost !== undefined) {
      found.flops += cost.flops;
      found.bytesMoved += cost.bytes;
    } else if (node.op === undefined) found.bytesMoved += node.inputs.reduce((n, input) => n + bytesOf(input), 0);
  }
  found.peakBytes = peak(graph);
  return found;
}

/** In words. */
export function showStats({ nodes, edges, flops, peakBytes }: GraphStats): string {
  return `${counted(nodes, "node")}, ${counted(edges, "edge")}, ${scaled(flops, 1000, ["FLOP", "kFLOP", "MFLOP", "GFLOP", "TFLOP"])}, peak memory ${scaled(peakBytes, 1024, ["B", "KiB", "MiB", "GiB", "TiB"])}`;
}

function counted(n: number, what: string): string {
  return `${n} ${what}${n === 1 ? "" : "s"}`;
}

/** Three digits and a unit. */
function scaled(n: number, step: number, units: readonly string[]): string {
  let [value, i] = [n, 0];
  for (; value >= step && i < units.length - 1; i++) value /= step;
  return `${i === 0 ? value : value.toPrecision(value >= 1000 ? 4 : 3)} ${units[i]}`;
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
