import { afterAll, assert, beforeAll, it } from "@effect/vitest"
import { Result } from "effect"
import type { JobSettings } from "../../src/operator/jobs/JobSettings.ts"
import * as DrillJob from "../../src/operator/drill/DrillJob.ts"
import * as PreflightJob from "../../src/operator/preflight/PreflightJob.ts"
import * as RestoreJob from "../../src/operator/restore/RestoreJob.ts"
import * as JobTemplate from "../../src/operator/jobs/JobTemplate.ts"
import * as MaintenanceJobs from "../../src/operator/jobs/MaintenanceJobs.ts"
import * as BackupRef from "../../src/resource/BackupRef.ts"
import * as KafkaRestore from "../../src/resource/KafkaRestore.ts"
import type * as RunCause from "../../src/schedule/RunCause.ts"
import * as Kubectl from "../harness/Kubectl.ts"
import { describeWith } from "../harness/services.ts"
import { backup, identity } from "../operator/jobs/fixtures.ts"
import { manifest, put } from "../resource/manifests.ts"
import * as Restores from "../resource/restoreManifests.ts"
import { type Json, root } from "./manifests.ts"
import { movedRights } from "./movedRights.ts"

/*
 * The admission policies of deploy/ on a real API server: what the operator's token may write, and that everything
 * that the operator itself writes is among it.
 */

const own = "admission-test-own"
const watched = "admission-test-watched"
const image = "example.com/backup:1"
const account = `system:serviceaccount:${own}:kafka-backup-operator`
const jobsPath = `/apis/batch/v1/namespaces/${watched}/jobs`
const backupsPath = `/apis/kafka.oso.sh/v1alpha1/namespaces/${watched}/kafkabackups`
const restoresPath = `/apis/kafka.oso.sh/v1alpha1/namespaces/${watched}/kafkarestores`

type Path = ReadonlyArray<string | number>

const settings: JobSettings = { image }
const inWatched = (resource = backup()) => ({ ...resource, metadata: { ...resource.metadata, namespace: watched } })

const runOf = (resource = backup(), more: Partial<JobSettings> = {}, trigger?: string): Json =>
  Result.getOrThrow(
    JobTemplate.forRun({
      backup: inWatched(resource),
      identity: {
        ...identity,
        owner: { ...identity.owner, namespace: watched },
        ...(trigger === undefined ? {} : { trigger })
      },
      cause: trigger === undefined ? "schedule" : "trigger",
      settings: { ...settings, ...more }
    })
  )

const maintenance = (make: typeof MaintenanceJobs.forPrune): Json =>
  Result.getOrThrow(make({ backup: inWatched(), key: "1", settings }))

const drillOf = (resource = backup(), cause: RunCause.RunCause = { _tag: "Slot", slotMillis: 0 }): Json =>
  Result.getOrThrow(DrillJob.make(inWatched(resource), cause, settings))

const checkOf = (): Json =>
  Result.getOrThrow(PreflightJob.make(inWatched(backup()), { key: ["generation", 3], isQuick: true }, settings))

const scratchCluster = {
  bootstrapServers: ["scratch:9092"],
  securityProtocol: "SASL_SSL",
  saslSecret: { name: "scratch", mechanism: "PLAIN" }
}

const restoreOf = (spec: unknown = Restores.fullSpec()): Json => {
  const metadata = { name: "whole-set", namespace: watched, uid: "1f2e", generation: 1 }
  const restore = Result.getOrThrow(KafkaRestore.fromJson({ ...Restores.manifest(spec), metadata }))
  const name = RestoreJob.nameOf({ ...metadata, annotations: undefined })
  return Result.getOrThrow(RestoreJob.make(BackupRef.restorable(restore)!, name, settings))
}

const azure = (key: string, value: unknown) =>
  [
    ["storage.storageType", "azure"],
    ["storage.azure", { accountName: "account", container: "container", [key]: value }]
  ] as const

