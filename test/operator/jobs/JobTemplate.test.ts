import { assert, describe, it } from "@effect/vitest"
import { Result } from "effect"
import * as ExitCode from "../../../src/outcome/ExitCodes.ts"
import { parseListenAddress } from "../../../src/cli/SharedFlags.ts"
import * as FailurePolicy from "../../../src/operator/jobs/FailurePolicy.ts"
import * as JobTemplate from "../../../src/operator/jobs/JobTemplate.ts"
import * as RunSpec from "../../../src/identity/RunSpec.ts"
import * as JobName from "../../../src/identity/JobName.ts"
import * as JobRules from "../../../src/kubernetes/memory/JobRules.ts"
import * as ManifestParser from "../../../src/resource/ManifestParser.ts"
import { manifest } from "../../resource/manifests.ts"
import { backup, identity, jobOf, settings, slot, uid } from "./fixtures.ts"

const podOf = (job: any) => job.spec.template.spec
const containerOf = (job: any) => podOf(job).containers[0]
const variable = (job: any, name: string) => containerOf(job).env.find((one: any) => one.name === name)

describe("the Job of a run", () => {
  it("is one pod of the restricted standard around one container, with every field where Kubernetes wants it", () => {
    const made = jobOf(backup())
    assert.deepStrictEqual(made, {
      apiVersion: "batch/v1",
      kind: "Job",
      metadata: {
        name: JobName.forRun(identity),
        namespace: "kafka-backup",
        labels: {
          "app.kubernetes.io/name": "kafka-backup",
          "app.kubernetes.io/managed-by": "kafka-backup-operator",
          "kafka.oso.sh/uid": uid,
          "kafka.oso.sh/name": "production-backup",
          "kafka.oso.sh/purpose": "run"
        },
        annotations: {
          "kafka.oso.sh/kafkabackup": "production-backup",
          "kafka.oso.sh/cause": "schedule",
          "kafka.oso.sh/slot": slot,
          "kafka.oso.sh/generation": "3",
          // PodDigest.test.ts
          "kafka.oso.sh/pod": made.metadata.annotations["kafka.oso.sh/pod"]
        },
        ownerReferences: [
          {
            apiVersion: "kafka.oso.sh/v1alpha1",
            kind: "KafkaBackup",
            name: "production-backup",
            uid,
            controller: true,
            blockOwnerDeletion: true
          }
        ]
      },
      spec: {
        completions: 1,
        parallelism: 1,
        backoffLimit: 3,
        activeDeadlineSeconds: 3600,
        podReplacementPolicy: "Failed",
        podFailurePolicy: {
          rules: [
            { action: "Ignore", onPodConditions: [{ type: "DisruptionTarget", status: "True" }] },
            {
              action: "FailJob",
              onExitCodes: {
                containerName: "backup",
                operator: "In",
                values: [2, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19]
              }
            }
          ]
        },
        template: {
          metadata: {
            labels: {
              app: "kafka-backup",
              "app.kubernetes.io/name": "kafka-backup",
              "app.kubernetes.io/managed-by": "kafka-backup-operator",
              "kafka.oso.sh/uid": uid,
              "kafka.oso.sh/name": "production-backup",
              "kafka.oso.sh/purpose": "run"
            },
            annotations: {
              "cluster-autoscaler.kubernetes.io/safe-to-evict": "false",
              "karpenter.sh/do-not-disrupt": "true",
              "prometheus.io/scrape": "true",
              "kafka.oso.sh/kafkabackup": "production-backup",
              "kafka.oso.sh/cause": "schedule",
              "kafka.oso.sh/slot": slot
            }
          },
          spec: {
            restartPolicy: "Never",
            terminationGracePeriodSeconds: 60,
            automountServiceAccountToken: false,
            enableServiceLinks: false,
            serviceAccountName: "backup",
            nodeSelector: { "node-type": "worker" },
            tolerations: [{ key: "dedicated", operator: "Equal", value: "kafka-backup", effect: "NoSchedule" }],
            affinity: backup().spec.podTemplate!.affinity,
            priorityClassName: "low",
            hostAliases: [{ ip: "10.0.0.1", hostnames: ["minio.example", "s3.example"] }],
            imagePullSecrets: [{ name: "registry" }],
            securityContext: {
              runAsNonRoot: true,
              seccompProfile: { type: "RuntimeDefault" },
              runAsUser: 65_532,
              runAsGroup: 65_532,
              fsGroup: 65_532,
              fsGroupChangePolicy: "OnRootMismatch"
            },
            containers: [
              {
                name: "backup",
                image: "registry.example/kafka-backup:1.2.3",
                args: [
                  "run",
                  "-f",
                  "env:KAFKA_BACKUP_RUN_SPEC",
                  "--secrets",
                  "/etc/kafka-backup/secrets",
                  "--volumes",
                  "/var/lib/kafka-backup/volumes",
                  "--summary",
                  "/dev/termination-log",
                  "--listen",
                  "[$(POD_IP)]:9090"
                ],
                env: [
                  { name: "HTTPS_PROXY", value: "http://proxy.example:3128" },
                  { name: "NO_PROXY", value: ".svc,10.0.0.0/8" },
                  { name: "TMPDIR", value: "/tmp" },
                  { name: "POD_IP", valueFrom: { fieldRef: { fieldPath: "status.podIP" } } },
                  { name: "KAFKA_BACKUP_RUN_SPEC", value: "runSpec" }
                ],
                ports: [{ name: "metrics", containerPort: 9090, protocol: "TCP" }],
                resources: {
                  requests: { cpu: "500m", memory: "512Mi" },
                  limits: { cpu: 2, memory: "2Gi", "nvidia.com/gpu": 1 }
                },
                volumeMounts: [
                  { name: "tmp", mountPath: "/tmp" },
                  { name: "secrets", mountPath: "/etc/kafka-backup/secrets", readOnly: true }
                ],
                terminationMessagePath: "/dev/termination-log",
                terminationMessagePolicy: "File",
                securityContext: {
                  allowPrivilegeEscalation: false,
                  readOnlyRootFilesystem: true,
                  capabilities: { drop: ["ALL"] }
                }
              }
            ],
            volumes: [
              { name: "tmp", emptyDir: { sizeLimit: "64Mi" } },
              {
                name: "secrets",
                projected: {
                  defaultMode: 288,
                  sources: [
                    {
                      secret: {
                        name: "kafka-tls",
                        optional: true,
                        items: [
                          { key: "ca.crt", path: "kafka-tls/ca.crt" },
                          { key: "tls.crt", path: "kafka-tls/tls.crt" },
                          { key: "tls.key", path: "kafka-tls/tls.key" }
                        ]
                      }
                    },
                    {
                      secret: {
                        name: "kafka-credentials",
                        optional: true,
                        items: [
                          { key: "username", path: "kafka-credentials/username" },
                          { key: "password", path: "kafka-credentials/password" }
                        ]
                      }
                    },
                    {
                      secret: {
                        name: "s3-credentials",
                        optional: true,
                        items: [
                          { key: "accessKey", path: "s3-credentials/accessKey" },
                          { key: "secretKey", path: "s3-credentials/secretKey" }
                        ]
                      }
                    }
                  ]
                }
              }
            ]
          }
        }
      }
    })
  })

  it("carries the run so that the pod reads back what was decided", () => {
    const triggered = { ...identity, trigger: "now, please" }
    const job: any = Result.getOrThrow(
      JobTemplate.forRun({ backup: backup(), identity: triggered, cause: "trigger", settings })
    )
    const runSpec = Result.getOrThrow(RunSpec.decode(variable(job, "KAFKA_BACKUP_RUN_SPEC").value))
    assert.strictEqual(runSpec.slot, slot)
    assert.strictEqual(runSpec.trigger, "now, please")
    assert.deepStrictEqual(runSpec.backup.spec, backup().spec)
    assert.strictEqual(runSpec.backup.metadata.uid, uid)
    assert.strictEqual(job.metadata.annotations["kafka.oso.sh/trigger"], "now, please")
    assert.strictEqual(job.metadata.annotations["kafka.oso.sh/cause"], "trigger")
    assert.strictEqual(job.metadata.name, JobName.forRun(triggered))
  })

  it("has no deadline unless one is given, and never a time to live: it is harvested first", () => {
    const { spec } = jobOf(backup(["job", undefined]))
    assert.strictEqual(spec.backoffLimit, 3)
    assert.notProperty(spec, "activeDeadlineSeconds")
    assert.notProperty(spec, "ttlSecondsAfterFinished")
    assert.strictEqual(jobOf(backup(["job.backoffLimit", 0])).spec.backoffLimit, 0)
  })

  it("leaves out everything of the pod that the user did not choose", () => {
    const pod = podOf(jobOf(backup(["podTemplate", undefined])))
    for (const field of [
      "serviceAccountName",
      "nodeSelector",
      "tolerations",
      "affinity",
      "priorityClassName",
      "imagePullSecrets"
    ]) {
      assert.notProperty(pod, field)
    }
  })

  it("lets users speak to autoscalers, and keeps the operator's own labels and annotations", () => {
    const { metadata } = jobOf(
      backup(
        ["podTemplate.annotations", { "cluster-autoscaler.kubernetes.io/safe-to-evict": "true" }],
        ["podTemplate.labels", { "app.kubernetes.io/managed-by": "me", team: "data" }]
      )
    ).spec.template
    assert.strictEqual(metadata.annotations["cluster-autoscaler.kubernetes.io/safe-to-evict"], "true")
    assert.strictEqual(metadata.labels["app.kubernetes.io/managed-by"], "kafka-backup-operator")
    assert.strictEqual(metadata.labels.team, "data")
  })

  it("asks AKS for a token with Workload Identity, and only then", () => {
    const azure = { accountName: "account", container: "backups" }
    const label = (block: unknown) =>
      jobOf(backup(["storage", { storageType: "azure", azure: block }])).spec.template.metadata.labels[
        "azure.workload.identity/use"
      ]
    assert.strictEqual(label({ ...azure, useWorkloadIdentity: true }), "true")
    assert.isUndefined(label(azure))
    assert.isUndefined(
      jobOf(backup(["storage.azure", { ...azure, useWorkloadIdentity: true }])).spec.template.metadata.labels[
        "azure.workload.identity/use"
      ]
    )
  })

  it("takes image, pull policy, grace period and variables from the operator's settings", () => {
    const job = jobOf(backup(), {
      image: "mirror/kafka-backup@sha256:abc",
      imagePullPolicy: "Always",
      terminationGracePeriodSeconds: 90,
      variables: { HTTPS_PROXY: "http://proxy:3128/$(POD_IP)" }
    })
    assert.strictEqual(containerOf(job).image, "mirror/kafka-backup@sha256:abc")
    assert.strictEqual(containerOf(job).imagePullPolicy, "Always")
    assert.strictEqual(podOf(job).terminationGracePeriodSeconds, 90)
    // Kubernetes turns $$ into $, and expands $(NAME).
    assert.strictEqual(variable(job, "HTTPS_PROXY").value, "http://proxy:3128/$$(POD_IP)")
    assert.isUndefined(podOf(jobOf(backup())).containers[0].imagePullPolicy)
  })

  it("leaves user and group to platforms that assign them", () => {
    const { securityContext } = podOf(jobOf(backup(), { user: "assigned" }))
    assert.hasAllKeys(securityContext, ["runAsNonRoot", "seccompProfile", "fsGroupChangePolicy"])
    assert.strictEqual(podOf(jobOf(backup(), { user: 1000 })).securityContext.fsGroup, 1000)
  })

  it.each(["10.0.0.1", "fd00::a:1"])("listens on the pod's address alone, such as %s", (address) => {
    const listen: string = containerOf(jobOf(backup())).args.at(-1)
    assert.deepStrictEqual(parseListenAddress(listen.replace("$(POD_IP)", address)), { host: address, port: 9090 })
  })

  it("has labels that Kubernetes takes, whatever the resource's name", () => {
    const long = `${"a".repeat(62)}.b`
    const resource = backup()
    const job = jobOf({ ...resource, metadata: { ...resource.metadata, name: long } })
    assert.strictEqual(job.metadata.labels["kafka.oso.sh/name"], "a".repeat(62))
    assert.strictEqual(job.metadata.annotations["kafka.oso.sh/kafkabackup"], long)
  })

  it("is refused for a manifest that no cluster keeps, and for one that is too large for a pod", () => {
    const unapplied = Result.getOrThrow(ManifestParser.fromJson(manifest()))
    const refused = JobTemplate.withRunSpec({ backup: unapplied, identity, cause: "schedule", settings }, "runSpec")
    assert.strictEqual(Result.isFailure(refused) && refused.failure.reason, "NotFromCluster")
    // Text that does not shrink.
    let state = 1
    const next = () => (state = (state * 48_271) % 2_147_483_647)
    const topic = () =>
      Array.from({ length: 240 }, () => "abcdefghijklmnopqrstuvwxyz0123456789._-"[next() % 39]).join("")
    const large = backup(["topics", Array.from({ length: 900 }, topic)])
    const tooLarge = JobTemplate.forRun({ backup: large, identity, cause: "schedule", settings })
    assert.strictEqual(Result.isFailure(tooLarge) && tooLarge.failure.reason, "ResourceTooLarge")
    assert.include(Result.isFailure(tooLarge) ? tooLarge.failure.message : "", "spec.topics")
  })
})

