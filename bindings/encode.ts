// How a kernel call is written for the executor in WebAssembly: number of the kernel, bytes of the instruction (int32 each), then
// 8 bytes an argument, integers in the first 4.
import { signatures } from "../build/program/instructions.js";

export const HEAD = 8;
export const SLOT = 8;

/** Bytes of a call. */
export function callBytes(args: readonly number[]): number {
  return HEAD + SLOT * args.length;
}

/** Whether an argument of a kernel is a number with a fraction: of any size, it is no address. */
export function isFloat(name: string, arg: number): boolean {
  return signatures[name].types[arg] === "f";
}

/** The arguments of a call that may be addresses. */
export function addressesIn(name: string, args: readonly number[]): number[] {
  return args.filter((_, i) => !isFloat(name, i));
}

/** Writes a call at byte `at` of a block; `place` writes an integer or address to a word of it. */
export function encodeCall(
  words: Int32Array,
  floats: Float64Array,
  at: number,
  name: string,
  args: readonly number[],
  place: (word: number, value: number) => void,
): void {
  const { id } = signatures[name];
  words[at / 4] = id;
  words[at / 4 + 1] = callBytes(args);
  for (let i = 0; i < args.length; i++) {
    const slot = at + HEAD + SLOT * i;
    if (isFloat(name, i)) floats[slot / 8] = args[i];
    else place(slot / 4, args[i]);
  }
}
