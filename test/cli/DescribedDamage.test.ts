import { assert, describe, it } from "@effect/vitest"
import * as DescribedDamage from "../../src/cli/DescribedDamage.ts"
import { BackupId } from "../../src/identity/BackupId.ts"
import type { Elsewhere } from "../../src/manifest/WholeElsewhere.ts"

const [earlier, later] = [BackupId.make("nightly-20261123-120000"), BackupId.make("nightly-20261123-130000")]
const object = (key: string, firstOffset: number) => ({
  key,
  topic: "orders",
  partition: 2,
  firstOffset,
  lastOffset: firstOffset + 9,
  detail: "is missing",
  sinceMillis: 0
})
const objects = [object("a", 0), object("b", 10)]
const lines = (elsewhere: ReadonlyArray<readonly [string, Elsewhere]>, left = 0) =>
  DescribedDamage.text({ objects, found: { elsewhere: new Map(elsewhere), left } })
    .join("\n")
    .split("\n")
    .slice(2)
    .map((line) => line.replaceAll(/ {2,}/g, "  "))
const whole = (backupId: BackupId): Elsewhere => ({ backupId, firstOffset: 0, lastOffset: 9, isWhole: true })
const row = (offsets: string, where: string, key: string) =>
  `orders  2  ${offsets}  1970-01-01T00:00:00Z  ${where}  ${key} is missing`

describe("The damage that describe shows", () => {
  it("says which other backups have the same offsets whole", () => {
    assert.deepStrictEqual(
      lines([
        ["a", whole(earlier)],
        ["b", whole(earlier)]
      ]),
      [row("0-9", earlier, "a"), row("10-19", earlier, "b"), `Everything that is damaged here is whole in ${earlier}`]
    )
    const [, , both] = lines([
      ["a", whole(earlier)],
      ["b", whole(later)]
    ])
    assert.strictEqual(both, "Everything that is damaged here is whole in other backups")
  })

  it("says which part another backup has, and what none has", () => {
    const part = { backupId: later, firstOffset: 5, lastOffset: 9, isWhole: false }
    assert.deepStrictEqual(lines([["a", part]]), [
      row("0-9", `no other backup; offsets 5-9 in ${later}`, "a"),
      row("10-19", "no other backup", "b"),
      "2 of 2 damaged objects: whole in no other backup"
    ])
    const [first, , last] = lines([["b", whole(later)]], 3)
    assert.strictEqual(first, row("0-9", "none of the newest; 3 were not looked at", "a"))
    assert.strictEqual(last, "1 of 2 damaged objects: whole in no backup that was looked at")
    assert.deepStrictEqual(
      DescribedDamage.json({ objects, found: { elsewhere: new Map([["a", part]]), left: 0 } }).objects.map(
        ({ partIn, wholeIn }) => [wholeIn, partIn]
      ),
      [
        [null, { backupId: later, firstOffset: 5, lastOffset: 9 }],
        [null, null]
      ]
    )
  })
})
