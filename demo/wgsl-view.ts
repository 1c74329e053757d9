/** WGSL with a little colour. */
import { html } from "./dom.js";

const token =
  /(?<comment>\/\/[^\n]*)|(?<keyword>\b(?:fn|let|var|const|return|if|else|for|while|loop|struct|true|false)\b)|(?<type>\b(?:bool|[fiu]32|vec[234][fiu]?|array|storage|uniform|read_write|read)\b)|(?<attribute>@\w+)|(?<number>\b(?:0x[\da-f]+[iu]?|\d+(?:\.\d*)?(?:e[-+]?\d+)?[fiu]?)\b)/gi;

/** The source as the children of a <code> element. */
export function coloured(wgsl: string): (Element | string)[] {
  const children: (Element | string)[] = [];
  let end = 0;
  for (const match of wgsl.matchAll(token)) {
    const [kind = ""] =
      Object.entries(match.groups ?? {}).find(([, text]) => (text as string | undefined) !== undefined) ?? [];
    children.push(wgsl.slice(end, match.index), html("span", kind, [match[0]]));
    end = match.index + match[0].length;
  }
  children.push(wgsl.slice(end));
  return children;
}
