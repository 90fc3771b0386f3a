import { Option, Schema } from "effect"
import type { Job } from "../../kubernetes/Objects.ts"
import { containerName, type JobSettings } from "../../operator/jobs/JobSettings.ts"
import * as JobFacts from "../../operator/jobs/JobFacts.ts"
import * as Labels from "../../operator/Labels.ts"
import { given } from "../../resource/Json.ts"
import type { KafkaBackup } from "../../resource/KafkaBackup.ts"
import { version } from "../../version.ts"

/** The image that is published with this version. */
export const publishedImage = `ghcr.io/kafka-backup-operator/kafka-backup:${version}`

/** What the operator put into the pods of a Job by its own options: only a Job shows it to others. */
const Template = Schema.Struct({
  spec: Schema.Struct({
    securityContext: Schema.optionalKey(Schema.Struct({ runAsUser: Schema.optionalKey(Schema.Int) })),
    containers: Schema.Array(
      Schema.Struct({
        name: Schema.String,
        image: Schema.optionalKey(Schema.String),
        imagePullPolicy: Schema.optionalKey(Schema.Literals(["Always", "IfNotPresent", "Never"])),
        env: Schema.optionalKey(
          Schema.Array(Schema.Struct({ name: Schema.String, value: Schema.optionalKey(Schema.String) }))
        ),
        resources: Schema.optionalKey(
          Schema.Struct({
            requests: Schema.optionalKey(Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Number]))),
            limits: Schema.optionalKey(Schema.Record(Schema.String, Schema.Union([Schema.String, Schema.Number])))
          })
        )
      })
    )
  })
})
const decode = Schema.decodeUnknownOption(Template)

/** Of the container itself, whatever made the Job. */
const own: ReadonlySet<string> = new Set(["TMPDIR", "POD_IP", Labels.runSpecVariable])

/** The newest Job of the resource that the operator made; they hold what its options say. */
export const newest = (jobs: ReadonlyArray<Job>, uid: string): Job | undefined =>
  jobs
    .filter((job) => JobFacts.isFor(job, uid))
    .toSorted(
      (a, b) =>
        (JobFacts.millis(b.metadata.creationTimestamp) ?? 0) - (JobFacts.millis(a.metadata.creationTimestamp) ?? 0)
    )[0]

/**
 * The settings of a command's Job: those of the resource's newest Job, where it has one and can be read; `image` is
 * what the user wants instead.
 */
export const of = (backup: KafkaBackup, job: Job | undefined, image: string | undefined): JobSettings => {
  const template = Option.getOrUndefined(decode(job?.spec?.["template"]))
  const container = template?.spec.containers.find(({ name }) => name === containerName)
  if (template === undefined || container === undefined) return { image: image ?? publishedImage }
  const ofResource = new Set((backup.spec.podTemplate?.env ?? []).map(({ name }) => name))
  const variables = (container.env ?? []).flatMap(({ name, value }) =>
    value === undefined || own.has(name) || ofResource.has(name) ? [] : [[name, value.replaceAll("$$", "$")] as const]
  )
  return given({
    image: image ?? container.image ?? publishedImage,
    // A policy belongs to the image that it was meant for.
    imagePullPolicy: image === undefined ? container.imagePullPolicy : undefined,
    user: template.spec.securityContext?.runAsUser ?? ("assigned" as const),
    defaultResources: container.resources,
    variables: Object.fromEntries(variables)
  })
}