describe("podFailurePolicy", () => {
  const { permanentExitCodes } = FailurePolicy

  it("names exit codes as Kubernetes wants them: ascending, each once, without 0", () => {
    assert.deepStrictEqual(
      permanentExitCodes,
      [...new Set(permanentExitCodes)].sort((a, b) => a - b)
    )
    assert.notInclude(permanentExitCodes, 0)
  })

  it("fails the Job at once on exactly the codes that no repetition cures", () => {
    const { internal, interrupted, success: _success, superseded, temporary, ...permanent } = ExitCode.exitCodes
    assert.includeMembers([...permanentExitCodes], Object.values(permanent))
    for (const code of [internal, temporary, interrupted, superseded, 137, 143]) {
      assert.notInclude(permanentExitCodes, code)
    }
  })

  const disrupted = [{ type: "DisruptionTarget", status: "True" }]
  const ended = (exitCode: number | undefined, conditions: ReadonlyArray<object>): any => ({
    metadata: { name: "pod", namespace: "kafka-backup" },
    status: {
      phase: "Failed",
      conditions,
      ...(exitCode === undefined
        ? {}
        : { containerStatuses: [{ name: "backup", state: { terminated: { exitCode } } }] })
    }
  })

  it.each([
    [137, disrupted, "FailsJob"],
    [143, [], "FailsJob"],
    [ExitCode.exitCodes.targetUnusable, disrupted, "FailsJob"],
    [undefined, disrupted, "FailsJob"],
    [ExitCode.exitCodes.interrupted, disrupted, "Counted"],
    [ExitCode.exitCodes.temporary, [], "Counted"],
    [undefined, [], "Counted"]
  ] as const)("for offsets: a pod that ended with %s and conditions %j: %s", (exitCode, conditions, outcome) => {
    const job: any = { spec: { podFailurePolicy: FailurePolicy.cautious } }
    assert.strictEqual(JobRules.judged(job, ended(exitCode, conditions))._tag, outcome)
  })
})
