import { useState } from "react";
import { beginSession, openAuth } from "../api/session.ts";
import { useSubmit } from "../api/use-submit.ts";
import { Button } from "../components/button.tsx";
import { HouseForm, TextField } from "../components/fields.tsx";

export interface SignInFormProps {
  /** Who was signed in before. */
  readonly email?: string;
  readonly onSignedIn?: () => void;
  readonly onCancel?: () => void;
}

export function SignInForm({ email: knownEmail = "", onSignedIn, onCancel }: SignInFormProps) {
  const [email, setEmail] = useState(knownEmail);
  const [password, setPassword] = useState("");
  const { submit, isPending, error } = useSubmit(async () => {
    const { userId } = await openAuth.signIn({ email, password });
    await beginSession(userId);
    onSignedIn?.();
  });
  return (
    <HouseForm
      label="Sign in"
      error={error}
      onSubmit={() => void submit()}
      actions={
        <>
          {onCancel && <Button onPress={onCancel}>Sign out</Button>}
          <Button type="submit" tone="primary" isPending={isPending}>
            Sign in
          </Button>
        </>
      }
    >
      <TextField
        label="E-mail"
        name="email"
        type="email"
        autoComplete="username"
        value={email}
        onChange={setEmail}
        autoFocus={knownEmail === ""}
      />
      <TextField
        label="Password"
        name="password"
        type="password"
        autoComplete="current-password"
        value={password}
        onChange={setPassword}
        autoFocus={knownEmail !== ""}
      />
    </HouseForm>
  );
}
