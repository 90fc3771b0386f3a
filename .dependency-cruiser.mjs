/**
 * For each room of src: the rooms it may import, and why not more. What is not listed here may be imported by main
 * alone.
 */
const rooms = {
  resource: { uses: [], because: "what users write is described without knowing how it is carried out" },
  certificates: { uses: [], because: "what a PEM file holds is the same for whoever wants to be trusted" },
  redaction: { uses: [], because: "whether a text quotes a secret is the same question for every server" },
  compression: { uses: [], because: "codecs know bytes; whose bytes they are is not their business" },
  kafka: {
    uses: ["certificates", "compression", "redaction"],
    because: "a port knows its outside system and nothing of ours, so it is tested and replaced alone"
  },
  storage: {
    uses: ["certificates", "redaction"],
    because: "a port knows its outside system and nothing of ours, so it is tested and replaced alone"
  },
  secrets: { uses: [], because: "secrets are read from files; who needs them is not their business" },
  telemetry: { uses: [], because: "everybody reports to telemetry, so it can depend on nobody" },
  kubernetes: {
    uses: ["resource"],
    because: "the port to the API server speaks of resources; backups and brokers are not its business"
  },
  identity: {
    uses: ["resource"],
    because: "ids and names are functions of a resource and a slot, the same for whoever asks"
  },
  schedule: {
    uses: ["resource", "identity"],
    because: "when a run is due is a pure decision; it must not know how anything is carried out"
  },
  outcome: {
    uses: ["identity"],
    because: "what a pod tells the operator must be readable without the worker and without the operator"
  },
  segment: {
    uses: ["kafka", "compression"],
    because: "the codec turns record batches into bytes; where bytes come from and go to is decided elsewhere"
  },
  manifest: {
    uses: ["storage", "segment", "identity", "outcome", "resource"],
    because: "the catalogue remembers what lies in storage; it must be readable without a cluster"
  },
  status: {
    uses: ["resource", "identity", "schedule", "outcome"],
    because: "status is a pure function of what happened"
  },
  worker: {
    uses: ["resource", "identity", "outcome", "kafka", "storage", "manifest", "secrets"],
    because: "what every run needs must not know which run it serves"
  },
  backup: {
    uses: ["resource", "identity", "outcome", "kafka", "segment", "storage", "manifest", "worker"],
    because: "a backup needs no Kubernetes: it also starts by hand"
  },
  restore: {
    uses: ["compression", "resource", "identity", "outcome", "kafka", "segment", "storage", "manifest", "worker"],
    because: "a restore needs no Kubernetes and no backup run: only what lies in storage"
  },
  drill: {
    uses: ["resource", "identity", "outcome", "kafka", "segment", "storage", "manifest", "worker", "restore"],
    because: "a drill is a restore of a part, and needs no Kubernetes: it also starts by hand"
  },
  migration: {
    uses: ["resource"],
    because: "what another operator's manifest means is a pure function of its text"
  },
  operator: {
    uses: ["resource", "identity", "schedule", "outcome", "status", "kubernetes", "telemetry"],
    because: "the operator decides and reports; only the pods that it makes touch Kafka and storage"
  }
}

const mayImport = Object.entries(rooms).map(([room, { uses, because }]) => ({
  name: `may-import-${room}`,
  severity: "error",
  comment: because,
  from: { path: `^src/${room}/` },
  to: { path: "^src/", pathNot: `^src/(${[room, ...uses].join("|")})/` }
}))

/** The only callers of adapters besides their own files: the tables, and what composes whole programs. */
const composers = "^src/(main\\.ts$|plugin\\.ts$|cli/demo/|testing/)"

/** What every program of commands needs: how it starts and ends, its flags and its output. */
const terminal =
  "cli/(FailureText|FramedOutput|InvocationText|LogLine|Presentation|Program|RunFailed|SharedFlags|Shutdown|StandardOutput|Table|UsageError)\\.ts$"

/** Whatever is no decorator and no common part is an adapter, also one that is added later. */
const storageAdapters =
  "^src/storage/((?!Guarded|Known|Rotating)[A-Z][A-Za-z0-9]*ObjectStore\\.ts$|(?!cloud/|guard/)[a-z0-9]+/)"