/** Every kind of Job that the operator makes. */
const ours: ReadonlyArray<readonly [name: string, job: Json]> = [
  ["a run with everything set", runOf()],
  ["a run of a trigger", runOf(backup(), {}, "now")],
  ["a run under an assigned user", runOf(backup(), { user: "assigned" })],
  ["a run with a pull policy and another user", runOf(backup(), { imagePullPolicy: "Always", user: 1000 })],
  ["a run without any options", runOf(backup(["podTemplate", undefined], ["job", {}], ["resources", undefined]))],
  ["a run on a volume", runOf(backup(["storage.storageType", "pvc"]))],
  ["a run on Google Cloud", runOf(backup(["storage.storageType", "gcs"]))],
  ["a run on Azure with an account key", runOf(backup(...azure("credentialsSecret", { name: "key" })))],
  ["a run on Azure with a workload identity", runOf(backup(...azure("useWorkloadIdentity", true)))],
  [
    "a run without a Secret",
    runOf(
      backup(
        ["kafkaCluster", { bootstrapServers: ["kafka:9092"] }],
        ["storage", { storageType: "s3", s3: { bucket: "backups", region: "eu-west-1" } }]
      )
    )
  ],
  ["a run of two shards", runOf(backup(["job.parallelism", 2]))],
  ["a run of 64 shards", runOf(backup(["job.parallelism", 64]))],
  ["a prune", maintenance(MaintenanceJobs.forPrune)],
  ["a catalogue", maintenance(MaintenanceJobs.forCatalogue)],
  ["a clean-up", maintenance(MaintenanceJobs.forCleanup)],
  ["a check", checkOf()],
  ["a drill", drillOf()],
  ["a drill of the annotation", drillOf(backup(), { _tag: "Trigger", token: "now", firstSeenMillis: 0 })],
  ["a drill into another cluster", drillOf(backup(["drill", { schedule: "@weekly", targetCluster: scratchCluster }]))],
  ["a restore with everything set", restoreOf()],
  ["a restore without any options", restoreOf(Restores.bareSpec())],
  [
    "a restore from a volume",
    restoreOf({ ...Restores.bareSpec(), storage: { storageType: "pvc", pvc: { claimName: "backups" } } })
  ]
]

const template: Path = ["spec", "template"]
const pod: Path = [...template, "spec"]
const container: Path = [...pod, "containers", 0]
const containerSecurity = runOf()["spec"].template.spec.containers[0].securityContext
const volumes = (...more: ReadonlyArray<unknown>) => [...runOf()["spec"].template.spec.volumes, ...more]
const env = (variable: unknown) => [...runOf()["spec"].template.spec.containers[0].env, variable]

