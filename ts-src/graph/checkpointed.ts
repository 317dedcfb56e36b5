// Parts of a graph that checkpoint() marked, as functions: when a graph runs under the tape, or within another trace, they are
// checkpointed there too.

import type { Tensor } from "../../bindings/tensor.js";
import type { Region } from "../../bindings/trace.js";
import { checkpoint } from "../ops/checkpoint.js";
import type { Key } from "../ops/random.js";
import { applyNode, type Graph, type GraphNode } from "./graph.js";

/** The nodes of one region, of which one is read by others; what it reads stands before it. */
export interface Part {
  readonly nodes: readonly GraphNode[];
  readonly output: GraphNode;
  /** The output's value for values of what the part reads. */
  run(values: ReadonlyMap<GraphNode, Tensor>, keyOf: (traced: Key) => Key): Tensor;
}

/** The part of each node that is in one. */
export function checkpointed(graph: Graph): Map<GraphNode, Part> | undefined {
  if (!graph.nodes.some((node) => node.region !== undefined)) return undefined;
  const regions = new Map<Region, GraphNode[]>();
  const place = new Map(graph.nodes.map((node, i) => [node, i]));
  const read = new Map<GraphNode, Set<Region | undefined>>();
  const reads = (node: GraphNode, by: Region | undefined): void => {
    const readers = read.get(node);
    if (readers === undefined) read.set(node, new Set([by]));
    else readers.add(by);
  };
  for (const node of graph.nodes) {
    const { region } = node;
    for (const input of node.inputs) reads(input, region);
    // what runs again has its derivative behind it: several of its nodes are read there
    if (region === undefined || region.again) continue;
    const nodes = regions.get(region);
    if (nodes === undefined) regions.set(region, [node]);
    else nodes.push(node);
  }
  for (const output of graph.outputs) reads(output, undefined);
  const found = new Map<GraphNode, Part>();
  for (const [region, nodes] of regions) {
    const outputs = nodes.filter((node) => [...(read.get(node) ?? [])].some((by) => by !== region));
    const own = new Set(nodes);
    const inputs = [...new Set(nodes.flatMap((node) => node.inputs))].filter((node) => !own.has(node) && node.kind !== "constant");
    const first = place.get(nodes[0]) as number;
    if (outputs.length !== 1 || inputs.some((input) => (place.get(input) ?? -1) > first)) continue;
    const part = partOf(nodes, inputs, outputs[0]);
    for (const node of nodes) found.set(node, part);
  }
  return found;
}

function partOf(nodes: readonly GraphNode[], inputs: readonly GraphNode[], output: GraphNode): Part {
  return {
    nodes,
    output,
    run(values, keyOf) {
      const f = (...xs: readonly Tensor[]): Tensor => {
        const local = new Map<GraphNode, Tensor>(inputs.map((node, i) => [node, xs[i]]));
        const value = (node: GraphNode): Tensor => local.get(node) ?? (node.value as Tensor);
        for (const node of nodes) local.set(node, applyNode(node, node.inputs.map(value), keyOf)); // biome-ignore format: one step
        return value(output);
      };
      return checkpoint(f)(...inputs.map((node) => values.get(node) as Tensor));
    },
  };
}
