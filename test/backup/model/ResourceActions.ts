import { Effect } from "effect"
import { rules } from "./StorageActions.ts"
import { ownerOf, touch, type World } from "./World.ts"

/* What happens to the resource and to the machines that work for it. */

const hour = 3_600_000

/** Farther than any clock is wrong. */
const farMillis = 12 * hour

/** Somebody edits the spec. */
export const edit = (world: World, a: number, b: number) =>
  Effect.sync(() => {
    const { spec } = world
    switch (a % 5) {
      case 0:
        spec.settings = { ...spec.settings, includeOffsetHeaders: !spec.settings.includeOffsetHeaders }
        break
      case 1:
        spec.settings = { ...spec.settings, compression: (["none", "zstd", "lz4"] as const)[b % 3]! }
        break
      case 2: {
        const { keep, time } = rules(a + b, b)
        spec.retained = {
          ...(keep === undefined ? {} : { retainedBackups: keep }),
          ...(time === undefined ? {} : { retainedByTime: time })
        }
        break
      }
      case 3:
        spec.fullEvery = b % 2 === 0 ? undefined : 2 + (b % 3)
        break
      default:
        spec.isIncremental = !spec.isIncremental
    }
    if (a % 5 !== 1) touch(world)
  })

/** The resource is deleted without its backups, its Jobs with it, and created again. */
export const reown = (world: World, b: number) =>
  Effect.sync(() => {
    world.time.nowMillis += farMillis
    world.skewMillis = 0
    world.unfinished = undefined
    world.hasSuccessor = true
    world.resource = {
      ...ownerOf(`uid-${b}-${world.time.nowMillis}`),
      adopting: { sourceClusterId: undefined, createdMillis: world.time.nowMillis }
    }
    touch(world)
  })

const skews = [0, 0, hour, 5 * hour, -hour, -5 * hour]

/** From now on pods run on machines whose clocks are wrong by hours, or right again. */
export const clockJump = (world: World, a: number) =>
  Effect.sync(() => {
    world.skewMillis = skews[a % skews.length]!
    touch(world)
  })

/** Hours, or more than a week. */
export const pass = (world: World, a: number, b: number) =>
  Effect.sync(() => {
    world.time.nowMillis += b % 8 === 0 ? 9 * 24 * hour : (1 + (a % 30)) * hour
  })
