// Nodes that no output and no change of memory needs are left out, but those that draw random numbers. Inputs stay arguments all the same.
import { type Graph, type GraphNode, keyIn } from "../graph.js";

/** Whether it takes random numbers, which a later op would get without it. */
function draws(node: GraphNode): boolean {
  return keyIn(node.params) !== undefined && !node.derivative && !node.region?.again;
}

export function deadCode(graph: Graph): Graph {
  const needed = new Set<GraphNode>([...graph.outputs, ...graph.nodes.filter((node) => node.kind === "change" || draws(node))]);
  for (let i = graph.nodes.length - 1; i >= 0; i--) {
    const node = graph.nodes[i];
    if (needed.has(node)) for (const input of node.inputs) needed.add(input);
  }
  return graph.with(
    graph.nodes.filter((node) => needed.has(node)),
    graph.outputs,
  );
}
