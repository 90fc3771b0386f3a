/** What tells the attempts of one resource apart. */
export interface AttemptKey {
  readonly uid: string
  readonly namespace: string
  readonly name: string
  /** Of the spec. */
  readonly generation: number
  readonly annotations: Readonly<Record<string, string>> | undefined
}
