import { PasswordPanel } from "./password-panel.tsx";
import { SessionsPanel } from "./sessions-panel.tsx";

export function SecuritySettings() {
  return (
    <>
      <PasswordPanel />
      <SessionsPanel />
    </>
  );
}
