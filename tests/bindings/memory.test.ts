// The memory limit and the other defaults: what is refused, and what a refusal leaves as it was.
import { test } from "uvu";
import * as assert from "uvu/assert";
import * as tapir from "../../ts-src/index.js";
import { assertThrows } from "../assert-close.js";

test("a limit that is no whole number of pages ends in a typed error, and every tensor keeps its elements", () => {
  const { limit } = tapir.memory.stats();
  tapir.configure({ maxMemory: 200_000 });
  assert.is(tapir.memory.stats().limit, 3 * 65_536);
  const held: tapir.Tensor[] = [];
  assertThrows(
    () => {
      for (;;) held.push(tapir.keep(tapir.full([60], 3)));
    },
    tapir.OutOfMemoryError,
    /^full: float32 \[60\]: .*limit 0\.2 MiB/,
  );
  assert.ok(held.length > 100);
  for (const t of held) assert.ok(t.data().every((value) => value === 3));
  tapir.configure({ maxMemory: limit });
  assert.is(tapir.full([60], 3).sum().item(), 180);
});

test("settings that cannot be are ConfigErrors that change nothing", () => {
  const before = tapir.memory.stats().limit;
  const refused = (settings: unknown, message: RegExp): void => {
    assertThrows(() => tapir.configure(settings as tapir.Configuration), tapir.ConfigError, message);
    assert.is(tapir.memory.stats().limit, before);
  };
  refused(null, /object of settings/);
  refused(5, /object of settings/);
  for (const threads of [0, 1.5, 65, "2", null, Number.NaN]) refused({ maxMemory: 2 ** 26, threads }, /threads, a whole number from 1 to 64/);
  for (const threadTimeout of [0, -1, "1", Number.NaN]) refused({ maxMemory: 2 ** 26, threadTimeout }, /threadTimeout, seconds above 0/);
  refused({ maxMemory: "67108864" }, /maxMemory from 65536/);
  refused({ maxMemory: Number.NaN }, /maxMemory from 65536.*NaN/);
  refused({ maxMemory: Symbol("much") }, /maxMemory/);
  refused({ deterministic: "yes" }, /true or false; got string yes/);
});

for (const dtype of ["toString", "constructor", "__proto__", "Float32", "", ["float32"], Object.create(null), 1] as tapir.DType[]) {
  test(`the dtype ${JSON.stringify(dtype)} is refused wherever one is named`, () => {
    const before = tapir.memory.stats();
    assertThrows(() => tapir.zeros([3], { dtype }), tapir.DtypeError, /expected a dtype|one of float32/);
    assertThrows(() => tapir.tensor([1, 2], { dtype }), tapir.DtypeError, /one of float32/);
    assertThrows(() => tapir.to(tapir.ones([1]), dtype), tapir.DtypeError, /one of float32/);
    assert.is(tapir.memory.stats().bytes - before.bytes, 256, "only the operand of to() was made");
    assert.is(tapir.ones([3]).sum().item(), 3);
  });
}

test("keep and detectAnomaly say what they expect", () => {
  assertThrows(() => tapir.keep(undefined as unknown as tapir.Tensor), tapir.DtypeError, /keep: expected a tensor; got undefined/);
  assertThrows(() => tapir.keep(null as unknown as tapir.Tensor), tapir.DtypeError, /keep: expected a tensor; got null/);
  assertThrows(() => tapir.detectAnomaly(1 as unknown as () => void), tapir.ConfigError, /detectAnomaly: expected a function; got number/);
});

test.run();
