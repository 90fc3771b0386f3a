import { assert, describe, it } from "@effect/vitest"
import * as Profile from "../../bench/Profile.ts"

const frame = (id: number, functionName: string, url: string, lineNumber = 0) => ({
  id,
  callFrame: { functionName, url, lineNumber }
})

const profile: Profile.CpuProfile = {
  nodes: [
    frame(1, "(root)", ""),
    frame(2, "(idle)", ""),
    frame(3, "(garbage collector)", ""),
    frame(4, "push", "file:///main.mjs", 10),
    frame(5, "push", "file:///main.mjs", 10),
    frame(6, "push", "file:///main.mjs", 90),
    frame(7, "", "file:///main.mjs", 20),
    frame(8, "writev", "node:fs")
  ],
  samples: [2, 2, 4, 5, 4, 6, 7, 3, 8],
  timeDeltas: [100, 100, 100, 150, 120, 100, 40, 9000, 10]
}

const moduleOf: Profile.ModuleOf = (_, line) =>
  line < 15 ? "src/segment/kbak/KbakWriter.ts" : line < 50 ? "src/Worker.ts" : "node_modules/@scope/queue/dist/Queue.js"

describe("a profile of the bench", () => {
  it("adds up what each function took by itself, whoever called it, and names its room or package", () => {
    assert.deepStrictEqual(
      Profile.selfTimes(profile, moduleOf)
        .filter(({ micros }) => micros > 0)
        .map(({ micros, name, room }) => [room, name, micros]),
      [
        // The eighth sample came much later than others do: what was done meanwhile nobody knows.
        ["V8", "(not sampled)", 8800],
        ["segment", "push", 370],
        ["V8", "(idle)", 200],
        ["V8", "(garbage collector)", 200],
        ["@scope/queue", "push", 100],
        ["Worker", "(anonymous in src/Worker.ts)", 40],
        ["Node", "writev", 10]
      ]
    )
  })

  it("counts shares of the time in which the thread was busy", () => {
    const shown = Profile.show("a row", Profile.selfTimes(profile, moduleOf))
    assert.match(shown, /^segment +0\.00 +51\.4$/mu)
    assert.match(shown, /^busy +0\.00 +100\.0$/mu)
    assert.match(shown, /^not sampled +0\.01$/mu)
    assert.match(shown, /^idle +0\.00$/mu)
    assert.match(shown, /^segment: push +0\.00 +51\.4$/mu)
  })
})
