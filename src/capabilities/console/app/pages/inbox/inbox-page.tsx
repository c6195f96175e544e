import { Route } from "wouter";
import { CopyButton } from "../../components/copy-button.tsx";
import { type Column, DataTable } from "../../components/data-table.tsx";
import { EmptyState } from "../../components/empty-state.tsx";
import { ModalDialog } from "../../components/modal-dialog.tsx";
import { PageHeader } from "../../components/page-header.tsx";
import { PageLink, useGoTo } from "../../components/page-link.tsx";
import { StatusBadge } from "../../components/status-badge.tsx";
import { Time } from "../../components/time.tsx";
import { type InboxMessage, useInboxMessages } from "./inbox-messages.ts";
import { MessageView } from "./message-view.tsx";

const channelWords: Readonly<Record<InboxMessage["channel"], string>> = {
  email: "E-mail",
  sms: "SMS",
  whatsapp: "WhatsApp",
  voice: "Voice",
};

const columns: readonly Column<InboxMessage>[] = [
  { title: "Recipient", cell: ({ recipient }) => <span className="break-anywhere">{recipient}</span> },
  { title: "Channel", cell: ({ channel }) => channelWords[channel] },
  {
    title: "Code",
    cell: ({ code }) => (
      <span className="id">
        <code>{code}</code>
        <CopyButton text={code} label="code" />
      </span>
    ),
  },
  { title: "Time", cell: ({ created_at: at }) => <Time at={new Date(at)} relative />, align: "end" },
];

/** The messages that did not leave the server, as their recipients would see them. */
export default function InboxPage() {
  const { data, error, refetch } = useInboxMessages();
  const goTo = useGoTo();
  return (
    <>
      <PageHeader
        title="Inbox"
        description="Messages that did not leave this server: those of test mode, and those of channels without a provider."
        aside={data && !error && <StatusBadge tone="good">Live</StatusBadge>}
      />
      {data === null ? (
        <EmptyState icon="inbox" title="This server has no inbox">
          It sends real messages, and keeps the codes of none. Messages of test mode are not kept either; their codes
          are all zeros.
        </EmptyState>
      ) : (
        <DataTable
          label="Messages"
          columns={columns}
          rows={data}
          rowKey={({ id }) => id}
          rowLink={({ id }) => `/inbox/${id}`}
          error={error}
          onRetry={() => void refetch()}
          empty={
            <EmptyState
              icon="inbox"
              title="No messages yet"
              actions={<PageLink to="/playground/StartVerification">Start a verification in the playground</PageLink>}
            >
              The message of a verification appears here at once. The newest hundred of the server are kept, until it
              stops.
            </EmptyState>
          }
        />
      )}
      <Route path="/inbox/:id">
        {({ id }) => {
          const message = data?.find((candidate) => candidate.id === id);
          return (
            data && (
              <ModalDialog
                isOpen
                onClose={() => goTo("/inbox")}
                title={message === undefined ? "Message" : (message.subject ?? channelWords[message.channel])}
                look="drawer"
              >
                {message === undefined ? (
                  <p>This message is not here. The newest hundred of the server are kept, until it stops.</p>
                ) : (
                  <MessageView message={message} />
                )}
              </ModalDialog>
            )
          );
        }}
      </Route>
    </>
  );
}
