import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../../src/storage/gcs/Failure.ts"
import { Refused } from "../../../src/storage/gcs/Http.ts"

const account = {
  email: "backup@p.iam.gserviceaccount.com",
  origin: { secret: "gcs-credentials", keys: ["credentials.json"] }
}
const place: Failure.ErrorContext = {
  operation: "put",
  location: "gcs bucket kafka-backups",
  bucket: "kafka-backups",
  service: "https://storage.googleapis.com",
  account,
  key: "set/a",
  secrets: ["the-token"]
}
const { account: _account, ...pod } = place
const { key: _key, ...bucketOnly } = place

/** [what the service said, where, reason, a part of the advice] */
const table: ReadonlyArray<
  readonly [Partial<Failure.Facts>, Failure.ErrorContext, ReturnType<typeof Failure.reason>["_tag"], string]
> = [
  [{ code: "notFound", status: 404 }, place, "ObjectNotFound", ""],
  [{ code: "notFound", status: 404 }, bucketOnly, "TargetMissing", "create bucket kafka-backups"],
  [{ code: "conditionNotMet", status: 412 }, place, "ObjectExists", ""],
  [{ code: "conditionNotMet", status: 412 }, { ...place, operation: "read" }, "ContentMismatch", ""],
  [
    { code: "authError", status: 401 },
    place,
    "StorageAuthenticationFailed",
    "Secret gcs-credentials, key credentials.json"
  ],
  [{ code: "authError", status: 401 }, pod, "StorageAuthenticationFailed", "Workload Identity"],
  [{ code: "forbidden", status: 403 }, place, "StorageAuthorizationFailed", "storage.objects.create"],
  [
    { code: "forbidden", status: 403 },
    { ...place, operation: "delete" },
    "StorageAuthorizationFailed",
    "storage.objects.delete"
  ],
  [{ code: "rateLimitExceeded", status: 403 }, place, "StoreUnavailable", ""],
  [{ code: "rateLimitExceeded", status: 429 }, place, "StoreUnavailable", ""],
  [{ code: "backendError", status: 503 }, place, "StoreUnavailable", ""],
  [
    { code: "retentionPolicyNotMet", status: 403 },
    { ...place, operation: "delete" },
    "StorageAuthorizationFailed",
    "retention policy"
  ],
  [
    { code: "forbidden", status: 403, message: "Permission denied on Cloud KMS key" },
    place,
    "StorageAuthorizationFailed",
    "CryptoKey"
  ],
  [
    { code: "accountDisabled", status: 403, message: "The billing account is disabled" },
    place,
    "Misconfigured",
    "billing"
  ],
  [{ code: "UserProjectMissing", status: 400 }, place, "Misconfigured", "requester pays"],
  [{ code: "invalid", status: 400, message: "Provided MD5 hash doesn't match" }, place, "ContentMismatch", ""],
  [
    { code: "invalid_grant", status: 400, message: "Invalid JWT Signature." },
    { ...place, isToken: true },
    "StorageAuthenticationFailed",
    "key file"
  ],
  [
    {
      code: "invalid_grant",
      status: 400,
      message: "Token must be a short-lived token and in a reasonable timeframe. Check your iat and exp values"
    },
    { ...place, isToken: true },
    "Misconfigured",
    "clock"
  ],
  [
    { code: "Error", message: "Could not load the default credentials." },
    { ...pod, isToken: true },
    "StorageAuthenticationFailed",
    "Workload Identity"
  ],
  [{ code: "Error", status: 503 }, { ...pod, isToken: true }, "StoreUnavailable", ""],
  [{ code: "Error", transport: "ECONNREFUSED" }, { ...pod, isToken: true }, "StoreUnavailable", ""],
  [{ code: "Error", transport: "ENOTFOUND" }, place, "StoreUnavailable", ""],
  [{ code: "Error", transport: "CERT_HAS_EXPIRED" }, place, "Misconfigured", "NODE_EXTRA_CA_CERTS"],
  [{ code: "NoAnswer" }, place, "StoreUnavailable", ""],
  [{ code: "invalid", status: 400 }, place, "Misconfigured", "bucket"]
]

describe("Failures of Google Cloud Storage", () => {
  for (const [facts, at, tag, advice] of table) {
    const where = [facts.status, at.operation, at.isToken === true && "token", facts.transport]
      .filter(Boolean)
      .join(", ")
    it(`are told apart: ${facts.code} (${where}${facts.message === undefined ? "" : `: ${facts.message}`}) is ${tag}`, () => {
      const reason = Failure.reason({ code: "", message: "", ...facts }, at)
      assert.strictEqual(reason._tag, tag)
      assert.include("advice" in reason ? reason.advice : "", advice)
    })
  }

  it("carry Google's reason and message, without any token and not without end", () => {
    const message = `Bearer the-token ${"x".repeat(5000)}`
    const body = JSON.stringify({ error: { code: 403, message, errors: [{ reason: "forbidden", message }] } })
    const error = Failure.from(new Refused(403, {}, body), place, 0)
    assert.notInclude(error.message, "the-token")
    assert.include(error.message, "forbidden, HTTP 403")
    assert.isBelow(error.message.length, 600)
  })

  it("name the host that does not exist, also where it is the one that gives tokens", () => {
    const facts = { code: "Error", message: "getaddrinfo ENOTFOUND sts.example", transport: "ENOTFOUND" }
    const detail = (at: Failure.ErrorContext) => {
      const reason = Failure.reason(facts, at)
      return "detail" in reason ? reason.detail : ""
    }
    assert.include(detail(place), "no such host: storage.googleapis.com")
    assert.include(detail({ ...pod, isToken: true }), "no such host: getaddrinfo ENOTFOUND sts.example")
  })

  it("understand the token endpoint's own form of refusal", () => {
    const body = JSON.stringify({ error: "invalid_grant", error_description: "Invalid JWT Signature." })
    const facts = Failure.facts(new Refused(400, {}, body), 0)
    assert.strictEqual(facts.code, "invalid_grant")
    assert.strictEqual(facts.message, "Invalid JWT Signature.")
  })

  it("carry the wait that the server asked for, and show no page of HTML", () => {
    const facts = Failure.facts(new Refused(503, { "retry-after": "7" }, "<html>long page</html>"), 0)
    assert.strictEqual(facts.retryAfterMillis, 7000)
    assert.strictEqual(facts.message, "a web page answers")
  })
})
