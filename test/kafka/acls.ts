import type { Acl } from "../../src/kafka/AccessRules.ts"

/** An ACL as most clusters have many. */
export const aliceReadsOrders: Acl = {
  resource: "topic",
  name: "orders",
  pattern: "literal",
  principal: "User:alice",
  host: "*",
  operation: "Read",
  permission: "Allow"
}
