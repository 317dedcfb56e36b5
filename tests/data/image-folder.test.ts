// Folders of PNG images: every kind of PNG, and files that are cut, lie or swell.
import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, configure, data, FormatError, memory, tensor } from "../../ts-src/index.js";
import { assertClose, assertRejects } from "../assert-close.js";
import { crc32 } from "../crc32.js";
import { pngOf } from "./png.js";

const fixture = JSON.parse(readFileSync("tests/fixtures/formats/png_files.json", "utf8")) as Record<
  string,
  { file: string; shape: [number, number, number]; bits: number; samples: number[] }
>;
const bytesOf = (name: string): Buffer => Buffer.from(fixture[name].file, "base64");

/** A folder with these files. */
function folder(files: Record<string, Uint8Array>): string {
  const path = mkdtempSync(join(tmpdir(), "tapir-images-"));
  for (const [name, bytes] of Object.entries(files)) {
    mkdirSync(join(path, name, ".."), { recursive: true });
    writeFileSync(join(path, name), bytes);
  }
  return path;
}

const first = (): ReturnType<typeof tensor> => tensor([0], { dtype: "int32" });

for (const [name, { shape, bits, samples }] of Object.entries(fixture)) {
  test(`its samples come as [channels, rows, cols] in 0..1: ${name}`, async () => {
    const set = await data.imageFolder(folder({ "a/0.png": bytesOf(name) }));
    const [x, y] = set.take(first());
    const [channels, rows, cols] = shape;
    assert.equal(x.shape, [1, ...shape]);
    assert.equal(y.toArray(), [0]);
    const planes = Array.from({ length: channels }, (_, c) => Array.from({ length: rows * cols }, (_, p) => samples[p * channels + c] / (2 ** bits - 1)));
    assertClose(x.data(), planes.flat(), { rtol: 1e-6 }, name);
  });
}

test("folders are classes in the order of their names, images in theirs", async () => {
  const grey = [0, 1, 2, 3].map((i) => pngOf(2, 2, [i, i, i, i]));
  const path = folder({
    "zebra/b.png": grey[1],
    "zebra/a.PNG": grey[0],
    "cat/1.png": grey[2],
    "cat/.hidden": grey[0],
    "README.txt": Buffer.from("x"),
    "ant/x.png": grey[3],
  });
  const set = await data.imageFolder(path);
  assert.equal(set.classes, ["ant", "cat", "zebra"]);
  assert.equal(
    set.files.map((file) => file.slice(path.length + 1)),
    ["ant/x.png", "cat/1.png", "zebra/a.PNG", "zebra/b.png"],
  );
  assert.equal(set.labels.toArray(), [0, 1, 2, 2]);
  assert.equal(
    [...set.images.data()].filter((_, i) => i % 4 === 0),
    [3, 2, 0, 1],
  );
  const other = await data.imageFolder(path, { classes: ["zebra", "ant", "cat"] });
  assert.equal(other.labels.toArray(), [0, 0, 1, 2]);
  configure({ threads: 2 });
  const seen = (prefetch: number): unknown[] => Array.from(set.batch(3, { shuffle: true, prefetch }), ([x, y]) => [x.toArray(), y.toArray()]);
  assert.equal(seen(2), seen(0));
});

test("images that differ in size, channels or depth are a FormatError that names both files", async () => {
  const square = pngOf(2, 2, [1, 2, 3, 4]);
  for (const [other, message] of [
    [pngOf(1, 4, [1, 2, 3, 4]), /expected 2 x 2 pixels of 1 channels with 8 bits, as in .*a.png; got 4 x 1 pixels.*b.png/],
    [bytesOf("color 2, 8 bits, filter 0"), /3 channels/],
    [bytesOf("color 0, 16 bits, filter 0"), /16 bits/],
  ] as const) {
    await assertRejects(data.imageFolder(folder({ "x/a.png": square, "y/b.png": other })), FormatError, message);
  }
});

/** A file with a chunk changed, and its checksum right. */
function changed(file: Buffer, type: string, change: (chunk: Buffer) => void): Buffer {
  const copy = Buffer.from(file);
  const at = copy.indexOf(type);
  const length = copy.readUInt32BE(at - 4);
  change(copy.subarray(at + 4, at + 4 + length));
  copy.writeUInt32BE(crc32(copy.subarray(at, at + 4 + length)), at + 4 + length);
  return copy;
}

/** A file with only so many bytes of a chunk. */
function shortened(file: Buffer, type: string, bytes: number): Buffer {
  const at = file.indexOf(type);
  const chunk = Buffer.alloc(bytes + 12);
  chunk.writeUInt32BE(bytes, 0);
  file.copy(chunk, 4, at, at + 4 + bytes);
  chunk.writeUInt32BE(crc32(chunk.subarray(4, bytes + 8)), bytes + 8);
  return Buffer.concat([file.subarray(0, at - 4), chunk, file.subarray(at + 8 + file.readUInt32BE(at - 4))]);
}

