import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs"
import { join } from "node:path"
import type { Fleet, Started } from "../../../scripts/services/Fleet.ts"
import { type ApiClient, ApiRefusal, type Json } from "./ApiClient.ts"
import { type Mapping, translated } from "./Paths.ts"
import * as PodEvent from "./PodEvent.ts"
import * as PodStatus from "./PodStatus.ts"
import * as Preparation from "./Preparation.ts"
import * as Signals from "./Signals.ts"
import { Unavailable } from "./Unavailable.ts"
import { Volumes } from "./Volumes.ts"

/** What a pod needs of its node. */
export interface World {
  readonly client: ApiClient
  readonly fleet: Fleet
  readonly nodeName: string
  /** The program that an image starts, by the image's name. */
  readonly images: ReadonlyMap<string, ReadonlyArray<string>>
  /** An error in the node itself, which must fail the test. */
  readonly report: (error: unknown) => void
}

const second = 1_000

const pause = (millis: number) => new Promise<void>((resolve) => setTimeout(resolve, millis))

const isMissing = (error: unknown): boolean => error instanceof ApiRefusal && error.status === 404

/** A pod of a ProcessNode: its first container as a process. */
export class PodProcess {
  readonly namespace: string
  readonly name: string
  readonly uid: string
  readonly labels: Readonly<Record<string, string>>
  /** Of this pod alone: Linux answers on the whole of 127.0.0.0/8. */
  readonly podIP: string
  /** Everything of this pod that is a file; gone with the pod. */
  readonly folder: string
  readonly #world: World
  readonly #volumes: Volumes
  readonly #spec: Json
  #pod: Json
  #mappings: ReadonlyArray<Mapping> = []
  #process: Started | undefined
  #isRunning = false
  #isOutOfMemory = false
  #isEvicted = false
  #isGone = false
  #isTerminating = false
  #log = ""
  #refreshing: Promise<void> = Promise.resolve()
  readonly #deletion = Promise.withResolvers<void>()

  constructor(world: World, pod: Json, podIP: string) {
    const { labels, name, namespace, uid } = pod["metadata"]
    this.namespace = namespace
    this.name = name
    this.uid = uid
    this.labels = labels ?? {}
    this.podIP = podIP
    this.folder = join(world.fleet.folder, `${namespace}_${name}_${uid.slice(0, 8)}`)
    this.#world = world
    this.#pod = pod
    this.#spec = pod["spec"].containers[0]
    this.#volumes = new Volumes(world.client, this.folder, podIP)
    mkdirSync(join(this.folder, "tmp"), { recursive: true })
  }

  /** True from the start of the process to its end, whether the API server knows or not. */
  get isRunning(): boolean {
    return this.#isRunning
  }

  /** The pod as last seen. */
  get object(): Json {
    return this.#pod
  }

  /** Of the process; undefined before its start. */
  get pid(): number | undefined {
    return this.#process?.pid
  }

  /** Everything that the process wrote to its outputs so far. */
  get log(): string {
    return this.#process === undefined ? "" : this.#log || readFileSync(this.#process.logFile, "utf8")
  }

