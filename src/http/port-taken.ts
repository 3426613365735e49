/** What may be done where the port is the API's. */
export const OTHER_API_PORT = "stop it, or choose another port by --port or FASTLANE_PORT";

/** The port cannot be listened on. */
export class PortTaken extends Error {
  override readonly name = "PortTaken";
  /** @param hint What to do about it. */
  constructor(host: string, port: number, hint: string) {
    super(`Cannot listen on ${host}:${port}: another program does; ${hint}`);
  }
}
