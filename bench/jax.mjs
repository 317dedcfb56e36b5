// jax-js on its wasm backend, with jit. Arrays are consumed by use: .ref counts one use more.
import { defaultDevice, init, jit, nn, numpy as np, valueAndGrad } from "@jax-js/jax";
import { problem, serve, transposed, wave } from "./serve.mjs";

await init("wasm");
defaultDevice("wasm");
const [BETA1, BETA2, EPS, LR] = [0.9, 0.999, 1e-8, 1e-3];

function gemm(name) {
  const [letters, size] = name.split(" ");
  const n = Number(size);
  const a = np.array(wave(n * n, 1, 1)).reshape([n, n]);
  const b = np.array(wave(n * n, 2, 1)).reshape([n, n]);
  const product = jit((p, q) => np.matmul(letters[0] === "t" ? p.transpose() : p, letters[1] === "t" ? q.transpose() : q));
  return {
    step() {
      const c = product(a.ref, b.ref);
      c.dataSync();
    },
  };
}

function mlp(name) {
  const p = problem(name);
  const matrix = (data, rows, cols) => np.array(transposed(data, rows, cols)).reshape([cols, rows]);
  const weights = () => [matrix(p.w1, p.hidden, p.inputs), np.array(p.b1), matrix(p.w2, p.outputs, p.hidden), np.array(p.b2)];
  const oneHot = new Float32Array(p.batch * p.outputs);
  p.labels.forEach((label, i) => {
    oneHot[i * p.outputs + label] = 1;
  });
  const x = np.array(p.x).reshape([p.batch, p.inputs]);
  const y = np.array(oneHot).reshape([p.batch, p.outputs]);
  const lossOf = (w, input, target) => {
    const h = nn.relu(np.matmul(input, w[0]).add(w[1]));
    const logits = np.matmul(h, w[2]).add(w[3]);
    return nn
      .logSoftmax(logits)
      .mul(target)
      .sum()
      .mul(-1 / p.batch);
  };
  const update = jit((w, m, v, input, target, c1, c2) => {
    const [loss, g] = valueAndGrad(lossOf)(
      w.map((t) => t.ref),
      input,
      target,
    );
    const m2 = m.map((t, i) => t.mul(BETA1).add(g[i].ref.mul(1 - BETA1)));
    const v2 = v.map((t, i) => t.mul(BETA2).add(g[i].ref.mul(g[i]).mul(1 - BETA2)));
    const w2 = w.map((t, i) => t.sub(m2[i].ref.mul(c1.ref).div(np.sqrt(v2[i].ref.mul(c2.ref)).add(EPS))));
    c1.dispose();
    c2.dispose();
    return [loss, w2, m2, v2];
  });
  let w = weights();
  let m = weights().map((t) => t.mul(0));
  let v = weights().map((t) => t.mul(0));
  let t = 0;
  let last;
  return {
    step() {
      t++;
      last?.dispose();
      [last, w, m, v] = update(w, m, v, x.ref, y.ref, np.array(LR / (1 - BETA1 ** t)), np.array(1 / (1 - BETA2 ** t)));
    },
    finish: () => ({ loss: last.ref.dataSync()[0] }),
  };
}

await serve((name) => (name.includes("-") ? mlp(name) : gemm(name)));
