import { describe, expect, it } from "vitest"
import type { KubeObject } from "../../src/kubernetes/Objects.ts"
import { packed } from "../../src/operator/InformerCache.ts"

const withHistory = (entries: number): KubeObject => ({
  apiVersion: "kafka.oso.sh/v1alpha1",
  kind: "KafkaBackup",
  metadata: { name: "hourly", namespace: "ns", uid: "u", resourceVersion: "7" },
  spec: { topics: ["events-é-漢"] },
  status: {
    backupHistory: Array.from({ length: entries }, (_, n) => ({
      backupId: `hourly-20261125-${String(n).padStart(6, "0")}`,
      outcome: "success",
      records: n * 7919,
      size: n * 104_729
    }))
  }
})

const form = packed<KubeObject>()

describe("a packed resource", () => {
  it.each([0, 1, 100])("with %i entries of history is given back as it was", (entries) => {
    const object = withHistory(entries)
    expect(form.unpack(form.pack(object))).toEqual(object)
  })

  it("with a long history takes a fraction of its text, and no more memory than it has bytes", () => {
    const object = withHistory(100)
    const kept = form.pack(object)
    if (!(kept instanceof Uint8Array)) throw new Error("it was not deflated")
    expect(kept.buffer.byteLength).toBe(kept.byteLength)
    expect(kept.byteLength).toBeLessThan(JSON.stringify(object).length / 3)
  })
})
