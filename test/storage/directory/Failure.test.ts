import { assert, describe, it } from "@effect/vitest"
import * as Failure from "../../../src/storage/directory/Failure.ts"
import type { Operation } from "../../../src/storage/ObjectStoreError.ts"

const said = (code: string, operation: Operation = "put") =>
  Failure.from(Object.assign(new Error(`${code}: said the kernel`), { code }), {
    operation,
    location: "directory /volumes/backups",
    key: "set/a"
  })

describe("the file system's refusals", () => {
  for (const [code, operation, tag] of [
    ["ENOSPC", "put", "OutOfSpace"],
    ["EDQUOT", "put", "OutOfSpace"],
    ["EROFS", "put", "StorageAuthorizationFailed"],
    ["EACCES", "open", "StorageAuthorizationFailed"],
    ["EPERM", "delete", "StorageAuthorizationFailed"],
    ["ENOENT", "get", "ObjectNotFound"],
    ["ENOTDIR", "head", "ObjectNotFound"],
    ["ENOENT", "list", "TargetMissing"],
    ["ENOENT", "open", "TargetMissing"],
    ["ENOTDIR", "put", "Misconfigured"],
    ["EISDIR", "put", "Misconfigured"],
    ["ENAMETOOLONG", "put", "Misconfigured"],
    ["ELOOP", "get", "Misconfigured"],
    ["EIO", "read", "ContentMismatch"],
    ["EIO", "put", "StoreUnavailable"],
    ["ESTALE", "read", "StoreUnavailable"],
    ["EMFILE", "put", "StoreUnavailable"],
    ["ETIMEDOUT", "list", "StoreUnavailable"]
  ] as const) {
    it(`${code} at ${operation} is ${tag}`, () => assert.strictEqual(said(code, operation).reason._tag, tag))
  }

  it("tell a person what to change", () => {
    assert.include(said("EROFS").advice, "readOnly")
    assert.include(said("EACCES").advice, `let user ${process.getuid!()} read and write there`)
    assert.include(said("ENOSPC").advice, "free space")
  })
})
