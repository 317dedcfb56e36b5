/** A word below all tables: other than 0, programs stop before their next instruction, on every thread. */
// @ts-ignore: decorator
@inline export const ABORT: usize = 512;
