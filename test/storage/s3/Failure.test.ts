import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../../src/storage/s3/Failure.ts"

const place: Failure.ErrorContext = {
  operation: "put",
  location: "s3 bucket kafka-backups",
  bucket: "kafka-backups",
  region: "eu-central-1",
  endpoint: "https://store:9000",
  key: "set/manifest.json",
  origin: { secret: "s3-credentials", keys: ["accessKey", "secretKey"] },
  secrets: ["the-secret"]
}
const tagOf = (facts: Partial<Failure.Facts>, at: Failure.ErrorContext = place) =>
  Failure.reason({ code: "Unknown", message: "", ...facts }, at)._tag

describe("S3's refusals", () => {
  for (const [status, code, tag] of [
    [404, "NoSuchKey", "ObjectNotFound"],
    [404, "NoSuchBucket", "TargetMissing"],
    [404, "SomethingElse", "TargetMissing"],
    [412, "PreconditionFailed", "ObjectExists"],
    [403, "AccessDenied", "StorageAuthorizationFailed"],
    [403, "AllAccessDisabled", "StorageAuthorizationFailed"],
    [401, "Unauthorized", "StorageAuthenticationFailed"],
    [403, "InvalidAccessKeyId", "StorageAuthenticationFailed"],
    [403, "SignatureDoesNotMatch", "StorageAuthenticationFailed"],
    [400, "ExpiredToken", "StorageAuthenticationFailed"],
    [400, "InvalidToken", "StorageAuthenticationFailed"],
    [400, "AuthorizationHeaderMalformed", "StorageAuthenticationFailed"],
    [400, "KMS.DisabledException", "StorageAuthorizationFailed"],
    [301, "PermanentRedirect", "Misconfigured"],
    [307, "TemporaryRedirect", "Misconfigured"],
    [400, "IllegalLocationConstraintException", "Misconfigured"],
    [403, "RequestTimeTooSkewed", "Misconfigured"],
    [403, "InvalidObjectState", "Misconfigured"],
    [409, "ObjectParentIsFile", "Misconfigured"],
    [501, "NotImplemented", "Misconfigured"],
    [400, "BadDigest", "ContentMismatch"],
    [400, "XAmzContentChecksumMismatch", "ContentMismatch"],
    [400, "XAmzContentSHA256Mismatch", "ContentMismatch"],
    [507, "XMinioStorageFull", "OutOfSpace"],
    [400, "XMinioAdminBucketQuotaExceeded", "OutOfSpace"],
    [409, "ConditionalRequestConflict", "StoreUnavailable"],
    [409, "OperationAborted", "StoreUnavailable"],
    [400, "RequestTimeout", "StoreUnavailable"],
    [429, "TooManyRequests", "StoreUnavailable"],
    [503, "SlowDown", "StoreUnavailable"],
    [500, "InternalError", "StoreUnavailable"],
    [502, "BadGateway", "StoreUnavailable"]
  ] as const) {
    it(`${status} ${code} is ${tag}`, () => assert.strictEqual(tagOf({ status, code }), tag))
  }

  for (const [transport, tag] of [
    ["ECONNREFUSED", "StoreUnavailable"],
    ["ENOTFOUND", "StoreUnavailable"],
    ["ECONNRESET", "StoreUnavailable"],
    ["EPIPE", "StoreUnavailable"],
    ["ETIMEDOUT", "StoreUnavailable"],
    ["CERT_HAS_EXPIRED", "Misconfigured"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "Misconfigured"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "Misconfigured"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "Misconfigured"],
    ["EPROTO", "Misconfigured"]
  ] as const) {
    it(`no answer because of ${transport} is ${tag}`, () =>
      assert.strictEqual(tagOf({ code: "Error", transport }), tag))
  }

  const trust = { secret: "store-ca", key: "ca.pem", authorities: [{ subject: "CN=old", validToMillis: 1000 }] }
  for (const [transport, bare, named] of [
    ["SELF_SIGNED_CERT_IN_CHAIN", "set spec.storage.s3.caSecret", "into Secret store-ca, key ca.pem"],
    ["DEPTH_ZERO_SELF_SIGNED_CERT", "set spec.storage.s3.caSecret", "into Secret store-ca, key ca.pem"],
    ["UNABLE_TO_VERIFY_LEAF_SIGNATURE", "set spec.storage.s3.caSecret", "into Secret store-ca, key ca.pem"],
    ["CERT_HAS_EXPIRED", "renew the store's certificate", "in Secret store-ca, key ca.pem"],
    ["ERR_TLS_CERT_ALTNAME_INVALID", "a host name that the certificate lists", "in Secret store-ca, key ca.pem"],
    ["EPROTO", "write http:// in endpoint", "remove spec.storage.s3.caSecret"]
  ] as const) {
    it(`${transport} says what to change, and names the Secret of authorities where there is one`, () => {
      const advice = (at: Failure.ErrorContext) => {
        const reason = Failure.reason({ code: "Error", message: "", transport, nowMillis: 500 }, at)
        return reason._tag === "Misconfigured" ? reason.advice : reason._tag
      }
      assert.include(advice(place), bare)
      assert.include(advice({ ...place, trust }), named)
    })
  }

  it("name the authority that has ended", () => {
    const facts = { code: "Error", message: "", transport: "CERT_HAS_EXPIRED", nowMillis: 2000 }
    const reason = Failure.reason(facts, { ...place, trust })
    assert.include(reason.message, "the authority CN=old of Secret store-ca, key ca.pem")
  })

  it("tell TLS where plain HTTP was spoken", () => {
    const error = {
      name: "Error",
      $response: { statusCode: 400 },
      $responseBodyText: "Client sent an HTTP request to an HTTPS server.\n"
    }
    const { reason } = Failure.from(error, { ...place, endpoint: "http://store:9000" }, 0)
    assert.include(reason._tag === "Misconfigured" ? reason.advice : "", "write https:// in endpoint")
  })

  it("412 while reading means that the content changed", () =>
    assert.strictEqual(tagOf({ status: 412 }, { ...place, operation: "read" }), "ContentMismatch"))

  it("name the role of the pod where there are no static keys", () => {
    const { origin: _, ...roleOnly } = place
    const reason = Failure.reason(
      { code: "CredentialsProviderError", message: "Could not load credentials from any providers" },
      roleOnly
    )
    assert.strictEqual(reason._tag, "StorageAuthenticationFailed")
    assert.include(reason._tag === "StorageAuthenticationFailed" ? reason.advice : "", "IRSA")
  })

  it("carry what the server said, without any credential and not without end", () => {
    const reason = Failure.reason(
      { code: "AccessDenied", status: 403, message: `the-secret ${"x".repeat(5000)}`, requestId: "r-1" },
      place
    )
    assert.notInclude(reason.message, "the-secret")
    assert.include(reason.message, "request r-1")
    assert.isBelow(reason.message.length, 500)
  })

  it("carry the wait that the server asked for, in seconds or as a date", () => {
    const error = (header: string) => ({
      name: "SlowDown",
      message: "",
      $metadata: { httpStatusCode: 503 },
      $response: { headers: { "retry-after": header } }
    })
    assert.strictEqual(Failure.facts(error("7"), 0).retryAfterMillis, 7000)
    assert.strictEqual(Failure.facts(error("Thu, 01 Jan 1970 00:01:00 GMT"), 20_000).retryAfterMillis, 40_000)
    assert.strictEqual(Failure.facts(error("Thu, 01 Jan 1970 00:01:00 GMT"), 90_000).retryAfterMillis, 0)
    assert.isUndefined(Failure.facts(error("soon"), 0).retryAfterMillis)
    const reason = Failure.from(error("7"), place, 0).reason
    assert.strictEqual(reason._tag === "StoreUnavailable" ? reason.retryAfterMillis : undefined, 7000)
  })
})
