import type { KubeObject } from "../../../src/kubernetes/Objects.ts"
import * as InformerCache from "../../../src/operator/InformerCache.ts"
import type { Source } from "../../../src/operator/Watched.ts"
import type { ActiveRun, Facts } from "../../../src/status/Facts.ts"
import { next } from "../../../src/status/Next.ts"
import * as NextOffset from "../../../src/status/offsets/NextOffset.ts"
import * as NextRestore from "../../../src/status/restore/NextRestore.ts"
import type { RestoreFacts } from "../../../src/status/restore/RestoreFacts.ts"
import type { Status } from "../../../src/status/Status.ts"
import { at, failed, hourly, oneTime, overlapping, running, succeeded } from "../../status/facts.ts"

export { at }

/** When everything here is looked at. */
export const nowMillis = at("12:40")

const place = { namespace: "shop", location: "s3://backups/production/hourly" }

const object = (kind: string, namespace: string, name: string, status: unknown, spec: object = {}): KubeObject =>
  ({
    apiVersion: "kafka.oso.sh/v1alpha1",
    kind,
    metadata: {
      namespace,
      name,
      uid: `${kind}/${namespace}/${name}`,
      resourceVersion: "1",
      creationTimestamp: "2026-11-20T08:00:00Z"
    },
    spec,
    status
  }) as KubeObject

export const backup = (namespace: string, name: string, status: Status | undefined, spec: object = {}): KubeObject =>
  object("KafkaBackup", namespace, name, status, { schedule: "0 * * * *", ...spec })

const memory = { observedSchedule: "0 * * * * in UTC", sinceMillis: at("05:00") }
const counts = { topics: 42, partitions: 504 }
const slots = ["06:00", "07:00", "08:00", "09:00", "10:00", "11:00", "12:00"]

/** The status after these facts, one after the other. */
export const after = (...steps: ReadonlyArray<readonly [time: string, over: Partial<Facts>]>): Status =>
  steps.reduce<Status>((status, [time, over]) => next(status, hourly({ ...place, memory, ...over }), at(time)), {})

const healthy = (until = slots.length): ReadonlyArray<readonly [string, Partial<Facts>]> =>
  slots.slice(0, until).map((slot) => [slot.replace(":00", ":06"), { ended: [succeeded(slot, counts)] }] as const)

const read = {
  percent: 2,
  objects: 120,
  bytes: 3_000_000,
  totalBytes: 184_000_000_000,
  oldestMillis: at("06:00"),
  beganMillis: at("05:00"),
  endMillis: at("12:05")
}

const progress = (percent: number, time: string): NonNullable<ActiveRun["progress"]> => ({
  partitionsTotal: 504,
  partitionsDone: Math.round((504 * percent) / 100),
  recordsTotal: 12_000_000,
  records: 118_000 * percent,
  bytes: 41_000_000 * percent,
  percent,
  offsetsDone: 120_000 * percent,
  message: "reading",
  updatedMillis: at(time)
})

const slot = "12:30"

/** KafkaBackups in every state that the page has a word for. */
export const backups = (): ReadonlyArray<KubeObject> => [
  backup(
    "shop",
    "orders",
    after(...healthy(6), ["12:06", { ended: [succeeded("12:00", counts)], storedData: { verification: read } }])
  ),
  backup("shop", "payments-archive", after(...healthy(), ["12:36", { ended: [failed(slot)] }])),
  backup(
    "shop",
    "carts",
    after(
      ...healthy(6),
      ["12:31", { active: running(slot, { progress: progress(41, "12:38:30") }) }],
      ["12:39", { active: running(slot, { progress: progress(63, "12:39:30") }) }]
    )
  ),
  backup("shop", "clicks", after(...healthy(2), ["12:00", { skipped: [overlapping("09:00", "11:00", 3)] }]), {
    schedule: "*/15 * * * *"
  }),
  backup(
    "billing",
    "invoices",
    after(...healthy(), [
      "12:20",
      {
        storedData: {
          damage: {
            sets: 1,
            text: "orders-20261124-090000: invoices/3 offsets 1200 to 1899 of segment 00000000000000001200 differ from their checksum",
            newest: "orders-20261124-090000",
            newestWhole: "orders-20261124-120000",
            endMillis: at("12:20")
          }
        }
      }
    ])
  ),
  backup("billing", "ledger", after(...healthy(4), ["12:20", { state: { _tag: "Suspended" } }]), { suspend: true }),
  backup("billing", "new-one", after(["12:20", { memory: { ...memory, sinceMillis: at("12:15") } }])),
  backup("billing", "never-worked", after(["12:10", { ended: [failed("12:00")] }])),
  backup(
    "analytics",
    "a-name-that-is-as-long-as-the-names-of-resources-are-in-clusters",
    after(...healthy(3), [
      "12:20",
      {
        problems: [
          { field: "spec.topics[0]", value: '"orders;"', message: "must be a topic's name or a pattern" },
          { field: "spec.retention.backups", value: "0", message: "must be 1 or more" }
        ],
        state: undefined
      }
    ])
  ),
  backup(
    "analytics",
    "once",
    next({}, oneTime({ ...place, namespace: "analytics", ended: [succeeded("10:00", counts)] }), at("10:06")),
    { schedule: undefined }
  ),
  backup("analytics", "unseen", undefined)
]

