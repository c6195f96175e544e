import { ButtonLink } from "../components/button.tsx";
import { EmptyState } from "../components/empty-state.tsx";
import { PageHeader } from "../components/page-header.tsx";

/** For addresses that are no page of the console. */
export function NotFoundPage() {
  return (
    <>
      <PageHeader title="Not found" />
      <EmptyState
        icon="search"
        title="There is no page at this address"
        actions={<ButtonLink to="/">Overview</ButtonLink>}
      >
        It may have been typed wrongly. Press K to search.
      </EmptyState>
    </>
  );
}
