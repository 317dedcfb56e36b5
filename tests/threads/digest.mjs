// Trains three models for 200 steps each and prints a digest of their weights, in any engine:
//   digest.mjs strict|relaxed THREADS
// Relaxed needs an engine with fused multiply-add; Node 20 has it with the flags of tapir/fast.
import { createHash } from "node:crypto";

const [arithmetic, threads] = process.argv.slice(2);
if (arithmetic === "relaxed") await import("../../dist/fast.js");
const tapir = await import("../../dist/index.js");
const { compile, layers, manualSeed, optim, parallel, rand, randint, randn, tensor } = tapir;
tapir.configure({ deterministic: arithmetic === "strict", threads: Number(threads) });

const STEPS = 200;

function parameter(...shape) {
  const fan = shape.slice(1).reduce((n, size) => n * size, 1);
  const t = rand(shape)
    .sub(0.5)
    .mul(2 / Math.sqrt(fan));
  return tensor(t.data()).reshape(shape).clone();
}

function trained(parameters, optimizer, loss) {
  for (const p of parameters) p.requiresGrad = true;
  const made = optimizer(parameters);
  const step = compile((x, y) => {
    made.zeroGrad();
    const value = loss(parameters, x, y);
    value.backward();
    made.step();
    return value;
  });
  return { parameters, step };
}

/** 784-256-10 with Adam. */
function perceptron() {
  const model = new layers.Sequential(new layers.Linear(784, 256), new layers.ReLU(), new layers.Linear(256, 10));
  const optimizer = (parameters) => new optim.Adam(parameters);
  return {
    ...trained(model.parameters(), optimizer, (_, x, y) => tapir.crossEntropy(model.forward(x), y)),
    data: () => [randn([128, 784]), randint(0, 10, [128])],
  };
}

/** Convolution, pooling, layer norm, dropout and a product, with momentum. */
function convolutional() {
  const parameters = [parameter(8, 1, 3, 3), parameter(8), parameter(16, 8, 3, 3), parameter(16), tapir.ones([400]), tapir.zeros([400]), parameter(10, 400)];
  const optimizer = (list) => new optim.SGD(list, { lr: 0.05, momentum: 0.9 });
  const loss = ([k1, b1, k2, b2, scale, shift, w], x, y) => {
    let h = tapir.maxPool2d(tapir.conv2d(x, k1, b1).relu(), 2);
    h = tapir.maxPool2d(tapir.conv2d(h, k2, b2).relu(), 2).reshape([x.shape[0], 400]);
    h = tapir.dropout(tapir.layerNorm(h, [400], scale, shift), { p: 0.2 });
    return tapir.crossEntropy(tapir.linear(h, w), y);
  };
  return { ...trained(parameters, optimizer, loss), data: () => [randn([16, 1, 28, 28]), randint(0, 10, [16])] };
}

/** Embedding, attention of four heads, gelu, gradients clipped by their norm. */
function attentive() {
  const [tokens, width, heads] = [50, 64, 4];
  const parameters = [
    parameter(tokens, width),
    parameter(3 * width, width),
    parameter(width, width),
    parameter(4 * width, width),
    parameter(width, 4 * width),
    parameter(tokens, width),
  ];
  const optimizer = (list) => new optim.Adam(list, { lr: 2e-3 });
  const loss = ([table, qkv, out, up, down, last], x, y) => {
    const [batch, time] = x.shape;
    const h = tapir.embedding(x, table);
    const [q, k, v] = tapir.linear(h, qkv).reshape([batch, time, 3, heads, width / heads]).permute(2, 0, 3, 1, 4).chunk(3, { axis: 0 }).map((t) => t.squeeze(0)); // biome-ignore format: one flow
    const mixed = tapir.scaledDotProductAttention(q, k, v, { isCausal: true }).permute(0, 2, 1, 3).reshape([batch, time, width]);
    const a = h.add(tapir.linear(mixed, out));
    const b = a.add(tapir.linear(tapir.gelu(tapir.linear(a, up)), down));
    return tapir.crossEntropy(tapir.linear(b, last).reshape([batch * time, tokens]), y);
  };
  return { ...trained(parameters, optimizer, loss), data: () => [randint(0, tokens, [8, 32]), randint(0, tokens, [256])] };
}

const result = {};
for (const model of [perceptron, convolutional, attentive]) {
  manualSeed(7);
  const { parameters, step, data } = model();
  const [x, y] = data();
  const losses = [];
  for (let i = 0; i < STEPS; i++) {
    const loss = step(x, y).item();
    if (i % 50 === 0 || i === STEPS - 1) losses.push(loss);
  }
  const hash = createHash("sha256");
  for (const p of parameters) hash.update(new Uint8Array(p.data().buffer));
  result[model.name] = { digest: hash.digest("hex").slice(0, 16), fell: losses[losses.length - 1] < losses[0] / 2, instructions: step.stats().instructions };
}
console.log(JSON.stringify({ ...result, workers: parallel.stats().workers }));
