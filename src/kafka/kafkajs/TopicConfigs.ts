import { Effect } from "effect"
import { ErrorCode } from "../ErrorCode.ts"
import { KafkaAuthorizationFailed, type KafkaReason, ProtocolFailure } from "../KafkaError.ts"
import type * as DescribeConfigs from "./protocol/DescribeConfigs.ts"

const failure = ({ errorCode, errorMessage, topic }: DescribeConfigs.Answer): KafkaReason | undefined => {
  switch (errorCode) {
    case ErrorCode.none:
    // The topic was deleted meanwhile: it has no configuration any more.
    case ErrorCode.unknownTopicOrPartition:
      return undefined
    case ErrorCode.topicAuthorizationFailed:
      return new KafkaAuthorizationFailed({ resource: `topic ${topic}`, missing: "DescribeConfigs" })
    case ErrorCode.clusterAuthorizationFailed:
      return new KafkaAuthorizationFailed({ resource: "cluster", missing: "DescribeConfigs" })
    default:
      return new ProtocolFailure({
        detail: `the broker did not return the configuration of topic ${topic} (error ${errorCode}${errorMessage === undefined ? "" : `: ${errorMessage}`})`,
        code: errorCode,
        transient: errorCode === ErrorCode.requestTimedOut
      })
  }
}

/** Configuration by topic; fails with the first refusal. */
export const collect = (
  answers: ReadonlyArray<DescribeConfigs.Answer>
): Effect.Effect<ReadonlyMap<string, Readonly<Record<string, string>>>, KafkaReason> => {
  const refused = answers.map(failure).find((reason) => reason !== undefined)
  if (refused !== undefined) return Effect.fail(refused)
  const known = answers.filter(({ errorCode }) => errorCode === ErrorCode.none)
  return Effect.succeed(new Map(known.map(({ topic, config }) => [topic, config])))
}

/** As `collect`, without the topics of which the configuration is refused. */
export const collectAllowed = (answers: ReadonlyArray<DescribeConfigs.Answer>) =>
  collect(answers.filter(({ errorCode }) => errorCode !== ErrorCode.topicAuthorizationFailed))
