// Picks the build that the engine can run and instantiates it at first use, over the one memory.

import { instantiateSync } from "@assemblyscript/loader";
import f32Relaxed from "../build/kernels/f32-relaxed.wasm";
import type { instantiate } from "../build/kernels/f32-strict.js";
import f32Strict from "../build/kernels/f32-strict.wasm";
import f64Relaxed from "../build/kernels/f64-relaxed.wasm";
import f64Strict from "../build/kernels/f64-strict.wasm";
import { ConfigError } from "./errors.js";
import { theMemory } from "./memory.js";
import { probe, runsPairs } from "./probe.js";

/** The kernels' own signatures, as the compiler wrote them. */
export type Kernels = Awaited<ReturnType<typeof instantiate>>;
export type Arithmetic = "strict" | "relaxed";

const sources = { f32: { strict: f32Strict, relaxed: f32Relaxed }, f64: { strict: f64Strict, relaxed: f64Relaxed } };
let deterministic = false;
let fastest: Arithmetic | undefined;
let f32: Kernels | undefined;
let f32Module: WebAssembly.Module | undefined;
let f64: Kernels | undefined;

function decode(base64: string): Uint8Array<ArrayBuffer> {
  if (typeof Buffer !== "undefined") return new Uint8Array(Buffer.from(base64, "base64"));
  return Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
}

/** "relaxed" where the engine has fused multiply-add and it was not ruled out, else "strict". */
export function arithmetic(): Arithmetic {
  if (deterministic) return "strict";
  // asked at every compiled call, and the answer stays once the first kernels are there
  fastest ??= probe().relaxedSimd ? "relaxed" : "strict";
  return fastest;
}

function load(element: "f32" | "f64"): Kernels {
  if (!probe().simd) throw new ConfigError("tapir: expected an engine with WebAssembly SIMD (Node 16.4, Chrome 91, Firefox 89, Safari 16.4 or newer)");
  const module = new WebAssembly.Module(buildBytes(element));
  if (element === "f32") f32Module = module;
  const { instance } = instantiateSync(module, { env: { memory: theMemory() } });
  // a plain object: the loader's own wraps each call, and an exports object has slow properties
  const kernels = { ...instance.exports } as unknown as Kernels;
  kernels.writeConstants(runsPairs() ? 1 : 0);
  return kernels;
}

let capturing: ((element: "f32" | "f64") => Kernels) | undefined;

/** Runs `fn` with kernels that note their calls instead of doing them. */
export function withKernels<T>(kernels: (element: "f32" | "f64") => Kernels, fn: () => T): T {
  const outer = capturing;
  capturing = kernels;
  try {
    return fn();
  } finally {
    capturing = outer;
  }
}

/** The kernels of an element type; other dtypes are served by the f32 build. */
export function kernelsOf(dtype: string): Kernels {
  if (capturing !== undefined) return capturing(dtype === "float64" ? "f64" : "f32");
  return kernelsThatRun(dtype);
}

/** As kernelsOf, whatever is being captured. */
export function kernelsThatRun(dtype: string): Kernels {
  if (dtype === "float64") {
    f64 ??= load("f64");
    return f64;
  }
  f32 ??= load("f32");
  return f32;
}

/** Bytes of the build of an element type. */
export function buildBytes(element: "f32" | "f64"): Uint8Array<ArrayBuffer> {
  return decode(sources[element][arithmetic()]);
}

/** The compiled f32 build. */
export function kernelModule(): WebAssembly.Module {
  kernelsThatRun("float32");
  return f32Module as WebAssembly.Module;
}

/** Rules fused multiply-add out, or not; true if that is a change: kernels are then loaded anew. */
export function setDeterministic(on: boolean): boolean {
  if (on === deterministic) return false;
  deterministic = on;
  f32 = undefined;
  f64 = undefined;
  return true;
}
