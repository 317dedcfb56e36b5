export interface Case {
  step(): void;
  finish?(): object | Promise<object>;
}
export function serve(make: (name: string) => Case | Promise<Case>): Promise<void>;
export function wave(n: number, phase: number, scale: number): Float32Array<ArrayBuffer>;
export function problem(name: string): {
  inputs: number;
  hidden: number;
  outputs: number;
  batch: number;
  w1: Float32Array<ArrayBuffer>;
  b1: Float32Array<ArrayBuffer>;
  w2: Float32Array<ArrayBuffer>;
  b2: Float32Array<ArrayBuffer>;
  x: Float32Array<ArrayBuffer>;
  labels: Int32Array<ArrayBuffer>;
};
