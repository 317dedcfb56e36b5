// NumPy's npz format: a zip archive of npy files, NAME.npy for each array (numpy.savez). Zip is read and written with the package fflate.
import { ConfigError, FormatError } from "../../bindings/errors.js";
import { scope } from "../../bindings/lifetime.js";
import type { Tensor } from "../../bindings/tensor.js";
import { checkedFlag, checkedNumber, checkedOptions } from "../ops/checks.js";
import type { Refuse } from "./elements.js";
import { readBytes, writeBytes } from "./files.js";
import { namedTensors } from "./named.js";
import { npyHeader, parseNpy } from "./npy.js";
import { packaged } from "./packages.js";
import { unpacked, zipEntries } from "./zip.js";

const SUFFIX = ".npy";
const MOST_BYTES = 2 ** 30;
const LONGEST_NAME = 65_535; // bytes, with the suffix
const BIRTHDAY = new Date(1980, 0, 1); // the least that zip has: a file depends on its tensors alone
const LEVEL = 6; // of deflate, as in numpy.savez_compressed

export interface SaveNpzOptions {
  /** Deflate the arrays, as numpy.savez_compressed does; false by default. */
  compress?: boolean;
}

export interface LoadNpzOptions {
  /** The most bytes that all arrays of the file may unpack to; 2^30 by default. */
  maxBytes?: number;
}

/**
 * Writes tensors by name as npz, for numpy.load. The file appears whole or not at all. Needs the package fflate.
 * Throws ConfigError for what is no tensor, DisposedError, FormatError if it cannot be written.
 */
export async function saveNpz(path: string, tensors: Readonly<Record<string, Tensor>>, options: SaveNpzOptions = {}): Promise<void> {
  const compress = checkedFlag("saveNpz", "compress", checkedOptions("saveNpz", options, ["compress"]).compress ?? false);
  const files: Record<string, Uint8Array> = {};
  for (const { name, tensor, bytes } of namedTensors("saveNpz", tensors)) {
    if (new TextEncoder().encode(name + SUFFIX).length > LONGEST_NAME) {
      throw new ConfigError(`saveNpz: expected names of at most ${LONGEST_NAME - SUFFIX.length} bytes; got ${name.slice(0, 40)}...`);
    }
    const header = npyHeader(tensor);
    const file = new Uint8Array(header.length + bytes.length);
    file.set(header);
    file.set(bytes, header.length);
    files[name + SUFFIX] = file;
  }
  const { zipSync } = await packaged("saveNpz", "fflate");
  await writeBytes("saveNpz", path, [zipSync(files, { level: compress ? LEVEL : 0, mtime: BIRTHDAY })]);
}

/**
 * Reads every array of an npz file, by name, with the dtypes of loadNpy(). Needs the package fflate. Throws FormatError for what
 * loadNpy() refuses, for a file that is missing or corrupt, whose checksums do not fit, or that unpacks to more than `maxBytes`.
 */
export async function loadNpz(path: string, options: LoadNpzOptions = {}): Promise<Record<string, Tensor>> {
  const most = checkedNumber("loadNpz", "maxBytes", checkedOptions("loadNpz", options, ["maxBytes"]).maxBytes ?? MOST_BYTES, 0, Number.POSITIVE_INFINITY);
  const fflate = await packaged("loadNpz", "fflate");
  return parseNpz(await readBytes("loadNpz", path), path, most, fflate);
}

/** The tensors in the bytes of a file. */
export function parseNpz(bytes: Uint8Array, path: string, most: number, fflate: typeof import("fflate")): Record<string, Tensor> {
  const refuse: Refuse = (message) => {
    throw new FormatError(`loadNpz: ${message} in ${path}`);
  };
  // what was made before an error is freed
  return scope(() => {
    const entries = zipEntries(bytes, most, refuse).map((entry): [string, Tensor] => {
      if (!entry.name.endsWith(SUFFIX)) refuse(`expected arrays, NAME.npy; got ${entry.name}`);
      const name = entry.name.slice(0, -SUFFIX.length);
      return [name, parseNpy("loadNpz", unpacked(entry, fflate, refuse), `${entry.name} of ${path}`)];
    });
    return Object.fromEntries(entries);
  });
}
