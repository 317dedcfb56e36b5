// Weights after 200 steps of three models: the same bits on any number of threads; strict, also in every engine.
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { promisify } from "node:util";
import { test } from "uvu";
import * as assert from "uvu/assert";

const run = promisify(execFile);
const FOLDER = "tests/engines/node_modules";

type Result = { readonly [model: string]: { readonly digest: string; readonly fell: boolean; readonly instructions: number } } & { readonly workers: number };

async function digests(engine: readonly string[], arithmetic: string, threads: number): Promise<Result> {
  const [command, ...args] = engine;
  const { stdout } = await run(command, [...args, "tests/threads/digest.mjs", arithmetic, String(threads)]);
  return JSON.parse(stdout) as Result;
}

const NODE = [process.execPath];
const MODELS = ["perceptron", "convolutional", "attentive"];

/** Of one thread, by arithmetic: what all others are compared with. */
const first = new Map<string, Result>();
async function reference(arithmetic: string): Promise<Result> {
  const found = first.get(arithmetic) ?? (await digests(NODE, arithmetic, 1));
  first.set(arithmetic, found);
  return found;
}

function same(actual: Result, expected: Result): void {
  assert.ok(Number(actual.workers) > 0, "no worker took part");
  for (const model of MODELS) {
    assert.is(actual[model].digest, expected[model].digest, model);
    assert.ok(actual[model].fell, `${model} did not learn`);
    assert.ok(actual[model].instructions > expected[model].instructions, `${model} was not divided`);
  }
}

for (const arithmetic of ["strict", "relaxed"]) {
  for (const threads of [2, 3, 4, 8]) {
    test(`${arithmetic}, ${threads} threads: the weights of one thread`, async () =>
      same(await digests(NODE, arithmetic, threads), await reference(arithmetic)));
  }
}

const engines: Record<string, string[]> = {
  "a newer Node": [`${FOLDER}/n24/bin/node`],
  Deno: [`${FOLDER}/@deno/linux-x64-glibc/deno`, "run", "--allow-read", "--allow-env", "--allow-sys"],
  Bun: [`${FOLDER}/@oven/bun-linux-x64/bin/bun`],
};
for (const [name, engine] of Object.entries(engines)) {
  const there = existsSync(engine[0]);
  if (!there) console.log(`skipped: ${name} is not at ${engine[0]} (npm install in tests/engines)`);
  (there ? test : test.skip)(`strict, 2 threads, ${name}: the same weights`, async () => same(await digests(engine, "strict", 2), await reference("strict")));
}

test.run();
