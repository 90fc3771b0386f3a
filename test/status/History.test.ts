import { assert, describe, it } from "@effect/vitest"
import * as History from "../../src/status/History.ts"
import { AnyDay, at, catalogue, failed, made, overlapping, stored, succeeded } from "./facts.ts"

/** Hour and outcome of each entry. */
const brief = (history: History.History) =>
  history.map(({ outcome, startTime }) => `${startTime.slice(11, 16)} ${outcome}`)

const many = <A>(count: number, make: (n: number) => A): ReadonlyArray<A> =>
  Array.from({ length: count }, (_, n) => make(n))

/** A run of its own for each `n`, a minute apart. */
const numbered = (n: number, outcome: "success" | "failed", over = {}) => ({
  ...(outcome === "success" ? succeeded("00:00") : failed("00:00")),
  backupId: `orders-${n}`,
  jobName: `job-${n}`,
  startMillis: at("00:00") + n * 60_000,
  endMillis: at("00:00") + n * 60_000 + 30_000,
  ...over
})

describe("History", () => {
  it("lists runs newest first, each once, however often it is reported", () => {
    const ended = [succeeded("10:00"), failed("11:00"), succeeded("12:00")]
    const history = History.withEnded([], ended)
    assert.deepStrictEqual(brief(history), ["12:00 success", "11:00 failed", "10:00 success"])
    assert.deepStrictEqual(History.withEnded(history, ended), history)
  })

  it("keeps a failed run apart from the set of another run that got the id", () => {
    const history = History.withEnded([], [succeeded("12:00"), failed("12:00", { jobName: "by-trigger" })])
    assert.deepStrictEqual(brief(history).toSorted(), ["12:00 failed", "12:00 success"])
  })

  it("lets no later word make a proven set a failure", () => {
    const history = History.withEnded([], [succeeded("12:00")])
    assert.deepStrictEqual(History.withEnded(history, [failed("12:00")]), history)
  })

  it("keeps why a pod did not start, which is known while the pod is there", () => {
    const unstarted = (message: string) => failed("12:00", { reason: "PodNotStarted", message })
    const history = History.withEnded([], [unstarted("no such claim")])
    assert.deepStrictEqual(History.withEnded(history, [unstarted("the Job has no pod")]), history)
    // Its container started in the last moment after all.
    const [corrected] = History.withEnded(history, [failed("12:00", { reason: "BrokerUnavailable" })])
    assert.strictEqual(corrected?.reason, "BrokerUnavailable")
  })

  it("takes the end of a backup from the Job that ended last, in whatever order its Jobs are reported", () => {
    const late = succeeded("12:00")
    const early = succeeded("12:00", { jobName: "early", endMillis: late.startMillis })
    const history = History.withEnded([], [late])
    assert.deepStrictEqual(History.withEnded([], [early, late]), history)
    assert.deepStrictEqual(History.withEnded([], [late, early]), history)
  })

  const idsOf = (history: History.History) => history.map(({ backupId }) => backupId)

  it("keeps the newest ten, whatever their outcome", () => {
    const history = History.withEnded(
      [],
      many(300, (n) => numbered(n, n % 2 === 0 ? "success" : "failed"))
    )
    assert.deepStrictEqual(idsOf(history), [...many(10, (n) => `orders-${299 - n}`)])
  })

  it("keeps the last success however many runs failed since, and the last run however many slots were skipped", () => {
    const failures = many(40, (n) => numbered(n + 1, "failed"))
    const history = History.withEnded([], [numbered(0, "success"), ...failures])
    assert.deepStrictEqual([...idsOf(history)], [...many(9, (n) => `orders-${40 - n}`), "orders-0"])
    assert.deepStrictEqual(History.bounded(history), history)
  })

  describe("counts the backups beside those that it lists", () => {
    const counted = (previous: Parameters<typeof History.truncated>[0], over: Partial<ReturnType<typeof made>>) => {
      const facts = { active: undefined, catalogue: undefined, ended: [], skipped: [], ...over }
      const backupHistory = History.next(previous.backupHistory ?? [], facts)
      return { backupHistory, historyTruncated: History.truncated(previous, facts, backupHistory) }
    }
    const eleven = many(11, (n) => numbered(n, "success"))

    it("as they no longer fit", () => {
      const ten = counted({}, { ended: eleven.slice(0, 10) })
      assert.strictEqual(ten.historyTruncated, 0)
      const [last] = eleven.slice(-1)
      const more = counted(ten, { ended: [last!] })
      assert.deepStrictEqual([more.historyTruncated, History.stored(more)], [1, 11])
      assert.deepStrictEqual(counted(more, { ended: [last!] }), more)
      assert.strictEqual(counted(more, { ended: [numbered(20, "failed")] }).historyTruncated, 2)
    })

    it("of a status that an earlier version wrote", () => {
      const backupHistory = many(100, (n) => History.withEnded([], [numbered(n, "success")])[0]!)
      const now = counted({ backupHistory }, {})
      assert.deepStrictEqual([now.backupHistory.length, now.historyTruncated], [10, 90])
    })

    it("as storage lists them", () => {
      const before = counted({}, { ended: eleven })
      const listed = {
        total: 7,
        sets: eleven.slice(-5).map((run) => ({
          ...run,
          startedMillis: run.startMillis,
          completedMillis: run.endMillis,
          size: 1,
          records: 1
        }))
      }
      const after = counted(before, { catalogue: listed })
      assert.strictEqual(History.stored(after), 10)
      const all = counted(before, { catalogue: { ...listed, total: 50 } })
      assert.deepStrictEqual([all.backupHistory.length, all.historyTruncated], [10, 40])
      // The run that ends after the list was made is not in it.
      const next = counted(all, { catalogue: { ...listed, total: 50 }, ended: [numbered(30, "success")] })
      assert.deepStrictEqual([next.historyTruncated, History.stored(next)], [41, 51])
      assert.strictEqual(History.stored(counted(all, { catalogue: { total: 0, sets: [] } })), 0)
    })
  })

  it("stays small with the longest names, messages and reasons, and loses the oldest first", () => {
    const history = History.withEnded(
      [],
      many(150, (n) =>
        numbered(n, n % 10 === 0 ? "failed" : "success", {
          backupId: `${"b".repeat(250)}-${n}`,
          jobName: `${"ü".repeat(250)}-${n}`,
          reason: "r".repeat(5000),
          message: '"\u0000"'.repeat(10_000),
          notes: ["é".repeat(20_000)]
        })
      )
    )
    assert.isAtMost(new TextEncoder().encode(JSON.stringify(history)).length, 64 * 1024)
    assert.lengthOf(history, 10)
    assert.strictEqual(history[0]!.backupId, `${"b".repeat(250)}-149`)
    assert.deepStrictEqual(History.bounded(history), history)
  })

  it("keeps the notes of the newest success only", () => {
    const notes = ["topic audit is no longer visible", "open transaction"]
    const history = History.withEnded([], [succeeded("11:00", { notes }), succeeded("12:00", { notes })])
    assert.deepStrictEqual(
      history.map(({ message }) => message),
      ["topic audit is no longer visible; open transaction", undefined]
    )
  })

  describe("of skipped slots", () => {
    it("has one entry for a gap, which grows while the run that causes it goes on", () => {
      const ten = History.withSkipped([], [overlapping("10:00")], at("09:00"))
      const eleven = History.withSkipped(ten, [overlapping("11:00")], at("09:00"))
      assert.lengthOf(eleven, 1)
      const [entry] = eleven
      assert.deepStrictEqual(
        [entry!.startTime, entry!.completionTime, entry!.slots, entry!.reason],
        ["2026-11-24T10:00:00Z", "2026-11-24T11:00:00Z", 2, "Overlapping"]
      )
      assert.include(entry!.message, "2 slots from 2026-11-24T10:00:00Z to 2026-11-24T11:00:00Z were skipped")
      assert.deepStrictEqual(History.withSkipped(eleven, [overlapping("10:00"), overlapping("11:00")]), eleven)
    })

    it.each([
      ["ended", [succeeded("11:00")], undefined],
      ["is active", [], at("11:00")]
    ])("begins another gap after a run that %s", (_, ended, activeStartMillis) => {
      const ten = History.withEnded(History.withSkipped([], [overlapping("10:00")]), ended)
      const both = History.withSkipped(ten, [overlapping("12:00")], activeStartMillis)
      assert.lengthOf(
        both.filter(({ outcome }) => outcome === "skipped"),
        2
      )
    })

    it("lets no gaps push out the last run", () => {
      const skipped = many(50, (n) => numbered(n, "failed")).map(({ startMillis }, n) => ({
        ...overlapping("10:00"),
        reason: n % 2 === 0 ? ("Missed" as const) : ("Overlapping" as const),
        firstMillis: startMillis + at("12:00") - at("00:00"),
        lastMillis: startMillis + at("12:00") - at("00:00")
      }))
      const history = History.withSkipped(History.withEnded([], [failed("01:00")]), skipped)
      assert.deepStrictEqual([history.length, history.at(-1)?.outcome], [10, "failed"])
    })
  })

  describe("with what storage holds", () => {
    const known = History.withEnded([], [succeeded("10:00"), failed("11:00"), succeeded("12:00")])

    it("loses successes that storage no longer holds, and no failure", () => {
      assert.deepStrictEqual(brief(History.withCatalogue(known, catalogue("12:00"))), ["12:00 success", "11:00 failed"])
      assert.deepStrictEqual(brief(History.withCatalogue(known, catalogue())), ["11:00 failed"])
    })

    it("leaves alone what is older than a list of the newest", () => {
      const window = { total: 2, sets: [stored("12:00")] }
      assert.deepStrictEqual(History.withCatalogue(known, window), known)
      const after = { total: 5, sets: [stored("13:00"), stored("11:30")] }
      assert.deepStrictEqual(brief(History.withCatalogue(known, after)), [
        "13:00 success",
        "11:30 success",
        "11:00 failed",
        "10:00 success"
      ])
    })

    it("is made again from storage when it was lost", () => {
      const [entry] = History.withCatalogue([], catalogue("12:00", "10:00"))
      assert.deepStrictEqual(entry, {
        backupId: "orders-20261124-120000",
        startTime: "2026-11-24T12:00:00Z",
        completionTime: "2026-11-24T12:05:00Z",
        outcome: "success",
        size: 1_073_741_824,
        records: 1_000_000
      })
    })

    it("keeps a success that ended after the list was made", () => {
      const ended = [succeeded("13:00")]
      const history = History.withCatalogue(History.withEnded(known, ended), catalogue("12:00"), ended)
      assert.deepStrictEqual(brief(history), ["13:00 success", "12:00 success", "11:00 failed"])
    })

    it("does not bring back a removed backup when its run is reported again", () => {
      const after = History.withCatalogue(known, catalogue("12:00"))
      assert.deepStrictEqual(History.withEnded(after, [succeeded("10:00"), succeeded("12:00")]), after)
    })

    it("believes storage where a run was reported as failed and its backup is verified", () => {
      const history = History.withCatalogue(known, catalogue("12:00", "11:00", "10:00"))
      assert.deepStrictEqual(brief(history), ["12:00 success", "11:00 success", "10:00 success"])
      assert.deepStrictEqual(History.withEnded(history, [failed("11:00")]), history)
    })
  })

  it.prop(
    "is in order and in bounds whatever happens, and the same when it happens again",
    [AnyDay, AnyDay],
    ([first, second]) => {
      const taken = (history: History.History, day: AnyDay) => History.next(history, made(day))
      const before = taken([], first)
      const after = taken(before, second)
      assert.deepStrictEqual(taken(after, second), after)
      assert.deepStrictEqual(
        after.map(({ startTime }) => startTime),
        after
          .map(({ startTime }) => startTime)
          .toSorted()
          .toReversed()
      )
      const sets = after.flatMap(({ backupId, jobName, outcome }) =>
        outcome === "success" ? [`${backupId} ${jobName}`] : []
      )
      assert.strictEqual(new Set(sets).size, sets.length)
    },
    { arbitrary: { runs: 300 } }
  )
})
