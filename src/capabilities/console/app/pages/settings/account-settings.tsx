import { useMe } from "../../api/session.ts";
import { Id } from "../../components/code-block.tsx";
import { Facts } from "../../components/facts.tsx";
import { Panel } from "../../components/panel.tsx";
import { Skeleton } from "../../components/skeleton.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";
import { DeleteAccountPanel } from "./delete-account-panel.tsx";
import { EmailVerificationPanel } from "./email-verification-panel.tsx";

/** Who is signed in, whether the address is theirs, and the end of the account. */
export function AccountSettings() {
  const me = useMe();
  if (me === undefined) {
    return <Skeleton lines={6} label="Loading the account" />;
  }
  return (
    <>
      <Panel
        title="Account"
        actions={
          me.verified ? (
            <StatusBadge tone="good">Verified</StatusBadge>
          ) : (
            <StatusBadge tone="warn">Not verified</StatusBadge>
          )
        }
      >
        <Facts
          facts={{
            "E-mail": <bdi>{me.email}</bdi>,
            "User id": <Id id={me.userId} label="user id" />,
            Created: <Time at={me.createdAt} />,
          }}
        />
      </Panel>
      {!me.verified && <EmailVerificationPanel email={me.email} />}
      <DeleteAccountPanel email={me.email} />
    </>
  );
}
