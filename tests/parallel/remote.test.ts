// Work in another thread: what arrives, what stays free, how it is stopped, and how each end of it is told.
import { spawn, spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertRejects, assertThrows } from "../assert-close.js";
// @ts-expect-error: a module without declarations, shared with worker.mjs
import { training } from "./training.mjs";

const { layers, parallel, AbortError, ConfigError, ShapeError, WorkerError } = tapir;
const WORKER = "tests/parallel/worker.mjs";
const DENO = "tests/engines/node_modules/@deno/linux-x64-glibc/deno";
/** A training of some tenths of a second. */
const EPOCHS = 200;

/** Runs one of the jobs of worker.mjs. */
function job<Result>(name: string, options: { [key: string]: unknown } = {}): Promise<Result> {
  const { input, ...others } = options;
  return parallel.remote<Result>(WORKER, { input: { job: name, ...(input as object) }, ...others });
}

async function rejection(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  return assert.unreachable("expected a rejection") as never;
}

/** Runs a program of its own; its time in ms. */
function program(source: string): { stdout: string; stderr: string; status: number | null; ms: number } {
  const started = performance.now();
  const { stdout, stderr, status } = spawnSync(process.execPath, ["--input-type=module", "-e", source], { encoding: "utf8", timeout: 60_000 });
  return { stdout, stderr, status, ms: performance.now() - started };
}

test("events arrive in order, and before the result", async () => {
  const seen: unknown[] = [];
  const result = await job("count", { input: { n: 1000 }, onProgress: (event: unknown) => seen.push(event) });
  assert.equal(
    seen,
    Array.from({ length: 1000 }, (_, i) => ({ i })),
  );
  assert.equal(result, { sum: 499_500, list: new Float32Array([1, 2]) });
});

test("the module is an address, a URL or a path", async () => {
  const url = pathToFileURL(WORKER);
  for (const module of [url, url.href, WORKER, join(process.cwd(), WORKER)])
    assert.is((await parallel.remote<{ sum: number }>(module, { input: { job: "count", n: 3 } })).sum, 3);
});

test("the caller's event loop runs while a model is trained, with the bits of training here", async () => {
  const steps: { epoch: number; step: number; loss: number }[] = [];
  let ticks = 0;
  const timer = setInterval(() => ticks++, 5);
  const started = performance.now();
  const remote = await job<Record<string, Float32Array>>("train", {
    input: { epochs: EPOCHS },
    threads: 1,
    onProgress: (e: (typeof steps)[0]) => steps.push(e),
  });
  const ms = performance.now() - started;
  clearInterval(timer);
  assert.ok(ticks > ms / 50, `${ticks} ticks in ${ms} ms`);

  const losses: number[] = [];
  const local = await training(tapir, { epochs: EPOCHS, onProgress: (p: { training: { loss: number } }) => losses.push(p.training.loss) });
  assert.equal(Object.keys(remote), Object.keys(local));
  for (const [name, weight] of Object.entries(remote)) assert.ok(Buffer.from(weight.buffer).equals(Buffer.from(local[name].buffer)), name);
  assert.equal(
    steps.map(({ loss }) => loss),
    losses,
  );
});

test("the worker has as many threads as it is told", async () => {
  assert.is(await job("threads", { threads: 1 }), 1);
  assert.is(await job("threads", { threads: 3 }), 3);
});

test("an abort ends a compiled step of many seconds between two instructions", async () => {
  for (const threads of [1, 2]) {
    const controller = new AbortController();
    const events: unknown[] = [];
    let aborted = 0;
    const onProgress = (event: unknown): void => {
      events.push(event);
      if (event !== "begins") return;
      setTimeout(() => {
        aborted = performance.now();
        controller.abort();
      }, 1000);
    };
    await assertRejects(job("step", { threads, onProgress, signal: controller.signal }), AbortError, /stopped by the signal: This operation was aborted/);
    const ms = performance.now() - aborted;
    // the step itself saw it, in its midst: the thread was not killed
    assert.is(events.length, 2);
    assert.match(String(events[1]), /^compile: expected no abort; stopped before instruction [1-9]/);
    assert.ok(ms < 1000, `${ms} ms`);
  }
});

