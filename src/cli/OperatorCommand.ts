import { Context, Effect, Layer, Option } from "effect"
import { Command, Flag } from "effect/cli"
import { randomUUID } from "node:crypto"
import { hostname } from "node:os"
import { exitCodes } from "../outcome/ExitCodes.ts"
import { KubernetesApi } from "../kubernetes/KubernetesApi.ts"
import { RequestObserver } from "../kubernetes/RequestObserver.ts"
import type { JobSettings } from "../operator/jobs/JobSettings.ts"
import { OperatorMetrics } from "../telemetry/OperatorMetrics.ts"
import { version } from "../version.ts"
import * as Memory from "../worker/Memory.ts"
import * as ListenFailure from "./ListenFailure.ts"
import { namespaceName, oneWord } from "./NameFlags.ts"
import { listenAddress } from "./SharedFlags.ts"
import * as Shutdown from "./Shutdown.ts"
import { UsageError } from "./UsageError.ts"

/** The API server's client. The layer is built only when the command runs, since the client loads slowly. */
export const ClusterAccess = Context.Reference<{
  readonly layer: Layer.Layer<KubernetesApi, { readonly message: string }>
}>("kafka-backup/cli/ClusterAccess", {
  defaultValue: () => ({
    layer: Layer.effect(KubernetesApi, Effect.die(new Error("this program has no client for an API server")))
  })
})

const variable = (name: string): string | undefined => {
  const value = process.env[name]
  return value === undefined || value === "" ? undefined : value
}

const optional = (flag: Flag.Flag<string>) => flag.pipe(Flag.optional, Flag.map(Option.getOrUndefined))

/** The interval in milliseconds, or `off`; undefined for any other text. */
const checkInterval = (text: string): number | "off" | undefined => {
  if (text === "off") return text
  const [, amount = "", unit] = /^([1-9]\d{0,3})([mh])$/.exec(text) ?? []
  const millis = Number(amount) * (unit === "h" ? 3_600_000 : 60_000)
  return millis >= 600_000 && millis <= 168 * 3_600_000 ? millis : undefined
}

/** How many Jobs of a kind may be active, over all resources. */
const mostAtOnce = (what: "runs" | "drills" | "checks", usual: number, description: string) =>
  Flag.Int(`max-concurrent-${what}`).pipe(
    Flag.withMetavar("N"),
    Flag.withDefault(usual),
    Flag.filter(
      (n) => n >= 1,
      () => "must be 1 or more"
    ),
    Flag.withDescription(`${description} (default: ${usual})`)
  )

const flags = {
  image: Flag.String("image").pipe(
    Flag.withMetavar("IMAGE"),
    oneWord("an image"),
    Flag.withDescription(
      "image of the Jobs' pods; its entrypoint must be kafka-backup, as in the operator's own image (required)"
    )
  ),
  imagePullPolicy: Flag.Literals("image-pull-policy", ["Always", "IfNotPresent", "Never"]).pipe(
    Flag.withMetavar("POLICY"),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription("imagePullPolicy of the Jobs' pods (default: that of Kubernetes)")
  ),
  jobUser: Flag.String("job-user").pipe(
    Flag.withMetavar("UID"),
    Flag.filterMap(
      (text): Option.Option<number | "assigned"> => {
        if (text === "assigned") return Option.some(text)
        return /^[1-9]\d{0,9}$/.test(text) && Number(text) <= 2_147_483_647 ? Option.some(Number(text)) : Option.none()
      },
      () => "a user id from 1 to 2147483647, or assigned"
    ),
    Flag.optional,
    Flag.map(Option.getOrUndefined),
    Flag.withDescription(
      "user id of the Jobs' containers; assigned leaves the choice to the platform, as on OpenShift (default: 65532)"
    )
  ),
  listen: Flag.String("listen").pipe(
    Flag.withMetavar("ADDRESS"),
    Flag.withDefault(":8080"),
    listenAddress,
    Flag.withDescription("serve /metrics, /healthz and /readyz at ADDRESS (default: :8080)")
  ),
  ui: Flag.Boolean("ui").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "serve a page of all resources under /ui at the same ADDRESS, read-only and without a login: whoever reaches the port reads names and messages"
    )
  ),
  namespace: optional(Flag.String("namespace").pipe(namespaceName)).pipe(
    Flag.withMetavar("NAMESPACE"),
    Flag.withDescription("namespace of the operator's Lease (default: $POD_NAMESPACE)")
  ),
  identity: optional(Flag.String("identity").pipe(oneWord("a name"))).pipe(
    Flag.withMetavar("NAME"),
    Flag.withDescription("name of this replica in Events and in the Lease (default: $POD_NAME, else the host name)")
  ),
  watchNamespace: Flag.String("watch-namespace").pipe(
    Flag.withMetavar("NAMESPACE"),
    namespaceName,
    Flag.atLeast(0),
    Flag.withDescription(
      "watch the KafkaBackups of this namespace only; may be given several times (default: all namespaces)"
    )
  ),
  maxConcurrentRuns: mostAtOnce(
    "runs",
    10,
    "most runs at the same time, over all KafkaBackups; further runs wait, and namespaces take turns"
  ),
  maxConcurrentDrills: mostAtOnce(
    "drills",
    2,
    "most drills at the same time, over all KafkaBackups; they do not count as runs, and never make one wait"
  ),
  strimzi: Flag.Boolean("strimzi").pipe(
    Flag.withDefault(false),
    Flag.withDescription(
      "read Strimzi's Kafka and KafkaUser resources for strimziRef; takes the right to get them, as deploy/components/strimzi gives it"
    )
  ),
  maxConcurrentChecks: mostAtOnce(
    "checks",
    5,
    "most checks of what runs need at the same time, over all KafkaBackups; they do not count as runs, and never make one wait"
  ),
  checkInterval: Flag.String("check-interval").pipe(
    Flag.withMetavar("DURATION"),
    Flag.withDefault("6h"),
    Flag.filterMap(
      (text) => Option.fromUndefinedOr(checkInterval(text)),
      () => "a time such as 30m or 6h, from 10m to 168h, or off"
    ),
    Flag.withDescription(
      "check again what the runs of a KafkaBackup need when no run has succeeded for this long, such as 30m or 6h; with off only after an edit, by annotation, and after a failure (default: 6h)"
    )
  ),
  noLeaderElection: Flag.Boolean("no-leader-election").pipe(
    Flag.withDefault(false),
    Flag.withDescription("work without leader election: only for a single replica")
  )
}

