/** An instant as Kubernetes writes it: RFC 3339, UTC, whole seconds. */
export const timestamp = (millis: number): string => new Date(millis).toISOString().replace(/\.\d+Z$/, "Z")
