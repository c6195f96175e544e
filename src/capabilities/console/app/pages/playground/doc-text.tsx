/** A text of the reference: what stands in backticks is code. */
export function DocText({ text }: { readonly text: string }) {
  return (
    <>
      {text.split("`").map((part, index) =>
        // biome-ignore lint/suspicious/noArrayIndexKey: the parts of a text do not move
        index % 2 === 1 ? <code key={index}>{part}</code> : part,
      )}
    </>
  );
}
