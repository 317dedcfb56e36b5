// The passes in their order. Each keeps every bit of the result.
import type { Graph } from "../graph.js";
import { changesLast } from "./changes-last.js";
import { commonSubexpressions } from "./common-subexpressions.js";
import { composed } from "./composed.js";
import { constantFolding } from "./constant-folding.js";
import { deadCode } from "./dead-code.js";
import { epilogues } from "./epilogues.js";
import { fusion } from "./fusion.js";
import { lossGradients } from "./loss-gradients.js";
import { simplify } from "./simplify.js";

/** The same function in fewer nodes. */
export function optimise(graph: Graph): Graph {
  if (graph.settled) return graph;
  const smaller = changesLast(deadCode(commonSubexpressions(constantFolding(simplify(deadCode(graph))))));
  return fusion(composed(epilogues(lossGradients(smaller))));
}
