// Files of every format, changed at random. Reading one gives tensors or a FormatError: never another error, memory beyond a bound, or a
// tensor that stays behind.
import { readFileSync } from "node:fs";
import * as csvParse from "csv-parse/sync";
import * as fastPng from "fast-png";
import * as fflate from "fflate";
import { imagesOf } from "../../ts-src/data/idx-images.js";
import { checkedSettings, parseCsv } from "../../ts-src/data/table.js";
import { parseNpy } from "../../ts-src/formats/npy.js";
import { parseNpz } from "../../ts-src/formats/npz.js";
import { parsePng } from "../../ts-src/formats/png.js";
import { parseSafetensors } from "../../ts-src/formats/safetensors.js";
import { FormatError, memory, scope } from "../../ts-src/index.js";
import { crc32 } from "../crc32.js";
import type { Random } from "../draw.js";
import { fixture } from "./numpy.js";

interface Format {
  /** Whole files to begin with. */
  readonly files: readonly Buffer[];
  /** Pieces of text with a meaning. */
  readonly words: readonly string[];
  /** Reads a file; answers nothing that lives on. */
  read(bytes: Buffer): unknown;
  /** Makes lengths and checksums right again, so that what lies behind them is reached. */
  repair?(bytes: Buffer): Buffer;
}

const NUMBERS = ["0", "1", "-1", "1.5", "2147483647", "2147483648", "4294967296", "9007199254740993", "9223372036854775808", "1e999", "00"];
const LIMIT = 2 ** 24; // bytes that a file may take: the largest of the files here has less than a thousandth

const png = JSON.parse(readFileSync("tests/fixtures/formats/png_files.json", "utf8")) as Record<string, { file: string }>;

function safetensors(header: string, data: number): Buffer {
  const length = Buffer.alloc(8);
  length.writeBigUInt64LE(BigInt(Buffer.byteLength(header)));
  return Buffer.concat([length, Buffer.from(header), Buffer.alloc(data, 1)]);
}

function idx(sizes: readonly number[]): Buffer {
  const head = Buffer.alloc(4 + 4 * sizes.length);
  head[2] = 8;
  head[3] = sizes.length;
  for (const [i, size] of sizes.entries()) head.writeUInt32BE(size, 4 + 4 * i);
  return Buffer.concat([
    head,
    Buffer.alloc(
      sizes.reduce((a, b) => a * b, 1),
      3,
    ),
  ]);
}

const settings = [{}, { comment: "#", classes: ["x", "y"] }, { header: false, delimiter: ";", classes: false }].map(checkedSettings);

export const formatsToChange: { readonly [name: string]: Format } = {
  safetensors: {
    files: [
      safetensors(
        '{"__metadata__":{"a":"b"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"I64","shape":[1],"data_offsets":[24,32]}}',
        32,
      ),
      safetensors('{"x":{"dtype":"BF16","shape":[],"data_offsets":[0,2]},"\\u0079":{"dtype":"BOOL","shape":[0,7],"data_offsets":[2,2]}}  ', 2),
      safetensors('{"image":{"dtype":"U8","shape":[20,20],"data_offsets":[0,400]}}', 400),
    ],
    words: ['"dtype"', '"shape"', '"__proto__"', '"F16"', '"BF16"', '"U64"', '"BOOL"', '"w":', "[", "]", "{", "}", "null", ",", "\\u0000"],
    read: (bytes) => parseSafetensors(bytes, "fuzz"),
    repair(bytes) {
      const end = bytes.lastIndexOf("}") + 1;
      if (bytes.length >= 8 && end > 8) bytes.writeBigUInt64LE(BigInt(end - 8));
      return bytes;
    },
  },
  npy: {
    files: Object.values(fixture.npy).map(({ file }) => Buffer.from(file, "base64")),
    words: ["'descr'", "'shape'", "'fortran_order'", "True", "'<i8'", "'|O'", "'>f2'", "(", ")", ",", "{", "}", "'", "L"],
    read: (bytes) => parseNpy("loadNpy", bytes, "fuzz"),
    repair(bytes) {
      const end = bytes.indexOf("}") + 1;
      if (end > 10 && bytes[6] === 1) bytes.writeUInt16LE(Math.min(end - 10, 65535), 8);
      return bytes;
    },
  },
  npz: {
    files: Object.values(fixture.npz).map(({ file }) => Buffer.from(file, "base64")),
    words: ["PK\x01\x02", "PK\x03\x04", "PK\x05\x06", ".npy"],
    read: (bytes) => parseNpz(bytes, "fuzz", LIMIT, fflate),
  },
  csv: {
    files: ["a,b,t\n1,2,x\n-3.5,4e2,y\n# no row\n5,6,x\n", '\ufeff"a","b",t\r\n1,"2",1\r\n\r\n3,4,2\r\n', "1;2;3\r4;5;6\r"].map((text) => Buffer.from(text)),
    words: ['"', ",", ";", "\n", "\r\n", "#", '""', "x", "nan", "\ufeff", "\0"],
    read: (bytes) => parseCsv(bytes, "fuzz", settings[bytes.length % settings.length], csvParse),
  },
  png: {
    files: Object.values(png).map(({ file }) => Buffer.from(file, "base64")),
    words: ["IHDR", "PLTE", "IDAT", "IEND", "tRNS", "iCCP", "tEXt"],
    read: (bytes) =>
      parsePng(bytes, fastPng, (message) => {
        throw new FormatError(message);
      }),
    repair(bytes) {
      for (let at = 8; at + 12 <= bytes.length; ) {
        const end = at + 8 + bytes.readUInt32BE(at);
        if (end + 4 > bytes.length) break;
        bytes.writeUInt32BE(crc32(bytes.subarray(at + 4, end)), end);
        at = end + 4;
      }
      return bytes;
    },
  },
  idx: {
    files: [idx([2, 3, 4]), idx([2]), idx([1, 1, 1])],
    words: ["\0\0\x08"],
    read: (bytes) => imagesOf("mnist", { bytes, path: "fuzz" }, { bytes: idx([2]), path: "labels" }),
  },
};

