import { assert, describe, it } from "@effect/vitest"
import * as RereadingTime from "../../src/backup/RereadingTime.ts"

const minutes = (spec: { readonly schedule?: string; readonly timeZone?: string }, activeDeadlineSeconds?: number) =>
  RereadingTime.longestMillis({
    ...spec,
    job: {
      parallelism: 1,
      backoffLimit: 3,
      ttlSecondsAfterFinished: 86_400,
      ...(activeDeadlineSeconds === undefined ? {} : { activeDeadlineSeconds })
    }
  }) / 60_000

describe("How long a run reads stored backups again", () => {
  it("is half an hour at most, and without a schedule", () =>
    assert.deepStrictEqual([minutes({}), minutes({ schedule: "@daily" })], [30, 30]))

  it("is a third of the shortest time to the next slot", () =>
    assert.deepStrictEqual(
      [
        minutes({ schedule: "@hourly" }),
        minutes({ schedule: "*/15 * * * *" }),
        minutes({ schedule: "0,30 8-18 * * 1-5", timeZone: "Europe/Berlin" })
      ],
      [20, 5, 10]
    ))

  it("is a third of the time that a run may take", () =>
    assert.strictEqual(minutes({ schedule: "@hourly" }, 600), 600 / 180))
})
