// npy files: what NumPy wrote is read, what is written is what NumPy writes, and a file that was cut or lies is an error.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DisposedError, FormatError, formats, memory, tensor, zeros } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";
import { describedTensor, fixture } from "./numpy.js";

const folder = mkdtempSync(join(tmpdir(), "tapir-npy-"));
const path = join(folder, "x.npy");
const { saveNpy, loadNpy } = formats;

/** A file with this header, as version 1, and these elements. */
function file(header: string, data = new Uint8Array(24), version = 1): void {
  const length = version === 1 ? Buffer.alloc(2) : Buffer.alloc(4);
  if (version === 1) length.writeUInt16LE(header.length);
  else length.writeUInt32LE(header.length);
  writeFileSync(path, Buffer.concat([Buffer.from(`\x93NUMPY`, "latin1"), Buffer.from([version, 0]), length, Buffer.from(header, "latin1"), data]));
}

for (const [name, { file: bytes, ...expected }] of Object.entries(fixture.npy)) {
  test(`NumPy's file is read bit for bit: ${name}`, async () => {
    writeFileSync(path, Buffer.from(bytes, "base64"));
    const x = await loadNpy(path);
    assert.equal(describedTensor(x), expected);
    if (!name.startsWith("save")) return;
    // and written byte for byte
    await saveNpy(path, x);
    assert.is(readFileSync(path, "base64"), bytes);
  });
}

for (const [what, bytes] of Object.entries(fixture.refused)) {
  test(`a file of ${what} is a FormatError`, async () => {
    writeFileSync(path, Buffer.from(bytes, "base64"));
    await assertRejects(loadNpy(path), FormatError, what.includes("beyond") ? /that int32 holds.*at element/ : /expected/);
  });
}

test("every binary16 number is read as the float32 number that it is", async () => {
  const halves = Uint16Array.from({ length: 65536 }, (_, i) => i);
  file("{'descr': '<f2', 'fortran_order': False, 'shape': (65536,), }\n", new Uint8Array(halves.buffer));
  const y = (await loadNpy(path)).data();
  for (const half of halves) {
    const [sign, exponent, fraction] = [half >> 15, (half >> 10) & 31, half & 1023];
    const size =
      exponent === 31
        ? fraction === 0
          ? Number.POSITIVE_INFINITY
          : Number.NaN
        : exponent === 0
          ? fraction * 2 ** -24
          : (1 + fraction / 1024) * 2 ** (exponent - 15);
    assert.ok(Object.is(y[half], sign ? -size : size) || (Number.isNaN(size) && Number.isNaN(y[half])), `${half}: ${y[half]} instead of ${size}`);
  }
});

test("views are written in the order of their elements", async () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  await saveNpy(path, x.transpose(0, 1));
  assert.equal((await loadNpy(path)).toArray(), [
    [1, 4],
    [2, 5],
    [3, 6],
  ]);
});

test("a file cut at any byte, or with bytes over, is a FormatError", async () => {
  await saveNpy(path, tensor([1, 2, 3]));
  const whole = readFileSync(path);
  for (let n = 0; n < whole.length; n++) {
    writeFileSync(path, whole.subarray(0, n));
    await assertRejects(loadNpy(path), FormatError, /loadNpy/);
  }
  writeFileSync(path, Buffer.concat([whole, Buffer.from([0])]));
  await assertRejects(loadNpy(path), FormatError, /expected 12 bytes.*got 13/);
});

for (const [what, header] of [
  ["is no dict", "[]"],
  ["is empty", ""],
  ["has no shape", "{'descr': '<f4', 'fortran_order': False}"],
  ["has a key twice", "{'descr': '<f4', 'descr': '<i4', 'fortran_order': False, 'shape': (6,)}"],
  ["has another key", "{'descr': '<f4', 'fortran_order': False, 'shape': (6,), '__proto__': True}"],
  ["has a number for a shape", "{'descr': '<f4', 'fortran_order': False, 'shape': (6)}"],
  ["has a negative size", "{'descr': '<f4', 'fortran_order': False, 'shape': (-6,)}"],
  ["has sizes that overflow", "{'descr': '<f4', 'fortran_order': False, 'shape': (4294967296, 4294967296)}"],
  ["has a size of 2^63 and no element", "{'descr': '<f4', 'fortran_order': False, 'shape': (0, 9223372036854775808)}"],
  ["has sizes of another file", "{'descr': '<f4', 'fortran_order': False, 'shape': (7,)}"],
  ["has an unknown order", "{'descr': '<f4', 'fortran_order': Maybe, 'shape': (6,)}"],
  ["has an unknown dtype", "{'descr': '<f16', 'fortran_order': False, 'shape': (6,)}"],
  ["names a member of all objects as dtype", "{'descr': 'constructor', 'fortran_order': False, 'shape': (6,)}"],
  ["has more behind it", "{'descr': '<f4', 'fortran_order': False, 'shape': (6,)} {}"],
  ["holds code", "{'descr': '<f4', 'fortran_order': False, 'shape': __import__('os').system('id')}"],
  ["has 65 axes", `{'descr': '<f4', 'fortran_order': False, 'shape': (6,${" 1,".repeat(64)})}`],
] as const) {
  test(`a header that ${what} is a FormatError`, async () => {
    file(header);
    await assertRejects(loadNpy(path), FormatError, /loadNpy: expected .*; got .* in /);
  });
}

test("keys may stand in any order, with any quotes and blanks", async () => {
  file(`{"shape":(2,3), 'fortran_order' : False,"descr":'=f4'}`);
  assert.equal((await loadNpy(path)).shape, [2, 3]);
  file("{'shape': (6L,), 'fortran_order': False, 'descr': '<f4', }  \n", undefined, 2);
  assert.equal((await loadNpy(path)).shape, [6]);
});

test("a header of 4 GiB and a version of the future are FormatErrors", async () => {
  file("{'descr': '<f4', 'fortran_order': False, 'shape': (6,)}", undefined, 2);
  const bytes = readFileSync(path);
  bytes.writeUInt32LE(0xffffffff, 8);
  writeFileSync(path, bytes);
  await assertRejects(loadNpy(path), FormatError, /got a length of 4294967295/);
  file("{}", undefined, 4);
  await assertRejects(loadNpy(path), FormatError, /version 1, 2 or 3/);
});

test("bools that are neither 0 nor 1 are a FormatError", async () => {
  file("{'descr': '|b1', 'fortran_order': False, 'shape': (3,)}", Uint8Array.of(0, 1, 2));
  await assertRejects(loadNpy(path), FormatError, /got 2 at element 2/);
});

test("what is no tensor is a ConfigError, and nothing is left behind", async () => {
  const gone = zeros([2]);
  gone.dispose();
  const { tensors } = memory.stats();
  for (const x of [null, 5, [1, 2], { a: tensor([1]) }])
    await assertRejects(saveNpy(join(folder, "y.npy"), x as never), ConfigError, /saveNpy: expected a tensor/);
  await assertRejects(saveNpy(join(folder, "y.npy"), gone), DisposedError, /saveNpy/);
  await assertRejects(saveNpy(join(folder, "none", "y.npy"), zeros([1])), FormatError, /there is none/);
  await assertRejects(loadNpy(join(folder, "none.npy")), FormatError, /there is none/);
  assert.equal(readdirSync(folder), ["x.npy"]);
  assert.ok(memory.stats().tensors <= tensors + 2);
});

test.run();
