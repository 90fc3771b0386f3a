import { DateTime, Option, Schema, SchemaGetter } from "effect"

/**
 * An instant as Kubernetes writes it (RFC 3339, whole seconds, UTC), decoded to `DateTime.Utc`. Encoding drops
 * fractions of a second: compare encoded values when asking whether a status has changed.
 */
export const Timestamp = (description: string) =>
  Schema.String.annotate({ description, format: "date-time" })
    .check(
      Schema.makeFilter((text) => Option.isSome(DateTime.make(text)) || "must be a time such as 2024-12-01T12:00:00Z")
    )
    .pipe(
      Schema.decodeTo(Schema.DateTimeUtc, {
        decode: SchemaGetter.transform((text: string) => DateTime.toUtc(DateTime.makeUnsafe(text))),
        encode: SchemaGetter.transform((at: DateTime.Utc) => format(at))
      })
    )

/** `2024-12-01T12:00:00Z`. */
export const format = (at: DateTime.Utc): string => DateTime.formatIso(at).replace(/[.][0-9]+Z$/, "Z")