const restore = (changes: Partial<RestoreFacts>, before: Parameters<typeof NextRestore.next>[0] = {}) =>
  NextRestore.next(
    before,
    {
      generation: 1,
      problems: [],
      backupId: "orders-20261124-110000",
      hold: 86_400_000,
      holdEnd: undefined,
      active: undefined,
      ended: undefined,
      startedWritingMillis: undefined,
      refusal: undefined,
      ...changes
    },
    nowMillis
  )

const job = { jobName: "back-restore-1", startMillis: at("12:10") }

/** KafkaRestores and resources about offsets, in some states. */
export const others = (): ReadonlyArray<KubeObject> => [
  object(
    "KafkaRestore",
    "shop",
    "into-staging",
    restore({
      startedWritingMillis: at("12:12"),
      active: {
        ...job,
        hasStarted: true,
        progress: {
          step: "writing",
          records: 640_000,
          bytes: 512_000_000,
          partitionsDone: 11,
          partitionsTotal: 48,
          percent: 27,
          startedWritingMillis: at("12:12"),
          etaMillis: at("13:50"),
          updatedMillis: at("12:39")
        }
      }
    })
  ),
  object(
    "KafkaRestore",
    "billing",
    "after-the-bad-deploy",
    restore({
      ended: {
        ...job,
        endMillis: at("12:30"),
        outcome: "failed",
        isDryRun: false,
        reason: "TargetNotEmpty",
        message:
          "topic invoices of the target cluster has 1,204 records; delete the topic, or restore it to another name",
        notes: []
      }
    })
  ),
  object(
    "KafkaOffsetReset",
    "shop",
    "checkout-groups",
    NextOffset.next(
      {},
      { generation: 1, operation: "reset", problems: [], active: { ...job, hasStarted: true } },
      nowMillis
    )
  )
]

const cache = (kind: string, objects: ReadonlyArray<KubeObject>, isSynced = true): Source => {
  const resources = InformerCache.make<KubeObject>(InformerCache.keyOf, [undefined], InformerCache.packed())
  const items = objects.filter((one) => one.kind === kind)
  if (isSynced) resources.absorb({ _tag: "Snapshot", items })
  else for (const one of items) resources.learn(one)
  return { kind, resources }
}

export const kinds = ["KafkaBackup", "KafkaRestore", "KafkaOffsetReset", "KafkaOffsetRollback"] as const

/** These objects in caches, as the reconciler has them. */
export const sources = (objects: ReadonlyArray<KubeObject>, isSynced = true): ReadonlyArray<Source> =>
  kinds.map((kind) => cache(kind, objects, isSynced))

/** As many KafkaBackups, most of them well. */
export const many = (n: number): ReadonlyArray<KubeObject> => {
  const states = backups()
  const well = states[0]!
  return Array.from({ length: n }, (_, i) => {
    const like = i % 23 === 0 ? states[(i / 23) % states.length]! : well
    const { kind, spec, status } = like as KubeObject & { readonly spec: object; readonly status: unknown }
    return object(
      kind!,
      `team-${String(i % 17).padStart(2, "0")}`,
      `topics-${String(i).padStart(4, "0")}`,
      status,
      spec
    )
  })
}
