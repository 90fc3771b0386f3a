import { graph, number, type Plan } from "./Panels.ts"
import { of, quantile, rate } from "./Query.ts"

/** The operator itself, of all namespaces: the choice of resources does not matter here. */
export const operatorHealth: ReadonlyArray<Plan> = [
  number({
    title: "Leaders",
    description:
      "Replicas that lead. Should be 1. 0: no backup starts; read the Lease and the log. Runbook: KafkaBackupOperatorWithoutLeader.",
    queries: [{ expr: `sum(${of("leader")})` }],
    from: [
      [0, "red"],
      [1, "green"],
      [2, "orange"]
    ],
    width: 6
  }),
  number({
    title: "Replicas",
    description: "Replicas that answer scrapes. 2 in deploy/. Runbook: KafkaBackupOperatorDown.",
    queries: [{ expr: `count(${of("build_info")})` }],
    from: [
      [0, "red"],
      [1, "orange"],
      [2, "green"]
    ],
    width: 6
  }),
  number({
    title: "Versions",
    description: "Running versions. More than one outside of an upgrade: a replica was not replaced.",
    queries: [{ expr: `count by (version) (${of("build_info")})`, legend: "{{version}}" }],
    width: 6
  }),
  number({
    title: "Resources that wait",
    description: "Depth of the work queue. Above 0 for minutes: the API server is slow, or the process overloaded.",
    queries: [{ expr: `max(${of("work_queue_depth")})` }],
    width: 6
  }),
  graph({
    title: "Reconciles",
    description:
      "Per second, by result. retry: the API server rejects requests or does not answer. defect: an error of the operator, please report it. user_must_act: a resource that a person has to correct. Runbook: KafkaBackupOperatorFailing.",
    queries: [{ expr: rate("reconciles_total", ["result"]), legend: "{{result}}" }],
    unit: "ops"
  }),
  graph({
    title: "How long reconciles take",
    description: "99th percentile. Seconds: the API server is slow. Compare it with its answers below.",
    queries: [{ expr: quantile(0.99, "reconcile_duration_seconds", [], "$__rate_interval"), legend: "99 %" }],
    unit: "s"
  }),
  graph({
    title: "Event loop lag",
    description:
      "How late timers fire. Above 1 s the Lease may be lost: raise the CPU request, or the memory limit where garbage collection takes the time. Runbook: KafkaBackupOperatorSlow.",
    queries: [{ expr: `max by (statistic) (${of("event_loop_lag_seconds")})`, legend: "{{statistic}}" }],
    unit: "s",
    from: [[1, "red"]]
  }),
  graph({
    title: "Requests to the API server that fail",
    description:
      "Per second, by verb, kind and HTTP status. 403: apply the overlay again. 404: a definition is missing. 409: usual now and then. 429, 5xx, error: the API server is overloaded or down.",
    queries: [
      {
        expr: rate("api_requests_total", ["verb", "kind", "code"], { code: "[345]..|error" }),
        legend: "{{verb}} {{kind}} {{code}}"
      }
    ],
    unit: "reqps"
  }),
  graph({
    title: "Requests to the API server",
    description: "Per second, by verb. At rest there are only watches; a thousand resources with runs make some 10.",
    queries: [{ expr: rate("api_requests_total", ["verb"]), legend: "{{verb}}" }],
    unit: "reqps"
  }),
  graph({
    title: "How long the API server takes",
    description: "99th percentile, by verb; of a watch until its answer begins. Seconds: it is overloaded or far away.",
    queries: [
      { expr: quantile(0.99, "api_request_duration_seconds", ["verb"], "$__rate_interval"), legend: "{{verb}}" }
    ],
    unit: "s"
  }),
  graph({
    title: "Changes of the leader in a day",
    description:
      "Gains and losses of the lead, of all replicas. More than those of upgrades: look at the lag and the API server.",
    queries: [{ expr: `sum(increase(${of("leader_transitions_total")}[1d]))`, legend: "changes" }]
  }),
  graph({
    title: "Events not written in a day",
    description:
      "By reason. denied: the right to write Events is missing. rate_limited, queue_full: more than kubectl can use. Status and metrics have everything all the same.",
    queries: [{ expr: `sum by (reason) (increase(${of("events_dropped_total")}[1d]))`, legend: "{{reason}}" }]
  })
]
