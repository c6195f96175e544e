import { Counter } from "prom-client";
import type { Mode } from "../../access/caller.ts";
import { type ChannelName, channelNames } from "../channels/outgoing-message.ts";
import type { CheckStatus } from "./check-verification.ts";

const modes: readonly Mode[] = ["live", "test"];
const statuses: readonly CheckStatus[] = ["approved", "incorrect", "expired", "locked"];

/** What is counted of the verifications of workspaces, for `/metrics`. Those of the server's own accounts are not. */
export class VerificationMetrics {
  readonly #started = new Counter({
    name: "byond_verifications_started_total",
    help: "Verifications that were started, by mode and by the channel that was asked for.",
    labelNames: ["mode", "channel"],
    registers: [],
  });
  readonly #checks = new Counter({
    name: "byond_verification_checks_total",
    help: "Codes that were checked, by mode and result.",
    labelNames: ["mode", "status"],
    registers: [],
  });
  readonly metrics = [this.#started, this.#checks];

  constructor() {
    // A rate sees the first one, too.
    for (const mode of modes) {
      for (const channel of channelNames) {
        this.#started.inc({ mode, channel }, 0);
      }
      for (const status of statuses) {
        this.#checks.inc({ mode, status }, 0);
      }
    }
  }

  started(mode: Mode, channel: ChannelName): void {
    this.#started.inc({ mode, channel });
  }

  checked(mode: Mode, status: CheckStatus): void {
    this.#checks.inc({ mode, status });
  }
}
