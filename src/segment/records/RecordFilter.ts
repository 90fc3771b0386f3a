import { timestampOf } from "./recordFields.ts"

/** Whether the record of `run` that begins at `at` is kept. */
export type RecordFilter = (run: Buffer, at: number) => boolean

/** Records with `first <= timestamp <= last`, in milliseconds since 1970; both are safe integers or infinite. */
export const between =
  (first: number, last: number): RecordFilter =>
  (run, at) => {
    const timestamp = timestampOf(run, at)
    return timestamp >= first && timestamp <= last
  }
