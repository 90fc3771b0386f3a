import { assert, describe, it } from "@effect/vitest"
import { Redacted } from "effect"
import * as Failure from "../../../src/storage/azure/Failure.ts"
import type { AzureCredentials } from "../../../src/storage/StorageTarget.ts"

const now = Date.UTC(2026, 10, 23, 12)
const origin = (secret: string, key: string) => ({ secret, keys: [key] })
const withKey: AzureCredentials = {
  _tag: "AccountKey",
  accountKey: Redacted.make("k"),
  origin: origin("azure-credentials", "AZURE_STORAGE_KEY")
}
const withSas: AzureCredentials = {
  _tag: "SasToken",
  sasToken: Redacted.make("t"),
  origin: origin("azure-sas-credentials", "AZURE_SAS_TOKEN")
}
const workload: AzureCredentials = { _tag: "WorkloadIdentity" }
const place: Failure.ErrorContext = {
  operation: "put",
  location: "azure container backups of account kafkabackups",
  account: "kafkabackups",
  container: "backups",
  service: "https://kafkabackups.blob.core.windows.net",
  credentials: withKey,
  key: "set/a",
  secrets: ["the-secret"]
}

/** [what the service said, where, reason, a part of the advice] */
const table: ReadonlyArray<
  readonly [Partial<Failure.Facts>, Partial<Failure.ErrorContext>, ReturnType<typeof Failure.reason>["_tag"], string]
> = [
  [{ code: "BlobNotFound", status: 404 }, {}, "ObjectNotFound", ""],
  [{ code: "ContainerNotFound", status: 404 }, {}, "TargetMissing", "create container backups in account kafkabackups"],
  [{ code: "BlobAlreadyExists", status: 409 }, { ifAbsent: true }, "ObjectExists", ""],
  [{ code: "ConditionNotMet", status: 412 }, { ifAbsent: true }, "ObjectExists", ""],
  [{ code: "ConditionNotMet", status: 412 }, { operation: "read" }, "ContentMismatch", ""],
  [{ code: "UnauthorizedBlobOverwrite", status: 403 }, { ifAbsent: true, credentials: withSas }, "ObjectExists", ""],
  [
    { code: "UnauthorizedBlobOverwrite", status: 403 },
    { credentials: withSas },
    "StorageAuthorizationFailed",
    "c and w (create, write)"
  ],
  [{ code: "LeaseIdMissing", status: 412 }, { ifAbsent: true }, "StorageAuthorizationFailed", "lease"],
  [
    { code: "BlobImmutableDueToPolicy", status: 409 },
    { operation: "delete" },
    "StorageAuthorizationFailed",
    "retention of backups"
  ],
  [
    { code: "AuthenticationFailed", status: 403 },
    {},
    "StorageAuthenticationFailed",
    "Secret azure-credentials, key AZURE_STORAGE_KEY"
  ],
  [
    { code: "AuthenticationFailed", status: 403 },
    { credentials: withSas },
    "StorageAuthenticationFailed",
    "permissions racwdl"
  ],
  [
    { code: "KeyBasedAuthenticationNotPermitted", status: 403 },
    {},
    "StorageAuthenticationFailed",
    "key access must be allowed"
  ],
  [{ code: "AuthenticationFailed", status: 403, serverMillis: now + 3_600_000 }, {}, "Misconfigured", "clock"],
  [
    { code: "AuthenticationFailed", status: 403, serverMillis: now - 60_000 },
    {},
    "StorageAuthenticationFailed",
    "Secret"
  ],
  [
    { code: "AuthorizationPermissionMismatch", status: 403 },
    { credentials: workload },
    "StorageAuthorizationFailed",
    "Storage Blob Data Contributor on container backups"
  ],
  [
    { code: "AuthorizationPermissionMismatch", status: 403 },
    { credentials: withSas, operation: "delete" },
    "StorageAuthorizationFailed",
    "d (delete)"
  ],
  [{ code: "AuthorizationFailure", status: 403 }, {}, "StorageAuthorizationFailed", "network rule"],
  [
    { code: "AuthorizationFailure", status: 403, message: "Server failed to authenticate the request." },
    {},
    "StorageAuthenticationFailed",
    "Secret azure-credentials"
  ],
  [
    { code: "InvalidAuthenticationInfo", status: 401 },
    { credentials: workload },
    "StorageAuthenticationFailed",
    "azure.workload.identity/client-id"
  ],
  [
    { code: "AADSTS70021", status: 400 },
    { credentials: workload },
    "StorageAuthenticationFailed",
    "federated credential"
  ],
  [{ code: "AADSTS700024", status: 401 }, { credentials: workload }, "Misconfigured", "clock"],
  [{ code: "AADSTS90033", status: 400 }, { credentials: workload }, "StoreUnavailable", ""],
  [{ code: "AuthenticationError", status: 503 }, { credentials: workload }, "StoreUnavailable", ""],
  [
    { code: "CredentialUnavailableError" },
    { credentials: { _tag: "Platform" } },
    "StorageAuthenticationFailed",
    "AKS Workload Identity"
  ],
  [{ code: "ServerBusy", status: 503 }, {}, "StoreUnavailable", ""],
  [{ code: "TooManyRequests", status: 429 }, {}, "StoreUnavailable", ""],
  [{ code: "InvalidBlockList", status: 400 }, {}, "StoreUnavailable", ""],
  [{ code: "Md5Mismatch", status: 400 }, {}, "ContentMismatch", ""],
  [{ code: "BlobArchived", status: 409 }, { operation: "read" }, "Misconfigured", "rehydrate"],
  [{ code: "AccountIsDisabled", status: 403 }, {}, "TargetMissing", "portal"],
  [{ code: "RestError", transport: "ENOTFOUND" }, {}, "StoreUnavailable", ""],
  [{ code: "RestError", transport: "ECONNREFUSED" }, {}, "StoreUnavailable", ""],
  [{ code: "RestError", transport: "SELF_SIGNED_CERT_IN_CHAIN" }, {}, "Misconfigured", "NODE_EXTRA_CA_CERTS"],
  [{ code: "InvalidUri", status: 400 }, {}, "Misconfigured", "endpoint"],
  [{ code: "NoAnswer" }, {}, "StoreUnavailable", ""]
]