/** What a thief of the token would try: one change of a run's Job each, and the words of the refusal. */
const theirs: ReadonlyArray<readonly [attempt: string, path: Path, value: unknown, says: RegExp]> = [
  ["another image", [...container, "image"], "evil:1", /one container, backup, of image example\.com\/backup:1/],
  ["a second container", [...pod, "containers", 1], { name: "x", image }, /one container/],
  ["an init container", [...pod, "initContainers"], [{ name: "x", image }], /one container/],
  ["another command", [...container, "command"], ["sh"], /run, prune, list, restore, drill or check/],
  ["another subcommand", [...container, "args", 0], "export", /run, prune, list, restore, drill or check/],
  ["a manifest from elsewhere", [...container, "args", 2], "/etc/passwd", /run, prune, list, restore, drill or check/],
  [
    "a hook",
    [...container, "lifecycle"],
    { preStop: { exec: { command: ["sh"] } } },
    /run, prune, list, restore, drill or check/
  ],
  [
    "a probe",
    [...container, "livenessProbe"],
    { exec: { command: ["sh"] } },
    /run, prune, list, restore, drill or check/
  ],
  [
    "a Secret as a variable",
    [...container, "env"],
    env({ name: "TMPDIR", valueFrom: { secretKeyRef: { name: "s", key: "k" } } }),
    /environment variables/
  ],
  [
    "another variable",
    [...container, "env"],
    env({ name: "NODE_OPTIONS", value: "--import=x" }),
    /environment variables/
  ],
  [
    "variables of a Secret",
    [...container, "envFrom"],
    [{ secretRef: { name: "s" } }],
    /run, prune, list, restore, drill or check/
  ],
  ["the host's network", [...pod, "hostNetwork"], true, /access to the node/],
  ["the host's processes", [...pod, "hostPID"], true, /access to the node/],
  ["the host's IPC", [...pod, "hostIPC"], true, /access to the node/],
  ["a port of the host", [...container, "ports", 0, "hostPort"], 9090, /access to the node/],
  ["a node of its choice", [...pod, "nodeName"], "control-plane", /access to the node/],
  ["a runtime of its choice", [...pod, "runtimeClassName"], "weak", /access to the node/],
  ["a directory of the host", [...pod, "volumes"], volumes({ name: "x", hostPath: { path: "/" } }), /volume claims/],
  ["a whole Secret", [...pod, "volumes"], volumes({ name: "x", secret: { secretName: "s" } }), /volume claims/],
  ["a ConfigMap", [...pod, "volumes"], volumes({ name: "x", configMap: { name: "c" } }), /volume claims/],
  [
    "a driver's volume",
    [...pod, "volumes"],
    volumes({ name: "x", csi: { driver: "secrets-store.csi.k8s.io" } }),
    /volume claims/
  ],
  [
    "a token in a projected volume",
    [...pod, "volumes"],
    volumes({ name: "x", projected: { sources: [{ serviceAccountToken: { path: "token" } }] } }),
    /allowed-token-audiences/
  ],
  [
    "a token for whom it likes",
    [...pod, "volumes"],
    volumes({ name: "x", projected: { sources: [{ serviceAccountToken: { path: "token", audience: "kafka" } }] } }),
    /allowed-token-audiences/
  ],
  ["a token", [...pod, "automountServiceAccountToken"], true, /token for the API server/],
  ["the default token", [...pod, "automountServiceAccountToken"], undefined, /token for the API server/],
  ["root", [...pod, "securityContext", "runAsUser"], 0, /restricted Pod Security Standard/],
  ["perhaps root", [...pod, "securityContext", "runAsNonRoot"], undefined, /restricted Pod Security Standard/],
  ["root's group", [...pod, "securityContext", "fsGroup"], 0, /restricted Pod Security Standard/],
  ["further groups", [...pod, "securityContext", "supplementalGroups"], [0], /restricted Pod Security Standard/],
  ["no seccomp", [...pod, "securityContext", "seccompProfile"], undefined, /restricted Pod Security Standard/],
  ["no security context", [...pod, "securityContext"], undefined, /restricted Pod Security Standard/],
  [
    "privileges",
    [...container, "securityContext"],
    { ...containerSecurity, privileged: true, allowPrivilegeEscalation: true },
    /no privileges/
  ],
  ["a way to privileges", [...container, "securityContext", "allowPrivilegeEscalation"], undefined, /no privileges/],
  ["capabilities", [...container, "securityContext", "capabilities", "add"], ["SYS_ADMIN"], /no privileges/],
  ["default capabilities", [...container, "securityContext", "capabilities"], undefined, /no privileges/],
  ["a root of its own", [...container, "securityContext", "runAsUser"], 0, /no privileges/],
  ["a writable root", [...container, "securityContext", "readOnlyRootFilesystem"], false, /no privileges/],
  ["no confinement of the container", [...container, "securityContext"], undefined, /no privileges/],
  ["pods side by side", ["spec", "parallelism"], 100, /one pod at a time/],
  ["shards without an index", ["spec", "completions"], 2, /one pod at a time/],
  ["another label", ["metadata", "labels"], { app: "x" }, /its own labels/]
]

/** More than deploy/ gives: the operator's account may write KafkaRestores. */
const allowingRestores: ReadonlyArray<Json> = [
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "Role",
    metadata: { name: "admission-test-restores", namespace: watched },
    rules: [{ apiGroups: ["kafka.oso.sh"], resources: ["kafkarestores"], verbs: ["create", "patch"] }]
  },
  {
    apiVersion: "rbac.authorization.k8s.io/v1",
    kind: "RoleBinding",
    metadata: { name: "admission-test-restores", namespace: watched },
    roleRef: { apiGroup: "rbac.authorization.k8s.io", kind: "Role", name: "admission-test-restores" },
    subjects: [{ kind: "ServiceAccount", name: "kafka-backup-operator", namespace: own }]
  }
]

