import { describe, expect, it } from "@effect/vitest"
import * as PreflightDue from "../../../src/operator/preflight/PreflightDue.ts"
import { checkAnnotation } from "../../../src/resource/KafkaBackup.ts"

const nowMillis = Date.parse("2026-11-25T12:00:00Z")
const proven = { generation: 3, outcome: "Passed", nextProbeTime: "2026-11-25T12:00:00Z" } as const

const decide = (over: Partial<PreflightDue.PreflightDueInput>) =>
  PreflightDue.decide({
    isWanted: true,
    generation: 3,
    annotations: undefined,
    known: undefined,
    isActive: false,
    isRunUnderWay: false,
    hasRunFailed: false,
    nowMillis,
    ...over
  })

describe("a check is due", () => {
  it("once for each generation, also while a run is active", () => {
    expect(decide({}).start?.key).toEqual(["generation", 3])
    expect(decide({ isRunUnderWay: true }).start?.key).toEqual(["generation", 3])
    expect(decide({ known: { ...proven, generation: 2 } }).start?.key).toEqual(["generation", 3])
    expect(decide({ isActive: true }).start).toBeUndefined()
  })

  it("again at its time, without the large object where the last one passed, and after a run that is under way", () => {
    expect(decide({ known: proven }).start).toMatchObject({ isQuick: true, dueMillis: nowMillis })
    expect(decide({ known: proven, hasRunFailed: true }).start).toMatchObject({ isQuick: false })
    const failed = { ...proven, outcome: "Failed" } as const
    expect(decide({ known: failed }).start).toMatchObject({ isQuick: false })
    expect(decide({ known: proven, isRunUnderWay: true }).start).toBeUndefined()
    const early = decide({ known: proven, nowMillis: nowMillis - 1 })
    expect(early).toMatchObject({ start: undefined, requeueMillis: nowMillis })
    expect(decide({ known: { generation: 3, outcome: "Passed" } })).toMatchObject({ requeueMillis: undefined })
  })

  it("for a new value of the annotation, once, whatever else holds", () => {
    const annotations = { [checkAnnotation]: "a" }
    expect(decide({ annotations, known: proven, isWanted: false }).start).toMatchObject({ token: "a" })
    const handled = { ...proven, handledCheck: "a", nextProbeTime: "2026-11-25T13:00:00Z" }
    expect(decide({ annotations, known: handled }).start).toBeUndefined()
    expect(decide({ annotations: { [checkAnnotation]: "b" }, known: handled }).start?.token).toBe("b")
    expect(decide({ annotations: { [checkAnnotation]: "" }, known: handled }).refusedTrigger).toContain(checkAnnotation)
  })

  it("never for a one-time backup that nobody asks about", () => {
    expect(decide({ isWanted: false }).start).toBeUndefined()
    expect(decide({ isWanted: false, known: proven }).start).toBeUndefined()
  })
})