/** A file of a format with some changes. */
function changed(format: Format, random: Random): Buffer {
  let bytes: Buffer = Buffer.from(random.pick(format.files));
  for (let left = random.pick([1, 1, 2, 4]); left > 0; left--) {
    const at = random.integer(0, bytes.length);
    const length = random.integer(0, 1) === 0 ? random.integer(1, 8) : random.integer(0, bytes.length);
    const cut = (insert: Buffer, drop: number): Buffer => Buffer.concat([bytes.subarray(0, at), insert, bytes.subarray(at + drop)]);
    switch (random.integer(0, 8)) {
      case 0:
        for (let n = random.integer(1, 8); n > 0 && bytes.length > 0; n--) bytes[random.integer(0, bytes.length - 1)] ^= 1 << random.integer(0, 7);
        break;
      case 1:
        if (at < bytes.length) bytes[at] = random.pick([0, 1, 0x7f, 0x80, 0xff, 0x7b, 0x22]);
        break;
      case 2: {
        const word = Buffer.alloc(random.pick([2, 4, 8]), random.pick([0, 0xff]));
        word[random.pick([0, word.length - 1])] = random.pick([0, 1, 0x7f, 0x80, 0xff, bytes.length & 255]);
        bytes = cut(word, word.length);
        break;
      }
      case 3:
        bytes = bytes.subarray(0, at);
        break;
      case 4:
        bytes = cut(bytes.subarray(at, at + length), 0);
        break;
      case 5:
        bytes = cut(Buffer.alloc(0), length);
        break;
      case 6: {
        const other = random.pick(format.files);
        bytes = Buffer.concat([bytes.subarray(0, at), other.subarray(random.integer(0, other.length))]);
        break;
      }
      case 7: {
        // another number where one stands
        const text = bytes.toString("latin1");
        const places = [...text.matchAll(/\d+/g)];
        if (places.length === 0) break;
        const { index, 0: digits } = random.pick(places);
        bytes = Buffer.from(text.slice(0, index) + random.pick(NUMBERS) + text.slice(index + digits.length), "latin1");
        break;
      }
      default:
        bytes = cut(Buffer.from(random.pick(format.words), "latin1"), random.pick([0, 0, length]));
    }
  }
  return random.integer(0, 1) === 0 ? bytes : (format.repair?.(bytes) ?? bytes);
}

/** Throws an error that reading must not give. */
function expectFormatError(error: unknown): void {
  if (!(error instanceof FormatError) || error.message.includes("\n")) throw error;
}

/** Reads `count` changed files, some of which are still right; answers how many. Throws what it finds, with the file. */
export async function readChanged(name: string, count: number, random: Random, progress: (done: number) => void = () => undefined): Promise<number> {
  const format = formatsToChange[name];
  let right = 0;
  for (let i = 0; i < count; i++) {
    const bytes = changed(format, random);
    const before = memory.stats().tensors;
    const buffers = process.memoryUsage().arrayBuffers;
    try {
      try {
        // an answer that comes later is of no tensors
        const later: { answer?: unknown } = {};
        scope(() => {
          later.answer = format.read(bytes);
        });
        await later.answer;
        right++;
      } catch (error) {
        expectFormatError(error);
      }
      const { tensors } = memory.stats();
      if (tensors > before) throw new Error(`${tensors - before} tensors stay behind`);
      const grown = process.memoryUsage().arrayBuffers - buffers;
      if (grown > LIMIT) throw new Error(`${grown} bytes were taken`);
    } catch (error) {
      throw new Error(`${name}, file ${i}: ${(error as Error).stack}: ${bytes.toString("base64")}`, { cause: error });
    }
    progress(i);
  }
  return right;
}
