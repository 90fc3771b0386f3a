import { assert, describe, it } from "@effect/vitest"
import * as Address from "../../../src/storage/azure/Address.ts"

describe("The address of an Azure account", () => {
  it("is the public cloud's, unless an endpoint is given", () => {
    assert.strictEqual(Address.service({ accountName: "acct" }), "https://acct.blob.core.windows.net")
    const endpoint = "https://other.blob.core.usgovcloudapi.net/"
    assert.strictEqual(Address.service({ accountName: "acct", endpoint }), "https://other.blob.core.usgovcloudapi.net")
  })

  it("says where tokens come from: the environment first, then the cloud of the endpoint, then the public cloud", () => {
    const authority = (endpoint?: string, host?: string) =>
      Address.authority(
        { accountName: "acct", ...(endpoint === undefined ? {} : { endpoint }) },
        { AZURE_AUTHORITY_HOST: host }
      )
    assert.strictEqual(authority(), "https://login.microsoftonline.com")
    assert.strictEqual(authority("https://acct.blob.core.usgovcloudapi.net"), "https://login.microsoftonline.us")
    assert.strictEqual(authority("https://acct.blob.core.usgovcloudapi.net."), "https://login.microsoftonline.us")
    assert.strictEqual(authority("https://acct.blob.core.chinacloudapi.cn"), "https://login.chinacloudapi.cn")
    assert.strictEqual(authority("https://backups.example.org"), "https://login.microsoftonline.com")
    assert.strictEqual(
      authority("https://acct.blob.core.usgovcloudapi.net", "https://login.example.org/"),
      "https://login.example.org"
    )
  })
})
