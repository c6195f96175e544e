import { useFixedCodes } from "../api/fixed-codes.ts";
import { PageLink } from "../components/page-link.tsx";

/** Warns on every page while the workspace has fixed codes. */
export function FixedCodeBar() {
  const { codes = [] } = useFixedCodes();
  if (codes.length === 0) {
    return null;
  }
  return (
    <p className="fixed-code-bar">
      {codes.length === 1
        ? "1 recipient has a fixed code: whoever knows it passes as that recipient."
        : `${codes.length} recipients have fixed codes: whoever knows one passes as its recipient.`}{" "}
      <PageLink to="/fixed-codes">Show fixed codes</PageLink>
    </p>
  );
}
