// Nodes that no output and no change of memory needs are left out. Inputs stay arguments all the same.
import type { Graph, GraphNode } from "../graph.js";

export function deadCode(graph: Graph): Graph {
  const needed = new Set<GraphNode>([...graph.outputs, ...graph.nodes.filter((node) => node.kind === "change")]);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (needed.has(node)) for (const input of node.inputs) needed.add(input);
  }
  return graph.with(
    graph.nodes.filter((node) => needed.has(node)),
    graph.outputs,
  );
}
