// NumPy's npy format: magic, version, length of the header, a Python dict as header, the elements
// (numpy.lib.format, "Format Version 1.0" to "3.0").
import type { DType } from "../../bindings/dtype.js";
import { FormatError } from "../../bindings/errors.js";
import type { Tensor } from "../../bindings/tensor.js";
import { isShape, type Kind, kindBytes, type Refuse, type Stored, tensorOf } from "./elements.js";
import { readBytes, writeBytes } from "./files.js";
import { bytesOf } from "./named.js";

const MAGIC = "\x93NUMPY";
const descriptions: Record<DType, string> = { float32: "<f4", float64: "<f8", int32: "<i4", uint8: "|u1", bool: "|b1" };
const kinds: { readonly [type: string]: Kind } = {
  b1: "BOOL",
  u1: "U8",
  i1: "I8",
  u2: "U16",
  i2: "I16",
  u4: "U32",
  i4: "I32",
  u8: "U64",
  i8: "I64",
  f2: "F16",
  f4: "F32",
  f8: "F64",
};
const ALIGNMENT = 64; // bytes before the elements, a multiple as in NumPy
const LONGEST_HEADER = 65_536; // bytes; 64 axes take 1,300

/**
 * Writes a tensor as npy, version 1.0 in C order, for numpy.load. The file appears whole or not at all.
 * Throws ConfigError for what is no tensor, DisposedError, FormatError if it cannot be written.
 */
export async function saveNpy(path: string, x: Tensor): Promise<void> {
  const bytes = bytesOf("saveNpy", "x", x);
  await writeBytes("saveNpy", path, [npyHeader(x), bytes]);
}

/**
 * Reads an npy file, versions 1 to 3, C or Fortran order, either byte order. f4, f8, i4, u1 and b1 come as they are; f2 becomes float32
 * and i1, i2 and u2 int32, without loss; u4, i8 and u8 become int32 if it holds every number. Throws FormatError for such a number that
 * it does not hold, for other dtypes (objects, text, complex numbers, named fields) and for a file that is missing, cut or too long.
 */
export async function loadNpy(path: string): Promise<Tensor> {
  return parseNpy("loadNpy", await readBytes("loadNpy", path), path);
}

/** What stands before the elements of a tensor. */
export function npyHeader(x: Tensor): Uint8Array {
  const shape = x.ndim === 1 ? `(${x.shape[0]},)` : `(${x.shape.join(", ")})`;
  const text = `{'descr': '${descriptions[x.dtype]}', 'fortran_order': False, 'shape': ${shape}, }`;
  const before = MAGIC.length + 4;
  const length = Math.ceil((before + text.length + 1) / ALIGNMENT) * ALIGNMENT - before;
  const header = `${MAGIC}\x01\x00${String.fromCharCode(length & 255, length >> 8)}${text.padEnd(length - 1)}\n`;
  return Uint8Array.from(header, (c) => c.charCodeAt(0));
}

/** The tensor in the bytes of a file. */
export function parseNpy(what: string, bytes: Uint8Array, path: string): Tensor {
  const refuse: Refuse = (message) => {
    throw new FormatError(`${what}: ${message} in ${path}`);
  };
  return tensorOf(parse(bytes, refuse), refuse);
}

function parse(bytes: Uint8Array, refuse: Refuse): Stored {
  if (bytes.length < MAGIC.length + 4 || latin(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    refuse(`expected the magic bytes 93 4e 55 4d 50 59 of an npy file; got others`);
  }
  const version = bytes[MAGIC.length];
  if (version < 1 || version > 3) refuse(`expected version 1, 2 or 3 of the npy format; got ${version}`);
  const start = MAGIC.length + 2 + (version === 1 ? 2 : 4);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < start) refuse(`expected the length of the header; got ${bytes.length} bytes`);
  const length = version === 1 ? view.getUint16(start - 2, true) : view.getUint32(start - 4, true);
  if (length > LONGEST_HEADER || start + length > bytes.length) {
    refuse(`expected a header of at most ${Math.min(LONGEST_HEADER, bytes.length - start)} bytes; got a length of ${length}; the file was cut or is corrupt`);
  }
  const header = dict(latin(bytes.subarray(start, start + length)), refuse);
  const { descr, fortran_order: columns, shape } = header;
  const [, order, type] = /^([<>|=]?)([a-zA-Z]\d*)$/.exec(String(descr)) ?? refuse(`expected a dtype such as '<f4'; got ${String(descr).slice(0, 40)}`);
  if (type.startsWith("O")) refuse("expected numbers; got objects, which only Python can read; save them with numpy as an array of numbers");
  if (!Object.hasOwn(kinds, type)) refuse(`expected a dtype ${Object.keys(kinds).join(", ")}; got ${descr}`);
  const kind = kinds[type];
  if (!isShape(shape)) return refuse(`expected a shape that a tensor can have; got (${String(shape).slice(0, 80)})`);
  const data = bytes.subarray(start + length);
  const needed = shape.reduce((n, size) => n * size, kindBytes(kind));
  if (data.length !== needed) refuse(`expected ${needed} bytes for ${descr} (${shape}); got ${data.length}; the file was cut or is corrupt`);
  return { kind, shape, bytes: data, little: order !== ">", columns: columns === true };
}

function latin(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

interface Header {
  descr: string;
  fortran_order: boolean;
  shape: number[];
}

const ENTRY = /\s*(?:'(\w+)'|"(\w+)")\s*:\s*(?:'([^'\\]*)'|"([^"\\]*)"|(True|False)|\(([\d\s,L]*)\))\s*(?:,|(?=\}))/y;

/** A Python dict with the three keys of the format, each once, in any order. */
function dict(text: string, refuse: Refuse): Header {
  const wrong = (): never => refuse(`expected a header such as {'descr': '<f4', 'fortran_order': False, 'shape': (2, 3), }; got ${text.trim().slice(0, 120)}`);
  const end = /\}[ \n]*$/.exec(text);
  const open = /^\s*\{/.exec(text);
  if (end === null || open === null) return wrong();
  const found = new Map<string, string | boolean | number[]>();
  ENTRY.lastIndex = open[0].length;
  while (ENTRY.lastIndex < end.index) {
    const at = ENTRY.lastIndex;
    const match = ENTRY.exec(text);
    if (match === null) {
      if (text.slice(at, end.index).trim() === "" && at > open[0].length) break;
      return wrong();
    }
    const key = match[1] ?? match[2];
    if (found.has(key)) wrong();
    found.set(key, match[5] !== undefined ? match[5] === "True" : match[6] !== undefined ? (tuple(match[6]) ?? wrong()) : (match[3] ?? match[4]));
  }
  const { descr, fortran_order, shape } = Object.fromEntries(found);
  if (found.size !== 3 || typeof descr !== "string" || typeof fortran_order !== "boolean" || !Array.isArray(shape)) return wrong();
  return { descr, fortran_order, shape };
}

/** The numbers of a Python tuple; undefined if it is none. Python 2 wrote long numbers as 3L. */
function tuple(inner: string): number[] | undefined {
  if (inner.trim() === "") return [];
  const parts = inner.split(",").map((part) => part.trim());
  if (parts.length === 1) return undefined;
  if (parts[parts.length - 1] === "") parts.pop();
  return parts.every((part) => /^\d+L?$/.test(part)) ? parts.map((part) => Number.parseInt(part, 10)) : undefined;
}
