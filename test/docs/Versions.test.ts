import { assert, describe, it } from "@effect/vitest"
import * as Versions from "../../scripts/services/Versions.ts"
import { read } from "./repository.ts"

describe("the versions that tests run against", () => {
  it("are those that Maven and Go fetch", () => {
    const jars = [
      ...read("scripts/services/kafka/pom.xml").matchAll(
        /<artifactId>kafka(?:_2\.13|-tools)<\/artifactId>\s*<version>(.+)<\/version>/gu
      )
    ]
    assert.deepStrictEqual(
      jars.map(([, version]) => version),
      [Versions.kafka, Versions.kafka]
    )
    const modules = (name: string) => read(`scripts/services/controlplane/${name}/go.mod`)
    assert.include(modules("kubernetes"), `k8s.io/kubernetes v${Versions.kubernetes}`)
    assert.include(modules("etcd"), `go.etcd.io/etcd/server/v3 v${Versions.etcd}`)
    assert.include(read("scripts/services/Install.ts"), `github.com/minio/minio@v0.0.0-${Versions.minio}`)
  })
})
