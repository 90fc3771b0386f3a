import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as ManifestParser from "../../src/resource/ManifestParser.ts"
import * as Problem from "../../src/resource/Problem.ts"
import { changed } from "./manifests.ts"

const lines = (path: string, value: unknown) => {
  const parsed = ManifestParser.fromJson(changed([path, value]))
  return Result.isFailure(parsed) ? parsed.failure.problems.map(Problem.format) : []
}

describe("a value of the wrong type is refused with everything that is to be corrected", () => {
  it.each([
    [
      "retention.maxAge",
      30,
      "spec.retention.maxAge: must be a duration in hours or days, such as 720h, 30d or 1d12h (got 30)"
    ],
    ["compression", 3, "spec.compression: must be zstd, lz4 or none (got 3)"],
    ["topics", [7], "spec.topics[0]: must be text, not a number: put it in quotes (got 7)"],
    [
      "retention.keep",
      { daily: "0" },
      'spec.retention.keep.daily: must be a whole number, not text: remove the quotes; it must be 1 or more; remove it to keep no backup for this (got "0")'
    ],
    [
      "retention.keep",
      { daily: "7" },
      'spec.retention.keep.daily: must be a whole number, not text: remove the quotes (got "7")'
    ],
    [
      "retention.backups",
      -1.5,
      "spec.retention.backups: must be a whole number, not a fraction; it must be 1 or more; remove retention to keep every backup (got -1.5)"
    ],
    ["retention.backups", 1.5, "spec.retention.backups: must be a whole number, not a fraction (got 1.5)"],
    ["retention.backups", Infinity, "spec.retention.backups: must be a whole number, not a fraction (got Infinity)"],
    [
      "startingDeadlineSeconds",
      "15m",
      'spec.startingDeadlineSeconds: must be a whole number, not text: write 900 for 15m (got "15m")'
    ],
    [
      "rateLimit",
      { bytesPerSecond: "5Mi" },
      'spec.rateLimit.bytesPerSecond: must be a whole number, not text: write 5242880 for 5Mi (got "5Mi")'
    ],
    [
      "incremental",
      { enabled: true, fullEvery: "24h" },
      'spec.incremental.fullEvery: must be a whole number, not text; it means: Read every so many backups in full: 24 reads one of 24 (got "24h")'
    ]
  ] as const)("%s: %j", (path, value, line) => assert.deepStrictEqual(lines(path, value), [line]))
})

describe("a plain value in the place of a block", () => {
  it("is put where it fits, if it fits in one place", () => {
    assert.deepStrictEqual(lines("incremental", true), [
      "spec.incremental: must be a block of named fields, not true or false: write enabled: true below it (got true)"
    ])
    assert.deepStrictEqual(lines("retention", "30d"), [
      'spec.retention: must be a block of named fields, not text: write maxAge: "30d" below it (got "30d")'
    ])
  })

  it("is answered with the fields otherwise", () => {
    assert.deepStrictEqual(lines("retention.keep", 7), [
      "spec.retention.keep: must be a block of named fields, not a number; its fields are hourly, daily, weekly, monthly, yearly (got 7)"
    ])
    assert.deepStrictEqual(lines("retention", ["30d"]), [
      "spec.retention: must be a block of named fields, not a list; its fields are backups, maxAge, keep"
    ])
  })

  it("is not shown where it may be a secret", () =>
    assert.notInclude(lines("kafkaCluster.saslSecret", "hunter2").join(), "hunter2"))
})
