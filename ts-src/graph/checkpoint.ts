// Memory for time: of a function, whose intermediate results are not kept, or of a graph, for which a planner chooses what is
// computed again. The planner's result is measured, not estimated: an order of nodes whose peak is within the budget, or an error.
import { ConfigError } from "../../bindings/errors.js";
import { showShape } from "../../bindings/shape.js";
import { showValue } from "../../bindings/show.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkpoint as checkpointed } from "../ops/checkpoint.js";
import { checkedOptions } from "../ops/checks.js";
import type { Tree } from "../ops/tree.js";
import { Graph } from "./graph.js";
import { optimise } from "./passes/optimise.js";
import { withCheapNodes } from "./passes/recompute.js";
import { withEviction } from "./rematerialise/eviction.js";
import { largest, Model } from "./rematerialise/model.js";
import type { Schedule } from "./rematerialise/schedule.js";
import { lowestSegments, withSegments } from "./rematerialise/segments.js";

export interface CheckpointOptions {
  /**
   * Most bytes that intermediate results may hold at one time, as stats().peakBytes counts them. It holds for one thread: compiled for
   * more, each part of an op may need scratch memory of its own.
   */
  budgetBytes: number;
}

/**
 * The same function of tensors to one tensor, of whose intermediate results none is kept: the derivative computes them again.
 * Or a graph that computes the same bits with `stats().peakBytes` within `budgetBytes`: of a graph with its derivative, or of a
 * whole training step, nodes are computed a second time where that costs least (Chen et al. 2016, Kirisame et al. 2021).
 * Throws ConfigError for another argument, or for a budget that no order found can keep: it says the least that one can.
 */
export function checkpoint(graph: Graph, options: CheckpointOptions): Graph;
export function checkpoint<A extends readonly Tree[]>(f: (...xs: A) => Tensor): (...xs: A) => Tensor;
export function checkpoint<A extends readonly Tree[]>(f: Graph | ((...xs: A) => Tensor), options?: CheckpointOptions): Graph | ((...xs: A) => Tensor) {
  if (f instanceof Graph) return planned(f, options);
  if (options !== undefined) throw new ConfigError(`checkpoint: expected options with a graph, as trace() makes it; got ${showValue(f)} with options`);
  return checkpointed(f);
}

function planned(graph: Graph, options: CheckpointOptions | undefined): Graph {
  const { budgetBytes } = checkedOptions("checkpoint", options, ["budgetBytes"]);
  if (typeof budgetBytes !== "number" || !(budgetBytes >= 0)) {
    const got = typeof budgetBytes === "number" ? String(budgetBytes) : showValue(budgetBytes);
    throw new ConfigError(`checkpoint: expected { budgetBytes }, a number of bytes from 0; got ${got}`);
  }
  // first, as compile() does it: a pass that ran afterwards could hold something for longer
  const whole = optimise(graph);
  const model = new Model(whole);
  const live = model.live();
  if (live[largest(live)] <= budgetBytes) return whole;
  const orders = [withCheapNodes(model, budgetBytes), withEviction(model, budgetBytes), withSegments(model, budgetBytes)];
  const fitting = orders.filter((order): order is Schedule => order !== undefined && order.peak().bytes <= budgetBytes);
  if (fitting.length === 0) fitting.push(least(model, budgetBytes));
  return fitting.reduce((best, schedule) => (schedule.extraCost < best.extraCost ? schedule : best)).graph();
}

const STEPS = 20; // of the search for the least budget

/** The order of the lowest peak found, whatever the budget is; throws ConfigError if that is beyond it. */
function least(model: Model, budgetBytes: number): Schedule {
  const live = model.live();
  let [low, high] = [0, live[largest(live)]];
  let best = lowestSegments(model);
  high = Math.min(high, best.peak().bytes);
  for (let i = 0; i < STEPS && high - low > high / 256; i++) {
    const middle = (low + high) / 2;
    const schedule = withEviction(model, middle);
    if (schedule === undefined) low = middle;
    else {
      high = schedule.peak().bytes;
      if (high < best.peak().bytes) best = schedule;
    }
  }
  const { bytes, at } = best.peak();
  if (bytes <= budgetBytes) return best;
  const node = model.graph.nodes[at];
  throw new ConfigError(
    `checkpoint: expected budgetBytes of ${bytes} or more, the least found, held at ${node.name} ${node.dtype} ${showShape(node.shape)}; got ${budgetBytes}; raise the budget, or use smaller batches`,
  );
}
