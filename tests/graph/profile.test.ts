// A profile tells where the time of a compiled function goes, and changes nothing.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

const { compile, crossEntropy, layers, optim, tensor } = tapir;
type T = tapir.Tensor;

const x = tensor(Float32Array.from({ length: 12 * 8 }, (_, i) => Math.sin(i))).reshape([12, 8]);
const y = tensor(Int32Array.from({ length: 12 }, (_, i) => i % 3));

function trainingStep(): { call: tapir.Compiled<[T, T], T>; model: tapir.layers.Module; optimizer: tapir.optim.Adam } {
  tapir.manualSeed(1);
  const model = new layers.Sequential(new layers.Linear(8, 16), new layers.ReLU(), new layers.Linear(16, 3));
  const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
  const call = compile((input: T, target: T): T => {
    optimizer.zeroGrad();
    const loss = crossEntropy(tapir.dropout(model.forward(input), { p: 0.1 }), target);
    loss.backward();
    optimizer.step();
    return loss;
  });
  return { call, model, optimizer };
}

test("each instruction has its kernel, the op and the node that made it, and what that is for", () => {
  const { call } = trainingStep();
  const { instructions } = call.profile([x, y], { runs: 3 });
  assert.is(instructions.length, call.stats().instructions);
  assert.equal(
    instructions.map(({ index }) => index),
    instructions.map((_, i) => i),
  );
  const phases = (op: string): string[] => [...new Set(instructions.filter((row) => row.op === op).map(({ phase }) => phase))];
  assert.equal(
    [phases("linear+relu"), phases("matmul"), phases("crossEntropyWithGrad"), phases("Adam")],
    [["forward"], ["derivative"], ["derivative"], ["update"]],
  );
  const product = instructions.find(({ kernel }) => kernel.startsWith("gemm"));
  assert.equal([product?.op, product?.shapes.inputs, product?.shapes.output], ["linear+relu", [[12, 8], [16, 8], [16]], [12, 16]]);
  // the cost of a node stands at one of its instructions, the longest
  const costs = instructions.filter(({ node, flops }) => node === product?.node && flops !== undefined).map(({ flops }) => flops);
  assert.equal(costs, [2 * 12 * 8 * 16 + 2 * 12 * 16]);
});

test("profiling a training step leaves weights, the optimizer's state and random numbers as they were", () => {
  const losses = (profiled: boolean): number[] => {
    const { call, model, optimizer } = trainingStep();
    const found: number[] = [];
    for (let i = 0; i < 6; i++) {
      if (profiled && i % 2 === 0) call.profile([x, y], { runs: 4 });
      if (i === 3) optimizer.paramGroups[0].lr *= 0.1;
      found.push(call(x, y).item());
    }
    found.push(...model.parameters().map((p) => p.sum().item()), optimizer.stateDict().state[0].step as number);
    return found;
  };
  assert.equal(losses(true), losses(false));
});

test("profiling allocates nothing that stays, and results of earlier calls stay readable", () => {
  const f = compile((a: T) => a.exp().sum());
  const result = f(x);
  f.profile([x], { runs: 2 });
  const before = tapir.memory.stats();
  for (let i = 0; i < 20; i++) f.profile([x.transpose()], { runs: 2 });
  f.profile([x], { runs: 2 });
  assert.ok(tapir.memory.stats().tensors <= before.tensors + 4, "a second plan, and nothing a profile");
  assert.ok(Number.isFinite(result.item()));
});

test("shares add up to 1, sums by kernel and by op to the whole, and the longest comes first", () => {
  const profile = trainingStep().call.profile([x, y], { runs: 5 });
  const sum = (rows: readonly { us: number; share: number }[], key: "us" | "share"): number => rows.reduce((n, row) => n + row[key], 0);
  const near = (a: number, b: number): void => assert.ok(Math.abs(a - b) <= 1e-9 * Math.max(1, b), `${a} is not ${b}`);
  for (const rows of [profile.instructions, profile.kernels, profile.ops]) {
    near(sum(rows, "share"), 1);
    near(sum(rows, "us"), sum(profile.instructions, "us"));
  }
  for (const rows of [profile.kernels, profile.ops]) for (let i = 1; i < rows.length; i++) assert.ok(rows[i - 1].us >= rows[i].us);
  assert.is(profile.runs, 5);
  assert.ok(profile.instructions.every(({ us, bestUs }) => bestUs >= 0 && us >= bestUs));
  const lines = String(profile).split("\n");
  assert.match(
    lines[0],
    /^plan of \d+ instructions, [\d.]+ us a run, of which [\d.]+ us lie outside of kernels; 5 runs, one instruction after another on one thread$/,
  );
  const rows = lines.slice(3, lines.indexOf("", 3)).map((line) => Number(line.trim().split(/\s+/)[0]));
  assert.equal(
    rows,
    [...rows].sort((a, b) => b - a),
  );
});

test("the timeline is one in Chrome's Trace Event Format: kernels lie within their op, and none overlaps", () => {
  const profile = trainingStep().call.profile([x, y], { runs: 3 });
  type Event = { ph: string; cat: string; name: string; ts: number; dur: number };
  const { traceEvents } = JSON.parse(profile.toChromeTrace()) as { traceEvents: Event[] };
  const slices = traceEvents.filter(({ ph }) => ph === "X");
  const kernels = slices.filter(({ cat }) => cat === "kernel");
  assert.equal(
    kernels.map(({ name }) => name),
    profile.instructions.map(({ kernel }) => kernel),
  );
  const end = ({ ts, dur }: Event): number => ts + dur + 0.0015; // rounded to the nanosecond
  for (let i = 1; i < kernels.length; i++) assert.ok(kernels[i].ts <= end(kernels[i - 1]) && kernels[i].ts >= kernels[i - 1].ts);
  const ops = slices.filter(({ cat }) => cat !== "kernel");
  for (const kernel of kernels) assert.is(ops.filter((op) => op.ts <= kernel.ts && end(kernel) <= end(op) + 0.0015).length >= 1, true, kernel.name);
});

test("a clock that ticks in steps of 0.1 ms, as a browser's, still tells long from short", () => {
  const real = performance.now.bind(performance);
  performance.now = () => Math.floor(real() * 10) / 10;
  try {
    const big = tapir.ones([400, 400]);
    const { ops } = compile((a: T) => a.matmul(a).relu().sum()).profile([big], { runs: 40 });
    assert.is(ops[0].name, "matmul+relu");
    assert.ok(ops[0].us > 0);
  } finally {
    performance.now = real;
  }
});

test("bad calls are typed errors, and what a function refuses stops its profile", () => {
  const f = compile((a: T) => a.sum());
  assertThrows(() => f.profile([x], { runs: 0 }), tapir.ConfigError, /^profile: expected runs, a whole number >= 1; got 0$/);
  assertThrows(() => f.profile([x], { rounds: 3 } as tapir.ProfileOptions), tapir.ConfigError, /rounds/);
  assertThrows(() => f.profile(x as unknown as [T]), tapir.ConfigError, /expected the arguments in an array/);
  const { call } = trainingStep();
  call(x, y);
  const wrong = tensor(Int32Array.from({ length: 12 }, () => 7));
  const before = tapir.memory.stats().tensors;
  assertThrows(() => call.profile([x, wrong], { runs: 2 }), tapir.ConfigError, /that stop crossEntropyWithGrad; call the function/);
  assert.is(tapir.memory.stats().tensors, before);
});

test.run();
