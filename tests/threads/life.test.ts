// How threads begin and end: with the process, with another runtime beside them, with none to be had, as the environment says.
import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { readyTeam, threadsInUse } from "../../bindings/team.js";
import * as tapir from "../../ts-src/index.js";
import { awaitTeam } from "./team.js";

const run = promisify(execFile);

async function program(what: string, env: Record<string, string> = {}): Promise<{ answer: number | number[]; stderr: string }> {
  // a process that does not end by itself is an error
  const { stdout, stderr } = await run(process.execPath, ["tests/threads/life.mjs", what], { env: { ...process.env, ...env }, timeout: 60_000 });
  return { answer: JSON.parse(stdout), stderr };
}

const one = await program("exit", { TAPIR_THREADS: "1" });

test("a process with worker threads ends by itself, with the answer of one thread", async () => {
  for (const threads of ["2", "4"]) assert.equal(await program("exit", { TAPIR_THREADS: threads }), one);
});

test("two runtimes in one process do not disturb each other", async () => {
  assert.equal((await program("two", { TAPIR_THREADS: "2" })).answer, [one.answer, one.answer, one.answer, one.answer]);
});

test("runtimes in worker threads have threads of their own", async () => {
  assert.equal((await program("worker", { TAPIR_THREADS: "2" })).answer, [one.answer, one.answer, one.answer]);
});

test("where there is no shared memory one thread gives the same answer, and one line says why", async () => {
  const { answer, stderr } = await program("unshared", { TAPIR_THREADS: "2" });
  assert.is(answer, one.answer);
  assert.match(stderr, /^tapir: one thread: this page has no shared memory; [^\n]*\n$/);
});

test("where the engine refuses to start a thread one thread gives the same answer, and one line says why", async () => {
  const { answer, stderr } = await program("refused", { TAPIR_THREADS: "3" });
  assert.is(answer, one.answer);
  assert.match(stderr, /^tapir: one thread: this engine starts no threads \(no more of them\); [^\n]*\n$/);
});

test("workers of a page close themselves when the number of threads changes, and their addresses are given back", async () => {
  assert.equal((await program("page")).answer, [4, 4, 0]);
});

test("TAPIR_THREADS that is no number of threads is a ConfigError", async () => {
  for (const value of ["0", "two", "1000", "0x2"]) {
    try {
      await program("exit", { TAPIR_THREADS: value });
    } catch (error) {
      assert.match(
        (error as { stderr: string }).stderr,
        new RegExp(`ConfigError: TAPIR_THREADS: expected threads, a whole number from 1 to 64; got (number|string) ${value}`),
      );
      continue;
    }
    assert.unreachable(value);
  }
});

test("pools that start and stop again and again hold no memory", async () => {
  const x = tapir.randn([200, 200]);
  const call = tapir.compile((t: tapir.Tensor) => t.matmul(t).tanh());
  let before: tapir.MemoryStats | undefined;
  for (let i = 0; i < 20; i++) {
    tapir.configure({ threads: 2 });
    call(x);
    awaitTeam();
    for (let k = 0; k < 5; k++) call(x);
    tapir.configure({ threads: 1 });
    assert.is(threadsInUse(), 1);
    assert.is(readyTeam(), undefined);
    call(x);
    // what has ended is given back at the next start
    await new Promise((resolve) => setTimeout(resolve, 20));
    if (i === 10) before = tapir.memory.stats();
  }
  assert.ok(tapir.memory.stats().bytes <= (before?.bytes as number) + 4096, "memory grows");
});

test.run();
