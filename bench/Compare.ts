import { mkdirSync, readdirSync, rmSync, statSync } from "node:fs"
import { join } from "node:path"
import type { BackupRun, Output } from "./Backup.ts"
import { measured } from "./Processes.ts"
import { cell, table } from "./Table.ts"
import type { BenchTopic, Place } from "./Topics.ts"

/*
 * Another tool beside ours: its command and ours run in turn, pair by pair, on the same topic, so that whatever else
 * the machine does falls on both.
 */

/** One run of each, one after the other. */
export interface Pair {
  readonly ours: BackupRun
  readonly theirs: BackupRun
}

const bytesIn = (folder: string): number =>
  readdirSync(folder, { recursive: true, withFileTypes: true }).reduce(
    (sum, entry) => (entry.isFile() ? sum + statSync(join(entry.parentPath, entry.name)).size : sum),
    0
  )

/**
 * Runs the other tool's command by the shell, with what it is to do in its environment, into an empty folder. Rejects
 * when it fails. Nothing looks at what it has stored but its size: whoever compares sees to it that nothing is missing.
 */
export const run = async (
  command: string,
  place: Place,
  topic: BenchTopic,
  output: Output,
  folder: string
): Promise<BackupRun> => {
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const env = {
    BENCH_BOOTSTRAP: place.bootstrap,
    BENCH_TOPIC: topic.name,
    BENCH_RECORDS: String(topic.records),
    BENCH_COMPRESSION: output,
    BENCH_DIRECTORY: folder
  }
  const { output: _said, ...usage } = await measured("sh", ["-c", command], env)
  const storedBytes = bytesIn(folder)
  rmSync(folder, { recursive: true, force: true })
  return { ...usage, storedBytes }
}

const middle = (numbers: ReadonlyArray<number | undefined>): number | undefined => {
  const known = numbers.flatMap((number) => number ?? []).toSorted((a, b) => a - b)
  return known[Math.floor((known.length - 1) / 2)]
}

const ratio = (a: number | undefined, b: number | undefined): number | undefined =>
  a === undefined || b === undefined || b === 0 ? undefined : a / b

const sides = ["ours", "theirs"] as const

/** Medians of each side, and the ratio of ours to theirs in every pair: below 1.00 ours took less. */
export const show = (rows: ReadonlyArray<readonly [name: string, pairs: ReadonlyArray<Pair>]>): string =>
  table([
    ["backup", "", "seconds", "CPU s", "peak MB", "stored MB"],
    ...rows.flatMap(([name, pairs]) => {
      const of = (side: keyof Pair, what: keyof BackupRun) => middle(pairs.map((pair) => pair[side][what]))
      const ratios = (what: keyof BackupRun) =>
        pairs.map(({ ours, theirs }) => cell(ratio(ours[what], theirs[what]), 2)).join(" ")
      const megabytes = (bytes: number | undefined) => cell(bytes === undefined ? undefined : bytes / 1e6)
      return [
        ...sides.map((side, n) => [
          n === 0 ? name : "",
          side,
          cell(of(side, "seconds"), 2),
          cell(of(side, "cpuSeconds"), 2),
          megabytes(of(side, "peakBytes")),
          megabytes(of(side, "storedBytes"))
        ]),
        ["", "ours / theirs", ratios("seconds"), ratios("cpuSeconds"), ratios("peakBytes"), ratios("storedBytes")]
      ]
    })
  ])
