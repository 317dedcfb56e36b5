// What every kernel build must be, whichever engine runs it.
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";

const builds = ["f32-strict", "f32-relaxed", "f64-strict", "f64-relaxed", "f32-debug", "f64-debug"];
const script = join(process.cwd(), "tests/assembly/kernel-bits.mjs");
const NEWER = join(process.cwd(), "tests/engines/node_modules/n24/bin/node");

function unsigned(bytes: Uint8Array, at: number): [value: number, next: number] {
  let value = 0;
  for (let shift = 0; ; shift += 7) {
    const byte = bytes[at++];
    value += (byte & 0x7f) * 2 ** shift;
    if (byte < 0x80) return [value, at];
  }
}

function sections(bytes: Uint8Array): number[] {
  const ids: number[] = [];
  for (let at = 8; at < bytes.length; ) {
    ids.push(bytes[at]);
    const [size, body] = unsigned(bytes, at + 1);
    at = body + size;
  }
  return ids;
}

for (const build of builds) {
  test(`${build} has no data section and no start function, so builds can share a memory`, () => {
    const ids = sections(readFileSync(join("build/kernels", `${build}.wasm`)));
    assert.ok(ids.includes(10), "no code section was found");
    assert.not.ok(ids.includes(11), "data section");
    assert.not.ok(ids.includes(8), "start section");
  });
}

const bits = (node: string, build: string, flags: readonly string[] = [], ...settings: string[]): Record<string, string> =>
  JSON.parse(execFileSync(node, [...flags, script, build, ...settings], { encoding: "utf8" }));

const { os, cpu } = JSON.parse(readFileSync("tests/engines/package.json", "utf8")) as { os: string[]; cpu: string[] };
const hasNewer = os.includes(process.platform) && cpu.includes(process.arch);
if (!hasNewer) console.log(`skipped: the same bits on a newer Node, which is there for ${os} ${cpu} and not for ${process.platform} ${process.arch}`);
const onNewer = hasNewer ? test : test.skip;

for (const element of ["f32", "f64"]) {
  onNewer(`each kernel of ${element}-strict gives the same bits on this Node and on a newer one`, () => {
    assert.ok(existsSync(NEWER), "the newer Node is not installed");
    const here = bits(process.execPath, `${element}-strict`);
    assert.ok(Object.keys(here).length > 40);
    assert.equal(bits(NEWER, `${element}-strict`), here);
  });
  onNewer(`the wider vectors of tapir/fast give the relaxed build of ${element} the same bits`, () => {
    // compiled at the first call: an engine that cannot compile a kernel would end the process
    const flags = ["--experimental-wasm-revectorize", "--wasm-tiering-budget=1"];
    assert.equal(bits(NEWER, `${element}-relaxed`, flags, "wide"), bits(NEWER, `${element}-relaxed`));
  });
  test(`the debug build of ${element} gives the bits of the strict build`, () => {
    assert.equal(bits(process.execPath, `${element}-debug`), bits(process.execPath, `${element}-strict`));
  });
}

test.run();