test("a file that is cut at any byte, or no image, is a FormatError that names it, and no tensor stays", async () => {
  const whole = bytesOf("color 2, 8 bits, filter 4");
  const path = folder({ "a/0.png": whole });
  const { tensors } = memory.stats();
  for (let n = 0; n < whole.length; n += 3) {
    writeFileSync(join(path, "a", "0.png"), whole.subarray(0, n));
    await assertRejects(data.imageFolder(path), FormatError, /^imageFolder: expected .* in .*0\.png$/);
  }
  assert.is(memory.stats().tensors, tensors);
});

for (const [what, file, message] of [
  [
    "says that it has 2^31 rows",
    changed(bytesOf("color 0, 8 bits, filter 0"), "IHDR", (c) => void c.writeUInt32BE(2 ** 31 - 1, 4)),
    /cannot unpack to so many/,
  ],
  ["says that it has no column", changed(bytesOf("color 0, 8 bits, filter 0"), "IHDR", (c) => void c.writeUInt32BE(0, 0)), /at least one pixel/],
  ["has more pixels than it says", changed(bytesOf("color 0, 8 bits, filter 0"), "IHDR", (c) => void c.writeUInt32BE(2, 4)), /expected 14 bytes/],
  ["has fewer pixels than it says", changed(bytesOf("color 0, 8 bits, filter 0"), "IHDR", (c) => void c.writeUInt32BE(6, 4)), /got 35/],
  ["has an unknown color type", changed(bytesOf("color 0, 8 bits, filter 0"), "IHDR", (c) => void c.writeUInt8(5, 9)), /color type/],
  ["has a depth that its color cannot have", changed(bytesOf("color 2, 8 bits, filter 0"), "IHDR", (c) => void c.writeUInt8(4, 8)), /4 bits/],
  ["has a wrong checksum", Buffer.from(bytesOf("color 0, 8 bits, filter 0")).fill(0, 29, 33), /CRC/],
  ["is interlaced with fewer than 8 bits", changed(bytesOf("grey, 2 bits"), "IHDR", (c) => void c.writeUInt8(1, 12)), /save it without interlacing/],
  ["has colors that its palette lacks", shortened(bytesOf("palette, 8 bits"), "PLTE", 3), /palette/],
  ["is empty", Buffer.alloc(0), /first bytes of a PNG/],
] as const) {
  test(`an image that ${what} is a FormatError`, async () => {
    await assertRejects(data.imageFolder(folder({ "a/0.png": file })), FormatError, message);
  });
}

test("pixels that unpack to more than the size are refused in little memory", async () => {
  const bomb = pngOf(1, 2 ** 27, undefined, 4);
  const before = process.memoryUsage().arrayBuffers;
  await assertRejects(data.imageFolder(folder({ "a/0.png": bomb })), FormatError, /expected 8 bytes for 1 x 4 pixels/);
  assert.ok(process.memoryUsage().arrayBuffers - before < 2 ** 24);
});

test("folders that are not what they should be are typed errors", async () => {
  const image = pngOf(1, 1, [0]);
  const any = (value: unknown): never => value as never;
  await assertRejects(data.imageFolder(folder({ "a/0.png": image, "a/notes.txt": image })), FormatError, /NAME.png; got .*notes.txt/);
  await assertRejects(data.imageFolder(folder({ "a/b/0.png": image })), FormatError, /NAME.png; got/);
  await assertRejects(data.imageFolder(folder({ "0.png": image })), FormatError, /expected folders, one a class/);
  await assertRejects(data.imageFolder(folder({ "a/.x": image })), FormatError, /expected images; there is none/);
  await assertRejects(data.imageFolder("/nowhere/at/all"), FormatError, /there is none at \/nowhere/);
  const two = folder({ "a/0.png": image, "b/0.png": image });
  await assertRejects(data.imageFolder(two, { classes: ["a"] }), ConfigError, /the folders a in .*; got b/);
  await assertRejects(data.imageFolder(two, { classes: ["a", "b", "c"] }), ConfigError, /there is no c/);
  for (const classes of [[], ["a", "a"], "a", [1]]) await assertRejects(data.imageFolder(two, { classes: any(classes) }), ConfigError, /classes/);
  for (const path of ["", 5, null]) await assertRejects(data.imageFolder(any(path)), ConfigError, /path of a folder/);
  await assertRejects(data.imageFolder(two, any({ size: 3 })), ConfigError, /size/);
});

test.run();
