// A worker that is ended at any moment costs a typed error at most: never a wrong number, never a hang.
import { test } from "uvu";
import * as assert from "uvu/assert";
import { Capture } from "../../bindings/capture.js";
import { forked } from "../../bindings/forked.js";
import { kernelsOf } from "../../bindings/kernels.js";
import { type HomeTask, reserveBlock } from "../../bindings/memory.js";
import { Program } from "../../bindings/program.js";
import { readyTeam, type Team } from "../../bindings/team.js";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";
import { Random } from "../draw.js";
import { awaitTeam } from "./team.js";
import { look, started } from "./workers.js";

const SEED = 4;
console.log(`seed ${SEED}`);
const { compile, configure, tensor } = tapir;
type T = tapir.Tensor;
const KILLS = 100;

const ms = (n: number): void => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, n);

/** Two threads anew, whatever was lost before. */
function anew(): void {
  configure({ threads: 1 });
  configure({ threads: 2 });
  awaitTeam();
}

test(`a worker is ended at ${KILLS} random moments: each result is right, or a typed error that leaves the next one right`, () => {
  const random = new Random(SEED);
  tapir.manualSeed(1);
  const [x, w] = [tapir.randn([192, 256]), tapir.randn([256, 256])];
  const f = (a: T, b: T): T => a.matmul(b).tanh().matmul(b.transpose(0, 1)).sigmoid();
  configure({ threads: 1 });
  const expected = Buffer.from(f(x, w).data().buffer);
  const call = compile(f);
  let typed = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    anew();
    call(x, w);
    // it ends some time during the calls that follow
    void started[started.length - 1].terminate();
    const calls = random.integer(1, 6);
    for (let i = 0; i < calls; i++) {
      try {
        const y = call(x, w);
        assert.ok(Buffer.from(y.data().buffer).equals(expected), `kill ${kill}, call ${i}: wrong numbers`);
      } catch (error) {
        if (!(error instanceof tapir.WorkerError) && !(error instanceof tapir.TimeoutError)) throw error;
        typed++;
      }
      if (random.unit() < 0.5) ms(random.integer(0, 2));
    }
  }
  console.log(`${KILLS} workers ended: ${typed} typed errors, the rest healed`);
});

test("a step whose worker ends while it changes weights is right or a WorkerError that says so, and large eager ops likewise", () => {
  const n = 1 << 20;
  const p = tapir.zeros([n]);
  p.requiresGrad = true;
  // each step adds 1 to each weight, and cannot be begun anew
  const optimizer = new tapir.optim.SGD([p], { lr: 1 });
  const g = tapir.full([n], -1);
  const plus = compile(() => {
    optimizer.zeroGrad();
    const loss = p.mul(g).sum();
    loss.backward();
    optimizer.step();
    return loss;
  });
  for (let kill = 0; kill < 20; kill++) {
    anew();
    tapir.noGrad(() => p.copy_(tapir.zeros([n])));
    plus();
    void started[started.length - 1].terminate();
    let done = 1;
    try {
      for (let i = 0; i < 4; i++, done++) plus();
      assert.ok(
        p.data().every((value) => value === done),
        `kill ${kill}: some weights were changed twice, or not at all`,
      );
      const y = g.exp().data();
      assert.ok(y.every((value) => value === y[0]));
    } catch (error) {
      assert.instance(error, tapir.WorkerError);
      assert.match((error as Error).message, /a worker thread ended in .*; .*configure\(\{ threads: 1 \}\)/);
    }
  }
});

test("a worker that ends within a chain of elementwise ops leaves the program as it was", () => {
  tapir.manualSeed(2);
  const x = tapir.rand([1 << 21]);
  const chain = (t: T): T => {
    for (let i = 0; i < 60; i++) t = t.mul(1.01).tanh();
    return t;
  };
  configure({ threads: 1 });
  const expected = Buffer.from(compile(chain)(x).data().buffer);
  const call = compile(chain);
  const right = (): boolean => Buffer.from(call(x).data().buffer).equals(expected);
  for (let kill = 0; kill < 10; kill++) {
    anew();
    assert.ok(right());
    // the chain takes 60 ms on two threads, so the worker ends within it
    void started[started.length - 1].terminate();
    assert.ok(right(), `kill ${kill}: wrong numbers`);
    assert.ok(right(), `kill ${kill}: wrong numbers afterwards`);
  }
});

