import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { parseAllDocuments } from "yaml"
import * as Crd from "../../src/resource/Crd.ts"
import * as OffsetCrds from "../../src/resource/OffsetCrds.ts"
import * as RestoreCrd from "../../src/resource/RestoreCrd.ts"
import { layer, type } from "./terminal.ts"

describe("kafka-backup crd", () => {
  it.live("prints all definitions as documents of one stream, for kubectl apply -f -", () =>
    Effect.gen(function* () {
      const { exitCode, out } = yield* type("crd")
      assert.strictEqual(exitCode, 0)
      const documents = parseAllDocuments(out)
      assert.deepStrictEqual(
        documents.map((document) => document.toJS()),
        JSON.parse(
          JSON.stringify([
            Crd.crd(),
            RestoreCrd.crd(),
            OffsetCrds.crds.KafkaOffsetReset(),
            OffsetCrds.crds.KafkaOffsetRollback()
          ])
        )
      )
    }).pipe(Effect.provide(layer))
  )
})
