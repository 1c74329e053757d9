/** The words that can't be names: WGSL's own, and those that it keeps for later. */

const keywords = /* @__PURE__ */ words(
  "alias break case const const_assert continue continuing default diagnostic discard else enable false fn for if let " +
    "loop override requires return struct switch true var while",
);

const reserved = /* @__PURE__ */ words(
  "NULL Self abstract active alignas alignof as asm asm_fragment async attribute auto await become cast catch class " +
    "co_await co_return co_yield coherent column_major common compile compile_fragment concept const_cast consteval " +
    "constexpr constinit crate debugger decltype delete demote demote_to_helper do dynamic_cast enum explicit export " +
    "extends extern external fallthrough filter final finally friend from fxgroup get goto groupshared highp impl " +
    "implements import inline instanceof interface layout lowp macro macro_rules match mediump meta mod module move mut " +
    "mutable namespace new nil noexcept noinline nointerpolation non_coherent noncoherent noperspective null nullptr of " +
    "operator package packoffset partition pass patch pixelfragment precise precision premerge priv protected pub public " +
    "readonly ref regardless register reinterpret_cast require resource restrict self set shared sizeof smooth snorm " +
    "static static_assert static_cast std subroutine super target template this thread_local throw trait try type typedef " +
    "typeid typename typeof union unless unorm unsafe unsized use using varying virtual volatile wgsl where with writeonly " +
    "yield",
);

function words(text: string): ReadonlySet<string> {
  return new Set(text.split(" "));
}

/** Whether it stands for itself in WGSL's grammar, as `loop` does. */
export function isKeyword(word: string): boolean {
  return keywords.has(word);
}

/** Why this can't be a name; null where it can. */
export function whyNoName(word: string): string | null {
  if (keywords.has(word)) return `${word} is a word of WGSL's own`;
  if (reserved.has(word)) return `${word} is a word that WGSL keeps for itself`;
  if (word === "_") return "_ is no name: it stands for what isn't kept";
  return word.startsWith("__") ? `${word} begins with two underscores, as no name in WGSL may` : null;
}
