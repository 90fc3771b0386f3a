/**
 * Writes the golden segments: `node test/golden/regenerate.ts`.
 *
 * The files in this folder were written by this script on 23 November 2026, at KBAK version 1, with chunks of 1 KiB, so
 * that the zstd body has several frames and the lz4 block is joined from several. They are what backups of today look
 * like: every later version must read them. So they are not to be written again when a test fails; the code is wrong
 * then. Only a new version of the format adds files, beside these. The logs are of 29 November 2026.
 */
import { Effect } from "effect"
import { existsSync, writeFileSync } from "node:fs"
import { batchOf } from "../segment/plainRecords.ts"
import * as LogFormat from "../../src/segment/log/LogFormat.ts"
import { write, writeWith } from "../segment/writing.ts"
import { goldenFiles, goldenLogs, goldenRecords } from "./goldenRecords.ts"

for (const compression of ["none", "zstd", "lz4"] as const) {
  const path = new URL(goldenFiles[compression], import.meta.url)
  if (existsSync(path)) {
    console.log(`${goldenFiles[compression]} is there and stays as it is`)
    continue
  }
  const batches = [batchOf(goldenRecords.slice(0, 3)), batchOf(goldenRecords.slice(3))]
  const written = await Effect.runPromise(write(batches, { compression, level: 3 }, { chunkBytes: 1024 }))
  writeFileSync(path, written.file)
  console.log(`${goldenFiles[compression]}: ${written.storedBytes} bytes, SHA-256 ${written.sha256}`)
}

for (const compression of ["none", "zstd", "lz4"] as const) {
  const path = new URL(goldenLogs[compression], import.meta.url)
  if (existsSync(path)) {
    console.log(`${goldenLogs[compression]} is there and stays as it is`)
    continue
  }
  const codec = compression === "none" ? "lz4" : "none"
  const batches = [batchOf(goldenRecords.slice(0, 3)), batchOf(goldenRecords.slice(3), { codec })]
  const make = LogFormat.make({ compression, level: 3 }, { chunkBytes: 1024 })
  const written = await Effect.runPromise(writeWith(make, batches))
  writeFileSync(path, written.file)
  console.log(`${goldenLogs[compression]}: ${written.storedBytes} bytes, SHA-256 ${written.sha256}`)
}
