import { useLocation, useSearchParams } from "wouter";

/** Goes to where somebody wanted to go before they had to sign in: `?next=/keys`. Never to another site. */
export function useGoToNextPage(): () => void {
  const [, navigate] = useLocation();
  const [params] = useSearchParams();
  return () => {
    const next = params.get("next") ?? "/";
    const isOfConsole = next.startsWith("/") && !next.startsWith("//") && !next.includes("\\");
    navigate(isOfConsole ? next : "/", { replace: true });
  };
}
