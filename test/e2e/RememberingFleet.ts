import { Fleet, type Started, type Surroundings } from "../../scripts/services/Fleet.ts"

/** How a member of the fleet was started, so that it can be again. */
interface Member {
  readonly program: string
  readonly args: ReadonlyArray<string>
  readonly env: Readonly<Record<string, string>>
  started: Started
}

/** A fleet of one test file, which ends members and starts them again. */
export class RememberingFleet extends Fleet {
  readonly #members = new Map<string, Member>()

  override start(
    name: string,
    program: string,
    args: ReadonlyArray<string>,
    env: Readonly<Record<string, string>> = {},
    surroundings: Surroundings = {}
  ): Started {
    const started = super.start(name, program, args, env, surroundings)
    this.#members.set(name, { program, args, env, started })
    return started
  }

  /** With the same program and arguments. Its log goes on. */
  startAgain(name: string): Started {
    const { args, env, program } = this.member(name)
    return this.start(name, program, args, env)
  }

  member(name: string): Member {
    const found = this.#members.get(name)
    if (found === undefined) throw new Error(`no ${name} was started`)
    return found
  }
}
