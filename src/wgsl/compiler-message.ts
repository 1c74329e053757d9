/** What compilers of WGSL say, in the few words that a reader needs. */

/**
 * The message without the excerpt of the shader that naga (Deno, Firefox) puts into it: its lines are those of the whole
 * shader, and errors of gpugrad show the user's own line.
 */
export function withoutExcerpt(message: string): string {
  if (!message.includes("┌─")) return message;
  const [first = "", ...others] = message.trim().split("\n");
  const notes = others.map((line) => line.trim()).filter((line) => line.startsWith("= "));
  const told = [first.replace(/^Shader (?:'.*?' )?\w+ error: /, ""), ...notes.map((note) => note.slice(2))];
  return told.slice(0, mostNotes + 1).join("; ");
}

/** Where an argument doesn't fit, naga lists all types that would. */
const mostNotes = 3;
