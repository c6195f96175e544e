/** What the playground does not offer or simply send, and why. By the name of the RPC. */
import type { Draft, DraftMessage } from "./draft.ts";

/** Calls that end or open a session, or change the password: their lines are shown, and they are made elsewhere. */
const notSent: Readonly<Record<string, string>> = {
  SignUp: "It answers with the tokens of a session, which no page should see.",
  SignIn: "It answers with the tokens of a session, which no page should see.",
  RefreshSession: "It takes and answers with the tokens of a session, which no page should see.",
  SignOut: "It takes the refresh token of a session, which no page should see. To sign out, use the account menu.",
  LogoutAll: "It would end your own session, too. To end all sessions, use the settings.",
  ChangePassword: "It would end your own session, too. To change the password, use the settings.",
  CreateFixedCode: "It takes your password. To create a fixed code, use the page about them.",
  ConfirmPasswordReset:
    "It would end your own session, too. To reset a password, use the page that the sign-in links to.",
  DeleteAccount: "It would delete the account that you are signed in to. To do that, use the settings.",
};

/** Calls that cannot be undone, with what they do. */
const irreversible: Readonly<Record<string, string>> = {
  EraseRecipient: "Erases the stored address and metadata of every verification that was sent to the recipient.",
  DeleteFixedCode: "Deletes the fixed code, and cancels the pending verifications of its recipient.",
  DeleteWebhook: "Deletes the endpoint. Events are no longer sent to it.",
  RotateWebhookSecret: "Replaces the secret. The one before works for the grace period only.",
  RotateApiKey: "Replaces the key. The one before works for the grace period only.",
  RevokeApiKey: "Revokes the key. No server accepts it any more.",
};

/** Why the playground does not send the call; undefined: it does. */
export function whyNotSent(methodName: string): string | undefined {
  return notSent[methodName];
}

/** What to confirm before the call is sent; undefined: nothing. */
export function whatToConfirm(methodName: string): string | undefined {
  return irreversible[methodName];
}

/** The values of enums that what is typed rules out, by their name in the schema, with the reason. */
export function ruledOut(methodName: string, { payee, amount }: DraftMessage): Readonly<Record<string, string>> {
  return methodName === "StartVerification" && (isTyped(payee) || isTyped(amount))
    ? { CHANNEL_WHATSAPP: "WhatsApp is not for payments: its messages cannot show a payee and an amount." }
    : {};
}

function isTyped(draft: Draft | undefined): boolean {
  return typeof draft === "object" ? Object.values(draft).some(isTyped) : draft !== undefined && draft !== "";
}
