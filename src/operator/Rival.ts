/** A replica that stands for election, or leads. */
export interface Replica {
  /** The pod's name, and a part of its own for each process. */
  readonly identity: string
  /** As `scopeOf` gives it; undefined where that is not known. */
  readonly scope: string | undefined
}

/** The namespaces that an operator watches as one text, the same for the same namespaces: `*` for all of them. */
export const scopeOf = (namespaces: ReadonlyArray<string> | undefined): string =>
  namespaces === undefined ? "*" : [...new Set(namespaces)].toSorted().join(",")

/** For people. */
export const inWords = (scope: string | undefined): string =>
  scope === undefined || scope === "*" ? "all namespaces" : `namespace ${scope.replaceAll(",", ", ")}`

/** Kubernetes takes these letters for names that it makes: rand.SafeEncodeString of k8s.io/apimachinery. */
const generated = /-[bcdfghjklmnpqrstvwxz2456789]{1,10}-[bcdfghjklmnpqrstvwxz2456789]{5}$/u

const deploymentOf = (identity: string): string => identity.replace(/_[0-9a-f-]{36}$/u, "").replace(generated, "")

/**
 * Whether the leader is another operator, which does not do this one's work: it watches other namespaces.
 * Replicas of one Deployment are never rivals, since an upgrade that changes the namespaces has both kinds for a while.
 */
export const isRival = (own: Replica, leader: Replica): boolean =>
  leader.scope !== undefined &&
  leader.scope !== own.scope &&
  deploymentOf(leader.identity) !== deploymentOf(own.identity)