  /** Where a path of the container lies here. */
  hostPath(containerPath: string): string {
    return translated(containerPath, this.#mappings)
  }

  /** Signals the process as from inside the container; SIGKILL takes its children too. */
  kill(what: Signals.Signal = "SIGKILL"): void {
    if (this.#process !== undefined && this.#isRunning) {
      Signals.send(what === "SIGKILL" ? -this.#process.pid : this.#process.pid, what)
    }
  }

  /** What the kernel does when a container reaches its memory limit. */
  outOfMemory(): void {
    this.#isOutOfMemory = true
    this.kill("SIGKILL")
  }

  /** Stops the process and its children where they are, until `thaw`. */
  freeze(): void {
    if (this.#process !== undefined && this.#isRunning) Signals.send(-this.#process.pid, "SIGSTOP")
  }

  thaw(): void {
    if (this.#process !== undefined && this.#isRunning) Signals.send(-this.#process.pid, "SIGCONT")
  }

  /** What `kubectl drain` does: the API server marks the pod as disrupted and deletes it, with its grace period. */
  async evict(): Promise<void> {
    const { name, namespace } = this
    await this.#world.client.create(`${this.#path}/eviction`, {
      apiVersion: "policy/v1",
      kind: "Eviction",
      metadata: { name, namespace }
    })
  }

  /** What a node short of memory does: the pod ends at once, as failed and disrupted, and stays to be read. */
  evictForPressure(): void {
    this.#isEvicted = true
    this.kill("SIGKILL")
  }

  get #path(): string {
    return `/api/v1/namespaces/${this.namespace}/pods/${this.name}`
  }

  /** Told by the node: the pod has changed. */
  changed(pod: Json): void {
    this.#pod = pod
    if (pod["metadata"].deletionTimestamp === undefined || this.#isTerminating) return
    this.#isTerminating = true
    this.#deletion.resolve()
    const graceMillis = (pod["metadata"].deletionGracePeriodSeconds ?? 0) * second
    this.kill("SIGTERM")
    setTimeout(() => this.kill("SIGKILL"), graceMillis).unref()
  }

  /** Told by the node: there is no such pod any more. */
  gone(): void {
    this.#isGone = true
    this.#deletion.resolve()
    this.kill("SIGKILL")
  }

  /** From being bound to being gone. */
  async live(): Promise<void> {
    if (this.#pod["metadata"].deletionTimestamp !== undefined) this.changed(this.#pod)
    const phase = this.#pod["status"]?.phase
    if (phase !== "Succeeded" && phase !== "Failed") await this.#work()
    await this.#deletion.promise
    if (!this.#isGone) {
      await this.#world.client
        .delete(this.#path, { gracePeriodSeconds: 0, preconditions: { uid: this.uid } })
        .catch((error: unknown) => {
          // Another pod of this name.
          if (!(error instanceof ApiRefusal && error.status === 409)) throw error
        })
    }
    if (this.#process !== undefined) this.#log = this.log
    rmSync(this.folder, { recursive: true, force: true })
  }

  async #work(): Promise<void> {
    let last: PodStatus.Terminated | undefined
    for (let restartCount = 0; ; restartCount++) {
      const prepared = await this.#untilPrepared()
      if (prepared === undefined) return this.#say(PodStatus.neverStarted(new Date()))
      last = await this.#run(prepared, restartCount, last)
      const policy: string = this.#pod["spec"].restartPolicy ?? "Always"
      const isOver = policy === "Never" || (policy === "OnFailure" && last.exitCode === 0)
      if (isOver || this.#isTerminating || this.#isGone || this.#isEvicted) {
        await this.#say(PodStatus.over(this.#spec, restartCount, last, new Date()))
        if (this.#isEvicted) await this.#say(PodStatus.evicted(new Date()))
        return
      }
      await this.#say(PodStatus.restarting(this.#spec, restartCount, last, new Date()))
      await Promise.race([pause(second), this.#deletion.promise])
    }
  }

  async #run(prepared: Preparation.Prepared, restartCount: number, last: PodStatus.Terminated | undefined) {
    const { argv, cwd, env } = prepared
    const startedAt = new Date()
    const name = `${this.namespace}_${this.name}_${this.uid.slice(0, 8)}_${restartCount}`
    this.#isOutOfMemory = false
    const started = this.#world.fleet.start(name, argv[0] ?? "", argv.slice(1), env, { cwd, isAlone: true })
    this.#process = started
    this.#isRunning = started.pid !== -1
    const refreshing = setInterval(() => this.#refresh(), second)
    // Asked to end while it was being prepared.
    if (this.#isTerminating) this.kill("SIGTERM")
    if (this.#isGone) this.kill("SIGKILL")
    const telling = this.#say(PodStatus.running(this.#spec, restartCount, last, startedAt))
    const end = await started.ended
    this.#isRunning = false
    clearInterval(refreshing)
    await this.#refreshing
    if (started.pid !== -1) Signals.send(-started.pid, "SIGKILL")
    await telling
    const isFailure = end.code !== 0
    const file = readFileSync(this.#messageFile)
    const log = readFileSync(started.logFile)
    const message = PodStatus.terminationMessage(this.#spec, file, log, isFailure)
    const facts = { isOutOfMemory: this.#isOutOfMemory, startedAt, now: new Date() }
    return PodStatus.terminated(end, message === undefined ? facts : { ...facts, message })
  }

  get #messageFile(): string {
    return join(this.folder, "termination-log")
  }

  /** Undefined when the pod is deleted first. */
  async #untilPrepared(): Promise<Preparation.Prepared | undefined> {
    const say = (reason: string, message?: string) =>
      this.#say(PodStatus.waiting(this.#spec, this.podIP, reason, message, new Date()))
    await say("ContainerCreating")
    let said = ""
    while (!this.#isTerminating && !this.#isGone) {
      try {
        return await this.#prepare()
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error
        const { message, waiting } = error
        const isNew = said !== message
        if (isNew) await PodEvent.write(this.#world.client, this.#world.nodeName, this.#pod, error)
        // A pull that failed is waited for under another name.
        const reason = waiting === "ErrImagePull" && !isNew ? "ImagePullBackOff" : waiting
        await say(reason, waiting === "ContainerCreating" ? undefined : message)
        said = message
      }
      await Promise.race([pause(second), this.#deletion.promise])
    }
    return undefined
  }

  async #prepare(): Promise<Preparation.Prepared> {
    const { client, images } = this.#world
    const { folder, podIP } = this
    const mounted = await this.#volumes.mount(this.#pod, this.#spec)
    writeFileSync(this.#messageFile, "")
    const prepared = await Preparation.of(
      { client, images, folder, podIP, messageFile: this.#messageFile, mounted },
      this.#pod,
      this.#spec
    )
    this.#mappings = prepared.mappings
    return prepared
  }

  /** One after the other, so that the last can be waited for. */
  #refresh(): void {
    this.#refreshing = this.#refreshing.then(() => (this.#isRunning ? this.#volumes.refresh(this.#pod) : undefined))
    this.#refreshing = this.#refreshing.catch(this.#world.report)
  }

  async #say(status: Json): Promise<void> {
    try {
      await this.#world.client.patch(`${this.#path}/status`, { status }, "strategic-merge-patch")
    } catch (error) {
      if (!isMissing(error)) throw error
    }
  }
}
