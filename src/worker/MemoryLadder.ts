/** One step of the ladder: how much a run keeps in memory, sizes in MiB; `Bounds` of Memory.ts says what each is. */
export interface Step {
  readonly partitions: number
  readonly chunk: number
  readonly segment: number
  readonly large: number
  readonly compressions: number
  readonly whole: number
  readonly inflate: number
  readonly record: number
  readonly window: number
  readonly isCalm: boolean
}

type Row = readonly [
  partitions: number,
  chunk: number,
  segment: number,
  large: number,
  compressions: number,
  whole: number,
  inflate: number,
  record: number,
  window: number,
  isCalm: boolean
]

const rows: ReadonlyArray<Row> = [
  [1, 1, 16, 1, 1, 2, 8, 8, 8, false],
  [2, 1, 16, 1, 1, 2, 8, 12, 8, false],
  [4, 1, 24, 1, 1, 4, 16, 16, 64, false],
  [4, 1, 24, 1, 2, 4, 16, 16, 64, false],
  [4, 2, 32, 1, 2, 8, 32, 16, 64, false],
  [4, 4, 64, 1, 3, 8, 32, 16, 128, false],
  [8, 4, 64, 2, 3, 8, 32, 16, 128, true],
  [8, 4, 64, 3, 3, 8, 64, 48, 128, true],
  [8, 4, 64, 3, 5, 8, 64, 48, 128, true]
]

const step = (row: Row): Step => {
  const [partitions, chunk, segment, large, compressions, whole, inflate, record, window, isCalm] = row
  return { partitions, chunk, segment, large, compressions, whole, inflate, record, window, isCalm }
}

/** From the least memory to the most. No number is smaller than that of the step before. */
export const ladder: ReadonlyArray<Step> = rows.map(step)
