import { randomUUID } from "node:crypto"
import { Effect, Redacted } from "effect"
import { objectStoreContract } from "../../contract/objectStore.ts"
import { fakeWebDav } from "./fakeWebDav.ts"
import * as WebDavObjectStore from "./WebDavObjectStore.ts"

objectStoreContract(
  "on a backend written by the guide",
  Effect.map(fakeWebDav("backups"), ({ address }) => {
    const space = randomUUID()
    return {
      open: (root) =>
        WebDavObjectStore.open({
          _tag: "WebDav",
          endpoint: address,
          collection: "backups",
          prefix: `${space}/${root}`,
          credentials: { token: Redacted.make("good-token"), origin: { secret: "webdav", keys: ["token"] } }
        })
    }
  })
)