const kafkaAdapters = "^src/kafka/((KafkaJsWire|KafkaJsWriteWire|InMemory[A-Za-z]*)\\.ts$|(kafkajs|memory)/)"
const kubernetesAdapters = "^src/kubernetes/((InMemory|Http|Real)[A-Za-z]*\\.ts$|(http|memory)/)"

export default {
  forbidden: [
    {
      name: "no-cycle",
      severity: "error",
      comment: "modules that need each other are one module in two files; neither can be read or tested alone",
      from: {},
      to: { circular: true }
    },
    ...mayImport,
    {
      name: "operator-cannot-reach-the-data",
      severity: "error",
      // What it may reach is listed, not what it may not: a room that moves in later is refused without a line here.
      comment:
        "the operator holds no credentials: not even through another room may its code lead to Kafka, storage or what lies there",
      from: { path: "^src/(operator/|Operator\\.ts$)" },
      to: {
        path: "^src/",
        pathNot: "^src/((resource|identity|schedule|outcome|status|kubernetes|telemetry|operator)/|Operator\\.ts$)",
        reachable: true
      }
    },
    {
      name: "plugin-may-import",
      severity: "error",
      comment: "the plugin shows and writes resources; of the command line it uses what reads flags and prints results",
      from: { path: "^src/plugin/" },
      to: {
        path: "^src/",
        pathNot: `^src/(plugin/|(resource|identity|outcome|status|kubernetes)/|operator/(jobs/|Labels\\.ts$)|version\\.ts$|${terminal})`
      }
    },
    {
      name: "plugin-cannot-reach-the-data",
      severity: "error",
      comment:
        "it runs on laptops with the user's login to the API server and nothing else: no code in it may lead to Kafka, storage or Secrets",
      from: { path: "^src/plugin(/|\\.ts$)" },
      to: {
        path: "^src/",
        pathNot: `^src/((resource|identity|schedule|outcome|status|kubernetes|telemetry|operator|plugin)/|${terminal}|worker/Explanation\\.ts$|version\\.ts$)`,
        reachable: true
      }
    },
    {
      name: "nothing-needs-the-plugin",
      severity: "error",
      comment: "the plugin is a program of its own",
      from: { path: "^src/", pathNot: "^src/plugin(/|\\.ts$)" },
      to: { path: "^src/plugin(/|\\.ts$)" }
    },
    {
      name: "restores-have-no-schedule",
      severity: "error",
      comment: "a restore begins when its resource asks for it; what depends on slots belongs to backups",
      from: { path: "^src/(status|operator)/(restore|offsets|oneTime)/" },
      to: { path: "^src/schedule/" }
    },
    {
      name: "one-time-serves-every-kind",
      severity: "error",
      comment: "what serves restores and offsets alike knows neither of them",
      from: { path: "^src/operator/oneTime/" },
      to: { path: "^src/operator/(restore|offsets|drill)/" }
    },
    {
      name: "offsets-stand-beside-restores",
      severity: "error",
      comment: "restores and offsets share what is in oneTime/; each can be read without the other",
      from: { path: "^src/operator/offsets/" },
      to: { path: "^src/operator/(restore|drill)/" }
    },
    {
      name: "the-page-only-looks",
      severity: "error",
      comment: "the page under /ui reads what was cached and reported: it can neither decide nor reach the API server",
      from: { path: "^src/operator/ui/" },
      to: {
        path: "^src/",
        pathNot:
          "^src/(resource/|status/|kubernetes/Objects\\.ts$|operator/(ui/|Health\\.ts$|Watched\\.ts$|InformerCache\\.ts$))"
      }
    },
    {
      name: "nothing-needs-the-page",
      severity: "error",
      comment: "the page is served beside the operator's work; nothing of that work may depend on it",
      from: { path: "^src/", pathNot: "^src/operator/(ui/|HealthServer\\.ts$)" },
      to: { path: "^src/operator/ui/" }
    },
    {
      name: "groups-write-no-records",
      severity: "error",
      comment:
        "offsets of groups are set after the proof: what sets them also works for a topic that nobody restores now",
      from: { path: "^src/restore/groups/" },
      to: {
        path: "^src/restore/(Restore|Preflight|TargetQuestions|TopicValidation|PartitionRestore|Proof|Batches|Fillers|MadeTopics|TargetTopics|TopicConfigs)\\.ts$"
      }
    },
    {
      name: "segment-reads-batches-only",
      severity: "error",
      comment:
        "the codec is pure: of Kafka it knows record batches and their compression, never connections or sources",
      from: { path: "^src/segment/" },
      to: {
        path: "^src/kafka/",
        pathNot: "^src/kafka/(batch/(RecordBatch|BatchHeader|Decompression|SealedBatch)|KafkaError)\\.ts$"
      }
    },
    {
      name: "pure-rooms-use-no-services",
      severity: "error",
      // node:net is not listed: its isIP is a pure function.
      comment: "these rooms decide; a port, a file or a socket among them would make them act",
      from: { path: "^src/(resource|identity|schedule|outcome|compression|segment|status|migration)/" },
      to: {
        path: [
          "^src/.*/(ObjectStores?|KafkaSources?|KafkaSinks?|KafkaWire|KafkaWriteWire|KubernetesApi|MountedSecrets)\\.ts$",
          "^(node:)?(fs|fs/promises|tls|http|https|child_process|dns)$",
          "node_modules/@effect/platform-node"
        ]
      }
    },
    {
      name: "storage-adapters-behind-their-table",
      severity: "error",
      comment: "one file names all backends; who imports an adapter elsewhere has tied itself to a vendor",
      from: { path: "^src/", pathNot: [storageAdapters, composers, "^src/storage/StorageBackends\\.ts$"] },
      to: { path: storageAdapters }
    },
    {
      name: "formats-behind-their-table",
      severity: "error",
      comment: "one file names all segment formats; who imports one elsewhere reads or writes no other",
      from: { path: "^src/", pathNot: ["^src/segment/[^/]+/", "^src/segment/Formats\\.ts$"] },
      to: { path: "^src/segment/[^/]+/", pathNot: "^src/segment/(records|body)/" }
    },
    {
      name: "formats-know-no-other-format",
      severity: "error",
      comment:
        "each format can be read, changed and taken out alone; what two share is in segment/records, segment/body or compression",
      from: { path: "^src/segment/([^/]+)/" },
      to: { path: "^src/segment/[^/]+/", pathNot: ["^src/segment/$1/", "^src/segment/(records|body)/"] }
    },
    {
      name: "kafka-adapters-behind-their-table",
      severity: "error",
      comment: "the client library stays behind the port, so that it can be replaced by changing one room",
      from: { path: "^src/", pathNot: [kafkaAdapters, composers, "^src/kafka/KafkaJs(Sources|Sinks)\\.ts$"] },
      to: { path: kafkaAdapters }
    },
    {
      name: "kubernetes-adapters-behind-main",
      severity: "error",
      comment:
        "the operator speaks to its port; only the program's entry decides that there is a real API server behind it",
      from: { path: "^src/", pathNot: [kubernetesAdapters, composers] },
      to: { path: kubernetesAdapters }
    },
    {
      name: "testing-is-for-tests-and-the-demo",
      severity: "error",
      comment: "worlds in memory are for those who try things out; what runs in a cluster must not lean on them",
      from: { path: "^src/", pathNot: "^src/(testing/|cli/demo/)" },
      to: { path: "^src/testing/" }
    },
    {
      name: "testing-needs-no-commands",
      severity: "error",
      comment: "it composes the operator as main does; through a command it would test the command line too",
      from: { path: "^src/testing/" },
      to: { path: "^src/(cli/|main\\.ts$)" }
    },
    {
      name: "src-needs-no-tests",
      severity: "error",
      comment: "what is shipped must run without what tests it",
      from: { path: "^src/" },
      to: { path: "^(test|scripts|bench)/" }
    },
    {
      name: "no-unresolvable",
      severity: "error",
      comment: "an import that leads nowhere fails only when it is run",
      from: {},
      to: { couldNotResolve: true }
    },
    {
      name: "no-dev-dependency",
      severity: "error",
      comment: "the image holds dependencies only; a development tool imported from src is missing there",
      from: { path: "^src/" },
      to: { dependencyTypes: ["npm-dev"], pathNot: "node_modules/@types/" }
    }
  ],
  options: {
    parser: "swc",
    tsPreCompilationDeps: true,
    doNotFollow: { path: "node_modules" },
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: { exportsFields: ["exports"], conditionNames: ["import", "node", "default", "types"] }
  }
}
