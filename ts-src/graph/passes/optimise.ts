// The passes in their order. Each keeps every bit of the result.
import type { Graph } from "../graph.js";
import { commonSubexpressions } from "./common-subexpressions.js";
import { composed } from "./composed.js";
import { constantFolding } from "./constant-folding.js";
import { deadCode } from "./dead-code.js";
import { epilogues } from "./epilogues.js";
import { fusion } from "./fusion.js";
import { simplify } from "./simplify.js";

/** The same function in fewer nodes. */
export function optimise(graph: Graph): Graph {
  if (graph.settled) return graph;
  const smaller = deadCode(commonSubexpressions(constantFolding(simplify(deadCode(graph)))));
  return fusion(composed(epilogues(smaller)));
}
