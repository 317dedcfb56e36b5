/** Element type of the f32 builds. */
export type real = f32;
