// Checkpoints: trees come back as they were, and a write that is cut anywhere leaves the old file or the new one.
import * as fs from "node:fs";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, FormatError, formats, memory, ones, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";
import { Random } from "../draw.js";

const SEED = 12;
console.log(`seed ${SEED}`);
const folder = mkdtempSync(join(tmpdir(), "tapir-checkpoint-"));
const path = join(folder, "a.safetensors");

test("a tree comes back as it was: every number, names with dots, the marks of the format, tensors of every dtype", async () => {
  const t = tensor([1.5, -2]);
  const dtypes = (["float32", "float64", "int32", "uint8", "bool"] as const).map((dtype) => tensor([1, 0, 1], { dtype }));
  const tree = {
    numbers: [0, -0, 1e308, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 0.1],
    texts: ["", "ä\u2028\"'\\", "$"],
    none: null,
    left: undefined,
    yes: true,
    empty: { list: [], object: {} },
    "a.b": { c: t },
    a: { "b.c": zeros([2, 0]) },
    $: { $: "tensor", name: "a.b.c" },
    ["__proto__"]: { polluted: 1 },
    dtypes,
  };
  await formats.saveCheckpoint(path, tree);
  const back = (await formats.loadCheckpoint(path)) as unknown as typeof tree;
  const { left: _, "a.b": ab, a, dtypes: types, ...rest } = tree;
  const { "a.b": backAb, a: backA, dtypes: backTypes, ...backRest } = back;
  assert.equal(backRest, rest);
  assert.ok(Object.is(back.numbers[1], -0));
  assert.equal([...backAb.c.data()], [...ab.c.data()]);
  assert.equal(backA["b.c"].shape, a["b.c"].shape);
  for (const [i, type] of types.entries()) {
    assert.is(backTypes[i].dtype, type.dtype);
    assert.equal([...backTypes[i].data()], [...type.data()]);
  }
  assert.is(({} as { polluted?: number }).polluted, undefined);
});

test("what a checkpoint cannot hold is refused with its place, and no file appears", async () => {
  const at = join(folder, "none.safetensors");
  const refused = async (tree: unknown, message: RegExp): Promise<void> => {
    await assertRejects(formats.saveCheckpoint(at, tree as never), ConfigError, message);
    assert.not.ok(fs.existsSync(at));
  };
  await refused({ a: [1, { b: () => 1 }] }, /got .* at a\.1\.b$/);
  await refused({ when: new Date() }, /at when$/);
  await refused([undefined], /got undefined at 0$/);
  const loop: Record<string, unknown> = {};
  loop.again = loop;
  await refused(loop, /got more than 64 levels/);
});

test("a file that is no checkpoint, or whose tree lies, is a FormatError, and no tensor is left", async () => {
  const w = ones([3]);
  await formats.saveSafetensors(path, { w });
  const before = memory.stats().bytes;
  await assertRejects(formats.loadCheckpoint(path), FormatError, /a checkpoint, as saveCheckpoint\(\) writes; got a safetensors file without one/);
  await formats.saveCheckpoint(path, { w, n: Number.NaN });
  const good = readFileSync(path, "latin1");
  for (const [from, to] of [
    ["NaN", "NaM"],
    ['\\"name\\":\\"w\\"', '\\"name\\":\\"v\\"'],
    ['\\"version\\":1', '\\"version\\":2'],
    ['{\\"version', '[\\"version'],
  ]) {
    assert.ok(good.includes(from), from);
    writeFileSync(path, good.replace(from, to), "latin1");
    await assertRejects(formats.loadCheckpoint(path), FormatError, /^loadCheckpoint: /);
  }
  assert.is(memory.stats().bytes, before);
});

test("200 writes that stop at random bytes leave the old file or the new one", async () => {
  const random = new Random(SEED);
  const old = { w: tensor(Float32Array.from({ length: 500 }, (_, i) => i)), epoch: 1 };
  const next = { w: tensor(Float32Array.from({ length: 700 }, (_, i) => -i)), epoch: 2 };
  await formats.saveCheckpoint(path, next);
  const size = readFileSync(path).length;
  const builtin = process.getBuiltinModule;
  /** As when the process is killed after so many bytes: nothing that comes later happens. */
  let left = Number.POSITIVE_INFINITY;
  const killed = (): void => {
    if (left <= 0) throw Object.assign(new Error("killed"), { code: "KILLED" });
  };
  const promises = {
    ...fs.promises,
    async open(at: string, flags: string) {
      const file = await fs.promises.open(at, flags);
      return {
        async writeFile(part: Uint8Array | string) {
          killed();
          const bytes = Buffer.from(part);
          await file.writeFile(bytes.subarray(0, left));
          left -= bytes.length;
          killed();
        },
        async sync() {
          killed();
          await file.sync();
        },
        close: () => file.close(),
      };
    },
    async rename(from: string, to: string) {
      killed();
      await fs.promises.rename(from, to);
    },
    async rm() {
      killed();
    },
  };
  process.getBuiltinModule = ((name: string) => (name === "node:fs" ? { ...fs, promises } : builtin(name))) as typeof builtin;
  const found = [0, 0];
  try {
    for (let i = 0; i < 200; i++) {
      left = Number.POSITIVE_INFINITY;
      await formats.saveCheckpoint(path, old);
      left = i % 50 === 0 ? size + 1 : random.integer(1, size);
      await formats.saveCheckpoint(path, next).catch((error) => assert.instance(error, FormatError));
      left = Number.POSITIVE_INFINITY;
      const { w, epoch } = (await formats.loadCheckpoint(path)) as unknown as { w: Tensor; epoch: number };
      const expected = epoch === 1 ? old : next;
      assert.ok(Buffer.from(w.data().buffer).equals(Buffer.from(expected.w.data().buffer)));
      found[epoch - 1]++;
    }
  } finally {
    process.getBuiltinModule = builtin;
  }
  assert.equal(found, [196, 4]);
});

test.run();
