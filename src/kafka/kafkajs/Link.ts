import { Deferred, Effect } from "effect"
import type { ConnectionOptions } from "node:tls"
import type { Address } from "./Address.ts"
import type { BufferPool } from "./BufferPool.ts"
import * as DemuxSocket from "./DemuxSocket.ts"
import * as Internals from "./Internals.ts"
import { asError, decodeAnswer, encodeRequest } from "./Frames.ts"
import { LinkBroken, NoAnswer, NoCommonVersion, type Stage } from "./LinkBroken.ts"
import * as Api from "./protocol/Api.ts"

export interface Settings {
  readonly clientId: string
  readonly ssl: ConnectionOptions | undefined
  readonly sasl: Internals.KafkaJsSasl | undefined
  readonly pool: BufferPool
  /** For TCP, TLS, API versions and SASL together. */
  readonly openTimeoutMillis: number
  /** For one answer, in addition to the time that the request asks the broker to wait. */
  readonly requestTimeoutMillis: number
  /** How long before a SASL session ends it is renewed. */
  readonly reauthenticateBeforeMillis: number
}

export interface Received<A> {
  readonly value: A
  /** Returns the buffer of the frame; `value` may hold views of it. */
  readonly release: () => void
}

export interface CallOptions {
  /** True: the buffer of the answer comes from the pool, and `release` returns it. */
  readonly pooled?: boolean
  /** How long the request asks the broker to wait. */
  readonly waitMillis?: number
  /** Replaces the time limit of the settings. */
  readonly requestTimeoutMillis?: number | undefined
}

/** One authenticated connection to one broker. A broken link is never opened again. */
export interface Link {
  readonly ranges: Api.VersionRanges
  readonly isOpen: () => boolean
  readonly close: () => void
  /** Sends one request in the best common version and reads its answer. An interruption abandons it. */
  readonly call: <A>(
    api: Api.Api,
    request: (version: number) => Api.Call<A>,
    options?: CallOptions
  ) => Effect.Effect<Received<A>, LinkBroken>
  /**
   * The same in two steps: ends when the request was written, with the answer to wait for. Requests are written in the
   * order in which these effects end; one that fails was not written.
   */
  readonly send: <A>(
    api: Api.Api,
    request: (version: number) => Api.Call<A>,
    options?: Omit<CallOptions, "pooled">
  ) => Effect.Effect<Effect.Effect<A, LinkBroken>, LinkBroken>
}

/** Connects and authenticates; leaves nothing open after an interruption or time-out. */
export const open = (address: Address, settings: Settings): Effect.Effect<Link, LinkBroken> =>
  Effect.suspend(() => {
    const attempt: Attempt = { connected: false, broker: undefined }
    return connect(address, settings, attempt).pipe(
      Effect.timeoutOrElse({
        duration: settings.openTimeoutMillis,
        orElse: () => Effect.fail(new LinkBroken(stageOf(attempt), new NoAnswer(settings.openTimeoutMillis)))
      })
    )
  })

/** The progress of opening. */
interface Attempt {
  connected: boolean
  broker: Internals.KafkaJsBroker | undefined
}

const stageOf = ({ connected, broker }: Attempt): Stage =>
  !connected ? "connecting" : (broker?.versions ?? null) === null ? "greeting" : "authenticating"

const connect = (address: Address, settings: Settings, attempt: Attempt): Effect.Effect<Link, LinkBroken> =>
  Effect.callback<Link, LinkBroken>((resume) => {
    let socket: DemuxSocket.DemuxSocket | undefined
    const fail = (error: Error) => resume(Effect.fail(new LinkBroken(stageOf(attempt), error)))
    const makeSocket = DemuxSocket.factory(settings.pool, (made) => {
      socket = made
      made.onClose(fail)
    })
    const broker = Internals.makeBroker({
      ...address,
      clientId: settings.clientId,
      ssl: settings.ssl,
      sasl: settings.sasl === undefined ? undefined : { ...settings.sasl },
      socketFactory: (options) =>
        makeSocket({
          ...options,
          onConnect: () => {
            attempt.connected = true
            options.onConnect()
          }
        }),
      // The time-out of `open` comes first; this one only keeps timers of kafkajs from outliving it for long.
      connectTimeoutMillis: settings.openTimeoutMillis + 1000,
      reauthenticateBeforeMillis: settings.reauthenticateBeforeMillis
    })
    attempt.broker = broker
    const opened = async () => {
      await broker.connect()
      const connection = await broker.connectionPool.getConnection(0)
      Internals.renewInTime(connection, settings.reauthenticateBeforeMillis)
      if (socket === undefined) throw new Error("kafkajs did not use the socket factory")
      resume(Effect.succeed(over(socket, connection, broker.versions ?? {}, settings)))
    }
    opened().catch((cause) => {
      const error = asError(cause)
      const lost = isLoss(error, socket)
      if (!lost || socket === undefined) fail(error)
      socket?.destroy(lost ? new DemuxSocket.ConnectionClosed() : error)
    })
    return Effect.sync(() => socket?.destroy(new Error("interrupted")))
  })