describeWith("apiserver", "the admission policies of deploy/", ({ apiserver }) => {
  let api: Kubectl.Proxy
  let rights: ReadonlyArray<Json>

  const apply = (...items: ReadonlyArray<Json>) =>
    Kubectl.succeed(
      apiserver,
      ["apply", "--server-side", "--force-conflicts", "-f", "-"],
      JSON.stringify({ apiVersion: "v1", kind: "List", items })
    )

  interface Answer {
    readonly status: number
    readonly message: string
  }

  const request = async (
    method: string,
    path: string,
    body: unknown,
    { as, type = "application/json" }: { readonly as?: string; readonly type?: string } = {}
  ): Promise<Answer> => {
    const response = await fetch(`${api.address}${path}`, {
      method,
      headers: { "content-type": type, ...(as === undefined ? {} : { "impersonate-user": as }) },
      body: JSON.stringify(body)
    })
    const answer = (await response.json()) as Json
    return { status: response.status, message: String(answer["message"] ?? "") }
  }
  const create = (job: unknown, as = account) => request("POST", `${jobsPath}?dryRun=All`, job, { as })
  const patch = (path: string, body: unknown, as = account) =>
    request("PATCH", `${path}?dryRun=All`, body, { as, type: "application/merge-patch+json" })

  const accepted = ({ message, status }: Answer, wanted: number) => assert.strictEqual(status, wanted, message)
  const refused = ({ message, status }: Answer, says: RegExp) => {
    assert.strictEqual(status, 403, message)
    assert.match(message, /ValidatingAdmissionPolicy/)
    assert.match(message, says)
  }

  const annotate = (annotations: Readonly<Record<string, string | null>>) =>
    Kubectl.succeed(apiserver, [
      "patch",
      "namespace",
      watched,
      "--type=merge",
      "-p",
      JSON.stringify({ metadata: { annotations } })
    ])

  /** The namespace reaches the policies by a watch, a moment after it was changed. */
  const eventually = async (ask: () => Promise<Answer>, done: (answer: Answer) => boolean): Promise<Answer> => {
    let answer = await ask()
    for (let tries = 0; !done(answer) && tries < 100; tries++) {
      await new Promise((resolve) => setTimeout(resolve, 100))
      answer = await ask()
    }
    return answer
  }

  beforeAll(async () => {
    for (const name of ["kafkabackup", "kafkarestore"]) {
      const file = `${root}crds/${name}.yaml`
      await Kubectl.succeed(apiserver, ["apply", "--server-side", "--force-conflicts", "-f", file])
      await Kubectl.established(apiserver, `crd/${name}s.kafka.oso.sh`)
    }
    await apply(...[own, watched].map((name) => ({ apiVersion: "v1", kind: "Namespace", metadata: { name } })), {
      apiVersion: "v1",
      kind: "ServiceAccount",
      metadata: { name: "kafka-backup-operator", namespace: own }
    })
    rights = await movedRights(apiserver, { overlay: "cluster-wide", own, watched, image })
    await apply(...rights)
    api = await Kubectl.proxy(apiserver)
    const evil = put(runOf(), [...container, "image"], "evil:1")
    // Rights and policies take effect a moment after they were written.
    const answer = await eventually(
      () => create(evil),
      ({ message }) => /ValidatingAdmissionPolicy/.test(message)
    )
    refused(answer, /of image/)
    await request("POST", backupsPath, { ...manifest(), metadata: { name: "kept", namespace: watched } })
    await request("POST", restoresPath, { ...Restores.manifest(), metadata: { name: "kept", namespace: watched } })
    await request("POST", jobsPath, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: { name: "of-others" },
      spec: { suspend: true, template: { spec: { restartPolicy: "Never", containers: [{ name: "x", image }] } } }
    })
    // Without its owner, which does not exist: the garbage collector would remove it.
    const { ownerReferences: _, ...metadata } = runOf()["metadata"]
    const mine = { ...runOf(), metadata: { ...metadata, name: "ours" }, spec: { ...runOf()["spec"], suspend: true } }
    await request("POST", jobsPath, mine)
  })

  afterAll(async () => {
    if (api === undefined) return
    await api.stop()
    for (const kind of ["jobs", "kafkabackups", "kafkarestores"])
      await Kubectl.run(apiserver, ["delete", kind, "--all", `--namespace=${watched}`, "--wait=false"])
    const items = JSON.stringify({ apiVersion: "v1", kind: "List", items: [...rights, ...allowingRestores] })
    await Kubectl.run(apiserver, ["delete", "--ignore-not-found", "-f", "-"], items)
    await annotate({
      "kafka.oso.sh/allowed-secrets": null,
      "kafka.oso.sh/allowed-service-accounts": null,
      "kafka.oso.sh/allowed-token-audiences": null
    })
  })

  it("are free of type errors, as the API server sees them", async () => {
    const policies = rights.filter(({ kind }) => kind === "ValidatingAdmissionPolicy")
    assert.lengthOf(policies, 3)
    for (const { metadata } of policies) {
      const name: string = metadata.name
      const read = async () =>
        JSON.parse(await Kubectl.succeed(apiserver, ["get", "validatingadmissionpolicy", name, "-o", "json"])) as Json
      let policy = await read()
      while (policy["status"]?.typeChecking === undefined) policy = await read()
      assert.deepStrictEqual(policy["status"].typeChecking, {}, name)
    }
  })

  it.each(ours)("let the operator create %s", async (_, job) => accepted(await create(job), 201))

  it.each(theirs)("refuse %s with the operator's token", async (_, path, value, says) =>
    refused(await create(put(runOf(), path, value)), says)
  )

  it("refuse shards of anything but a run, and more of them than a run may have", async () => {
    const shards = { completionMode: "Indexed", completions: 3, parallelism: 3 }
    const prune = maintenance(MaintenanceJobs.forPrune)
    refused(await create({ ...prune, spec: { ...prune["spec"], ...shards } }), /at most 64 for the shards of a run/)
    const many = runOf(backup(["job.parallelism", 64]))
    const more = { ...many, spec: { ...many["spec"], completions: 65, parallelism: 65 } }
    refused(await create(more), /at most 64 for the shards of a run/)
  })

  it("hold for the token itself", async () => {
    const token = (
      await Kubectl.succeed(apiserver, ["create", "token", "kafka-backup-operator", `--namespace=${own}`])
    ).trim()
    const evil = put(runOf(), [...pod, "volumes"], volumes({ name: "x", hostPath: { path: "/" } }))
    const args = ["create", "--dry-run=server", "-f", "-", `--token=${token}`]
    // The kubeconfig of these tests has a token, which the one on the command line replaces.
    const who = await Kubectl.succeed(apiserver, [
      "auth",
      "whoami",
      "-o",
      "jsonpath={.status.userInfo.username}",
      `--token=${token}`
    ])
    assert.strictEqual(who, account)
    const { code, stderr } = await Kubectl.run(apiserver, args, JSON.stringify(evil))
    assert.strictEqual(code, 1)
    assert.match(stderr, /ValidatingAdmissionPolicy .*volume claims/)
    assert.strictEqual((await Kubectl.run(apiserver, args, JSON.stringify(runOf()))).code, 0)
  })

  it("leave everybody else alone", async () => {
    const admin = await request("POST", `${jobsPath}?dryRun=All`, put(runOf(), [...container, "image"], "other:1"))
    accepted(admin, 201)
  })

  it("let the operator change and delete its own Jobs, and no other", async () => {
    const [mine, foreign] = [`${jobsPath}/ours`, `${jobsPath}/of-others`]
    accepted(await patch(mine, { spec: { ttlSecondsAfterFinished: 60 } }), 200)
    accepted(await request("DELETE", mine, { dryRun: ["All"] }, { as: account }), 200)
    refused(await patch(foreign, { spec: { ttlSecondsAfterFinished: 0 } }), /its own Jobs/)
    refused(
      await patch(foreign, { metadata: { labels: { "app.kubernetes.io/managed-by": "kafka-backup-operator" } } }),
      /its own Jobs/
    )
    refused(await request("DELETE", foreign, { dryRun: ["All"] }, { as: account }), /its own Jobs/)
    // Of a suspended Job the API server itself would let the scheduling part of the template be changed.
    refused(await patch(mine, { spec: { template: { spec: { nodeSelector: { a: "b" } } } } }), /pod template/)
  })

  it("let the operator set and remove its finalizer, and change nothing else of a KafkaBackup", async () => {
    const kept = `${backupsPath}/kept`
    accepted(await patch(kept, { metadata: { finalizers: ["kafka.oso.sh/cleanup"] } }), 200)
    const says = /finalizer kafka\.oso\.sh\/cleanup/
    refused(await patch(kept, { spec: { kafkaCluster: { bootstrapServers: ["evil:9092"] } } }), says)
    refused(await patch(kept, { spec: { kafkaCluster: { saslSecret: { name: "other" } } } }), says)
    refused(await patch(kept, { metadata: { annotations: { "kafka.oso.sh/trigger-backup": "1" } } }), says)
    refused(await patch(kept, { metadata: { labels: { a: "b" } } }), says)
    refused(await patch(kept, { metadata: { finalizers: ["example.com/stuck"] } }), says)
    accepted(
      await request(
        "PATCH",
        `${kept}/status?dryRun=All`,
        { status: { phase: "Running" } },
        {
          as: account,
          type: "application/merge-patch+json"
        }
      ),
      200
    )
  })

  it("let the operator report the status of a KafkaRestore, and create or change none", async () => {
    const kept = `${restoresPath}/kept`
    const report = { status: { phase: "Running", startedWriting: "2026-03-01T02:00:00Z" } }
    const type = "application/merge-patch+json"
    accepted(await request("PATCH", `${kept}/status?dryRun=All`, report, { as: account, type }), 200)
    // The roles of deploy/ give no right to do so; these policies hold for an account that has it.
    const says = /ValidatingAdmissionPolicy.*cleanup of a resource/
    await apply(...allowingRestores)
    const spec = { targetCluster: { bootstrapServers: ["evil:9092"] } }
    refused(
      await eventually(
        () => patch(kept, { spec }),
        ({ message }) => says.test(message)
      ),
      says
    )
    refused(await patch(kept, { spec: { storage: { s3: { credentialsSecret: { name: "other" } } } } }), says)
    refused(await patch(kept, { spec: { dryRun: true } }), says)
    refused(await patch(kept, { metadata: { labels: { a: "b" } } }), says)
    refused(await patch(kept, { metadata: { annotations: { a: "b" } } }), says)
    refused(await patch(kept, { metadata: { finalizers: ["example.com/stuck"] } }), says)
    const made = { ...Restores.manifest(), metadata: { name: "made", namespace: watched } }
    refused(await request("POST", `${restoresPath}?dryRun=All`, made, { as: account }), says)
  })

  it("hold a namespace to the Secrets and service accounts that it allows", async () => {
    const [secrets, accounts] = ["kafka.oso.sh/allowed-secrets", "kafka.oso.sh/allowed-service-accounts"]
    const isRefused = ({ status }: Answer) => status === 403
    const isAccepted = ({ status }: Answer) => status === 201
    await annotate({ [secrets]: "kafka-tls, kafka-credentials" })
    refused(await eventually(() => create(runOf()), isRefused), /allowed-secrets/)
    await annotate({ [secrets]: "kafka-tls, kafka-credentials, s3-credentials" })
    accepted(await eventually(() => create(runOf()), isAccepted), 201)
    await annotate({ [secrets]: "" })
    refused(await eventually(() => create(runOf()), isRefused), /allowed-secrets/)
    await annotate({ [secrets]: null, [accounts]: "default" })
    refused(
      await eventually(
        () => create(runOf()),
        ({ message }) => /allowed-service-accounts/.test(message)
      ),
      /allowed-service-accounts/
    )
    accepted(await create(runOf(backup(["podTemplate", undefined]))), 201)
    await annotate({ [accounts]: "default,backup" })
    accepted(await eventually(() => create(runOf()), isAccepted), 201)
    await annotate({ [accounts]: null })
  })

  it("give pods tokens of their service account for the audiences that the namespace allows", async () => {
    const allowed = "kafka.oso.sh/allowed-token-audiences"
    const withToken = (audience: string) => {
      const cluster = { bootstrapServers: ["kafka:9093"], securityProtocol: "SASL_SSL" }
      const sasl = { mechanism: "OAUTHBEARER", oauthBearer: { serviceAccountToken: { audience } } }
      return create(runOf(backup(["kafkaCluster", { ...cluster, sasl }])))
    }
    refused(await withToken("kafka"), /allowed-token-audiences/)
    await annotate({ [allowed]: "other, kafka" })
    accepted(
      await eventually(
        () => withToken("kafka"),
        ({ status }) => status === 201
      ),
      201
    )
    refused(await withToken("another"), /allowed-token-audiences/)
    await annotate({ [allowed]: null })
  })
})
