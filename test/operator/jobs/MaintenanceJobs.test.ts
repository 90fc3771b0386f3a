import { assert, describe, it } from "@effect/vitest"
import { Result, Schema } from "effect"
import * as MaintenanceJobs from "../../../src/operator/jobs/MaintenanceJobs.ts"
import * as RunSpec from "../../../src/identity/RunSpec.ts"
import * as JobName from "../../../src/identity/JobName.ts"
import { backup, identity, settings } from "./fixtures.ts"

const made = (of: typeof MaintenanceJobs.forPrune, key = "3"): any =>
  Result.getOrThrow(of({ backup: backup(), key, settings }))
const containerOf = (job: any) => job.spec.template.spec.containers[0]
const places = [
  "-f",
  "env:KAFKA_BACKUP_RUN_SPEC",
  "--secrets",
  "/etc/kafka-backup/secrets",
  "--volumes",
  "/var/lib/kafka-backup/volumes",
  "--summary",
  "/dev/termination-log"
]

describe.each([
  ["prune", MaintenanceJobs.forPrune, ["prune"]],
  ["catalogue", MaintenanceJobs.forCatalogue, ["list"]],
  ["cleanup", MaintenanceJobs.forCleanup, ["prune", "--all", "--confirm", "production-backup"]]
] as const)("the Job of a %s", (purpose, of, command) => {
  it("runs its command on the runSpec resource, without a listener", () => {
    const container = containerOf(made(of))
    assert.deepStrictEqual(container.args, [...command, ...places])
    assert.notProperty(container, "ports")
    const { value } = container.env.find((one: any) => one.name === "KAFKA_BACKUP_RUN_SPEC")
    assert.deepStrictEqual(Result.getOrThrow(RunSpec.decode(value)).backup.spec, backup().spec)
  })

  it("gets the credentials of the storage and not those of Kafka", () => {
    const { volumes } = made(of).spec.template.spec
    const { sources } = volumes.find((one: any) => one.name === "secrets").projected
    assert.deepStrictEqual(
      sources.map(({ secret }: any) => secret.name),
      ["s3-credentials"]
    )
  })

  it("ends within an hour and three attempts", () => {
    const { activeDeadlineSeconds, backoffLimit } = made(of).spec
    assert.deepStrictEqual([activeDeadlineSeconds, backoffLimit], [3600, 2])
  })

  it("is one Job for one key, says what it is for, and differs from every run", () => {
    const job = made(of)
    assert.match(job.metadata.name, new RegExp(`^production-backup-${purpose}-[0-9a-f]{16}$`))
    assert.strictEqual(job.metadata.labels["kafka.oso.sh/purpose"], purpose)
    assert.strictEqual(made(of).metadata.name, job.metadata.name)
    assert.notStrictEqual(made(of, "4").metadata.name, job.metadata.name)
  })

  it(purpose === "cleanup" ? "outlives its resource, and then goes by itself" : "ends with its resource", () => {
    const { metadata, spec } = made(of)
    assert.strictEqual("ownerReferences" in metadata, purpose !== "cleanup")
    assert.strictEqual(spec.ttlSecondsAfterFinished, purpose === "cleanup" ? 600 : undefined)
  })
})

describe("JobName.forMaintenance", () => {
  const Name = Schema.String.check(Schema.isPattern(/^[a-z0-9]([a-z0-9.-]{0,198}[a-z0-9])?$/))

  it.prop("is a DNS label that leaves room for what pods add, for every name", [Name], ([name]) => {
    const job = JobName.forMaintenance({ ...identity.owner, name }, "catalogue", "key")
    assert.match(`${job}-abcde`, /^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/)
    assert.isAtMost(`${job}-abcde`.length, 63)
  })

  it("differs by owner and purpose", () => {
    const other = { ...identity.owner, uid: "another" }
    const names = [
      JobName.forMaintenance(identity.owner, "prune", "3"),
      JobName.forMaintenance(other, "prune", "3"),
      JobName.forMaintenance(identity.owner, "catalogue", "3")
    ]
    assert.strictEqual(new Set(names).size, 3)
  })
})
