// Files that NumPy wrote, with what they hold (tests/fixtures/formats/numpy_files.py).
import { readFileSync } from "node:fs";
import type { Tensor } from "../../ts-src/index.js";

/** An array as a tensor has it; the elements in base64. */
export interface Described {
  readonly dtype: string;
  readonly shape: number[];
  readonly elements: string;
}

interface Fixture {
  readonly npy: Record<string, Described & { readonly file: string }>;
  readonly refused: Record<string, string>;
  readonly npz: Record<string, { readonly file: string; readonly arrays: Record<string, Described> }>;
  /** A file of saveNpz() that NumPy has read. */
  readonly ours: { readonly file: string };
}

export const fixture = JSON.parse(readFileSync("tests/fixtures/formats/numpy_files.json", "utf8")) as Fixture;

export function describedTensor(x: Tensor): Described {
  return { dtype: x.dtype, shape: [...x.shape], elements: Buffer.from(x.data().buffer).toString("base64") };
}
