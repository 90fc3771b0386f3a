import { assert, describe, it } from "@effect/vitest"
import { expanded } from "./Expansion.ts"
import { translated, withParents } from "./Paths.ts"

describe("variables in arguments", () => {
  const values = new Map([
    ["ONE", "1"],
    ["DOLLAR", "$(ONE)"]
  ])
  const cases: ReadonlyArray<readonly [written: string, meant: string]> = [
    ["$(ONE)", "1"],
    ["a$(ONE)b$(ONE)", "a1b1"],
    ["$$(ONE)", "$(ONE)"],
    ["$$$(ONE)", "$1"],
    ["$(NONE)", "$(NONE)"],
    ["$ONE and $", "$ONE and $"],
    ["$(ONE", "$(ONE"],
    ["$(DOLLAR)", "$(ONE)"]
  ]
  it.each(cases)("%s means %s", (written, meant) => {
    assert.strictEqual(expanded(written, values), meant)
  })
})

describe("paths of a container", () => {
  const mappings = [
    { containerPath: "/data", hostPath: "/here/data" },
    { containerPath: "/data/inner/", hostPath: "/here/other" }
  ]
  const cases: ReadonlyArray<readonly [written: string, meant: string]> = [
    ["/data", "/here/data"],
    ["--to=/data/x.txt", "--to=/here/data/x.txt"],
    ["/data/inner/x", "/here/other/x"],
    ["/data:/data", "/here/data:/here/data"],
    ['{"path":"/data"}', '{"path":"/here/data"}'],
    ["file:///data/x", "file:///here/data/x"],
    ["see /data.", "see /here/data."],
    ["/database", "/database"],
    ["/data.old", "/data.old"],
    ["/other/data", "/other/data"],
    ["s3://bucket/data", "s3://bucket/data"]
  ]
  it.each(cases)("%s is %s here", (written, meant) => {
    assert.strictEqual(translated(written, mappings), meant)
  })

  it("are known above a mount as far as they are called the same", () => {
    const mapped = withParents([
      { containerPath: "/var/lib/volumes/backups", hostPath: "/tmp/test/volumes/backups" },
      { containerPath: "/etc/secrets", hostPath: "/tmp/pod/secrets" },
      { containerPath: "/a/b/c", hostPath: "/tmp/other" }
    ])
    const meant = ["/var/lib/volumes", "/var/lib", "/var", "/etc", "/a/b"].map((path) => translated(path, mapped))
    assert.deepStrictEqual(meant, ["/tmp/test/volumes", "/tmp/test", "/var", "/etc", "/a/b"])
  })

  it("are left alone where nothing is mounted", () => {
    assert.strictEqual(translated("/data", []), "/data")
  })
})
