/** Types of the kafkajs 2.2.4 modules that have none; only what `internals.ts` uses. */
declare module "kafkajs/src/broker/index.js" {
  const Broker: new (options: Record<string, unknown>) => import("./internals.ts").KafkaJsBroker
  export default Broker
}
declare module "kafkajs/src/network/connectionPool.js" {
  const ConnectionPool: new (options: Record<string, unknown>) => import("./internals.ts").KafkaJsConnectionPool
  export default ConnectionPool
}
declare module "kafkajs/src/network/requestQueue/index.js" {
  const RequestQueue: { readonly prototype: import("./internals.ts").KafkaJsRequestQueue }
  export default RequestQueue
}
declare module "kafkajs/src/loggers/index.js" {
  const loggers: {
    readonly createLogger: (options: { readonly level: number; readonly logCreator: () => () => void }) => unknown
  }
  export default loggers
}