test("an abort reaches training by its signal, and what hears nothing is ended", async () => {
  for (const name of ["train", "deaf", "listens"]) {
    const controller = new AbortController();
    const reason = new Error("enough");
    const events: unknown[] = [];
    let aborted = 0;
    const onProgress = (event: unknown): void => {
      events.push(event);
      aborted ||= performance.now();
      controller.abort(reason);
    };
    const error = await rejection(job(name, { input: { epochs: 1e6 }, onProgress, signal: controller.signal }));
    const ms = performance.now() - aborted;
    assert.instance(error, AbortError);
    assert.is(error.cause, reason);
    assert.ok(ms < 2500, `${name}: ${ms} ms`);
    if (name === "listens") assert.equal(events, ["begins", "stopped by the signal: enough"]);
  }
});

test("an abort before and while the thread starts", async () => {
  await assertRejects(job("deaf", { signal: AbortSignal.abort() }), AbortError, /stopped by the signal/);
  const controller = new AbortController();
  const call = job("deaf", { signal: controller.signal });
  controller.abort();
  await assertRejects(call, AbortError, /stopped by the signal/);
});

test("what the served function throws keeps class and message, with the stack of its thread", async () => {
  const shape = await rejection(job("shape"));
  assert.instance(shape, ShapeError);
  assert.match(shape.message, /^matmul: a \[2,3\] x b \[2,3\]: inner sizes 3 and 2 differ/);
  assert.match((shape.cause as Error).stack ?? "", /worker\.mjs/);

  const foreign = await rejection(job("foreign"));
  assert.instance(foreign, WorkerError);
  assert.is(foreign.message, "RangeError: too far");
  assert.is((foreign.cause as Error).name, "RangeError");
  assert.is(((foreign.cause as Error).cause as Error).message, "deeper");

  await assertRejects(job("thrown"), WorkerError, /a string/);
});

test("whatever is thrown arrives with what it says", async () => {
  const messages: Record<string, string> = {
    throwsObject: 'Error: {"status":500,"detail":"no room"}',
    throwsBare: 'Error: {"why":"bare"}',
    throwsRing: "Error: an object that cannot be shown",
    throwsNothing: "Error: undefined",
    throwsFunction: "Error: a function",
    throwsRevoked: "Error: an object that cannot be shown",
    throwsGetter: "TypeError: ",
  };
  for (const [name, message] of Object.entries(messages)) {
    const error = await rejection(job(name));
    assert.instance(error, WorkerError, name);
    assert.is(error.message, message);
  }
  const hidden = (await rejection(job("throwsGetter"))).cause as Error;
  assert.is((hidden.cause as Error).message, "a string");
});

test("an error of others keeps its code, and does not become one of this package by it", async () => {
  const error = await rejection(job("throwsForeignCode"));
  assert.instance(error, WorkerError);
  assert.is(error.message, "Error: slow");
  assert.is((error.cause as Error & { code: string }).code, "timeout");
});

test("an AggregateError keeps its errors", async () => {
  const { cause } = await rejection(job("throwsMany"));
  assert.instance(cause, AggregateError);
  const { errors } = cause as AggregateError;
  assert.equal(errors.map(({ name, message, code }) => [name, message, code]), [["RangeError", "first", undefined], ["Error", "second", "ENOENT"], ["Error", "third", undefined]]); // biome-ignore format: short
});

test("a thread that ends before it answers is a WorkerError, after what it said", async () => {
  const events: unknown[] = [];
  await assertRejects(job("exit", { onProgress: (event: unknown) => events.push(event) }), WorkerError, /worker\.mjs to answer.*it ended with code 7/);
  assert.equal(events, ["last words"]);
  const uncaught = await rejection(job("uncaught"));
  assert.instance(uncaught, WorkerError);
  assert.match(uncaught.message, /nobody catches this/);
});

