// Samples that many declarations share: operands of any shape, within the domain of the function.
import type { Draw } from "../../bindings/op.js";

interface Domain {
  readonly low?: number;
  readonly high?: number;
  /** Least distance from 0. */
  readonly away?: number;
}

/** One operand `x` of any shape. */
export function anyShape(domain: Domain = {}) {
  return (draw: Draw) => ({ inputs: { x: { shape: draw.shape(), ...domain } } });
}

/** Operands `dy` and `other`, of one shape. */
export function anyPair<const N extends string>(other: N, domain: Domain = {}) {
  return (draw: Draw) => {
    const shape = draw.shape();
    return { inputs: { dy: { shape }, [other]: { shape, ...domain } } as { dy: { shape: number[] } } & { [name in N]: { shape: number[] } } };
  };
}

/** Operands `a` and `b` that broadcast. */
export function anyBroadcast(domainA: Domain = {}, domainB: Domain = {}) {
  return (draw: Draw) => {
    const [a, b] = draw.broadcast();
    return { inputs: { a: { shape: a, ...domainA }, b: { shape: b, ...domainB } } };
  };
}
