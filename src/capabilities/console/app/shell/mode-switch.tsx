import { useSearchParams } from "wouter";
import { useMode } from "../api/mode.ts";
import { classNames } from "../components/class-names.ts";

/** Changes between live and test data. The address keeps it, and so does every link. */
export function ModeSwitch() {
  const mode = useMode();
  const [, setParams] = useSearchParams();
  const choose = (isTest: boolean) =>
    setParams((current) => {
      const next = new URLSearchParams(current);
      if (isTest) {
        next.set("mode", "test");
      } else {
        next.delete("mode");
      }
      return next;
    });
  return (
    <fieldset className="mode-switch">
      <legend className="visually-hidden">Mode</legend>
      {(["live", "test"] as const).map((name) => (
        <button
          key={name}
          type="button"
          className={classNames("mode-choice", mode === name && `mode-chosen mode-${name}`)}
          aria-pressed={mode === name}
          onClick={() => choose(name === "test")}
        >
          {name === "live" ? "Live" : "Test"}
        </button>
      ))}
    </fieldset>
  );
}

/** Reminds of the test mode. */
export function TestModeBar() {
  return useMode() === "test" ? (
    <p className="test-bar">Test data: nothing is sent, and every code is all zeros.</p>
  ) : null;
}