test("a module that cannot be loaded, or serves nothing, is a ConfigError that names it", async () => {
  await assertRejects(parallel.remote("tests/parallel/absent.mjs"), ConfigError, /can be loaded; got file:.*absent\.mjs: Error: Cannot find module/);
  const broken = await rejection(parallel.remote("tests/parallel/broken.mjs"));
  assert.instance(broken, ConfigError);
  assert.match(broken.message, /broken\.mjs: TypeError: broken on purpose/);
  assert.match((broken.cause as Error).stack ?? "", /broken\.mjs:2/);
  await assertRejects(parallel.remote("tests/parallel/silent.mjs"), ConfigError, /silent\.mjs to call parallel\.serve\(\)/);
});

test("what cannot be cloned is a ConfigError: input, event and result", async () => {
  const weights = tapir.ones([2]);
  await assertRejects(
    parallel.remote(WORKER, { input: { weights } }),
    ConfigError,
    /^remote: expected input that can be cloned.*data\(\) and shape; got a Tensor$/,
  );
  await assertRejects(parallel.remote(WORKER, { input: () => 1 }), ConfigError, /^remote: expected input that can be cloned.*; got a function$/);
  const ring: unknown[] = [new Map([["a", new Set([Symbol("s")])]])];
  ring.unshift(ring);
  await assertRejects(parallel.remote(WORKER, { input: ring }), ConfigError, /; got a symbol$/);
  await assertRejects(parallel.remote(WORKER, { input: new layers.Linear(2, 2) }), ConfigError, /; got a Tensor$/);
  await assertRejects(parallel.remote(WORKER, { input: Promise.resolve() }), ConfigError, /; got .*Promise.* could not be cloned/);
  await assertRejects(job("tensor"), ConfigError, /^serve: expected a result that can be cloned.*; got a Tensor$/);
  await assertRejects(job("reportsTensor"), ConfigError, /^report: expected an event that can be cloned.*; got a Tensor$/);
});

test("wrong calls are ConfigErrors", async () => {
  const call = (module: unknown, options?: unknown) => parallel.remote(module as string, options as object);
  await assertRejects(call(5), ConfigError, /the URL or path of a module; got number 5/);
  await assertRejects(call(WORKER, { inputs: 1 }), ConfigError, /options input, signal, onProgress, threads; got inputs/);
  await assertRejects(call(WORKER, { threads: 0 }), ConfigError, /threads, a whole number/);
  for (const signal of [{}, null, 5, { aborted: false }, { aborted: false, addEventListener() {} }, { aborted: true, removeEventListener() {} }])
    await assertRejects(call(WORKER, { signal }), ConfigError, /an AbortSignal; got/);
  await assertRejects(call(WORKER, { onProgress: 1 }), ConfigError, /onProgress, a function/);
  assertThrows(() => parallel.serve(() => 1), ConfigError, /a thread that parallel\.remote\(\) started/);
  assertThrows(() => parallel.serve(5 as never), ConfigError, /a function/);
  await assertRejects(job("serveAgain"), ConfigError, /one call in a module/);
});

test("where no thread can be started, a call is a ConfigError", () => {
  const { stdout, stderr } = program(`
    import { parallel } from "./dist/index.js";
    process.getBuiltinModule = undefined;
    await parallel.remote("${WORKER}").catch((error) => console.log(error.code, error.message));
  `);
  assert.match(stdout, /^config remote: expected an engine that starts threads/, stderr);
});

test("an error of onProgress is the caller's", async () => {
  const own = new Error("own");
  const onProgress = (): void => {
    throw own;
  };
  assert.is(await rejection(job("count", { input: { n: 3 }, onProgress })), own);
});

test("a process waits for the answer and ends after it, whatever the thread still does", () => {
  const source = (name: string): string => `
    import { parallel } from "./dist/index.js";
    const call = parallel.remote("${WORKER}", { input: { job: "${name}", epochs: 20 } });
    call.then((answer) => console.log(typeof answer), (error) => console.log(error.code));
  `;
  for (const [name, expected] of [
    ["train", "object"],
    ["stays", "string"],
    ["foreign", "worker"],
    ["exit", "worker"],
  ]) {
    const { stdout, stderr, status, ms } = program(source(name));
    assert.is(stdout, `${expected}\n`, stderr);
    assert.is(status, 0);
    assert.ok(ms < 20_000, `${name}: ${ms} ms`);
  }
});

