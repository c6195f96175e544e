import { createClient } from "@connectrpc/connect";
import { useQuery } from "@connectrpc/connect-query";
import { useSyncExternalStore } from "react";
import { AuthService, type GetMeResponse } from "#gen/byond/v1/auth_pb.ts";
import { forgetPlaygroundKey } from "./playground-key.ts";
import { queryClient } from "./query-client.ts";
import { consolePath } from "./server-address.ts";
import { type SessionState, sessionStore } from "./session-store.ts";
import { openTransport, transports } from "./transport.ts";

/** Whether somebody is signed in. */
export function useSessionState(): SessionState {
  return useSyncExternalStore(sessionStore.subscribe, sessionStore.get);
}

/** Asks who is signed in. The session store knows when it returns. */
export async function findSession(): Promise<void> {
  try {
    const { userId } = await createClient(AuthService, transports.live).getMe({});
    lastUserId = userId;
    sessionStore.signedIn();
  } catch (error) {
    if (sessionStore.get() !== "signed-out") {
      throw error;
    }
  }
}

/** Who is signed in. Undefined until the answer is there. */
export function useMe(): GetMeResponse | undefined {
  // The same in both modes, and kept once.
  return useQuery(AuthService.method.getMe, {}, { transport: transports.live, staleTime: 60_000 }).data;
}

/** Clients for the calls that begin and end sessions. */
export const openAuth = createClient(AuthService, openTransport);

/** After a sign-in. If it is another user's, the page begins anew: what it holds, and calls that wait, are somebody else's. */
export async function beginSession(userId: string): Promise<void> {
  tabs.postMessage(userId);
  if (lastUserId !== undefined && lastUserId !== userId) {
    return beginAnew();
  }
  lastUserId = userId;
  sessionStore.signedIn();
  await queryClient.invalidateQueries();
}

let lastUserId: string | undefined;

/** Ends the session, and forgets everything that was shown. */
export async function signOut(): Promise<void> {
  forgetPlaygroundKey();
  await openAuth.signOut({});
  endSession();
}

/** After the session has ended. */
export function endSession(): void {
  tabs.postMessage(null);
  forgetUser();
}

function forgetUser(): void {
  lastUserId = undefined;
  forgetPlaygroundKey();
  sessionStore.signedOut();
  queryClient.clear();
}

/** Never returns: the page is going. */
function beginAnew(): Promise<never> {
  location.reload();
  return new Promise(() => undefined);
}

/** The tabs of a browser have one cookie: each tells the others who has signed in, or that somebody has signed out (null). */
const tabs = new BroadcastChannel(`byond session ${consolePath}`);

tabs.addEventListener("message", ({ data: userId }: MessageEvent<string | null>) => {
  if (lastUserId === undefined) {
    return;
  }
  if (userId === null) {
    forgetUser();
  } else if (userId === lastUserId) {
    sessionStore.signedIn();
  } else {
    void beginAnew();
  }
});
