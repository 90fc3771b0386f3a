import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import * as JobState from "../../../src/operator/jobs/JobState.ts"
import { event, job, now, said, success } from "./fixtures.ts"

const Garbage = Schema.Union([
  Schema.String,
  Schema.Number,
  Schema.Boolean,
  Schema.Null,
  Schema.Array(Schema.NullOr(Schema.String)),
  Schema.Record(Schema.String, Schema.Number)
])
/** Mostly what belongs there, so that garbage is also met further in. */
const orGarbage = <S extends Schema.Top>(schema: S) => Schema.Union([schema, schema, schema, Garbage])
const Instant = Schema.Literals(["2026-11-24T07:00:00Z", "2026-11-24T07:29:00Z", "+275760-09-13T00:00:00Z", "later"])
const Condition = Schema.Struct({
  type: orGarbage(
    Schema.Literals(["Complete", "Failed", "FailureTarget", "SuccessCriteriaMet", "PodScheduled", "DisruptionTarget"])
  ),
  status: orGarbage(Schema.Literals(["True", "False"])),
  reason: orGarbage(Schema.Literal("DeadlineExceeded")),
  message: Garbage,
  lastTransitionTime: orGarbage(Instant)
})
const Container = Schema.Struct({
  name: orGarbage(Schema.Literal("backup")),
  state: orGarbage(
    Schema.Struct({
      terminated: orGarbage(
        Schema.Struct({
          exitCode: orGarbage(Schema.Literals([0, 12, 21])),
          reason: orGarbage(Schema.Literal("OOMKilled")),
          message: orGarbage(Schema.Literal(said(success).slice(1)))
        })
      )
    })
  )
})
const Metadata = Schema.Struct({
  creationTimestamp: orGarbage(Instant),
  deletionTimestamp: Schema.optionalKey(orGarbage(Instant)),
  labels: orGarbage(
    Schema.Struct({
      "app.kubernetes.io/managed-by": orGarbage(Schema.Literal("kafka-backup-operator")),
      "kafka.oso.sh/purpose": orGarbage(Schema.Literals(["run", "prune", "catalogue", "cleanup"]))
    })
  ),
  annotations: orGarbage(
    Schema.Struct({ "kafka.oso.sh/slot": orGarbage(Instant), "kafka.oso.sh/kafkabackup": Garbage })
  )
})
const JobStatus = Schema.Struct({
  startTime: orGarbage(Instant),
  failed: Garbage,
  conditions: orGarbage(Schema.Array(Condition))
})
const PodStatus = Schema.Struct({
  phase: orGarbage(Schema.Literals(["Pending", "Running", "Succeeded", "Failed"])),
  reason: orGarbage(Schema.Literal("Evicted")),
  message: Garbage,
  conditions: orGarbage(Schema.Array(Condition)),
  containerStatuses: orGarbage(Schema.Array(Container))
})
const Seen = Schema.Struct({
  metadata: Metadata,
  status: orGarbage(JobStatus),
  spec: Garbage,
  pods: Schema.Array(Schema.Struct({ metadata: Metadata, status: orGarbage(PodStatus) })),
  note: Garbage
})

describe("JobState", () => {
  it.prop(
    "neither throws nor finds a success, whatever stands in Jobs, pods and events",
    [Seen],
    ([{ metadata, note, pods, spec, status }]) => {
      const { metadata: made } = job()
      const seen: any = { ...job(), metadata: { ...made, ...metadata }, status, spec }
      const own: any = pods.map((pod, n) => ({
        ...pod,
        kind: "Pod",
        metadata: {
          ...pod.metadata,
          name: `pod-${n}`,
          namespace: made.namespace,
          ownerReferences: [{ uid: "job-uid" }]
        }
      }))
      const events: any = ["FailedCreate", "FailedMount"].flatMap((reason) =>
        [made.name, "pod-0"].map((name) => ({ ...event({ name }, reason, ""), note, series: note }))
      )
      for (const state of [JobState.read(seen, own, now, events), JobState.deleted(seen, own, now)]) {
        assert.isFalse(state._tag === "Ended" && state.run.outcome === "success")
        assert.isFalse(state._tag === "EndedMaintenance" && state.maintenance.isSuccess)
        if (state._tag === "Ended") assert.isNotEmpty(state.run.reason)
      }
    },
    { arbitrary: { runs: 300 } }
  )
})
