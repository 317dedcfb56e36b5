// npz archives: what NumPy wrote is read, what is written NumPy has read, and an archive that lies or swells is refused in little memory.
import { mkdtempSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { test } from "uvu";
import * as assert from "uvu/assert";
import { ConfigError, DisposedError, FormatError, formats, memory, type Tensor, tensor, zeros } from "../../ts-src/index.js";
import { assertRejects } from "../assert-close.js";
import { crc32 } from "../crc32.js";
import { describedTensor, fixture } from "./numpy.js";

const folder = mkdtempSync(join(tmpdir(), "tapir-npz-"));
const path = join(folder, "x.npz");
const { saveNpz, loadNpz, saveNpy } = formats;

/** An archive made by hand; each part of an entry may be another than it should be. */
interface Entry {
  name: string;
  data: Uint8Array;
  method?: number;
  size?: number;
  checksum?: number;
  flags?: number;
  offset?: number;
  localName?: string;
}

function words(...fields: [bytes: 2 | 4, value: number][]): Buffer {
  return Buffer.concat(
    fields.map(([bytes, value]) => {
      const word = Buffer.alloc(bytes);
      word.writeUIntLE(value, 0, bytes);
      return word;
    }),
  );
}

function archive(entries: Entry[], end: { count?: number; start?: number; comment?: string } = {}): Buffer {
  const locals: Buffer[] = [];
  const directory: Buffer[] = [];
  let at = 0;
  for (const { name, data, method = 0, size = data.length, checksum = crc32(data), flags = 0, offset = at, localName = name } of entries) {
    const packed = method === 8 ? deflateRawSync(data) : Buffer.from(data);
    const sizes = words([4, checksum], [4, packed.length], [4, size]);
    const head = words([2, 20], [2, flags], [2, method], [2, 0], [2, 33]);
    const local = Buffer.concat([words([4, 0x04034b50]), head, sizes, words([2, localName.length], [2, 0]), Buffer.from(localName), packed]);
    directory.push(
      words([4, 0x02014b50], [2, 20]),
      head,
      sizes,
      words([2, name.length], [2, 0], [2, 0], [2, 0], [2, 0], [4, 0], [4, offset]),
      Buffer.from(name),
    );
    locals.push(local);
    at += local.length;
  }
  const list = Buffer.concat(directory);
  const { count = entries.length, start = at, comment = "" } = end;
  const tail = words([4, 0x06054b50], [2, 0], [2, 0], [2, count], [2, count], [4, list.length], [4, start], [2, comment.length]);
  return Buffer.concat([...locals, list, tail, Buffer.from(comment)]);
}

async function npy(x: Tensor): Promise<Uint8Array> {
  const file = join(folder, "x.npy");
  await saveNpy(file, x);
  return readFileSync(file);
}

for (const [name, { file, arrays }] of Object.entries(fixture.npz)) {
  test(`what numpy.${name} wrote is read bit for bit`, async () => {
    writeFileSync(path, Buffer.from(file, "base64"));
    const read = await loadNpz(path);
    assert.equal(Object.keys(read), Object.keys(arrays));
    for (const [key, expected] of Object.entries(arrays)) assert.equal(describedTensor(read[key]), expected);
  });
}

// The file that numpy_files.py is given: TAPIR_WRITE_NPZ=FILE writes it.
test("the file that is written is the one that NumPy has read", async () => {
  const place = process.env.TAPIR_WRITE_NPZ ?? path;
  await saveNpz(place, {
    weight: tensor([
      [1, -2.5],
      [3, 0.5],
    ]),
    steps: tensor(7).to("int32"),
    größe: tensor([Math.PI], { dtype: "float64" }),
    flags: tensor([true, false]),
  });
  if (process.env.TAPIR_WRITE_NPZ === undefined) assert.is(readFileSync(place, "base64"), fixture.ours.file);
});

test("every dtype and name comes back, stored or compressed", async () => {
  const tensors = {
    "layer.0/weight": tensor([
      [1, Number.NaN],
      [-0, 4],
    ]).transpose(0, 1),
    double: tensor([Math.PI], { dtype: "float64" }),
    ints: tensor([-7, 2 ** 30], { dtype: "int32" }),
    bytes: tensor([0, 255], { dtype: "uint8" }),
    flags: tensor([true, false]),
    scalar: tensor(5),
    empty: zeros([0, 3]),
    large: zeros([300, 300]),
    7: tensor([7]),
    "": tensor([8]),
    ["__proto__"]: tensor([1]),
  };
  const sizes: number[] = [];
  for (const compress of [false, true]) {
    await saveNpz(path, tensors, { compress });
    sizes.push(readFileSync(path).length);
    const back = await loadNpz(path);
    assert.equal(Object.keys(back), Object.keys(tensors));
    for (const [name, t] of Object.entries(tensors)) assert.equal(describedTensor(back[name]), describedTensor(t));
  }
  assert.ok(sizes[1] < sizes[0] / 50);
});

test("a file with any byte changed is a FormatError, or the same arrays", async () => {
  for (const compress of [false, true]) {
    await saveNpz(path, { w: tensor([1, 2, 3]), b: tensor([4]) }, { compress });
    const whole = readFileSync(path);
    for (let at = 0; at < whole.length; at++) {
      const bytes = Buffer.from(whole);
      bytes[at] ^= 0x55;
      writeFileSync(path, bytes);
      try {
        const { w, b } = await loadNpz(path);
        if (w !== undefined && b !== undefined) assert.equal([w.toArray(), b.toArray()], [[1, 2, 3], [4]]);
      } catch (error) {
        assert.instance(error, FormatError);
      }
      writeFileSync(path, whole.subarray(0, at));
      await assertRejects(loadNpz(path), FormatError, /^loadNpz: expected/);
    }
  }
});

test("archives made by hand to the specification are read, with a comment too", async () => {
  const data = await npy(tensor([1, 2]));
  for (const method of [0, 8]) {
    writeFileSync(path, archive([{ name: "a.npy", data, method }], { comment: "PK\x05\x06 of no meaning" }));
    assert.equal((await loadNpz(path)).a.toArray(), [1, 2]);
  }
  writeFileSync(path, archive([]));
  assert.equal(await loadNpz(path), {});
});

test("an archive that lies is a FormatError", async () => {
  const data = await npy(tensor([1, 2]));
  const a = { name: "a.npy", data };
  for (const [bytes, message] of [
    [archive([a, a]), /each name once/],
    [archive([{ ...a, flags: 1 }]), /password/],
    [archive([{ ...a, method: 12 }]), /method 12/],
    [archive([{ ...a, size: 5 }]), /a size of a.npy that .* bytes can unpack to; got 5/],
    [archive([{ ...a, checksum: 5 }]), /checksum/],
    [archive([{ ...a, method: 8, checksum: 5 }]), /checksum/],
    [archive([{ ...a, method: 8, size: data.length - 1 }]), /got more/],
    [archive([{ ...a, method: 8, size: data.length + 1 }]), new RegExp(`got ${data.length} `)],
    [archive([{ ...a, localName: "b.npy" }]), /there is no such entry/],
    [archive([{ ...a, offset: 0xfffffff0 }]), /there is no such entry/],
    [archive([a, { ...a, name: "b.npy", offset: 0, localName: "a.npy" }]), /there is no such entry/],
    [archive([a], { count: 2 }), /2 entries in the directory; got 1/],
    [archive([a, { ...a, name: "b.npy" }], { count: 1 }), /directory of its length/],
    [archive([a], { start: 3 }), /a directory that ends/],
    [archive([a], { start: 0xffffffff }), /one part/],
    [archive([{ ...a, name: "a.txt" }]), /NAME.npy; got a.txt/],
    [archive([{ ...a, data: Uint8Array.of(1, 2) }]), /magic/],
    [Buffer.alloc(0), /end of one/],
    [data as Buffer, /end of one/],
  ] as [Buffer, RegExp][]) {
    writeFileSync(path, bytes);
    await assertRejects(loadNpz(path), FormatError, message);
  }
});

test("entries that share bytes, as in the densest bombs, are a FormatError", async () => {
  const data = await npy(tensor([1, 2]));
  const inner = archive([{ name: "b.npy", data }]);
  // the second entry lies within the first
  const outer = archive([
    { name: "a.npy", data: inner },
    { name: "b.npy", data },
  ]);
  const first = 30 + "a.npy".length;
  const directory = outer.indexOf("b.npy", outer.lastIndexOf("a.npy"));
  outer.writeUInt32LE(first, directory - 4);
  writeFileSync(path, outer);
  await assertRejects(loadNpz(path), FormatError, /overlap/);
});

test("a bomb is refused by what it says, or once more comes out than it said, in little memory", async () => {
  const data = new Uint8Array(2 ** 28);
  const packed = archive([{ name: "a.npy", data, method: 8, checksum: 0 }]);
  assert.ok(packed.length < 300_000);
  const before = process.memoryUsage();
  const grown = (): number => process.memoryUsage().arrayBuffers - before.arrayBuffers;
  writeFileSync(path, packed);
  await assertRejects(loadNpz(path, { maxBytes: 2 ** 20 }), FormatError, /at most 1048576 bytes when unpacked; got 268435456/);
  for (const size of [10, 4000, 2 ** 20]) {
    writeFileSync(path, archive([{ name: "a.npy", data: data.subarray(0, 2 ** 26), method: 8, checksum: 0, size }]));
    await assertRejects(loadNpz(path), FormatError, new RegExp(`unpack to ${size} bytes; got more`));
  }
  writeFileSync(path, archive(Array.from({ length: 9 }, (_, i) => ({ name: `${i}.npy`, data: new Uint8Array(2 ** 20), method: 8, checksum: 0 }))));
  await assertRejects(loadNpz(path, { maxBytes: 2 ** 23 }), FormatError, /at most 8388608 bytes/);
  const swollen = archive([{ name: "a.npy", data: Uint8Array.of(1, 2, 3), method: 8, size: 2 ** 29 }]);
  writeFileSync(path, swollen);
  await assertRejects(loadNpz(path), FormatError, /bytes can unpack to; got 536870912/);
  assert.ok(grown() < 2 ** 26, `${grown()} bytes more`);
});

test("what was read before an error is freed", async () => {
  const good = await npy(zeros([100]));
  writeFileSync(
    path,
    archive([
      { name: "a.npy", data: good },
      { name: "b.npy", data: good.subarray(1) },
    ]),
  );
  const { tensors } = memory.stats();
  for (let i = 0; i < 10; i++) await assertRejects(loadNpz(path), FormatError, /magic/);
  assert.is(memory.stats().tensors, tensors);
});

test("what cannot be is a ConfigError, and nothing is left behind", async () => {
  const any = (value: unknown): never => value as never;
  const place = join(folder, "y.npz");
  const gone = zeros([2]);
  gone.dispose();
  for (const tensors of [null, undefined, 5, tensor([1]), { a: [1] }]) await assertRejects(saveNpz(place, any(tensors)), ConfigError, /saveNpz: expected/);
  await assertRejects(saveNpz(place, {}, any({ level: 3 })), ConfigError, /compress; got level/);
  await assertRejects(saveNpz(place, {}, any({ compress: 1 })), ConfigError, /compress/);
  await assertRejects(saveNpz(place, { ["x".repeat(65_532)]: tensor([1]) }), ConfigError, /at most 65531 bytes/);
  await assertRejects(saveNpz(place, { gone }), DisposedError, /gone/);
  await assertRejects(loadNpz(path, any({ maxBytes: "1" })), ConfigError, /maxBytes/);
  await assertRejects(saveNpz(any(""), {}), ConfigError, /path of a file/);
  await assertRejects(loadNpz(place), FormatError, /there is none/);
  assert.equal(readdirSync(folder).sort(), ["x.npy", "x.npz"]);
});

test.run();