test("what the thread has printed is there before its answer", () => {
  for (const fails of [false, true]) {
    const { stdout, stderr } = program(`
      import { parallel } from "./dist/index.js";
      await parallel.remote("${WORKER}", { input: { job: "prints", n: 200, fails: ${fails} } }).catch((error) => console.log(error.message));
    `);
    assert.match(stdout, fails ? /line 199\nError: after all lines\n$/ : /line 199\n$/, stderr);
    assert.is(stdout.match(/^line /gm)?.length, 200);
  }
});

test("a thread that stays is ended within a second", () => {
  const { stdout } = program(`
    import { parallel } from "./dist/index.js";
    await parallel.remote("${WORKER}", { input: { job: "stays" } });
    const { readdirSync } = await import("node:fs");
    const threads = () => readdirSync("/proc/self/task").length;
    const then = threads();
    await new Promise((resolve) => setTimeout(resolve, 2000));
    console.log(threads() < then);
  `);
  if (process.platform === "linux") assert.is(stdout, "true\n");
});

const there = existsSync(DENO);
if (!there) console.log(`skipped: Deno is not at ${DENO} (npm install in tests/engines)`);
(there ? test : test.skip)("the threads of a thread end with it, answered or stopped, in Deno", () => {
  const source = `
    import { readdirSync } from "node:fs";
    import { parallel } from ${JSON.stringify(pathToFileURL("dist/index.js").href)};
    const threads = () => readdirSync("/proc/self/task").length;
    async function call(goesOn) {
      const controller = new AbortController();
      const input = { job: "divides", goesOn };
      const onProgress = () => goesOn && controller.abort();
      await parallel.remote("${WORKER}", { input, threads: 2, signal: controller.signal, onProgress }).catch((error) => error.code === "abort" || console.log(error));
    }
    await call(false);
    await new Promise((resolve) => setTimeout(resolve, 2000));
    const then = threads();
    for (let i = 0; i < 6; i++) await call(i % 2 === 1);
    for (const end = performance.now() + 10_000; threads() > then && performance.now() < end; ) await new Promise((resolve) => setTimeout(resolve, 50));
    console.log(threads() - then);
    process.exit(0);
  `;
  const { stdout, stderr } = spawnSync(DENO, ["run", "--allow-all", "--ext=js", "-"], {
    input: source,
    encoding: "utf8",
    timeout: 60_000,
  });
  assert.ok(Number.parseInt(stdout, 10) <= 0, `${stdout} threads more\n${stderr}`);
});

test("the example trains while its main thread says so", () => {
  const { stdout, stderr, status } = spawnSync(process.execPath, ["examples/remote/main.mjs"], { encoding: "utf8", timeout: 60_000 });
  assert.is(status, 0, stderr);
  assert.match(stdout, /heartbeat\n(.*\n)*epoch 10/);
  const [, product] = /= (-?[\d.]+)\n$/.exec(stdout) ?? [];
  assert.ok(Math.abs(Number(product) + 0.6) < 0.1, stdout);
});

test("an interrupt stops the example with one line", async () => {
  if (process.platform === "win32") return; // no signals
  const child = spawn(process.execPath, ["examples/remote/main.mjs"], { stdio: ["ignore", "pipe", "pipe"] });
  const [lines, errors]: string[][] = [[], []];
  child.stderr.on("data", (data) => errors.push(String(data)));
  child.stdout.on("data", (data) => {
    lines.push(String(data));
    // a second one would end it at once
    if (!child.killed && lines.join("").includes("epoch 2 ")) child.kill("SIGINT");
  });
  const code = await new Promise((resolve) => child.once("close", resolve));
  assert.is(errors.join(""), "");
  assert.match(lines.join(""), /\nstopped by the signal: [^\n]*\n$/);
  assert.is(code, 130);
});

test.run();
