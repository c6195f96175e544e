import { equalSecrets } from "../../crypto/equal-secrets.ts";
import type { SharedState } from "../../workers/shared-state.ts";

const tokenName = "console token";

/**
 * The link to the console that the start banner prints: it signs a browser in to the demo workspace, once. Copies of it in the
 * browser's history, a terminal or a log are worthless afterwards. Every process of the server has the same token.
 */
export class ConsoleLink {
  readonly #token: string;
  readonly #state: Pick<SharedState, "claim">;
  /** Append it to the URL of the entry. */
  readonly query: string;

  private constructor(state: Pick<SharedState, "claim">, token: string) {
    this.#state = state;
    this.#token = token;
    this.query = `?token=${token}`;
  }

  static async create(state: Pick<SharedState, "claim" | "secret">): Promise<ConsoleLink> {
    return new ConsoleLink(state, await state.secret(tokenName));
  }

  /** Whether the request follows the link, which nobody has used before. */
  async redeem({ method, url }: { readonly method: string; readonly url: string }): Promise<boolean> {
    const presented = new URL(url).searchParams.get("token");
    // HEAD, which link checkers use, must not use up the token.
    return (
      method === "GET" &&
      presented !== null &&
      equalSecrets(presented, this.#token) &&
      (await this.#state.claim(tokenName))
    );
  }
}
