// What passes share: nodes are visited in order, each with the operands that took the place of its own.
import type { Graph, GraphNode } from "../graph.js";

/**
 * `rule` answers the node that takes the place of `node`, which has its new operands already: itself, an earlier or a new one.
 * `before` is the node of the graph as it was.
 */
export function rewrite(graph: Graph, rule: (node: GraphNode, before: GraphNode) => GraphNode): Graph {
  const replaced = new Map<GraphNode, GraphNode>();
  const made = new Set<GraphNode>();
  for (const node of graph.nodes) {
    const next = rule(node.on(node.inputs.map((input) => replaced.get(input) ?? input)), node);
    replaced.set(node, next);
    made.add(next);
  }
  return graph.with(
    [...made],
    graph.outputs.map((output) => replaced.get(output) ?? output),
  );
}
