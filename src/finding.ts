/** What `byond doctor` or `byond servers` found out about one thing. */
export interface Finding {
  /** What was looked at, such as "database". Several findings may have the same. */
  readonly about: string;
  /** `fault`: the server does not start, or something does not work. `warning`: it works, and should not stay as it is. */
  readonly verdict: "ok" | "warning" | "fault";
  /** What was found, as a sentence without a full stop. It holds no secret. */
  readonly found: string;
  /** What to do, as a sentence without a full stop. */
  readonly advice?: string;
}
