import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import type { ObjectKey } from "../../../src/storage/ObjectStore.ts"
import * as S3ObjectStore from "../../../src/storage/S3ObjectStore.ts"
import { type Answer, answering, emptyListing, refusing, scriptedS3 } from "../scriptedS3.ts"
import { scriptedServer } from "../scriptedServer.ts"

const key = (text: string) => text as ObjectKey
const roleArn = "arn:aws:iam::123456789012:role/kafka-backup"
const xml = { "content-type": "text/xml" }

const session = (id: string, until: string) =>
  answering(
    200,
    xml,
    `<AssumeRoleResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleResult><Credentials><AccessKeyId>${id}</AccessKeyId><SecretAccessKey>secret-of-${id}</SecretAccessKey><SessionToken>token-of-${id}</SessionToken><Expiration>${until}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
  )
const denied = answering(
  403,
  xml,
  "<ErrorResponse><Error><Type>Sender</Type><Code>AccessDenied</Code><Message>User: arn:aws:iam::1:user/kafka is not authorized to perform: sts:AssumeRole on resource: role</Message></Error></ErrorResponse>"
)
const later = "2099-01-01T00:00:00Z"
const ended = "2020-01-01T00:00:00Z"
const stored = answering(200, { etag: '"e1"' })

/** A store by a role, and a token service at an address of its own. */
const byRole = (tokens: ReadonlyArray<Answer>, answers: ReadonlyArray<Answer> = []) =>
  Effect.gen(function* () {
    const sts = yield* scriptedServer(tokens, () => false, stored)
    let opening = ""
    const { target, arrived } = yield* scriptedS3(answers, (response, request) => {
      opening = String(request.headers.authorization)
      emptyListing(response, request)
    })
    const assumeRole = { roleArn, externalId: "team:kafka", endpoint: sts.address }
    return {
      open: S3ObjectStore.open({ ...target, assumeRole }),
      asked: sts.arrived,
      arrived,
      opening: () => opening
    }
  })

describe("S3ObjectStore by an assumed role", () => {
  it.live("asks for the role with its external id and the Secret's keys, and signs every request with the role's", () =>
    Effect.gen(function* () {
      const { arrived, asked, open, opening } = yield* byRole([session("ASIAROLE", later)], [stored, stored])
      const store = yield* open
      yield* store.put(key("a"), [Buffer.from("x")])
      yield* store.put(key("b"), [Buffer.from("x")])
      assert.strictEqual(asked.length, 1, "one session for all requests")
      const form = new URLSearchParams(asked[0]?.body.toString())
      assert.deepStrictEqual(
        ["Action", "RoleArn", "ExternalId", "RoleSessionName", "DurationSeconds"].map((name) => form.get(name)),
        ["AssumeRole", roleArn, "team:kafka", "kafka-backup", "3600"]
      )
      assert.match(asked[0]?.headers.authorization ?? "", /Credential=AKIDEXAMPLE12345\/\d+\/eu-central-1\/sts\//u)
      for (const authorization of [opening(), ...arrived.map(({ headers }) => headers.authorization ?? "")]) {
        assert.match(authorization, /Credential=ASIAROLE\//u)
      }
      for (const { headers } of arrived) assert.strictEqual(headers["x-amz-security-token"], "token-of-ASIAROLE")
    })
  )

  it.live("asks anew when the session has ended", () =>
    Effect.gen(function* () {
      const { arrived, asked, open } = yield* byRole([session("FIRST", ended), session("SECOND", later)], [stored])
      const store = yield* open
      yield* store.put(key("a"), [Buffer.from("x")])
      assert.strictEqual(asked.length, 2)
      assert.match(arrived[0]?.headers.authorization ?? "", /Credential=SECOND\//u)
    })
  )

  it.live("says that the role was not given, to whom, and what its trust policy needs", () =>
    Effect.gen(function* () {
      const { open } = yield* byRole([denied])
      const error = yield* Effect.flip(open)
      assert.strictEqual(error.reason._tag, "StorageAuthenticationFailed")
      assert.include(error.message, `role ${roleArn} was not given to the credentials of Secret s3-credentials`)
      assert.include(error.advice, "sts:ExternalId is team:kafka")
    })
  )

  it.live("waits for a token service that is busy, as for the store", () =>
    Effect.gen(function* () {
      const { asked, open } = yield* byRole([refusing(503, "ServiceUnavailable"), session("ASIAROLE", later)])
      yield* open
      assert.strictEqual(asked.length, 2)
    })
  )

  it.live("asks the store's own address where a compatible store is named and no token service", () =>
    Effect.gen(function* () {
      const { target, arrived } = yield* scriptedS3([session("ASIAROLE", later), stored])
      const store = yield* S3ObjectStore.open({ ...target, assumeRole: { roleArn, sessionName: "nightly" } })
      yield* store.put(key("a"), [Buffer.from("x")])
      const form = new URLSearchParams(arrived[0]?.body.toString())
      assert.deepStrictEqual([form.get("RoleSessionName"), form.get("ExternalId")], ["nightly", null])
    })
  )
})