test("a kernel that traps is a typed error with its name, and the threads stay", () => {
  anew();
  const trapping = (): HomeTask[] =>
    [0, 1].map((part) => ({
      reads: [],
      writes: [],
      run() {
        const k = kernelsOf("float32");
        k.exp(y, a, 16);
        if (part === 1) k.sqrt(y, 0xfffffff0 | 0, 64);
      },
    }));
  for (let i = 0; i < 4; i++) {
    assertThrows(() => forked(readyTeam() as Team, trapping(), true), tapir.WorkerError, /^sqrt: .*kernel sqrt trapped/);
    assert.is(tapir.parallel.stats().lost, 0);
  }
});

const N = 768;
const [a, b, y] = [1, 2, 3].map(() => reserveBlock(4 * N * N));
const work = reserveBlock(4 * N * N);

/** Two tasks: while the leader does the short one, the worker begins the long one; then the leader waits, and looks after 100 ms. */
function uneven(): HomeTask[] {
  const products = (count: number): void => {
    const k = kernelsOf("float32");
    for (let i = 0; i < count; i++) k.gemmNN(y, a, b, work, N, N, N, N, N, N);
  };
  return [6, 90].map((count) => ({ reads: [], writes: [], run: () => products(count) }));
}

function program(): Program {
  const capture = new Capture();
  capture.run(() => capture.node(0, () => capture.divide(uneven()), () => ({ reads: [], writes: [] }))); // biome-ignore format: one flow
  return new Program(capture, [], Number.POSITIVE_INFINITY);
}

for (const [what, expected] of [
  ["ended", tapir.WorkerError],
  ["did not answer", tapir.TimeoutError],
] as const) {
  const struck = (fn: () => void): void => {
    if (what === "ended") look.taken = () => void started[started.length - 1].terminate();
    else configure({ threadTimeout: 0.2 });
    const before = started.length;
    try {
      fn();
      assert.is(readyTeam() === undefined || started.length > before, true, "the worker was not missed");
    } finally {
      look.taken = undefined;
      configure({ threadTimeout: 60 });
    }
  };

  test(`a worker that ${what} within a task of a program: what can be done again is, else a typed error names the instruction`, () => {
    anew();
    const made = program();
    made.run(0, true);
    struck(() => assert.is(made.run(0, true), -1));
    anew();
    struck(() =>
      assertThrows(() => made.run(0, false), expected, new RegExp(`a worker thread ${what} in instruction \\d+, gemmNN; what it changes may be half written`)),
    );
    made.dispose();
  });

  test(`a worker that ${what} within a large op: it is done again by one thread, or a typed error names the kernel`, () => {
    anew();
    struck(() => assert.is(forked(readyTeam() as Team, uneven(), true), false));
    anew();
    struck(() => assertThrows(() => forked(readyTeam() as Team, uneven(), false), expected, new RegExp(`a worker thread ${what} in gemmNN`)));
  });
}

test("workers that are lost again and again leave one thread, with one line that says why", async () => {
  anew();
  const lines: unknown[] = [];
  const { warn } = console;
  console.warn = (line: unknown) => lines.push(line);
  try {
    const call = compile((x: T) => x.matmul(x));
    const x = tensor(Float32Array.from({ length: 256 * 256 }, (_, i) => i % 7)).reshape([256, 256]);
    const expected = call(x).data();
    for (let i = 0; i < 8; i++) {
      const worker = started[started.length - 1];
      void worker.terminate();
      // the second time nothing tells but the look at the threads themselves
      if (i !== 1) await new Promise((resolve) => setTimeout(resolve, 50));
      else ms(50);
      for (let k = 0; k < 300; k++) assert.is(Buffer.from(call(x).data().buffer).compare(Buffer.from(expected.buffer)), 0);
    }
    assert.is(lines.length, 1);
    assert.match(String(lines[0]), /one thread: worker threads were lost 3 times/);
  } finally {
    console.warn = warn;
  }
});

test.run();
