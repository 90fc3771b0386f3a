import type { Api, Call } from "./Api.ts"

/** Sent only to learn what a listener offers, never to authenticate. */
export const api: Api = { key: 17, name: "SaslHandshake", minVersion: 1, maxVersion: 1, flexibleFrom: 2 }

/** Error 34 (ILLEGAL_SASL_STATE) comes from a listener without SASL. */
export const call = (
  mechanism: string
): Call<{ readonly errorCode: number; readonly mechanisms: ReadonlyArray<string> }> => ({
  api,
  version: 1,
  encode: (w) => {
    w.string(mechanism)
  },
  decode: (r) => ({ errorCode: r.int16(), mechanisms: r.array(2, () => r.string()) })
})
