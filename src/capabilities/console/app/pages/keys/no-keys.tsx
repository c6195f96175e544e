import type { ModeName } from "../../api/mode.ts";
import { serverPath } from "../../api/server-address.ts";
import { Button } from "../../components/button.tsx";
import { EmptyState } from "../../components/empty-state.tsx";

export interface NoKeysProps {
  readonly mode: ModeName;
  readonly isFiltered: boolean;
  readonly onClear: () => void;
  readonly onCreate: () => void;
}

/** In place of a list without keys. */
export function NoKeys({ mode, isFiltered, onClear, onCreate }: NoKeysProps) {
  if (isFiltered) {
    return (
      <EmptyState
        icon="search"
        title={`No ${mode} key matches`}
        actions={<Button onPress={onClear}>Clear filters</Button>}
      >
        Keys of the other mode are behind the switch between live and test.
      </EmptyState>
    );
  }
  return (
    <EmptyState
      icon="key"
      title={mode === "test" ? "Create your first test key" : "No live keys yet"}
      actions={
        <>
          <Button tone="primary" icon="plus" onPress={onCreate}>
            Create key
          </Button>
          <a className="button button-secondary" href={`${serverPath}/docs`}>
            Read the reference
          </a>
        </>
      }
    >
      {mode === "test" ? (
        <p>
          With a test key (<code>pk_test_…</code>) the API behaves as in production, but nothing is sent and every code
          is all zeros. Start with one; your live data stays apart.
        </p>
      ) : (
        <p>
          A live key (<code>pk_live_…</code>) sends real codes. Give each server a key of its own, with no more scopes
          than it needs, so that you can revoke one without stopping the others. To try the API first, switch to test.
        </p>
      )}
    </EmptyState>
  );
}
