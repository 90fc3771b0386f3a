import { Clock, Context, Effect, Layer, Option, Schema } from "effect"
import type { Pod } from "../kubernetes/Objects.ts"
import { ResolvedBackup } from "../outcome/RestoreSummary.ts"
import type { RunProgressFacts } from "../status/Facts.ts"
import type { RestoreProgressFacts } from "../status/restore/RestoreFacts.ts"
import { metricsPort } from "./jobs/JobSettings.ts"

/** Reads how far the run in a pod is. Nothing depends on it: a pod that does not answer has no progress. */
export class PodProgress extends Context.Service<
  PodProgress,
  {
    readonly read: (pod: Pod) => Effect.Effect<Option.Option<RunProgressFacts>>
    /** The same of the pod of a restore. */
    readonly readRestore: (pod: Pod) => Effect.Effect<Option.Option<RestoreProgressFacts>>
  }
>()("kafka-backup/operator/PodProgress") {
  /** Asks the pod itself, at its IP address. */
  static readonly http = Layer.succeed(PodProgress, {
    read: (pod) => answer(pod, fromJson),
    readRestore: (pod) => answer(pod, restoreFromJson)
  })
}

const answer = <A>(
  pod: Pod,
  decode: (json: unknown, nowMillis: number) => Option.Option<A>
): Effect.Effect<Option.Option<A>> => {
  const address = pod.status?.podIP
  if (address === undefined || pod.status?.phase !== "Running") return Effect.succeedNone
  const host = address.includes(":") ? `[${address}]` : address
  return Effect.tryPromise((signal) => ask(`http://${host}:${metricsPort}/progress`, signal)).pipe(
    Effect.timeout(patienceMillis),
    Effect.flatMap((json) => Effect.map(Clock.currentTimeMillis, (now) => decode(json, now))),
    Effect.catch(() => Effect.succeedNone)
  )
}

/** An answer takes less than a kilobyte. Whoever may make pods in a namespace decides what comes from one. */
const mostBytes = 64 * 1024

/** JSON of the pod itself: from nowhere else, wherever it redirects to, and no more than that. */
const ask = async (url: string, signal: AbortSignal): Promise<unknown> => {
  const response = await fetch(url, { signal, redirect: "error" })
  const chunks: Array<Uint8Array> = []
  let size = 0
  for await (const chunk of response.body ?? []) {
    size += chunk.length
    if (size > mostBytes) throw new Error(`the answer has more than ${mostBytes} bytes`)
    chunks.push(chunk)
  }
  return JSON.parse(Buffer.concat(chunks).toString())
}

/** How `progress.message` begins while the pod waits for a Secret. */
export const awaitedPrefix = "waiting for a Secret: "

/** How long a reconcile waits for the pod. */
const patienceMillis = 2_000

const Answer = Schema.Struct({
  shard: Schema.optionalKey(
    Schema.Struct({
      index: Schema.Int,
      of: Schema.Int,
      run: Schema.Struct({ partitions: Schema.Int, offsets: Schema.Int })
    })
  ),
  offsetsDone: Schema.optionalKey(Schema.Int),
  backupId: Schema.optionalKey(Schema.String),
  step: Schema.String,
  partitions: Schema.Int,
  partitionsDone: Schema.Int,
  offsets: Schema.Int,
  records: Schema.Int,
  storedBytes: Schema.Int,
  percent: Schema.NullOr(Schema.Finite),
  awaited: Schema.optionalKey(Schema.String),
  outage: Schema.optionalKey(Schema.Struct({ target: Schema.String, cause: Schema.String, sinceMillis: Schema.Int }))
})

/** What a run serves under `/progress`, as the status shows it; none where the answer is something else. */
export const fromJson = (json: unknown, nowMillis: number): Option.Option<RunProgressFacts> =>
  Option.map(Schema.decodeUnknownOption(Answer)(json), (answer) => ({
    partitionsTotal: answer.partitions,
    partitionsDone: answer.partitionsDone,
    ...(answer.percent === null
      ? {}
      : { recordsTotal: answer.offsets, percent: Math.floor(answer.percent), ...doneOf(answer) }),
    records: answer.records,
    bytes: answer.storedBytes,
    message:
      answer.awaited !== undefined
        ? `${awaitedPrefix}${answer.awaited}`
        : answer.outage === undefined
          ? answer.step
          : `paused: ${answer.outage.target} does not answer (${answer.outage.cause})`,
    ...(answer.outage === undefined ? {} : { outage: answer.outage }),
    ...(answer.backupId === undefined ? {} : { backupId: answer.backupId }),
    ...(answer.shard === undefined ? {} : { shard: { ...answer.shard, offsetsDone: answer.offsetsDone ?? 0 } }),
    updatedMillis: nowMillis
  }))

const doneOf = ({ offsetsDone }: typeof Answer.Type) => (offsetsDone === undefined ? {} : { offsetsDone })

const RestoreAnswer = Schema.Struct({
  step: Schema.String,
  records: Schema.Int,
  bytes: Schema.Int,
  partitionsDone: Schema.Int,
  partitions: Schema.Int,
  percent: Schema.NullOr(Schema.Finite),
  startedWritingMillis: Schema.optionalKey(Schema.Int),
  awaited: Schema.optionalKey(Schema.String),
  resolved: Schema.optionalKey(ResolvedBackup)
})

/** What a restore serves under `/progress`; none where the answer is something else. */
export const restoreFromJson = (json: unknown, nowMillis: number): Option.Option<RestoreProgressFacts> =>
  Option.map(Schema.decodeUnknownOption(RestoreAnswer)(json), ({ partitions, percent, ...answer }) => ({
    ...answer,
    partitionsTotal: partitions,
    ...(percent === null ? {} : { percent: Math.floor(percent) }),
    ...eta(percent, answer.startedWritingMillis, nowMillis),
    updatedMillis: nowMillis
  }))

/** An estimate says nothing before that share is written, in percent, and before that time, in milliseconds. */
const etaFrom = { percent: 1, millis: 10_000 }

/** When all records are written, if it goes on as it did since the attempt began to write. */
const eta = (percent: number | null, sinceMillis: number | undefined, nowMillis: number) => {
  if (percent === null || percent < etaFrom.percent || percent >= 100 || sinceMillis === undefined) return {}
  const elapsed = nowMillis - sinceMillis
  return elapsed < etaFrom.millis ? {} : { etaMillis: Math.round(nowMillis + (elapsed * (100 - percent)) / percent) }
}
