import { hookPlaces } from "../guard.policy.ts";

/** The places of a workspace that has some, or waits for one. */
interface Workspace {
  taken: number;
  /** Sends that wait for a place, in their order. Called when they have one. */
  readonly waiting: Set<() => void>;
}

/**
 * The answers of hooks that a server waits for at the same time. Each workspace has a few places of its own, which no other one can take, and beyond
 * them shares those of the server, up to a limit.
 */
export class HookPlaces {
  /** In the order in which they get the next shared place. */
  readonly #workspaces = new Map<string, Workspace>();
  #shared = 0;
  #waiting = 0;

  /** Takes a place, as soon as there is one. False: there was none before the signal. */
  async take(workspaceId: string, signal: AbortSignal): Promise<boolean> {
    const workspace = this.#workspaces.get(workspaceId) ?? { taken: 0, waiting: new Set() };
    this.#workspaces.set(workspaceId, workspace);
    if (this.#hasPlace(workspace)) {
      this.#occupy(workspace);
      return true;
    }
    return new Promise((resolve) => {
      const admit = () => settle(true);
      const giveUp = () => settle(false);
      const settle = (hasPlace: boolean) => {
        workspace.waiting.delete(admit);
        this.#waiting -= 1;
        signal.removeEventListener("abort", giveUp);
        resolve(hasPlace);
      };
      workspace.waiting.add(admit);
      this.#waiting += 1;
      signal.addEventListener("abort", giveUp);
    });
  }

  /** Gives a place back, and with it the next one that waits for it. */
  release(workspaceId: string): void {
    const workspace = this.#workspaces.get(workspaceId);
    if (workspace === undefined) {
      return;
    }
    if (workspace.taken > hookPlaces.own) {
      this.#shared -= 1;
    }
    workspace.taken -= 1;
    if (this.#waiting > 0) {
      this.#admitNext();
    }
    if (workspace.taken === 0) {
      this.#workspaces.delete(workspaceId);
    }
  }

  #hasPlace({ taken }: Workspace): boolean {
    return taken < hookPlaces.own || (taken < hookPlaces.ofWorkspace && this.#shared < hookPlaces.shared);
  }

  #occupy(workspace: Workspace): void {
    workspace.taken += 1;
    if (workspace.taken > hookPlaces.own) {
      this.#shared += 1;
    }
  }

  #admitNext(): void {
    for (const [id, workspace] of this.#workspaces) {
      const [admit] = workspace.waiting;
      if (admit !== undefined && this.#hasPlace(workspace)) {
        this.#workspaces.delete(id);
        this.#workspaces.set(id, workspace);
        this.#occupy(workspace);
        admit();
        return;
      }
    }
  }
}
