/** One record of a segment. Its byte arrays are views of a larger buffer: copy what is to outlive the batch. */
export interface StoredRecord {
  readonly offset: number
  /** Milliseconds since 1970, as Kafka has it: any 64-bit number. */
  readonly timestamp: bigint
  /** Null and empty are different facts. */
  readonly key: Uint8Array | null
  readonly value: Uint8Array | null
  /** In the record's order, with duplicates; keys are not always UTF-8. */
  readonly headers: ReadonlyArray<{ readonly key: Uint8Array; readonly value: Uint8Array | null }>
}
