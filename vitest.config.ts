import { defineConfig } from "vitest/config"

/** Integration tests that mostly wait for a control plane. An operator of its own belongs here: see PodStart. */
const onCluster = [
  "test/kubernetes/**/*.integration.test.ts",
  "test/deploy/**/*.integration.test.ts",
  "test/operator/**/*.integration.test.ts",
  "test/testing/**/*.integration.test.ts",
  "test/e2e/Operator*.integration.test.ts",
  // An operator of its own: two at the same control plane would share a lease, and one of them stand by.
  "test/e2e/PodStart.integration.test.ts"
]

/** Integration tests that mostly wait for a network, a store or a broker that is disturbed. */
const underFaults = [
  "test/e2e/{Network,Storage}Faults.integration.test.ts",
  "test/e2e/KafkaSecurity.integration.test.ts",
  "test/e2e/RestoreBrokers.integration.test.ts",
  "test/e2e/UncleanElection.integration.test.ts",
  // They start a control plane of their own, beside which nobody needs to wait.
  "test/deploy/Definitions.integration.test.ts",
  "test/e2e/OperatorQuickStart.integration.test.ts"
]

/** One file at a time: brokers and stores are shared, and the machine may have two cores. */
const oneByOne = { fileParallelism: false, testTimeout: 180_000, hookTimeout: 300_000 }

/**
 * Unit tests and stories need nothing and run anywhere. `*.integration.test.ts` use real services
 * (test/harness/services.ts); those that mostly wait are projects of their own (`cluster`, `faults`), which can run
 * beside the others.
 */
export default defineConfig({
  test: {
    pool: "forks",
    maxWorkers: 2,
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["test/**/*.test.ts"],
          exclude: ["test/**/*.integration.test.ts"],
          testTimeout: 60_000,
          hookTimeout: 60_000
        }
      },
      {
        extends: true,
        test: {
          name: "integration",
          include: ["test/**/*.integration.test.ts"],
          exclude: [...onCluster, ...underFaults],
          ...oneByOne
        }
      },
      { extends: true, test: { name: "cluster", include: onCluster, exclude: underFaults, ...oneByOne } },
      { extends: true, test: { name: "faults", include: underFaults, ...oneByOne } }
    ]
  }
})
