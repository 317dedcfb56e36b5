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

/** An operand of multiples of 1/4, moved by `shift`: operands of different shifts are nowhere equal. */
export function steps(draw: Draw, shape: readonly number[], shift: number) {
  const size = shape.reduce((n, length) => n * length, 1);
  return { values: Array.from({ length: size }, () => draw.integer(-8, 8) / 4 + shift), shape, dtype: "float64" as const };
}
