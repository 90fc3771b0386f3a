import { isIP } from "node:net"
import * as Address from "../cloud/Address.ts"
import * as KeyRules from "../KeyRules.ts"
import type { AzureTarget } from "../StorageTarget.ts"

const publicSuffix = "blob.core.windows.net"
const publicAuthority = "https://login.microsoftonline.com"

/** Where tokens of a sovereign cloud come from. Source: Microsoft Entra documentation, national clouds. */
const sovereignAuthorities: ReadonlyArray<readonly [suffix: string, authority: string]> = [
  [".core.usgovcloudapi.net", "https://login.microsoftonline.us"],
  [".core.chinacloudapi.cn", "https://login.chinacloudapi.cn"]
]

/** Address of the account's blob service, without a slash at its end. */
export const service = ({ accountName, endpoint }: Pick<AzureTarget, "accountName" | "endpoint">): string =>
  (endpoint ?? `https://${accountName}.${publicSuffix}`).replace(/\/+$/u, "")

/**
 * Where tokens for this account are asked for: what the environment says (AKS injects AZURE_AUTHORITY_HOST), else what
 * belongs to the endpoint's cloud, else the public cloud's.
 */
export const authority = (
  target: Pick<AzureTarget, "accountName" | "endpoint">,
  env: { readonly AZURE_AUTHORITY_HOST?: string | undefined }
): string => {
  if (env.AZURE_AUTHORITY_HOST) return env.AZURE_AUTHORITY_HOST.replace(/\/+$/u, "")
  const host = new URL(service(target)).hostname.replace(/[.]$/u, "")
  return sovereignAuthorities.find(([suffix]) => host.endsWith(suffix))?.[1] ?? publicAuthority
}

/** Why the target cannot be opened as configured, before any request is made. */
export const refusal = (target: AzureTarget): string | undefined => {
  if (!/^[a-z0-9]{3,24}$/u.test(target.accountName)) {
    return `account ${KeyRules.shown(target.accountName)}: the name of a storage account has 3 to 24 lower-case letters and digits`
  }
  const { container } = target
  if (container.length < 3 || container.length > 63 || !/^[a-z0-9](-?[a-z0-9])+$/u.test(container)) {
    return `container ${KeyRules.shown(container)}: the name of a container has 3 to 63 lower-case letters, digits and single dashes`
  }
  const refused = Address.prefixRefusal(Address.prefixOf(target))
  if (refused !== undefined || target.endpoint === undefined) return refused
  const unusable = Address.endpointRefusal(target.endpoint)
  if (unusable !== undefined) return unusable
  const url = new URL(target.endpoint)
  const host = url.hostname.replace(/^\[|\]$/gu, "")
  if (url.pathname === "/" && (isIP(host) !== 0 || host === "localhost")) {
    return `the endpoint does not name the account: write ${url.origin}/${target.accountName}`
  }
  // The SDK would refuse it too, with less to go by. Account keys and SAS tokens work over plain HTTP, as emulators
  // want.
  const usesTokens = !["AccountKey", "SasToken"].includes(target.credentials._tag)
  return usesTokens && url.protocol === "http:" ? "a token is only sent over https" : undefined
}

/** For people: `azure container kafka-backups of account kafkabackups123456, prefix production/hourly`. */
export const location = (target: AzureTarget): string => {
  const prefix = Address.prefixOf(target)
  return `azure container ${target.container} of account ${target.accountName}${prefix === "" ? "" : `, prefix ${prefix}`}`
}
