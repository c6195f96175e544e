import { useState } from "react";
import { beginSession, openAuth } from "../../api/session.ts";
import { useSubmit } from "../../api/use-submit.ts";
import { Button } from "../../components/button.tsx";
import { HouseForm, TextField } from "../../components/fields.tsx";
import { PageLink } from "../../components/page-link.tsx";
import { Entrance } from "../../shell/entrance.tsx";
import { useGoToNextPage } from "../../shell/next-page.ts";

export default function SignUpPage() {
  const [name, setName] = useState("");
  const [email, setEmail] = useState("");
  const [password, setPassword] = useState("");
  const goToNextPage = useGoToNextPage();
  const { submit, isPending, error } = useSubmit(async () => {
    const { userId } = await openAuth.signUp({ name, email, password });
    await beginSession(userId);
    goToNextPage();
  });
  return (
    <Entrance
      title="Create an account"
      description="With a workspace of its own, and test keys that send nothing."
      footer={
        <p>
          You have one? <PageLink to="/sign-in">Sign in</PageLink>
        </p>
      }
    >
      <HouseForm
        label="Create an account"
        error={error}
        onSubmit={() => void submit()}
        actions={
          <Button type="submit" tone="primary" isPending={isPending}>
            Create account
          </Button>
        }
      >
        <TextField
          label="Name"
          name="name"
          autoComplete="organization"
          description="Of your product or company. Recipients read it in messages."
          value={name}
          onChange={setName}
          autoFocus
        />
        <TextField label="E-mail" name="email" type="email" autoComplete="username" value={email} onChange={setEmail} />
        <TextField
          label="Password"
          name="password"
          type="password"
          autoComplete="new-password"
          description="At least 10 characters. Common ones, repetitions and parts of your address are refused."
          value={password}
          onChange={setPassword}
        />
      </HouseForm>
    </Entrance>
  );
}
