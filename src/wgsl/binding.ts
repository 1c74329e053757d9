/** What stands at a binding of group 0: an array that is read, one that is written, or a small block of numbers. */
export type Binding = "input" | "output" | "uniform";
