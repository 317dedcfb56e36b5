// Who reads what, for passes that move a node into the one that reads it.
import type { Graph, GraphNode } from "../graph.js";

/** Nodes of ops that are read in one place alone, an op with no change of memory in between, and are no output. */
export function soleUses(graph: Graph): Set<GraphNode> {
  const readers = new Map<GraphNode, number>();
  const read = (node: GraphNode): void => void readers.set(node, (readers.get(node) ?? 0) + 1);
  for (const output of graph.outputs) read(output);
  for (const node of graph.nodes) for (const input of node.inputs) read(input);
  const found = new Set<GraphNode>();
  const made = new Map<GraphNode, number>();
  let changes = 0;
  for (const node of graph.nodes) {
    if (node.kind === "change") changes++;
    if (node.op === undefined) continue;
    made.set(node, changes);
    for (const input of node.inputs) {
      // what is computed again for several readers would otherwise be held for the last of them in another form
      if (input.op !== undefined && readers.get(input) === 1 && made.get(input) === changes && input.region === node.region) found.add(input);
    }
  }
  for (const output of graph.outputs) found.delete(output);
  return found;
}
