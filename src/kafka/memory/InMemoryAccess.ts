import { Effect } from "effect"
import {
  type AccessChanging,
  type AccessReading,
  type Acl,
  type Acls,
  keyOfAcl,
  keyOfQuota,
  type Quota,
  type ScramUser
} from "../AccessRules.ts"
import { ErrorCode } from "../ErrorCode.ts"
import * as Cluster from "./ClusterState.ts"

/* ACLs, users and quotas of a cluster in memory, with the permissions and the answers of a broker. */

/** A request that needs a permission on the cluster; `denied` is its name in `InMemoryCluster.deny`. */
const permitted = <A>(state: Cluster.ClusterState, denied: string, missing: string, answer: () => A) =>
  Effect.andThen(
    Cluster.applyFaults(state, "access", { operation: "metadata" }),
    Effect.suspend(() =>
      state.denied.has(denied) ? Effect.fail(Cluster.denied("access", "cluster", missing)) : Effect.succeed(answer())
    )
  )

export const accessReading = (state: Cluster.ClusterState): AccessReading => {
  const { access } = state
  return {
    acls: permitted(state, "DescribeCluster", "Describe", (): Acls =>
      access.hasAuthorizer ? { _tag: "Acls", acls: [...access.acls.values()], unknown: 0 } : { _tag: "NoAuthorizer" }
    ),
    scramUsers: permitted(state, "DescribeCluster", "Describe", () => [...access.users.values()]),
    quotas: permitted(state, "DescribeClusterConfigs", "DescribeConfigs", () => [...access.quotas.values()])
  }
}

const success = { errorCode: ErrorCode.none, detail: undefined }

export const accessChanging = (state: Cluster.ClusterState): AccessChanging => {
  const { access } = state
  const create = (acl: Acl) => {
    if (!access.hasAuthorizer) return { errorCode: ErrorCode.securityDisabled, detail: "no authorizer is configured" }
    if (state.denied.has("Alter")) return { errorCode: ErrorCode.clusterAuthorizationFailed, detail: undefined }
    access.acls.set(keyOfAcl(acl), acl)
    return success
  }
  return {
    ...accessReading(state),
    mayCreateAcls: Effect.sync(() => !state.denied.has("Alter")),
    createAcls: (acls) =>
      Effect.map(Cluster.applyFaults(state, "access", { operation: "metadata" }), (fault) =>
        acls.map((acl) => (fault?._tag === "Code" ? { errorCode: fault.code, detail: undefined } : create(acl)))
      ),
    alterQuotas: (quotas, { validateOnly = false } = {}) =>
      Effect.map(Cluster.applyFaults(state, "access", { operation: "metadata" }), (fault) =>
        quotas.map((quota) => {
          if (fault?._tag === "Code") return { errorCode: fault.code, detail: undefined }
          if (state.denied.has("AlterClusterConfigs")) {
            return { errorCode: ErrorCode.clusterAuthorizationFailed, detail: undefined }
          }
          const key = keyOfQuota(quota)
          const values = { ...access.quotas.get(key)?.values, ...quota.values }
          if (!validateOnly) access.quotas.set(key, { entity: quota.entity, values })
          return success
        })
      )
  }
}

/** What a test sets of them, without permissions. */
export interface AccessControls {
  /** ACLs that can be listed. What is refused here says `deny`. */
  readonly addAcls: (...acls: ReadonlyArray<Acl>) => Effect.Effect<void>
  readonly forgetAcls: Effect.Effect<void>
  readonly addScramUser: (user: ScramUser) => Effect.Effect<void>
  readonly setQuota: (quota: Quota) => Effect.Effect<void>
  /** The brokers have none, as by default in Kafka, and refuse to speak of ACLs. */
  readonly removeAuthorizer: Effect.Effect<void>
}

export const accessControls = ({ access }: Cluster.ClusterState): AccessControls => ({
  addAcls: (...acls) => Effect.sync(() => acls.forEach((acl) => access.acls.set(keyOfAcl(acl), acl))),
  forgetAcls: Effect.sync(() => access.acls.clear()),
  addScramUser: (user) => Effect.sync(() => void access.users.set(user.name, user)),
  setQuota: (quota) => Effect.sync(() => void access.quotas.set(keyOfQuota(quota), quota)),
  removeAuthorizer: Effect.sync(() => {
    access.hasAuthorizer = false
  })
})
