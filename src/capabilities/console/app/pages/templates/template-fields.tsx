import { FileTrigger } from "react-aria-components";
import { TemplateChannel } from "#gen/byond/v1/template_pb.ts";
import { Button } from "../../components/button.tsx";
import { TextField, useProblem } from "../../components/fields.tsx";
import type { TemplateDraft } from "./template-draft.ts";
import styles from "./template-editor.module.css";

export interface TemplateFieldsProps {
  readonly channel: TemplateChannel;
  readonly draft: TemplateDraft;
  readonly onChange: (draft: TemplateDraft) => void;
}

export function TemplateFields({ channel, draft, onChange }: TemplateFieldsProps) {
  const set = (changes: Partial<TemplateDraft>) => onChange({ ...draft, ...changes });
  const isMail = channel === TemplateChannel.EMAIL;
  return (
    <>
      {isMail && (
        <TextField
          label="Subject"
          name="subject"
          autoComplete="off"
          placeholder="Your {{brand}} code"
          description="Without the code: subjects are shown on locked screens. Empty: ours."
          value={draft.subject}
          onChange={(subject) => set({ subject })}
        />
      )}
      <TextField
        label="Text"
        name="text"
        rows={6}
        placeholder="{{code}} is your {{brand}} code. It is valid for {{time}}."
        description="With {{code}} in it. Also: {{brand}}, {{time}}, {{minutes}}; for payments {{payee}} and {{amount}}."
        value={draft.text}
        onChange={(text) => set({ text })}
      />
      {isMail && (
        <>
          <TextField
            label="HTML"
            name="html"
            rows={8}
            isCode
            description="Optional. Plain elements with style attributes; nothing is loaded from elsewhere. Empty: we lay out the text."
            value={draft.html}
            onChange={(html) => set({ html })}
          />
          <LogoField logo={draft.logo} onChange={(logo) => set({ logo })} />
          <div className={styles.colors}>
            {(
              [
                ["backgroundColor", "background_color", "Background", "#ffffff"],
                ["textColor", "text_color", "Text", "#14171a"],
                ["accentColor", "accent_color", "Code", "#f2f4f6"],
              ] as const
            ).map(([name, field, label, placeholder]) => (
              <TextField
                key={name}
                label={`${label} color`}
                name={field}
                autoComplete="off"
                isCode
                placeholder={placeholder}
                value={draft[name]}
                onChange={(color) => set({ [name]: color.trim() })}
              />
            ))}
          </div>
        </>
      )}
    </>
  );
}

function LogoField({ logo, onChange }: { readonly logo: string; readonly onChange: (logo: string) => void }) {
  const problem = useProblem("logo");
  return (
    <div className="field">
      <p className="label">Logo</p>
      <div className={styles.logo}>
        <FileTrigger
          acceptedFileTypes={["image/png", "image/jpeg"]}
          onSelect={(files) => {
            const [file] = files ?? [];
            if (file !== undefined) {
              void base64Of(file).then(onChange);
            }
          }}
        >
          <Button>{logo === "" ? "Choose a picture" : "Choose another picture"}</Button>
        </FileTrigger>
        {logo !== "" && (
          <Button tone="quiet" onPress={() => onChange("")}>
            Remove the logo
          </Button>
        )}
      </div>
      <p className="field-description">A PNG or JPEG of at most 64 KiB, shown 40 pixels high.</p>
      {problem && (
        <p className="field-error" role="alert">
          {problem}
        </p>
      )}
    </div>
  );
}

async function base64Of(file: File): Promise<string> {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}
