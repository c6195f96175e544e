import { useQuery } from "@tanstack/react-query";
import { fetchWithSession, readJson } from "../../api/fetch-with-session.ts";
import { type ModeName, useMode } from "../../api/mode.ts";

/** A message that did not leave the server, as `/dev/inbox` returns it. */
export interface InboxMessage {
  readonly id: string;
  readonly channel: "email" | "sms" | "whatsapp" | "voice";
  readonly recipient: string;
  readonly code: string;
  /** Of a mail only. */
  readonly subject: string | null;
  readonly text: string;
  /** Of a mail only. */
  readonly html: string | null;
  readonly created_at: string;
}

const refreshMs = 2_000;

/** The newest messages of the mode, newest first. Null: this server has no inbox. */
export function useInboxMessages() {
  const mode = useMode();
  return useQuery({
    queryKey: ["inbox", mode],
    queryFn: ({ signal }) => readInbox(mode, signal),
    refetchInterval: ({ state }) => (state.data === null ? false : refreshMs),
  });
}

async function readInbox(mode: ModeName, signal: AbortSignal): Promise<readonly InboxMessage[] | null> {
  const response = await fetchWithSession("/dev/inbox", mode, signal);
  return response.status === 404 ? null : readJson<readonly InboxMessage[]>(response);
}
