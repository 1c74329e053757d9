/** Changes of a text that leave every line where it was, so that places in it stay right. */

export interface Edit {
  readonly from: number;
  readonly to: number;
  /** On one line, in the place of what stood there. Ends of lines in that stay. */
  readonly by: string;
}

/** The text with these changes, which don't overlap, in whatever order. */
export function edited(text: string, edits: readonly Edit[]): string {
  let made = "";
  let end = 0;
  for (const { from, to, by } of [...edits].sort((a, b) => a.from - b.from)) {
    made += text.slice(end, from) + by + text.slice(from, to).replace(/[^\n]+/g, "");
    end = to;
  }
  return made + text.slice(end);
}
