/** Element type of the f64 builds. */
export type real = f64;
