/** Where a run tells about itself over HTTP. */
export interface ListenAddress {
  /** Absent: every interface. */
  readonly host: string | undefined
  /** 0: any that is free. */
  readonly port: number
}

/** `127.0.0.1:9090`, `[::1]:9090`, or `:9090` for every interface; undefined where it is neither. */
export const parse = (text: string): ListenAddress | undefined => {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^\s:[\]]*)):(\d{1,5})$/u.exec(text)
  const port = Number(match?.[3])
  return match === null || port > 65_535 ? undefined : { host: match[1] ?? (match[2] || undefined), port }
}
