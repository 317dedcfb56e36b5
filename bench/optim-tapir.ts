// tapir's side of `optim`: steps of an optimizer on a million weights, and what bounds them.
import { kernelsOf } from "../bindings/kernels.js";
import { ones, optim, type Tensor, tensor } from "../ts-src/index.js";
import { type Case, wave } from "./serve.mjs";

const N = 1_000_000;
/** Elements that stay in the first cache. */
const NEAR = 2048;

type Stepping = { step(): unknown };
const makers: Record<string, (p: Tensor[]) => Stepping> = {
  SGD: (p) => new optim.SGD(p),
  "SGD momentum": (p) => new optim.SGD(p, { momentum: 0.9 }),
  Adagrad: (p) => new optim.Adagrad(p),
  RMSprop: (p) => new optim.RMSprop(p),
  Adadelta: (p) => new optim.Adadelta(p),
  Adam: (p) => new optim.Adam(p),
  AdamW: (p) => new optim.AdamW(p),
  AMSGrad: (p) => new optim.AMSGrad(p),
  Adamax: (p) => new optim.Adamax(p),
  NAdam: (p) => new optim.NAdam(p),
  RAdam: (p) => new optim.RAdam(p),
  Lion: (p) => new optim.Lion(p),
};

/** "copy": bytes as many as Adam holds; "roots", "quotients": a million of them, near the processor; else an optimizer's step. */
export function optimCase(name: string): Case {
  if (name === "copy") {
    // as many bytes as Adam holds
    const [x, y] = [1, 2].map(() => tensor(wave(2 * N, 1, 1)));
    return { step: () => void y.copy_(x), finish: () => ({ elements: 2 * N }) };
  }
  if (name === "roots" || name === "quotients") {
    const k = kernelsOf("float32");
    const [x, y] = [1, 2].map(() => ones([NEAR]));
    const repeats = Math.ceil(N / NEAR);
    const one = name === "roots" ? (): void => k.sqrt(y.ptr, x.ptr, NEAR) : (): void => k.reciprocal(y.ptr, x.ptr, NEAR);
    return {
      step() {
        for (let i = 0; i < repeats; i++) one();
      },
      finish: () => ({ elements: repeats * NEAR }),
    };
  }
  const w = tensor(tensor(wave(N, 1, 1)), { requiresGrad: true });
  w.mul(tensor(wave(N, 2, 0.1)))
    .sum()
    .backward();
  const optimizer = makers[name]([w]);
  return { step: () => void optimizer.step() };
}
