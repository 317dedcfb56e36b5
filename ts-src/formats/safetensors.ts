// The safetensors format: 8 bytes of header length (u64, little endian), the header in JSON, the tensors' bytes
// (https://github.com/huggingface/safetensors, "Format"). A header from outside is not believed: names, dtypes, shapes
// and offsets are checked against the file before a tensor is made.

import type { DType } from "../../bindings/dtype.js";
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import { isShape, type Kind, kindBytes, kindNames, tensorOf } from "./elements.js";
import { readBytes, writeBytes } from "./files.js";
import { duplicateKey } from "./json.js";
import { namedTensors } from "./named.js";

const names: Record<DType, Kind> = { float32: "F32", float64: "F64", int32: "I32", uint8: "U8", bool: "BOOL" };
const LONGEST_HEADER = 100_000_000; // bytes, the reference implementation's limit

/**
 * Writes tensors by name, such as a stateDict(). The file appears whole or not at all.
 * Throws ConfigError for what is no tensor, DisposedError, FormatError if it cannot be written.
 */
export async function saveSafetensors(path: string, tensors: Readonly<Record<string, Tensor>>): Promise<void> {
  await writeTensors("saveSafetensors", path, tensors, {});
}

/** As saveSafetensors, for `what`, with texts by name in the header. */
export async function writeTensors(
  what: string,
  path: string,
  tensors: Readonly<Record<string, Tensor>>,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const header = new Map<string, unknown>(Object.keys(metadata).length === 0 ? [] : [["__metadata__", metadata]]);
  const parts: Uint8Array[] = [];
  let end = 0;
  for (const { name, tensor, bytes } of namedTensors(what, tensors)) {
    if (name === "__metadata__") throw new ConfigError(`${what}: expected another name than __metadata__, which the format reserves`);
    const begin = end;
    end += bytes.length;
    header.set(name, { dtype: names[tensor.dtype], shape: tensor.shape, data_offsets: [begin, end] });
    parts.push(bytes);
  }
  const json = new TextEncoder().encode(JSON.stringify(Object.fromEntries(header)));
  const padded = new Uint8Array(Math.ceil(json.length / 8) * 8).fill(0x20);
  padded.set(json);
  const length = new Uint8Array(8);
  new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
  await writeBytes(what, path, [length, padded, ...parts]);
}

/**
 * Reads every tensor of a file, by name. F32, F64, I32, U8 and BOOL come as they are; F16 and BF16 become float32 and I8, I16 and U16
 * int32, without loss; U32, I64 and U64 become int32 if it holds every number. Throws FormatError for such a number that it does not
 * hold, for other dtypes, and for a file that is missing, cut, or whose header lies.
 */
export async function loadSafetensors(path: string): Promise<Record<string, Tensor>> {
  return parseSafetensors(await readBytes("loadSafetensors", path), path);
}

/** What a file holds. */
export interface Contents {
  readonly tensors: Record<string, Tensor>;
  readonly metadata: Readonly<Record<string, string>>;
}

/** As loadSafetensors, for `what`, with the texts of the header. */
export async function readTensors(what: string, path: string): Promise<Contents> {
  return contentsOf(await readBytes(what, path), path, what);
}

/** The tensors in the bytes of a file. */
export function parseSafetensors(bytes: Uint8Array, path: string): Record<string, Tensor> {
  return contentsOf(bytes, path, "loadSafetensors").tensors;
}

function contentsOf(bytes: Uint8Array, path: string, what: string): Contents {
  const { entries, metadata } = parse(bytes, path, what);
  // what was made before an error is freed
  const tensors = scope(() =>
    Object.fromEntries(
      [...entries].map(([name, { kind, shape, data }]): [string, Tensor] => {
        const refuse = (message: string): never => {
          throw new FormatError(`${what}: ${message} of ${name} in ${path}`);
        };
        return [name, tensorOf({ kind, shape, bytes: data, little: true, columns: false }, refuse)];
      }),
    ),
  );
  return { tensors, metadata };
}

