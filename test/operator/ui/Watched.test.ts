import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import * as Rows from "../../../src/operator/ui/Rows.ts"
import { hourly, story, world } from "../world.ts"

describe("what the page shows of a real operator", () => {
  story(
    "is what the leader watches, and what the next leader watches after it",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      const one = yield* start({ name: "one", elect: true })
      const two = yield* start({ name: "two", elect: true })
      yield* advance("10 seconds")
      yield* kubectl.apply(hourly("orders"))
      yield* advance("15 minutes")
      const rows = Rows.make()
      const seen = yield* one.watched
      expect(seen.map(({ kind }) => kind)).toEqual([
        "KafkaBackup",
        "KafkaRestore",
        "KafkaOffsetReset",
        "KafkaOffsetRollback"
      ])
      expect(Rows.unread(seen)).toEqual([])
      const [row] = rows.of(seen)
      expect([row?.name, row?.verdict.word, row?.outcomes]).toEqual(["orders", "safe", ["success"]])
      expect(yield* two.watched).toEqual([])

      // The page follows what is written next.
      yield* kubectl.patch("orders", { spec: { suspend: true } })
      yield* advance("10 seconds")
      expect(rows.of(yield* one.watched)[0]?.verdict.word).toBe("suspended")
      const status = yield* kubectl.status("orders")
      expect([status.nextText, status.location, status.lastBackupTopics, status.lastBackupPartitions]).toEqual([
        "suspended",
        "s3://backups",
        1,
        2
      ])

      yield* one.stop
      yield* advance("10 seconds")
      expect(yield* one.watched).toEqual([])
      expect(rows.of(yield* two.watched)[0]?.verdict.word).toBe("suspended")
    })
  )
})
