/*
 * The versions that integration tests run against: of what is downloaded or compiled (Install.ts), of the folders where
 * that is kept (Cache.ts), and of the page about them (scripts/VersionsReference.ts).
 */

/** Also in scripts/services/kafka/pom.xml, which Maven reads. */
export const kafka = "4.3.1"
/** Also in scripts/services/controlplane/kubernetes/go.mod. */
export const kubernetes = "1.34.4"
/** Also in scripts/services/controlplane/etcd/go.mod. */
export const etcd = "3.6.14"
export const helm = "4.3.2"
export const versitygw = "1.7.0"
/** Day of the commit: release tags are refused by Go's module proxy. */
export const minio = "20260212"
export const azurite = "3.37.0"
export const fakegcs = "1.55.1"
export const toxiproxy = "2.12.0"
export const chromium = "153.0.0"
/** Prometheus 3.16, as Go modules call it. */
export const prometheus = "0.316.0"
/** The Lua interpreter that Argo CD embeds. */
export const lua = "1.1.2"
