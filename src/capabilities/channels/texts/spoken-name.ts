/**
 * A brand or a payee for a voice. Some providers read a text that begins with a tag as a script (SSML), and adapters may do so with any tag: no
 * name makes one.
 */
export function spokenName(name: string): string {
  return name.replace(/[<>\s]+/g, " ").trim();
}
