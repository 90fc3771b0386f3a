import { assert } from "@effect/vitest"
import { mkdtempSync, rmSync, writeFileSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as Tools from "../harness/tools.ts"
import type { Json } from "./manifests.ts"

/** A value as Lua writes it. */
const literal = (value: unknown): string => {
  if (Array.isArray(value)) return `{${value.map(literal).join(", ")}}`
  if (value !== null && typeof value === "object") {
    return `{${Object.entries(value)
      .filter(([, field]) => field !== undefined && field !== null)
      .map(([key, field]) => `[${text(key)}] = ${literal(field)}`)
      .join(", ")}}`
  }
  return typeof value === "string" ? text(value) : (JSON.stringify(value) ?? "nil")
}

/** Every byte by its number: Lua knows no other escapes that JSON has. */
const text = (value: string): string =>
  `"${[...Buffer.from(value)].map((byte) => `\\${String(byte).padStart(3, "0")}`).join("")}"`

/**
 * What Argo CD gives a script from its ConfigMap: the base functions, `table`, `package`, and by `require("os")` a
 * clock. No strings, no numbers, no files; `os` is no global there. Source: `runLua` in its util/lua/lua.go. The script
 * is a function here, because it returns.
 */
const program = (script: string, object: unknown) => `
local strings, write, date, time, numbers = string, io.write, os.date, os.time, math
debug.setmetatable("", nil)
local function encode(value)
  if type(value) == "string" then
    return '"' .. strings.gsub(value, '[%c"\\\\]', function(one)
      return strings.format("\\\\u%04x", strings.byte(one))
    end) .. '"'
  elseif type(value) ~= "table" then
    return tostring(value)
  end
  local parts = {}
  if #value > 0 then
    for _, one in ipairs(value) do table.insert(parts, encode(one)) end
    return "[" .. table.concat(parts, ",") .. "]"
  end
  for key, one in pairs(value) do table.insert(parts, encode(key) .. ":" .. encode(one)) end
  return "{" .. table.concat(parts, ",") .. "}"
end
string, math, io, debug, coroutine, channel, os = nil, nil, nil, nil, nil, nil, nil
package.loaded.os = nil
package.preload.os = function() return { date = date, time = time } end
obj = ${literal(object)}
local function script()
${script}
end
write(encode(script()))
`

/** What a script returns for an object. Empty tables are objects. */
export const evaluate = async (script: string, object: unknown): Promise<Json> => {
  const folder = mkdtempSync(join(tmpdir(), "kafka-backup-lua-"))
  try {
    const file = join(folder, "script.lua")
    writeFileSync(file, program(script, object))
    const { code, stderr, stdout } = await Tools.run("glua", [file])
    assert.strictEqual(code, 0, stderr + stdout)
    return JSON.parse(stdout) as Json
  } finally {
    rmSync(folder, { recursive: true })
  }
}
