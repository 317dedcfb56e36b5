// TensorFlow.js: node tfjs.mjs wasm|cpu. Its wasm backend has no threads in Node.
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import * as tf from "@tensorflow/tfjs";
import { setWasmPaths } from "@tensorflow/tfjs-backend-wasm";
import { opCase } from "./ops-tfjs.mjs";
import { problem, serve, transposed, wave } from "./serve.mjs";

const backend = process.argv[2];
if (backend === "wasm") {
  const require = createRequire(import.meta.url);
  setWasmPaths(join(dirname(require.resolve("@tensorflow/tfjs-backend-wasm/package.json")), "dist/"));
}
await tf.setBackend(backend);
await tf.ready();

function gemm(name) {
  const [letters, size] = name.split(" ");
  const n = Number(size);
  const a = tf.tensor2d(wave(n * n, 1, 1), [n, n]);
  const b = tf.tensor2d(wave(n * n, 2, 1), [n, n]);
  return { step: () => tf.matMul(a, b, letters[0] === "t", letters[1] === "t").dispose() };
}

function mlp(name) {
  const p = problem(name);
  const w1 = tf.variable(tf.tensor2d(transposed(p.w1, p.hidden, p.inputs), [p.inputs, p.hidden]));
  const w2 = tf.variable(tf.tensor2d(transposed(p.w2, p.outputs, p.hidden), [p.hidden, p.outputs]));
  const [b1, b2] = [tf.variable(tf.tensor1d(p.b1)), tf.variable(tf.tensor1d(p.b2))];
  const x = tf.tensor2d(p.x, [p.batch, p.inputs]);
  const y = tf.cast(tf.oneHot(tf.tensor1d(p.labels, "int32"), p.outputs), "float32");
  const m = [w1, b1, w2, b2];
  const optimizer = tf.train.adam(0.001, 0.9, 0.999, 1e-8);
  let last;
  return {
    step() {
      last?.dispose();
      last = optimizer.minimize(() => tf.losses.softmaxCrossEntropy(y, tf.add(tf.matMul(tf.relu(tf.add(tf.matMul(x, w1), b1)), w2), b2)), true, m);
    },
    finish: () => ({ loss: last.dataSync()[0] }),
  };
}

await serve((name) => (name.startsWith("op ") ? opCase(tf, name) : name.includes("-") ? mlp(name) : gemm(name)));
