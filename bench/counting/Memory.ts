/** What the program's own code does with memory; what native code does on the way is not in it. */
export interface Memory {
  /** Bytes that one buffer got from another: copy, set, slice, copyWithin, concat, from. */
  copiedBytes: number
  /** Calls that made a buffer: alloc, allocUnsafe, allocUnsafeSlow, and those that copy into a new one. */
  buffers: number
  bufferBytes: number
}

type Method = (this: unknown, ...args: Array<any>) => any

const wrap = (object: object, name: string, before: (method: Method) => Method): void => {
  const methods = object as Record<string, Method>
  methods[name] = before(methods[name]!)
}

/** Bytes that are asked for, as a number; 0 where the call is about to fail. */
const sizeOf = (bytes: unknown): number => (typeof bytes === "number" ? bytes : 0)

/**
 * Counts what code of this process copies between buffers and allocates as buffers from now on, for the life of the
 * process. Not seen: strings, `new Uint8Array`, and loops over words, by which the transcoder copies what is shorter
 * than 256 bytes.
 */
export const install = (counted: Memory): void => {
  const made = (bytes: number) => {
    counted.buffers++
    counted.bufferBytes += bytes
  }
  wrap(
    Buffer.prototype,
    "copy",
    (copy) =>
      function (...args) {
        const bytes: number = copy.apply(this, args)
        counted.copiedBytes += bytes
        return bytes
      }
  )
  const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object
  wrap(
    typedArray,
    "set",
    (set) =>
      function (source: ArrayLike<number>, ...rest) {
        counted.copiedBytes += ArrayBuffer.isView(source) ? source.byteLength : source.length
        return set.call(this, source, ...rest)
      }
  )
  wrap(
    typedArray,
    "slice",
    (slice) =>
      function (...args) {
        const part: Uint8Array = slice.apply(this, args)
        counted.copiedBytes += part.byteLength
        made(part.byteLength)
        return part
      }
  )
  wrap(
    typedArray,
    "copyWithin",
    (copyWithin) =>
      function (to: number, from: number, end?: number) {
        const { length } = this as Uint8Array
        counted.copiedBytes += Math.max(0, Math.min((end ?? length) - from, length - to))
        return copyWithin.call(this, to, from, end)
      }
  )
  for (const name of ["alloc", "allocUnsafe", "allocUnsafeSlow"] as const) {
    wrap(
      Buffer,
      name,
      (alloc) =>
        function (bytes: number, ...rest) {
          made(sizeOf(bytes))
          return alloc.call(this, bytes, ...rest)
        }
    )
  }
  // It calls Buffer.allocUnsafe, and copies inside of Node.
  wrap(
    Buffer,
    "concat",
    (concat) =>
      function (...args) {
        const whole: Buffer = concat.apply(this, args)
        counted.copiedBytes += whole.byteLength
        return whole
      }
  )
  wrap(
    Buffer,
    "from",
    (from) =>
      function (source: unknown, ...rest) {
        if (ArrayBuffer.isView(source)) {
          counted.copiedBytes += source.byteLength
          made(source.byteLength)
        }
        return from.call(this, source, ...rest)
      }
  )
}
