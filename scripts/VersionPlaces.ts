/** Where the version of package.json stands too: before the version, and behind it. */
const places: Readonly<Record<string, ReadonlyArray<readonly [before: string, behind: string]>>> = {
  "deploy/base/deployment.yaml": [["ghcr.io/kafka-backup-operator/kafka-backup:", "\n"]],
  "deploy/base/admission-policy.yaml": [["ghcr.io/kafka-backup-operator/kafka-backup:", "'"]],
  "deploy/overlays/own-image/kustomization.yaml": [["newTag: ", "\n"]],
  "deploy/krew/kafka-backup.yaml": [
    ["version: v", "\n"],
    ["/releases/download/v", "/"],
    ["kubectl-kafka_backup-", ".tar.gz"]
  ],
  "scripts/image/Containerfile": [
    ['org.opencontainers.image.version="', '"'],
    ["registry.example.com/kafka-backup:", " "]
  ]
}

/** The files that name the version, from the root of the repository. */
export const files: ReadonlyArray<string> = Object.keys(places)

const escaped = (text: string): string => text.replace(/[.*+?^${}()|[\]\\/]/g, String.raw`\$&`)

/** The text of one of `files` with this version; throws where a place is gone, so that none is forgotten. */
export const write = (file: string, text: string, version: string): string =>
  (places[file] ?? []).reduce((soFar, [before, behind]) => {
    const place = new RegExp(`${escaped(before)}[0-9][0-9A-Za-z.+-]*${escaped(behind)}`, "g")
    if (soFar.match(place) === null) throw new Error(`${file} no longer holds "${before}" and a version`)
    return soFar.replaceAll(place, () => `${before}${version}${behind}`)
  }, text)
