// Gradients kept small before an optimizer's step: by their norm, which keeps their direction, unit by unit against the weights, or
// element by element.
import { ConfigError, NumericError } from "../../bindings/errors.js";
import { anchor, scope } from "../../bindings/lifetime.js";
import { share } from "../../bindings/op.js";
import { showValue } from "../../bindings/show.js";
import { currentEpoch } from "../../bindings/tape.js";
import { Tensor } from "../../bindings/tensor.js";
import { activeTracer, oldGradient } from "../../bindings/trace.js";
import { add, mul } from "../ops/binary.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import { to } from "../ops/convert.js";
import { zeros } from "../ops/create.js";
import { noGrad } from "../ops/derivatives.js";
import { clamp_, mul_ } from "../ops/inplace.js";
import { stack } from "../ops/join.js";
import { norm } from "../ops/norm.js";
import { div } from "../ops/quotient.js";
import { clamp } from "../ops/select.js";

export interface ClipOptions {
  /** As `ord` of norm(): 2 (default), Infinity for the largest element, or another number above 0. */
  normType?: number;
  /** Throw a NumericError if the norm is not finite; then no gradient is changed. Not within a trace, as the norm is read. */
  errorIfNonfinite?: boolean;
}

function shown(value: unknown): string {
  return typeof value === "number" ? String(value) : showValue(value);
}

function gradientsOf(name: string, parameters: readonly Tensor[] | Tensor): Tensor[] {
  const list = parameters instanceof Tensor ? [parameters] : parameters;
  if (!Array.isArray(list) || !list.every((p) => p instanceof Tensor))
    throw new ConfigError(`${name}: expected parameters, such as model.parameters(); got ${showValue(parameters)}`);
  for (const p of list as Tensor[]) p.alive(name);
  return (list as Tensor[]).filter(({ grad }) => grad !== undefined && grad.size > 0);
}

/** Puts a changed gradient in the place of a leaf's: within a trace it is a new symbol, as symbols are not changed in place. */
function changed(leaf: Tensor, inPlace: (gradient: Tensor) => void, anew: (gradient: Tensor) => Tensor): void {
  const gradient = leaf.grad as Tensor;
  if (activeTracer()?.older?.(gradient)) throw oldGradient(leaf);
  if (activeTracer() === undefined && gradient.contiguous) inPlace(gradient);
  else anchor(anew(gradient), leaf);
}

/**
 * Scales all gradients by min(1, maxNorm / (norm + 1e-6)), norm that of all of them as one vector, and answers this norm, [], as it
 * was: the step keeps its direction at a cliff (Pascanu et al. 2013, algorithm 1). Parameters without gradient count nothing.
 * Throws ConfigError for a bound or norm that cannot be, NumericError if asked.
 */
export function clipGradNorm(parameters: readonly Tensor[] | Tensor, maxNorm: number, options: ClipOptions = {}): Tensor {
  const name = "clipGradNorm";
  const { normType = 2, errorIfNonfinite = false } = checkedOptions(name, options, ["normType", "errorIfNonfinite"]);
  checkedFlag(name, "errorIfNonfinite", errorIfNonfinite);
  if (typeof maxNorm !== "number" || !(maxNorm >= 0)) throw new ConfigError(`${name}: expected maxNorm, a number >= 0; got ${shown(maxNorm)}`);
  if (typeof normType !== "number" || !(normType > 0)) throw new ConfigError(`${name}: expected normType, a number above 0; got ${shown(normType)}`);
  const leaves = gradientsOf(name, parameters);
  const total = noGrad(() =>
    scope(() => {
      if (leaves.length === 0) return zeros([]);
      const { dtype } = leaves[0];
      const norms = leaves.map(({ grad }) => to(norm(grad as Tensor, { ord: normType }), dtype));
      const total = norm(stack(norms), { ord: normType });
      if (errorIfNonfinite && !Number.isFinite(total.item()))
        throw new NumericError(`${name}: expected gradients with a finite norm; got ${total.item()}; lower the learning rate, or leave out errorIfNonfinite`);
      const factor = clamp(div(maxNorm, add(total, 1e-6)), null, 1);
      for (const leaf of leaves) {
        const own = to(factor, leaf.dtype);
        changed(leaf, (gradient) => mul_(gradient, own), (gradient) => mul(gradient, own)); // biome-ignore format: short
      }
      return total;
    }),
  );
  // it goes with the step, as the loss does
  total.epoch = currentEpoch();
  const answer = share(total);
  total.dispose();
  return answer;
}

/** Moves each element of each gradient into [-clipValue, clipValue]. Throws ConfigError for a bound that cannot be. */
export function clipGradValue(parameters: readonly Tensor[] | Tensor, clipValue: number): void {
  const name = "clipGradValue";
  if (typeof clipValue !== "number" || !(clipValue >= 0)) throw new ConfigError(`${name}: expected clipValue, a number >= 0; got ${shown(clipValue)}`);
  const leaves = gradientsOf(name, parameters);
  noGrad(() =>
    scope(() => {
      for (const leaf of leaves) {
        changed(leaf, (gradient) => clamp_(gradient, -clipValue, clipValue), (gradient) => clamp(gradient, -clipValue, clipValue)); // biome-ignore format: short
      }
    }),
  );
}

export interface AdaptiveClipOptions {
  /** The largest share of a weight's norm that the gradient's may be; 0.01 by default. */
  clipping?: number;
  /** The norm that weights count with at least, so that those that begin at 0 can move; 1e-3 by default. */
  eps?: number;
}

/** A gradient's norm counts with at least this, as in the paper's code. */
const LEAST_NORM = 1e-6;

/**
 * Scales the gradient G_i of each unit by min(1, clipping max(|W_i|, eps) / max(|G_i|, 1e-6)), a unit the row of a matrix or the kernel of an output
 * channel, W [out, ...], and all of a tensor of one axis (Brock et al. 2021, section 4.1; they leave the last layer out). Norms are those of units, so none is
 * answered. Throws ConfigError for options that cannot be.
 */
export function clipGradAdaptive(parameters: readonly Tensor[] | Tensor, options: AdaptiveClipOptions = {}): void {
  const name = "clipGradAdaptive";
  const { clipping = 0.01, eps = 1e-3 } = checkedOptions(name, options, ["clipping", "eps"]);
  checkedNumber(name, "clipping", clipping, 0, Number.POSITIVE_INFINITY, true);
  checkedNumber(name, "eps", eps, 0, Number.POSITIVE_INFINITY);
  const leaves = gradientsOf(name, parameters);
  noGrad(() =>
    scope(() => {
      for (const leaf of leaves) {
        const of = { keepdims: true, ...(leaf.ndim > 1 && { axis: leaf.shape.slice(1).map((_, i) => i + 1) }) };
        const gradient = leaf.grad as Tensor;
        const most = mul(clamp(norm(leaf, of), eps, null), clipping);
        const factor = to(clamp(div(to(most, gradient.dtype), clamp(norm(gradient, of), LEAST_NORM, null)), null, 1), gradient.dtype);
        changed(leaf, (gradient) => mul_(gradient, factor), (gradient) => mul(gradient, factor)); // biome-ignore format: short
      }
    }),
  );
}
