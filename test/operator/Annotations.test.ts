import { describe, expect } from "@effect/vitest"
import { Effect } from "effect"
import { condition, hourly, story, world } from "./world.ts"

describe("an annotation that means nothing", () => {
  story(
    "is named once by an Event, and by Warnings until it is corrected",
    Effect.gen(function* () {
      const { advance, kubectl, start } = yield* world
      yield* start()
      yield* kubectl.apply(hourly("hourly"))
      yield* kubectl.annotate("hourly", "kafka.oso.sh/trigger-backups", "1")
      yield* advance("30 minutes")
      expect(condition(yield* kubectl.status("hourly"), "Warnings")).toMatchObject({
        status: "True",
        reason: "AnnotationUnknown",
        message: expect.stringContaining("kafka.oso.sh/trigger-backups means nothing here")
      })
      const said = (yield* kubectl.events).filter(({ reason }) => reason === "AnnotationUnknown")
      expect(said).toHaveLength(1)
      yield* kubectl.patch("hourly", { metadata: { annotations: { "kafka.oso.sh/trigger-backups": null } } })
      yield* advance("1 minute")
      expect(condition(yield* kubectl.status("hourly"), "Warnings")).toMatchObject({ status: "False" })
    })
  )
})
