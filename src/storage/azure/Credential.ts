import { readFile } from "node:fs/promises"
import type { TokenCredential } from "@azure/identity"
import type { StorageSharedKeyCredential } from "@azure/storage-blob"
import { Redacted } from "effect"
import { Misconfigured, StorageAuthenticationFailed } from "../ObjectStoreError.ts"
import type { AzureTarget } from "../StorageTarget.ts"
import * as Address from "./Address.ts"

/** What the environment of the pod may say; AKS Workload Identity injects all four. */
export interface Environment {
  readonly AZURE_FEDERATED_TOKEN_FILE?: string | undefined
  readonly AZURE_CLIENT_ID?: string | undefined
  readonly AZURE_TENANT_ID?: string | undefined
  readonly AZURE_AUTHORITY_HOST?: string | undefined
}

/** What the SDK is given: a credential, or a SAS token that goes into every address. */
export type Credential =
  | { readonly _tag: "Key"; readonly credential: StorageSharedKeyCredential }
  | { readonly _tag: "Token"; readonly credential: TokenCredential }
  | { readonly _tag: "Sas"; readonly query: string; readonly endMillis?: number }

const isSet = (env: Environment) =>
  Boolean(env.AZURE_FEDERATED_TOKEN_FILE && env.AZURE_CLIENT_ID && env.AZURE_TENANT_ID)

/** The token as it goes behind the `?` of an address: without one in front, and without blanks around it. */
const query = (token: string): string => token.trim().replace(/^\?/u, "")

/**
 * Strings that must not be quoted: whole secrets, and of a SAS token its signature, which servers and libraries echo.
 */
export const secrets = ({ credentials }: AzureTarget): ReadonlyArray<string> => {
  switch (credentials._tag) {
    case "AccountKey":
      return [Redacted.value(credentials.accountKey).trim()]
    case "SasToken": {
      const token = query(Redacted.value(credentials.sasToken))
      const encoded = /(?:^|&)sig=([^&]*)/u.exec(token)?.[1] ?? ""
      return [token, encoded, new URLSearchParams(token).get("sig") ?? ""]
    }
    case "ServicePrincipal":
      return [Redacted.value(credentials.clientSecret)]
    case "WorkloadIdentity":
    case "Platform":
      return []
  }
}

/** One request, no repetition of the library's own: how long to try is decided in one place. */
const once = { maxRetries: 0 } as const

/**
 * The credential of a target, or why it cannot be one. Loads the identity library only where tokens are needed; asks
 * for none yet.
 */
export const make = async (
  target: AzureTarget,
  sdk: typeof import("@azure/storage-blob"),
  env: Environment
): Promise<Credential | StorageAuthenticationFailed | Misconfigured> => {
  const { credentials } = target
  switch (credentials._tag) {
    case "AccountKey": {
      const key = Redacted.value(credentials.accountKey).trim()
      if (!/^[A-Za-z0-9+/]+={0,2}$/u.test(key)) {
        const detail = `Secret ${credentials.origin.secret}, key ${credentials.origin.keys[0]} is not an account key`
        const advice = "put one of the account's two keys there, as the portal shows it (base64, 88 characters)"
        return new StorageAuthenticationFailed({ detail, advice })
      }
      return { _tag: "Key", credential: new sdk.StorageSharedKeyCredential(target.accountName, key) }
    }
    case "SasToken": {
      const token = query(Redacted.value(credentials.sasToken))
      const parameters = new URLSearchParams(token)
      if (!parameters.has("sig") || token.includes("://")) {
        const detail = `Secret ${credentials.origin.secret}, key ${credentials.origin.keys[0]} is not a SAS token`
        const advice =
          "put the token alone there, the part behind the ? of the URL that the portal shows: sv=...&sig=..."
        return new StorageAuthenticationFailed({ detail, advice })
      }
      const endMillis = Date.parse(parameters.get("se") ?? "")
      return { _tag: "Sas", query: token, ...(Number.isNaN(endMillis) ? {} : { endMillis }) }
    }
    case "ServicePrincipal": {
      const identity = await import("@azure/identity")
      const { clientId, clientSecret, tenantId } = credentials
      return {
        _tag: "Token",
        credential: new identity.ClientSecretCredential(
          Redacted.value(tenantId).trim(),
          Redacted.value(clientId).trim(),
          Redacted.value(clientSecret),
          entra(target, env)
        )
      }
    }
    case "WorkloadIdentity":
      if (!isSet(env)) {
        const absent = (["AZURE_FEDERATED_TOKEN_FILE", "AZURE_CLIENT_ID", "AZURE_TENANT_ID"] as const).filter(
          (name) => !env[name]
        )
        return new Misconfigured({
          detail: `AKS Workload Identity did not prepare this pod: ${absent.join(", ")} not set`,
          advice:
            'enable Workload Identity on the cluster, name the federated service account in podTemplate.serviceAccountName, annotate it with azure.workload.identity/client-id, and give podTemplate.labels azure.workload.identity/use: "true"'
        })
      }
      return { _tag: "Token", credential: await workloadIdentity(target, env) }
    case "Platform": {
      if (isSet(env)) return { _tag: "Token", credential: await workloadIdentity(target, env) }
      const identity = await import("@azure/identity")
      return {
        _tag: "Token",
        credential: new identity.ManagedIdentityCredential({
          ...(env.AZURE_CLIENT_ID ? { clientId: env.AZURE_CLIENT_ID } : {}),
          retryOptions: once
        })
      }
    }
  }
}

/**
 * Authorities of sovereign and private clouds are not in the public list of instances, and are trusted as configured.
 */
const entra = (target: AzureTarget, env: Environment) => ({
  authorityHost: Address.authority(target, env),
  disableInstanceDiscovery: true,
  retryOptions: once
})

/**
 * The federated token is read anew whenever an access token is asked for: the kubelet replaces its file about hourly.
 */
const workloadIdentity = async (target: AzureTarget, env: Environment): Promise<TokenCredential> => {
  const identity = await import("@azure/identity")
  const file = env.AZURE_FEDERATED_TOKEN_FILE ?? ""
  return new identity.ClientAssertionCredential(
    env.AZURE_TENANT_ID ?? "",
    env.AZURE_CLIENT_ID ?? "",
    async () => (await readFile(file, "utf8")).trim(),
    entra(target, env)
  )
}