interface Entry {
  kind: Kind;
  shape: number[];
  data: Uint8Array;
}

function parse(bytes: Uint8Array, path: string, what: string): { entries: Map<string, Entry>; metadata: Record<string, string> } {
  const fail = (message: string): never => {
    throw new FormatError(`${what}: ${message} in ${path}`);
  };
  if (bytes.length < 8) fail(`expected 8 bytes of header length; got ${bytes.length} bytes`);
  const stated = new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0, true);
  if (stated > BigInt(LONGEST_HEADER) || stated > BigInt(bytes.length - 8)) {
    fail(`expected a header that fits in the file's ${bytes.length} bytes; got a length of ${stated}; the file was cut or is no safetensors file`);
  }
  const length = Number(stated);
  let text = "";
  let header: unknown;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes.subarray(8, 8 + length));
    header = JSON.parse(text);
  } catch (error) {
    fail(`expected a JSON header; got ${(error as Error).message}`);
  }
  if (header === null || typeof header !== "object" || Array.isArray(header)) fail("expected a JSON object as header; got another value");
  const twice = duplicateKey(text);
  if (twice !== undefined) fail(`expected each name once in the header; got ${twice} twice`);

  const data = bytes.subarray(8 + length);
  const entries = new Map<string, Entry>();
  let metadata: Record<string, string> = {};
  const spans: [number, number, string][] = [];
  for (const [name, value] of Object.entries(header as object)) {
    if (name === "__metadata__") {
      if (!isTexts(value)) fail(`expected texts by name as __metadata__; got ${shown(value)}`);
      metadata = value as Record<string, string>;
      continue;
    }
    const { dtype, shape, data_offsets: offsets } = (value ?? {}) as Record<string, unknown>;
    const kind = kindNames.find((known) => known === dtype) ?? fail(`expected dtype ${kindNames.join(", ")} for ${name}; got ${shown(dtype)}`);
    if (!isShape(shape)) return fail(`expected a shape of whole numbers that a tensor can have for ${name}; got ${shown(shape)}`);
    if (!isRange(offsets)) return fail(`expected data_offsets [begin, end] for ${name}; got ${shown(offsets)}`);
    const [begin, end] = offsets;
    const needed = shape.reduce((n, size) => n * size, kindBytes(kind));
    if (end - begin !== needed) fail(`expected ${needed} bytes for ${name}, ${dtype} [${shape}]; got offsets ${begin} to ${end}`);
    if (end > data.length) fail(`expected ${name} to end within ${data.length} bytes of data; got ${end}; the file was cut`);
    spans.push([begin, end, name]);
    entries.set(name, { kind, shape, data: data.subarray(begin, end) });
  }
  let at = 0;
  for (const [begin, end, name] of spans.sort((a, b) => a[0] - b[0] || a[1] - b[1])) {
    if (begin !== at) fail(`expected ${name} to begin at byte ${at}, without gap or overlap; got ${begin}`);
    at = end;
  }
  if (at !== data.length) fail(`expected ${at} bytes of data; got ${data.length}`);
  return { entries, metadata };
}

function isTexts(value: unknown): boolean {
  return value !== null && typeof value === "object" && !Array.isArray(value) && Object.values(value).every((text) => typeof text === "string");
}

function isRange(value: unknown): value is [number, number] {
  return Array.isArray(value) && value.length === 2 && value.every((n) => Number.isSafeInteger(n) && n >= 0);
}

/** A value of the header in a message; what is nested may be so deep that it cannot be written out. */
function shown(value: unknown): string {
  if (Array.isArray(value))
    return `[${value.slice(0, 8).map((item) => (item !== null && typeof item === "object" ? "..." : shown(item)))}${value.length > 8 ? ", ..." : ""}]`;
  return value !== null && typeof value === "object" ? "an object" : (JSON.stringify(value) ?? "nothing");
}
