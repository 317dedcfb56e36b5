// Gradients per example of the net 4-16-3 at 256 examples: in a loop, by vmap, and compiled; beside the gradient of the whole batch.
import "../ts-src/fast.js";
import { compile, configure, crossEntropy, grad, linear, manualSeed, randint, randn, scope, slice, stack, type Tensor, vmap } from "../ts-src/index.js";

const EXAMPLES = 256;
const ROUNDS = 40;

interface Weights {
  readonly [name: string]: Tensor;
}

/** Best of many rounds that take turns, us. */
function best(steps: Record<string, () => void>): Record<string, number> {
  const figures: Record<string, number> = {};
  for (let round = 0; round < ROUNDS; round++) {
    for (const [name, step] of Object.entries(steps)) {
      const started = performance.now();
      step();
      figures[name] = Math.min(figures[name] ?? Number.POSITIVE_INFINITY, 1000 * (performance.now() - started));
    }
  }
  return figures;
}

export async function perExample(): Promise<object> {
  configure({ threads: 1 });
  manualSeed(1);
  const weights: Weights = { w1: randn([16, 4]), b1: randn([16]), w2: randn([3, 16]), b2: randn([3]) };
  const [x, y] = [randn([EXAMPLES, 4]), randint(0, 3, [EXAMPLES])];
  const slopes = grad((p: Weights, xs: Tensor, ys: Tensor) => crossEntropy(linear(linear(xs, p.w1, p.b1).relu(), p.w2, p.b2), ys)) as (
    p: Weights,
    xs: Tensor,
    ys: Tensor,
  ) => Weights;
  const mapped = vmap(slopes, { inDims: [null, 0, 0] });
  const compiled = compile(mapped);
  const freed = (fn: () => unknown): void => {
    scope(() => {
      fn();
    });
  };
  const figures = best({
    loop: () =>
      freed(() => {
        const each = Array.from({ length: EXAMPLES }, (_, i) => slopes(weights, slice(x, i), slice(y, i)));
        return Object.keys(weights).map((name) => stack(each.map((one) => one[name])));
      }),
    vmap: () => freed(() => mapped(weights, x, y)),
    compiled: () => compiled(weights, x, y),
    batch: () => freed(() => slopes(weights, x, y)),
  });
  console.log(`vmap: gradients of each of ${EXAMPLES} examples, 4-16-3, us (and times the loop)`);
  for (const [name, us] of Object.entries(figures))
    console.log(`  ${name.padEnd(9)} ${us.toFixed(0).padStart(7)} ${(figures.loop / us).toFixed(0).padStart(6)}x`);
  return figures;
}
