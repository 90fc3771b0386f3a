/** Types of the kafkajs 2.2.4 modules that have none; only what `Internals.ts` uses. */
declare module "kafkajs/src/broker/index.js" {
  const Broker: new (options: Record<string, unknown>) => import("./Internals.ts").KafkaJsBroker
  export default Broker
}
declare module "kafkajs/src/network/connectionPool.js" {
  const ConnectionPool: new (options: Record<string, unknown>) => import("./Internals.ts").KafkaJsConnectionPool
  export default ConnectionPool
}
declare module "kafkajs/src/network/requestQueue/index.js" {
  const RequestQueue: { readonly prototype: import("./Internals.ts").KafkaJsRequestQueue }
  export default RequestQueue
}
declare module "kafkajs/src/loggers/index.js" {
  const loggers: {
    readonly createLogger: (options: { readonly level: number; readonly logCreator: () => () => void }) => unknown
  }
  export default loggers
}
