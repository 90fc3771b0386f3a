import { type Block, compact, same, without } from "./Block.ts"

const tls = (block: Block) => {
  const { certKey, keyKey, ...rest } = same(block, "name", "caKey", "certKey", "keyKey")
  if (certKey === undefined && keyKey === undefined) {
    block.note(
      "",
      "had no client certificate. Here one is presented if the Secret has tls.crt and tls.key: remove them from it if the brokers must not see one"
    )
  }
  block.end()
  return compact({ ...rest, certKey, keyKey })
}

const authorities = (block: Block) => {
  const { caKey, name } = same(block, "name", "caKey")
  block.end()
  return compact({ name, key: caKey })
}

const sasl = (block: Block) => {
  const fields = same(block, "name", "mechanism", "usernameKey", "passwordKey")
  block.end()
  return compact(fields)
}

/** How the brokers are reached: the same but for what is tuned by itself here. */
export const cluster = (block: Block) => {
  const fields = same(block, "bootstrapServers", "securityProtocol")
  const secrets = {
    tlsSecret: block.block("tlsSecret"),
    caSecret: block.block("caSecret"),
    saslSecret: block.block("saslSecret")
  }
  without(block, { connection: ["has no counterpart: connections are tuned by the operator itself"] })
  block.end()
  return compact({
    ...fields,
    tlsSecret: secrets.tlsSecret && tls(secrets.tlsSecret),
    caSecret: secrets.caSecret && authorities(secrets.caSecret),
    saslSecret: secrets.saslSecret && sasl(secrets.saslSecret)
  })
}
