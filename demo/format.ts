/** Numbers as text. */

/** The fewest digits that name this float32 number and no other. */
export function showFloat32(value: number): string {
  let digits = 1;
  while (digits < 9 && Math.fround(Number(value.toPrecision(digits))) !== value) digits++;
  return String(Number(value.toPrecision(digits))).replaceAll("-", "−");
}

/** Milliseconds with what a page's clock can tell, such as 0.2 ms, 12.3 ms, 1,234 ms. */
export function showTime(milliseconds: number): string {
  const digits = milliseconds < 1 ? 2 : milliseconds < 100 ? 1 : 0;
  return `${grouped(milliseconds, digits)} ms`;
}

/** Such as 1,048,576. */
export function showCount(count: number): string {
  return grouped(count, 0);
}

/** Such as 28 MiB. */
export function showBytes(bytes: number): string {
  const units = ["B", "KiB", "MiB", "GiB", "TiB"];
  const power = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(bytes, 1)) / 10));
  return `${grouped(bytes / 2 ** (10 * power), bytes / 2 ** (10 * power) < 10 && power > 0 ? 1 : 0).replace(/\.0$/, "")} ${units[power] ?? "B"}`;
}

/** Such as 2.1 × 10⁻⁷. */
export function showSmall(value: number): string {
  if (value === 0) return "0";
  if (!Number.isFinite(value)) return "not a number";
  const [digits = "", exponent = ""] = value.toExponential(1).split("e");
  return `${digits} × 10${superscript(exponent.replace("+", ""))}`;
}

/** Such as ²⁰ or ⁻⁷. */
export function superscript(digits: string): string {
  return digits.replace(/[-\d]/g, (digit) => (digit === "-" ? "⁻" : ("⁰¹²³⁴⁵⁶⁷⁸⁹"[Number(digit)] ?? "")));
}

function grouped(value: number, digits: number): string {
  return value.toLocaleString("en-US", { minimumFractionDigits: digits, maximumFractionDigits: digits });
}