/** Where the API server is, and with which login, is not known. */
const noAccess = ({ message }: { readonly message: string }) =>
  Layer.effect(
    KubernetesApi,
    Effect.fail(
      new UsageError({
        detail: message,
        advice:
          "outside of a cluster set KUBECONFIG to a kubeconfig with a current context, as for kubectl; in a pod give it " +
          "a service account with its token"
      })
    )
  )

/** Counts and times every request to the API server. */
const observer = Layer.effect(
  RequestObserver,
  Effect.map(OperatorMetrics, (metrics) => metrics.apiRequest)
)

export const operator = Command.make(
  "operator",
  flags,
  Effect.fnUntraced(function* (given) {
    const namespace = given.namespace ?? variable("POD_NAMESPACE")
    if (namespace === undefined && !given.noLeaderElection) {
      return yield* new UsageError({
        detail: "the namespace of the Lease for leader election is not known",
        advice: "give --namespace NAMESPACE or set POD_NAMESPACE; with a single replica, --no-leader-election is enough"
      })
    }
    // Loaded here, because the other commands do not need them.
    const [Operator, Reconciler, { PodProgress }, HealthServer, Metrics, EventLoopLag] = yield* Effect.promise(() =>
      Promise.all([
        import("../Operator.ts"),
        import("../operator/Reconciler.ts"),
        import("../operator/PodProgress.ts"),
        import("../operator/HealthServer.ts"),
        import("../telemetry/OperatorMetrics.ts"),
        import("../telemetry/EventLoopLag.ts")
      ])
    )
    Memory.frugalCollector()
    const instance = given.identity ?? variable("POD_NAME") ?? hostname()
    const jobs: JobSettings = {
      image: given.image,
      ...(given.imagePullPolicy === undefined ? {} : { imagePullPolicy: given.imagePullPolicy }),
      ...(given.jobUser === undefined ? {} : { user: given.jobUser }),
      ...(given.strimzi ? { strimzi: true } : {})
    }
    const access = yield* ClusterAccess
    const page = given.ui ? { namespace } : undefined
    const program = Layer.mergeAll(HealthServer.layer(given.listen, page), EventLoopLag.layer).pipe(
      Layer.provideMerge(
        Operator.layer({
          ...Reconciler.defaults,
          jobs,
          instance,
          maxConcurrentRuns: given.maxConcurrentRuns,
          maxConcurrentDrills: given.maxConcurrentDrills,
          maxConcurrentChecks: given.maxConcurrentChecks,
          checkEveryMillis: given.checkInterval === "off" ? undefined : given.checkInterval,
          ...(given.watchNamespace.length === 0 ? {} : { watchNamespaces: given.watchNamespace }),
          ...(namespace === undefined || given.noLeaderElection
            ? {}
            : {
                // Unique for this process: a pod's name stays the same when its container is restarted.
                election: { namespace, name: leaseName, identity: `${instance}_${randomUUID()}` }
              })
        })
      ),
      Layer.provide(Layer.mergeAll(access.layer.pipe(Layer.catch(noAccess)), PodProgress.http)),
      Layer.provide(observer),
      Layer.provide(Metrics.layer(version))
    )
    yield* Effect.logInfo("starting").pipe(
      Effect.annotateLogs({ version, instance, watching: given.watchNamespace.join(", ") || "all namespaces" })
    )
    const outcome = yield* Shutdown.Outcome
    // SIGTERM is the operator's ordinary end: a rollout or a drained node is not a failure.
    return yield* Layer.launch(program).pipe(
      Effect.catchTag("ServeError", ({ cause }) =>
        Effect.fail(ListenFailure.of(given.listen, cause, "127.0.0.1:8080"))
      ),
      Effect.onInterrupt(() => Effect.sync(() => void (outcome.exitCode = exitCodes.success)))
    )
  })
).pipe(
  Command.withDescription(
    "Run the operator: it starts the runs of KafkaBackups as Jobs, by schedule and trigger, and reports their status. " +
      "It runs in a cluster, or outside of one with a kubeconfig"
  ),
  Command.withShortDescription("Run the operator for the KafkaBackups of a cluster"),
  Command.withExamples([
    {
      command: "kafka-backup operator --image kafka-backup:dev --no-leader-election --listen 127.0.0.1:8080",
      description: "on a workstation, for the cluster of the kubeconfig"
    }
  ])
)

/** Name of the Lease that the replicas share. */
const leaseName = "kafka-backup-operator"
