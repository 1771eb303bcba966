/** Returns the bytes in use after two collections. Needs `--expose-gc`. */
export function heapBytes(): number {
  const { gc } = globalThis;
  if (gc === undefined) throw new Error("needs --expose-gc");
  gc();
  gc();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
