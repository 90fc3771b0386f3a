/*
 * kafka-backup-operator/testing: the whole operator in memory, for tests. See docs/guides/testing.md.
 */

export type { Produced, RecordToProduce } from "../kafka/memory/InMemoryCluster.ts"
export { InMemoryKubernetes } from "../kubernetes/InMemoryKubernetes.ts"
export { KubernetesError } from "../kubernetes/KubernetesError.ts"
export type { Event, Job, KubeObject, Pod } from "../kubernetes/Objects.ts"
export type { Condition, HistoryEntry, Status } from "../status/Status.ts"
export * as faults from "./Faults.ts"
export {
  defaultBootstrapServer,
  kafkaBackup,
  type KafkaBackupManifest,
  type KafkaBackupOptions
} from "./KafkaBackupBuilder.ts"
export type { Kubectl } from "./Kubectl.ts"
export { OperatorHarness, type Replica, type SelectedTopics } from "./OperatorHarness.ts"
export type { StoredBackup, StoredRecord } from "./StoredBackups.ts"
export { records, type TestKafka, type TestTopicOptions } from "./TestKafka.ts"
export { NotReached, TestOperator, type TestOperatorOptions } from "./TestOperator.ts"
export type { TestApi, TestKubectl, TestNode, TestSecrets, TestStorage, Verification } from "./TestServices.ts"
