// IDX, the format of the MNIST files: 0, 0, type, number of axes, sizes (big endian u32), elements (LeCun et al.,
// "The MNIST database of handwritten digits", file formats).
import { FormatError } from "../../bindings/errors.js";

const BYTES = 0x08; // unsigned bytes, the only type that image files use

/** Shape and bytes of an IDX file of unsigned bytes; throws FormatError if it is cut, too long or another type. */
export function parseIdx(bytes: Uint8Array, path: string): { shape: number[]; data: Uint8Array } {
  const fail = (message: string): never => {
    throw new FormatError(`idx: ${message} in ${path}`);
  };
  if (bytes.length < 4) fail(`expected a header of at least 4 bytes; got ${bytes.length}`);
  const [zero, again, type, ndim] = bytes;
  if (zero !== 0 || again !== 0 || type !== BYTES) {
    fail(`expected the magic bytes 0, 0, 8 of unsigned bytes; got ${zero}, ${again}, ${type}`);
  }
  if (bytes.length < 4 + 4 * ndim) fail(`expected ${ndim} sizes in the header; got ${bytes.length} bytes`);
  const header = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const shape = Array.from({ length: ndim }, (_, i) => header.getUint32(4 + 4 * i));
  const data = bytes.subarray(4 + 4 * ndim);
  const size = shape.reduce((n, axis) => n * axis, 1);
  if (data.length !== size) fail(`expected ${size} bytes for [${shape}]; got ${data.length}; the file was cut or is corrupt`);
  return { shape, data };
}