/**
 * True if the connection broke and `error` is only kafkajs's report of it: the socket has the original. A broker that
 * refuses authentication answers on an open connection. If the connection ends first, that is no refusal, although
 * kafkajs uses the same error.
 */
const isLoss = (error: Error, socket: DemuxSocket.DemuxSocket | undefined): boolean =>
  error.name === "KafkaJSConnectionError" ||
  error.name === "KafkaJSConnectionClosedError" ||
  (error.name === "KafkaJSSASLAuthenticationError" && socket?.isOpen() === false)

const over = (
  socket: DemuxSocket.DemuxSocket,
  connection: Internals.KafkaJsConnection,
  ranges: Api.VersionRanges,
  settings: Settings
): Link => {
  let stage: Stage = "trusted"
  const broken = (error: Error) => new LinkBroken(stage, error)

  /** Waits for a due renewal of the SASL session first: the broker closes the connection on any request in between. */
  const whenAuthenticated = (send: () => void, fail: (broken: LinkBroken) => void) => {
    if (settings.sasl === undefined || connection.isAuthenticated()) return send()
    connection
      .authenticate()
      .then(() => {
        Internals.renewInTime(connection, settings.reauthenticateBeforeMillis)
        send()
      })
      .catch((cause) => {
        const refusal = asError(cause)
        const error = isLoss(refusal, socket) ? new DemuxSocket.ConnectionClosed() : refusal
        socket.destroy(error)
        fail(new LinkBroken("authenticating", error))
      })
  }

  /** Writes the request; the returned function drops its answer. */
  const write = <A>(
    call: Api.Call<A>,
    pooled: boolean,
    done: (answer: Effect.Effect<DemuxSocket.Answer, LinkBroken>) => void
  ) =>
    socket.send((correlationId) => encodeRequest(call, settings.clientId, correlationId), {
      pooled,
      succeed: (answer) => {
        stage = "serving"
        done(Effect.succeed(answer))
      },
      fail: (error) => done(Effect.fail(broken(error)))
    })

  const exchange = <A>(call: Api.Call<A>, pooled: boolean) =>
    Effect.callback<DemuxSocket.Answer, LinkBroken>((resume) => {
      let forget: (() => void) | undefined
      let abandoned = false
      whenAuthenticated(
        () => {
          if (!abandoned) forget = write(call, pooled, resume)
        },
        (error) => resume(Effect.fail(error))
      )
      return Effect.sync(() => {
        abandoned = true
        forget?.()
      })
    })

  const started = <A>(call: Api.Call<A>) =>
    Effect.callback<Effect.Effect<DemuxSocket.Answer, LinkBroken>, LinkBroken>((resume) => {
      let abandoned = false
      whenAuthenticated(
        () => {
          if (abandoned) return
          if (!socket.isOpen()) return resume(Effect.fail(broken(new DemuxSocket.ConnectionClosed())))
          const answer = Deferred.makeUnsafe<DemuxSocket.Answer, LinkBroken>()
          const forget = write(call, false, (outcome) => Deferred.doneUnsafe(answer, outcome))
          resume(Effect.succeed(Effect.onInterrupt(Deferred.await(answer), () => Effect.sync(forget))))
        },
        (error) => resume(Effect.fail(error))
      )
      return Effect.sync(() => {
        abandoned = true
      })
    })

  /** Answers come in order, so all others wait behind a lost one: the connection ends with the time limit. */
  const inTime = <A>(waiting: Effect.Effect<A, LinkBroken>, options: CallOptions | undefined) => {
    const limitMillis = (options?.requestTimeoutMillis ?? settings.requestTimeoutMillis) + (options?.waitMillis ?? 0)
    return Effect.timeoutOrElse(waiting, {
      duration: limitMillis,
      orElse: () => {
        const error = new NoAnswer(limitMillis)
        socket.destroy(error)
        return Effect.fail(broken(error))
      }
    })
  }

  const read = <A>(call: Api.Call<A>, answer: DemuxSocket.Answer): Effect.Effect<Received<A>, LinkBroken> => {
    try {
      return Effect.succeed({ value: decodeAnswer(call, answer.frame), release: answer.release })
    } catch (cause) {
      const error = asError(cause)
      socket.destroy(error)
      return Effect.fail(broken(error))
    }
  }

  return {
    ranges,
    isOpen: socket.isOpen,
    close: () => socket.destroy(new DemuxSocket.ConnectionClosed()),
    call: (api, request, options) => {
      const version = Api.version(api, ranges)
      if (version === undefined) return Effect.fail(broken(new NoCommonVersion(api, ranges)))
      const call = request(version)
      return Effect.flatMap(inTime(exchange(call, options?.pooled ?? false), options), (answer) => read(call, answer))
    },
    send: (api, request, options) => {
      const version = Api.version(api, ranges)
      if (version === undefined) return Effect.fail(broken(new NoCommonVersion(api, ranges)))
      const call = request(version)
      return Effect.map(inTime(started(call), options), (answer) =>
        inTime(answer, options).pipe(
          Effect.flatMap((frame) => read(call, frame)),
          Effect.map(({ value }) => value)
        )
      )
    }
  }
}
