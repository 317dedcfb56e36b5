// The child's side of a benchmark: a line {case, ms} on stdin asks for one round, a line {us, ...} answers it.
// With cpu, the answer has the process's own time too: where a step is longer than a time slice, other programs are part of the clock's.
// With fresh, the case is made anew before the clock starts: else a net that is trained on one batch for thousands of steps
// ends in subnormal gradients, on which every contestant is slow.
import { createInterface } from "node:readline";

/**
 * `make(case)` answers { step, finish }: step() is what is timed; finish(), also timed, waits until all work is done and
 * answers figures that are sent along.
 */
export async function serve(make) {
  const cases = new Map();
  for await (const line of createInterface({ input: process.stdin })) {
    const request = JSON.parse(line);
    if (request.fresh || !cases.has(request.case)) cases.set(request.case, await make(request.case));
    const { step, finish, missing } = cases.get(request.case);
    if (missing) {
      process.stdout.write(`${JSON.stringify({ missing })}\n`);
      continue;
    }
    let count = 0;
    let elapsed = 0;
    let bestUs = Number.POSITIVE_INFINITY;
    let bestCpuUs = Number.POSITIVE_INFINITY;
    let cpu = process.cpuUsage();
    let figures = {};
    const started = performance.now();
    while (elapsed < request.ms) {
      const before = elapsed;
      step();
      count++;
      elapsed = performance.now() - started;
      bestUs = Math.min(bestUs, 1000 * (elapsed - before));
      if (request.cpu) {
        const { user, system } = process.cpuUsage(cpu);
        bestCpuUs = Math.min(bestCpuUs, user + system);
        cpu = process.cpuUsage();
      }
      if (request.steps && count >= request.steps) break;
    }
    if (finish) {
      figures = await finish();
      elapsed = performance.now() - started;
    }
    process.stdout.write(`${JSON.stringify({ us: (1000 * elapsed) / count, bestUs, ...(request.cpu && { bestCpuUs }), ...figures })}\n`);
  }
}

/** Fixed numbers that every contestant begins with. */
export function wave(n, phase, scale) {
  return Float32Array.from({ length: n }, (_, i) => scale * Math.sin(phase + 0.7 * i + 0.001 * i * (i % 1000)));
}

export function transposed(data, rows, cols) {
  return Float32Array.from({ length: data.length }, (_, i) => data[(i % rows) * cols + Math.floor(i / rows)]);
}

/** Sizes of an mlp case such as "784-128-10 32". */
export function sizes(name) {
  const [layers, batch] = name.split(" ");
  const [inputs, hidden, outputs] = layers.split("-").map(Number);
  return { inputs, hidden, outputs, batch: Number(batch) };
}

/** Weights [out, in], data and labels of an mlp case. */
export function problem(name) {
  const { inputs, hidden, outputs, batch } = sizes(name);
  return {
    inputs,
    hidden,
    outputs,
    batch,
    w1: wave(hidden * inputs, 1, 1 / Math.sqrt(inputs)),
    b1: wave(hidden, 2, 0.1),
    w2: wave(outputs * hidden, 3, 1 / Math.sqrt(hidden)),
    b2: wave(outputs, 4, 0.1),
    x: wave(batch * inputs, 5, 1),
    labels: Int32Array.from({ length: batch }, (_, i) => (3 * i * i + i) % outputs),
  };
}
