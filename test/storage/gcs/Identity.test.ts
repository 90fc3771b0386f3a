import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import * as Requests from "../../../src/storage/cloud/Requests.ts"
import * as Failure from "../../../src/storage/gcs/Failure.ts"
import * as Identity from "../../../src/storage/gcs/Identity.ts"
import { type Answer, answering, stalling } from "../scriptedS3.ts"
import { scriptedServer } from "../scriptedServer.ts"

const json = { "content-type": "application/json" }
const token = answering(
  200,
  json,
  JSON.stringify({
    access_token: "federated",
    expires_in: 3599,
    token_type: "Bearer",
    issued_token_type: "urn:ietf:params:oauth:token-type:access_token"
  })
)

/**
 * Workload Identity Federation outside GKE: a file that the environment names, whose endpoint gives these answers in
 * turn.
 */
const against = (answers: ReadonlyArray<Answer>, times = Requests.timeOuts) =>
  Effect.gen(function* () {
    const { address, arrived } = yield* scriptedServer(answers, () => false, stalling)
    const folder = yield* Effect.acquireRelease(
      Effect.sync(() => mkdtempSync(join(tmpdir(), "kafka-backup-gcs-"))),
      (made) => Effect.sync(() => rmSync(made, { recursive: true }))
    )
    const subject = join(folder, "token")
    writeFileSync(subject, "the cluster's own token")
    const file = join(folder, "federation.json")
    writeFileSync(
      file,
      JSON.stringify({
        type: "external_account",
        audience: "//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster",
        subject_token_type: "urn:ietf:params:oauth:token-type:jwt",
        token_url: `${address}/token`,
        credential_source: { file: subject }
      })
    )
    yield* Effect.acquireRelease(
      Effect.sync(() => void (process.env["GOOGLE_APPLICATION_CREDENTIALS"] = file)),
      () => Effect.sync(() => void delete process.env["GOOGLE_APPLICATION_CREDENTIALS"])
    )
    const place: Failure.ErrorContext = {
      operation: "open",
      location: "gcs bucket kafka-backups",
      bucket: "kafka-backups",
      service: "https://storage.googleapis.com",
      isToken: true,
      secrets: []
    }
    const line = yield* Requests.make(times)
    const tokens = yield* Identity.applicationDefault(
      (request) => line(request, (error, now) => Failure.from(error, place, now)),
      {}
    )
    return { arrived, tokens }
  })

describe("Application default credentials", () => {
  it.live("are exchanged for a token once, however many wait for it, and once more when it was not taken", () =>
    Effect.gen(function* () {
      const { arrived, tokens } = yield* against([token, token])
      const all = Effect.all(
        Array.from({ length: 20 }, () => tokens.get),
        { concurrency: "unbounded" }
      )
      assert.deepStrictEqual(new Set(yield* all), new Set(["federated"]))
      assert.strictEqual(arrived.length, 1)
      assert.strictEqual(
        new URLSearchParams(arrived[0]?.body.toString()).get("subject_token"),
        "the cluster's own token"
      )
      yield* tokens.forget
      yield* all
      assert.strictEqual(arrived.length, 2)
    })
  )

  it.live("are not waited for without end, nor does the next one wait for what was given up", () =>
    Effect.gen(function* () {
      const { arrived, tokens } = yield* against([stalling, token], { idle: 100, answer: 500 })
      assert.strictEqual((yield* Effect.flip(tokens.get)).reason._tag, "StoreUnavailable")
      assert.strictEqual(yield* tokens.get, "federated")
      assert.strictEqual(arrived.length, 2)
    })
  )
})
