import { Effect } from "effect"
import type { AccessChanging, AccessReading, Acl, Acls, Quota } from "../AccessRules.ts"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaAuthorizationFailed, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import { chunks } from "./chunks.ts"
import * as Cluster from "./Cluster.ts"
import * as ClientQuotas from "./protocol/ClientQuotas.ts"
import * as CreateAcls from "./protocol/CreateAcls.ts"
import * as DescribeAcls from "./protocol/DescribeAcls.ts"
import * as DescribeScramUsers from "./protocol/DescribeScramUsers.ts"

/** ACLs or quotas in one request: a controller takes no more than 10,000 changes at once. */
const perRequest = 500

interface Refusal {
  readonly errorCode: number
  readonly detail: string | undefined
}

const refused = (what: string, missing: string, { detail, errorCode }: Refusal): KafkaReason =>
  errorCode === ErrorCode.clusterAuthorizationFailed
    ? new KafkaAuthorizationFailed({ resource: "cluster", missing })
    : new ProtocolFailure({
        detail: `${what}: the broker answered with error code ${errorCode}${detail === undefined ? "" : `: ${detail}`}`,
        code: errorCode,
        transient: errorCode === ErrorCode.requestTimedOut || errorCode === ErrorCode.notController
      })

/** Who may do what, as any broker knows it. */
export const reading = ({ brokers }: Pick<Cluster.Cluster, "brokers">): AccessReading => {
  const ofResource = (resource: Acl["resource"]) =>
    brokers.askAny(DescribeAcls.api, (version) => DescribeAcls.call(resource, version))

  const acls = Effect.gen(function* () {
    const answers = [yield* ofResource("topic"), yield* ofResource("group")]
    for (const answer of answers) {
      if (answer.errorCode === ErrorCode.securityDisabled) return { _tag: "NoAuthorizer" } satisfies Acls as Acls
      if (answer.errorCode !== ErrorCode.none) return yield* Effect.fail(refused("listing ACLs", "Describe", answer))
    }
    const unknown = answers.reduce((sum, answer) => sum + answer.unknown, 0)
    return { _tag: "Acls", acls: answers.flatMap((answer) => answer.acls), unknown } satisfies Acls as Acls
  })

  const scramUsers = Effect.gen(function* () {
    const answer = yield* brokers.askAny(DescribeScramUsers.api, DescribeScramUsers.call)
    if (answer.errorCode === ErrorCode.none) return answer.users
    return yield* Effect.fail(refused("listing users with SCRAM passwords", "Describe", answer))
  })

  const quotas = Effect.gen(function* () {
    const answer = yield* brokers.askAny(ClientQuotas.describeApi, ClientQuotas.describe)
    if (answer.errorCode === ErrorCode.none) return answer.quotas
    return yield* Effect.fail(refused("listing client quotas", "DescribeConfigs", answer))
  })

  const failing = Effect.mapError(Cluster.failing("access"))
  return { acls: failing(acls), scramUsers: failing(scramUsers), quotas: failing(quotas) }
}

/** The same, with what changes it. Any broker takes ACLs; quotas go to the controller, as before KRaft they must. */
export const changing = (cluster: Pick<Cluster.Cluster, "brokers" | "controller">): AccessChanging => {
  const { brokers, controller } = cluster

  const alter = (quotas: ReadonlyArray<Quota>, validateOnly: boolean) =>
    Effect.gen(function* () {
      const node = yield* controller
      const answer = yield* brokers.ask(node, ClientQuotas.alterApi, (version) =>
        ClientQuotas.alter(quotas, validateOnly, version)
      )
      return answer?.value ?? quotas.map(() => ({ errorCode: ErrorCode.notController, detail: undefined }))
    })

  return {
    ...reading(cluster),
    mayCreateAcls: brokers.askAny(CreateAcls.api, CreateAcls.question).pipe(
      Effect.map((code) => code !== ErrorCode.clusterAuthorizationFailed),
      Effect.mapError(Cluster.failing("access"))
    ),
    createAcls: (acls) =>
      Effect.forEach(chunks(acls, perRequest), (some) =>
        brokers.askAny(CreateAcls.api, (version) => CreateAcls.call(some, version))
      ).pipe(
        Effect.map((answers) => answers.flat()),
        Effect.mapError(Cluster.failing("access"))
      ),
    alterQuotas: (quotas, { validateOnly = false } = {}) =>
      Effect.forEach(chunks(quotas, perRequest), (some) => alter(some, validateOnly)).pipe(
        Effect.map((answers) => answers.flat()),
        Effect.mapError(Cluster.failing("access"))
      )
  }
}
