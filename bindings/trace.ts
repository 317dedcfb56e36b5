// While a function is traced, apply() asks the tracer for a symbol instead of running a kernel.
import type { AnyOp, Spec } from "./op.js";
import type { Tensor } from "./tensor.js";

export interface Tracer {
  /** The symbol of op(inputs, params), whose shape and dtype were worked out. */
  record(op: AnyOp, inputs: { readonly [name: string]: Tensor }, params: unknown, spec: Spec): Tensor;
}

let active: Tracer | undefined;

/** The tracer that records now. */
export function activeTracer(): Tracer | undefined {
  return active;
}

/** Runs `fn` under a tracer, or under none. */
export function withTracer<T>(tracer: Tracer | undefined, fn: () => T): T {
  const outer = active;
  active = tracer;
  try {
    return fn();
  } finally {
    active = outer;
  }
}
