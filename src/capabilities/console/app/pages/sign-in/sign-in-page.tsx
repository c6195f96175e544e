import { PageLink } from "../../components/page-link.tsx";
import { Entrance } from "../../shell/entrance.tsx";
import { useGoToNextPage } from "../../shell/next-page.ts";
import { SignInForm } from "../../shell/sign-in-form.tsx";

export default function SignInPage() {
  const goToNextPage = useGoToNextPage();
  return (
    <Entrance
      title="Sign in"
      footer={
        <>
          <p>
            No account yet? <PageLink to="/sign-up">Create one</PageLink>
          </p>
          <p>
            <PageLink to="/reset-password">Forgot your password?</PageLink>
          </p>
        </>
      }
    >
      <SignInForm onSignedIn={goToNextPage} />
    </Entrance>
  );
}
