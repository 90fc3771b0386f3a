/** Thrown by `Transcoder.run`: the records section is not what Kafka defines. */
export class Malformed extends Error {}

/** Thrown by `Transcoder.run`: a good record that the format cannot hold. */
export class NotRepresentable extends Error {
  readonly offset: number
  constructor(offset: number, detail: string) {
    super(detail)
    this.offset = offset
  }
}
