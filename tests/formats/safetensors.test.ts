// Model files: what is written is read back, and a file that was cut or lies is an error, never a wrong tensor.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DisposedError, FormatError, formats, memory, tensor, zeros } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";

const folder = mkdtempSync(join(tmpdir(), "tapir-safetensors-"));
const path = join(folder, "x.safetensors");

function file(header: string, data = new Uint8Array(0)): void {
  const json = Buffer.from(header);
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(json.length));
  writeFileSync(path, Buffer.concat([length, json, data]));
}

test("every dtype, shape and name comes back", async () => {
  const tensors = {
    "0.weight": tensor([
      [1, -2.5],
      [3, Number.NaN],
    ]),
    double: tensor([Math.PI], { dtype: "float64" }),
    ints: tensor([-7, 2 ** 30], { dtype: "int32" }),
    bytes: tensor([0, 255], { dtype: "uint8" }),
    flags: tensor([true, false]),
    scalar: tensor(5),
    empty: zeros([0, 3]),
    ["__proto__"]: tensor([1]),
  };
  await formats.saveSafetensors(path, tensors);
  const back = await formats.loadSafetensors(path);
  assert.equal(Object.keys(back), Object.keys(tensors));
  for (const [name, t] of Object.entries(tensors)) {
    assert.is(back[name].dtype, t.dtype);
    assert.equal(back[name].shape, t.shape);
    assert.equal(Buffer.from(back[name].data().buffer), Buffer.from(t.data().buffer));
  }
});

test("a file written by hand to the specification is read", async () => {
  file('{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"__metadata__":{"k":"v"}}  ', new Uint8Array(Float32Array.of(1, 2).buffer));
  assert.equal((await formats.loadSafetensors(path)).a.toArray(), [1, 2]);
});

test("a file cut at any byte is a FormatError", async () => {
  await formats.saveSafetensors(path, { w: tensor([1, 2, 3]), b: tensor([4]) });
  const whole = readFileSync(path);
  for (let n = 0; n < whole.length; n++) {
    writeFileSync(path, whole.subarray(0, n));
    await assertRejects(formats.loadSafetensors(path), FormatError, /loadSafetensors/);
  }
});

const eight = new Uint8Array(8);
for (const [what, header] of [
  ["is no JSON", "{nonsense"],
  ["is no object", "[1]"],
  ["names an unknown dtype", '{"a":{"dtype":"F8","shape":[8],"data_offsets":[0,8]}}'],
  ["has another size than its offsets", '{"a":{"dtype":"F32","shape":[3],"data_offsets":[0,8]}}'],
  ["reaches beyond the file", '{"a":{"dtype":"F32","shape":[4],"data_offsets":[0,16]}}'],
  ["overlaps", '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"b":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'],
  ["leaves a gap", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}'],
  ["leaves bytes over", '{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}'],
  ["has a negative size", '{"a":{"dtype":"F32","shape":[-2,-1],"data_offsets":[0,8]}}'],
  ["has a size that overflows", '{"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}}'],
  ["names a tensor twice", '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},"a":{"dtype":"I32","shape":[2],"data_offsets":[0,8]}}'],
  ["has no entry", '{"a":null}'],
  ["names a member of all objects as dtype", '{"a":{"dtype":"constructor","shape":[8],"data_offsets":[0,8]}}'],
  ["names a prototype and no tensor", '{"__proto__":{"dtype":"F32"},"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'],
  [
    "has a size of 2^53 and no element",
    '{"a":{"dtype":"F32","shape":[0,9007199254740991],"data_offsets":[0,0]},"b":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}',
  ],
  ["has an offset of 2^63", '{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,9223372036854775808]}}'],
  ["has 65 axes", `{"a":{"dtype":"F32","shape":[2${",1".repeat(64)}],"data_offsets":[0,8]}}`],
  ["has an offset before its begin", '{"a":{"dtype":"F32","shape":[0],"data_offsets":[8,0]}}'],
] as const) {
  test(`a header that ${what} is a FormatError`, async () => {
    file(header, eight);
    await assertRejects(formats.loadSafetensors(path), FormatError, /expected .*; got|expected .*got/);
  });
}

test("a header of 2^63 bytes, or of any length beyond the file, is a FormatError", async () => {
  for (const length of [2n ** 63n, 2n ** 64n - 1n, 2n ** 53n, 100n]) {
    const bytes = Buffer.alloc(16);
    bytes.writeBigUInt64LE(length);
    writeFileSync(path, bytes);
    await assertRejects(formats.loadSafetensors(path), FormatError, new RegExp(`got a length of ${length}`));
  }
});

/** A file with one tensor of this dtype. */
function one(dtype: string, data: ArrayBufferView): void {
  const bytes = new Uint8Array(data.buffer as ArrayBuffer, data.byteOffset, data.byteLength);
  const size = bytes.length / Number(/\d+$/.exec(dtype)?.[0] ?? 8) / 0.125;
  file(`{"a":{"dtype":"${dtype}","shape":[${size}],"data_offsets":[0,${bytes.length}]}}`, bytes);
}

for (const [dtype, data, expected] of [
  ["I8", Int8Array.of(-128, 0, 127), "int32"],
  ["I16", Int16Array.of(-32768, 0, 32767), "int32"],
  ["U16", Uint16Array.of(0, 65535), "int32"],
  ["U32", Uint32Array.of(0, 2 ** 31 - 1), "int32"],
  ["I64", BigInt64Array.of(-(2n ** 31n), -1n, 0n, 2n ** 31n - 1n), "int32"],
  ["U64", BigUint64Array.of(0n, 2n ** 31n - 1n), "int32"],
] as const) {
  test(`${dtype} is read as ${expected}`, async () => {
    one(dtype, data);
    const { a } = await formats.loadSafetensors(path);
    assert.is(a.dtype, expected);
    assert.equal(a.toArray(), Array.from(data as ArrayLike<number | bigint>, Number));
  });
}

