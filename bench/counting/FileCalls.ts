import fs from "node:fs"
import { syncBuiltinESMExports } from "node:module"

/** Calls to the file system by kind, such as "open" or "fsync"; calls on a file handle count as what they are. */
export type FileCalls = Record<string, number>

/** Calls that go to the kernel. Each is named as its system call is, as far as there is one. */
const calls = {
  access: "access",
  close: "close",
  fdatasync: "fdatasync",
  fstat: "fstat",
  fsync: "fsync",
  link: "link",
  lstat: "lstat",
  mkdir: "mkdir",
  open: "open",
  opendir: "opendir",
  read: "read",
  readFile: "readFile",
  readdir: "readdir",
  readv: "read",
  realpath: "realpath",
  rename: "rename",
  rm: "rm",
  rmdir: "rmdir",
  stat: "stat",
  statfs: "statfs",
  truncate: "truncate",
  unlink: "unlink",
  write: "write",
  writeFile: "writeFile",
  writev: "write"
} as const

/** Methods of a file handle whose names are not those of the same call on a path. */
const ofHandles: Readonly<Record<string, string>> = { ...calls, datasync: "fdatasync", stat: "fstat", sync: "fsync" }

type Method = (this: unknown, ...args: Array<unknown>) => unknown

const patch = (object: object, names: Readonly<Record<string, string>>, count: (kind: string) => void): void => {
  const methods = object as Record<string, Method | undefined>
  for (const [name, kind] of Object.entries(names)) {
    const method = methods[name]
    if (method === undefined) continue
    methods[name] = function (...args) {
      count(kind)
      return method.apply(this, args)
    }
  }
}

/**
 * Counts every call to the file system that code of this process makes from now on, promises, callbacks and those that
 * block alike: the program's own, not those with which Node loads modules. For the life of the process.
 */
export const install = async (counted: FileCalls): Promise<void> => {
  const count = (kind: string) => void (counted[kind] = (counted[kind] ?? 0) + 1)
  const handle = await fs.promises.open("/dev/null")
  patch(Object.getPrototypeOf(handle) as object, ofHandles, count)
  await handle.close()
  patch(fs.promises, calls, count)
  // `close` is a field of each handle.
  const { open } = fs.promises
  fs.promises.open = async (...args) => {
    const opened = await open.apply(fs.promises, args)
    const close = opened.close.bind(opened)
    opened.close = () => (count("close"), close())
    return opened
  }
  patch(fs, calls, count)
  patch(fs, Object.fromEntries(Object.entries(calls).map(([name, kind]) => [`${name}Sync`, kind])), count)
  syncBuiltinESMExports()
}
