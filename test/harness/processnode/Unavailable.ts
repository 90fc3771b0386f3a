/** Something that a container needs is not there yet, in the kubelet's words; it is tried again until it is. */
export class Unavailable extends Error {
  override readonly name = "Unavailable"
  /** What the waiting container says. */
  readonly waiting: "ContainerCreating" | "CreateContainerConfigError" | "ErrImagePull"
  /** Reason of the Event beside it. */
  readonly event: "FailedMount" | "Failed"

  private constructor(waiting: Unavailable["waiting"], event: Unavailable["event"], message: string) {
    super(message)
    this.waiting = waiting
    this.event = event
  }

  /** A volume cannot be filled: the container waits without a reason; only the Event has it. */
  static volume(name: string, because: string): Unavailable {
    const message = `MountVolume.SetUp failed for volume "${name}" : ${because}`
    return new Unavailable("ContainerCreating", "FailedMount", message)
  }

  /** A variable has no value. */
  static variable(because: string): Unavailable {
    return new Unavailable("CreateContainerConfigError", "Failed", because)
  }

  static image(image: string): Unavailable {
    const message = `failed to pull and unpack image "${image}": not found`
    return new Unavailable("ErrImagePull", "Failed", message)
  }
}
