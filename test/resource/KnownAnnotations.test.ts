import { assert, describe, it } from "@effect/vitest"
import * as KnownAnnotations from "../../src/resource/KnownAnnotations.ts"

const of = (...names: ReadonlyArray<string>) =>
  KnownAnnotations.unknownText(Object.fromEntries(names.map((name) => [name, "1"])))

describe("the annotations of a KafkaBackup", () => {
  it("are all right where they are known, or of others", () => {
    assert.isUndefined(KnownAnnotations.unknownText())
    const known = ["trigger-backup", "drill", "check", "accept-loss", "pin"].map((name) => `kafka.oso.sh/${name}`)
    assert.isUndefined(of(...known, "kubectl.kubernetes.io/last-applied-configuration", "oso.sh/pin"))
  })

  it("are named where they mean nothing, with what was meant", () => {
    assert.strictEqual(
      of("kafka.oso.sh/trigger-backups"),
      "annotation kafka.oso.sh/trigger-backups means nothing here: known are kafka.oso.sh/trigger-backup, kafka.oso.sh/drill, kafka.oso.sh/check, kafka.oso.sh/accept-loss, kafka.oso.sh/pin; did you mean trigger-backup?"
    )
    assert.match(
      of("kafka.oso.sh/drills", "kafka.oso.sh/pim")!,
      /^annotations kafka\.oso\.sh\/drills, kafka\.oso\.sh\/pim mean /
    )
  })

  it("are named within bounds", () => {
    const many = of(...Array.from({ length: 100 }, (_, n) => `kafka.oso.sh/${"x".repeat(200)}${n}`))
    assert.include(many, " and 95 more mean nothing here")
    assert.isAtMost(many!.length, 1000)
  })
})
