export const opNames: string[];
export function opName(name: string): string;
export function hasGradient(key: string): boolean;
export function inputs(key: string): { shape: number[]; data: Float32Array | Int32Array }[];