describe("Failures of Azure", () => {
  for (const [facts, at, tag, advice] of table) {
    const where = [facts.status, at.operation, at.credentials?._tag, facts.transport].filter(Boolean).join(", ")
    it(`are told apart: ${facts.code}${where === "" ? "" : ` (${where})`} is ${tag}`, () => {
      const reason = Failure.reason({ code: "", message: "", ...facts }, { ...place, ...at }, now)
      assert.strictEqual(reason._tag, tag)
      assert.include("advice" in reason ? reason.advice : "", advice)
    })
  }

  it("say of a SAS token that has ended when it did, whatever code the service chose", () => {
    const ended = { ...place, credentials: withSas, sasEndMillis: now - 1000 }
    const reason = Failure.reason({ code: "AuthenticationFailed", status: 403, message: "" }, ended, now)
    assert.include(reason.message, "expired at 2026-11-23T11:59:59.000Z")
    const later = Failure.reason(
      { code: "AuthenticationFailed", status: 403, message: "" },
      { ...ended, sasEndMillis: now + 1 },
      now
    )
    assert.notInclude(later.message, "expired at")
  })

  it("carry what the service said, on one line, without any secret and not without end", () => {
    const error = Object.assign(new Error(`with the-secret ${"x".repeat(5000)}\nRequestId:1\nTime:2`), {
      statusCode: 403,
      response: {
        headers: new Map([
          ["x-ms-error-code", "AuthorizationFailure"],
          ["x-ms-request-id", "r-1"]
        ])
      }
    })
    const { message } = Failure.from(error, place, now)
    assert.notInclude(message, "the-secret")
    assert.notInclude(message, "\n")
    assert.include(message, "AuthorizationFailure, HTTP 403, request r-1")
    assert.isBelow(message.length, 600)
  })

  it("carry the wait that the service asked for", () => {
    const error = Object.assign(new Error("busy"), {
      statusCode: 503,
      response: {
        headers: new Map([
          ["x-ms-error-code", "ServerBusy"],
          ["retry-after", "7"]
        ])
      }
    })
    const { reason } = Failure.from(error, place, now)
    assert.strictEqual(reason._tag === "StoreUnavailable" ? reason.retryAfterMillis : undefined, 7000)
  })

  it("name Microsoft Entra's own code", () => {
    const error = Object.assign(
      new Error("invalid_client: AADSTS7000222: The provided client secret keys are expired."),
      {
        name: "AuthenticationRequiredError"
      }
    )
    assert.strictEqual(Failure.facts(error, now).code, "AADSTS7000222")
  })
})
