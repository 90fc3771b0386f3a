/** Which role gives a right that is missing, so that an administrator can be asked for it by name. */

/** The request as the API server was asked: a verb of the port and a plural. */
export interface Wanted {
  readonly verb: string
  readonly plural: string
}

/** Verbs of the port by their name in RBAC. */
const rbacVerbs: Readonly<Record<string, string>> = {
  apply: "patch",
  replace: "update",
  remove: "delete"
}

const readingVerbs = new Set(["get", "list", "watch"])

const ofThisGroup = new Set(["kafkabackups", "kafkarestores", "kafkaoffsetresets", "kafkaoffsetrollbacks"])

/** `patch kafkabackups`. */
export const shown = ({ plural, verb }: Wanted): string => `${rbacVerbs[verb] ?? verb} ${plural}`

/** Of those who may make Jobs, and so mount every Secret of the namespace: a role that no other one contains. */
const commandsRole = "kafka-backup-commands"

/** `logs` gets a Job by its name; who lists Jobs is about to make one. */
const isOfCommands = ({ plural, verb }: Wanted): boolean => (plural === "jobs" && verb !== "get") || plural === "events"

/** The ClusterRole that holds the right, and the roles of Kubernetes that contain it. */
const roleOf = (wanted: Wanted): string => {
  const { plural, verb } = wanted
  if (isOfCommands(wanted)) return `ClusterRole ${commandsRole}, and in edit and admin of Kubernetes`
  const isRead = readingVerbs.has(verb)
  if (ofThisGroup.has(plural)) {
    return isRead
      ? "ClusterRole kafka-backup-view, which is part of view, edit and admin"
      : "ClusterRole kafka-backup-edit, which is part of edit and admin"
  }
  return isRead ? "ClusterRole view of Kubernetes" : "ClusterRole edit of Kubernetes"
}

/** The role to bind, for a command line. */
const boundRole = (wanted: Wanted): string => {
  const { plural, verb } = wanted
  if (isOfCommands(wanted)) return commandsRole
  const role = readingVerbs.has(verb) ? "view" : "edit"
  return ofThisGroup.has(plural) ? `kafka-backup-${role}` : role
}

/** Who can grant the right, and how. Without a namespace it is wanted in all of them. */
export const advice = (wanted: Wanted, namespace: string | undefined): string => {
  const role = boundRole(wanted)
  const [where, binding] =
    namespace === undefined
      ? ["an administrator of the cluster", `kubectl create clusterrolebinding NAME --clusterrole=${role} --user=USER`]
      : [
          `an administrator of namespace ${namespace}`,
          `kubectl create rolebinding NAME -n ${namespace} --clusterrole=${role} --user=USER`
        ]
  const narrower = namespace === undefined ? "; or name one namespace with -n" : ""
  return `the right to ${shown(wanted)} is in ${roleOf(wanted)}; ${where} grants it: ${binding}${narrower}`
}
