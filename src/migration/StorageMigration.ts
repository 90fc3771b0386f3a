import { type Block, compact, same, without } from "./Block.ts"

/** A Secret whose keys have other names, or other defaults: they are written out. */
const keys = (block: Block | undefined, names: Readonly<Record<string, readonly [theirs: string, usual: string]>>) => {
  if (block === undefined) return undefined
  const found = Object.entries(names).map(([ours, [theirs, usual]]) => [ours, block.take(theirs) ?? usual])
  const secret = { name: block.take("name"), ...Object.fromEntries(found) }
  block.end()
  return compact(secret)
}

const s3 = (block: Block) => {
  const fields = same(block, "bucket", "region", "endpoint", "prefix")
  const credentialsSecret = keys(block.block("credentialsSecret"), {
    accessKeyKey: ["accessKeyIdKey", "AWS_ACCESS_KEY_ID"],
    secretKeyKey: ["secretAccessKeyKey", "AWS_SECRET_ACCESS_KEY"]
  })
  without(block, { allowHttp: ["is not needed: an endpoint that begins with http:// is used without TLS", false] })
  const isPath = block.take("pathStyle")
  block.end()
  return compact({
    ...fields,
    credentialsSecret,
    addressingStyle: typeof isPath === "boolean" ? (isPath ? "path" : "virtual") : isPath
  })
}

const azure = (block: Block) => {
  const fields = same(block, "accountName", "container", "prefix", "endpoint", "useWorkloadIdentity")
  const secrets = {
    credentialsSecret: keys(block.block("credentialsSecret"), {
      accountKeyKey: ["accountKeyKey", "AZURE_STORAGE_KEY"]
    }),
    sasTokenSecret: keys(block.block("sasTokenSecret"), { sasTokenKey: ["sasTokenKey", "AZURE_SAS_TOKEN"] }),
    servicePrincipalSecret: keys(block.block("servicePrincipalSecret"), {
      clientIdKey: ["clientIdKey", "AZURE_CLIENT_ID"],
      tenantIdKey: ["tenantIdKey", "AZURE_TENANT_ID"],
      clientSecretKey: ["clientSecretKey", "AZURE_CLIENT_SECRET"]
    })
  }
  block.end()
  return compact({ ...fields, ...secrets })
}

const gcs = (block: Block) => {
  const fields = same(block, "bucket", "prefix")
  const credentialsSecret = keys(block.block("credentialsSecret"), {
    key: ["serviceAccountJsonKey", "SERVICE_ACCOUNT_JSON"]
  })
  block.end()
  return compact({ ...fields, credentialsSecret })
}

const pvc = (block: Block) => {
  const fields = same(block, "claimName", "subPath")
  block.note(
    "claimName",
    "was a claim in the namespace of the operator, mounted below /data. Here it is a claim in the namespace of the resource, which the Jobs mount: create it there"
  )
  without(block, { create: ["has no counterpart: create the claim yourself"] })
  block.end()
  return compact(fields)
}

/** Where the backups lie: other names of the keys of Secrets. */
export const storage = (block: Block) => {
  const blocks = {
    s3: block.block("s3"),
    azure: block.block("azure"),
    gcs: block.block("gcs"),
    pvc: block.block("pvc")
  }
  const storageType = block.take("storageType") ?? "pvc"
  block.end()
  return compact({
    storageType,
    s3: blocks.s3 && s3(blocks.s3),
    azure: blocks.azure && azure(blocks.azure),
    gcs: blocks.gcs && gcs(blocks.gcs),
    pvc: blocks.pvc && pvc(blocks.pvc)
  })
}
