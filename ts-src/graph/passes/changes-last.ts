// Changes of memory go behind every op that does not read what they write, so that all results of a training step are there
// before it changes anything: the running statistics of a batch norm are updated beside the weights.
import type { Storage } from "../../../bindings/lifetime.js";
import type { Graph, GraphNode } from "../graph.js";

export function changesLast(graph: Graph): Graph {
  const nodes: GraphNode[] = [];
  let waiting: GraphNode[] = [];
  /** What a node reads that may be changed: memory from outside, also through views. */
  const memory = new Map<GraphNode, ReadonlySet<Storage>>();
  const none: ReadonlySet<Storage> = new Set();
  for (const node of graph.nodes) {
    if (node.change !== undefined) {
      waiting.push(node);
      continue;
    }
    const read = new Set<Storage>();
    for (const input of node.inputs) for (const storage of memory.get(input) ?? none) read.add(storage);
    if (node.value !== undefined) memory.set(node, new Set([node.value.storage]));
    else if (node.op?.view !== undefined && read.size > 0) memory.set(node, read);
    let done = 0;
    for (const [i, { change }] of waiting.entries()) {
      if (change?.writes.some((name) => read.has(change.tensors[name].storage))) done = i + 1;
    }
    nodes.push(...waiting.slice(0, done), node);
    waiting = waiting.slice(done);
  }
  return graph.with([...nodes, ...waiting], graph.outputs);
}