for (const [dtype, data] of [
  ["U32", Uint32Array.of(0, 2 ** 31)],
  ["I64", BigInt64Array.of(0n, 2n ** 31n)],
  ["I64", BigInt64Array.of(0n, -(2n ** 31n) - 1n)],
  ["I64", BigInt64Array.of(0n, 2n ** 32n)],
  ["U64", BigUint64Array.of(0n, 2n ** 63n)],
] as const) {
  test(`${dtype} ${data[1]}, which int32 does not hold, is a FormatError that says where`, async () => {
    one(dtype, data);
    await assertRejects(formats.loadSafetensors(path), FormatError, new RegExp(`int32 holds.*got ${data[1]} at element 1 of a`));
  });
}

test("every BF16 number is read as the float32 number with its bits, and F16 as the number that it is", async () => {
  const words = Uint16Array.from({ length: 65536 }, (_, i) => i);
  one("BF16", words);
  const bits = new Uint32Array((await formats.loadSafetensors(path)).a.data().buffer);
  for (const word of words) assert.is(bits[word], word * 65536);
  one("F16", Uint16Array.of(0x3c00, 0xc000, 0x7bff, 1, 0x8000, 0x7c00));
  assert.equal((await formats.loadSafetensors(path)).a.toArray(), [1, -2, 65504, 2 ** -24, -0, Number.POSITIVE_INFINITY]);
});

test("a bool that is neither 0 nor 1 is a FormatError, and what was read before is freed", async () => {
  const { tensors } = memory.stats();
  file('{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"BOOL","shape":[4],"data_offsets":[4,8]}}', Uint8Array.of(0, 0, 0, 0, 1, 0, 7, 1));
  await assertRejects(formats.loadSafetensors(path), FormatError, /got 7 at element 2 of b/);
  assert.is(memory.stats().tensors, tensors);
});

test("a file that cannot be written leaves nothing behind", async () => {
  await assertRejects(formats.saveSafetensors(join(folder, "none", "x.safetensors"), { a: tensor([1]) }), FormatError, /there is none/);
  const gone = tensor([1]);
  gone.dispose();
  await assertRejects(formats.saveSafetensors(join(folder, "y.safetensors"), { gone }), DisposedError, /gone/);
  assert.equal(readdirSync(folder), ["x.safetensors"]);
  await assertRejects(formats.loadSafetensors(join(folder, "missing")), FormatError, /there is none/);
});

test("metadata of millions of characters is no obstacle", async () => {
  const metadata = JSON.stringify({ text: `\\"{[:${"x".repeat(9_000_000)}\\` });
  file(`{"__metadata__":${metadata},"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}`, new Uint8Array(Float32Array.of(5).buffer));
  assert.equal((await formats.loadSafetensors(path)).a.toArray(), [5]);
});

test("equal names are found whatever their escapes and the blanks around them", async () => {
  const entry = '{"dtype":"F32","shape":[2],"data_offsets":[0,8]}';
  file(`{"a\\"":${entry} , "\\u0061\\"" \n:${entry}}`, eight);
  await assertRejects(formats.loadSafetensors(path), FormatError, /each name once/);
});

for (const field of ["dtype", "shape", "data_offsets"]) {
  test(`a ${field} nested 200,000 deep is a FormatError`, async () => {
    const fields: Record<string, string> = { dtype: '"F32"', shape: "[2]", data_offsets: "[0,8]" };
    fields[field] = "[".repeat(200_000) + "]".repeat(200_000);
    const entry = Object.entries(fields).map(([name, value]) => `"${name}":${value}`);
    file(`{"a":{${entry}}}`, eight);
    await assertRejects(formats.loadSafetensors(path), FormatError, /for a; got \[\.\.\.\]/);
  });
}

for (const [what, place, message] of [
  ["below a file", join(path, "x.safetensors"), /is a file, not a folder/],
  ["of too long a name", join(folder, "x".repeat(5000)), /too long/],
  ["with a NUL", join(folder, "a\0b"), /no path can/],
] as const) {
  test(`a path ${what} is a FormatError`, async () => {
    await formats.saveSafetensors(path, { a: tensor([1]) });
    await assertRejects(formats.saveSafetensors(place, {}), FormatError, message);
    await assertRejects(formats.loadSafetensors(place), FormatError, message);
    assert.equal(readdirSync(folder), ["x.safetensors"]);
  });
}

test("what is no path and what are no tensors are ConfigErrors", async () => {
  const any = (value: unknown): never => value as never;
  for (const tensors of [null, undefined, 5, tensor([1])]) {
    await assertRejects(formats.saveSafetensors(path, any(tensors)), ConfigError, /saveSafetensors: expected tensors by name/);
  }
  await assertRejects(formats.saveSafetensors(path, any({ a: [1] })), ConfigError, /a tensor for a; got an array/);
  for (const place of [0, null, undefined, ""]) {
    await assertRejects(formats.saveSafetensors(any(place), {}), ConfigError, /expected the path of a file/);
    await assertRejects(formats.loadSafetensors(any(place)), ConfigError, /expected the path of a file/);
  }
});

test("files are read and written where the engine has no process.getBuiltinModule, as in Node 20.0", async () => {
  const { getBuiltinModule } = process;
  Object.assign(process, { getBuiltinModule: undefined });
  try {
    await formats.saveSafetensors(path, { a: tensor([1, 2]) });
    assert.equal((await formats.loadSafetensors(path)).a.toArray(), [1, 2]);
  } finally {
    Object.assign(process, { getBuiltinModule });
  }
});

test.run();
