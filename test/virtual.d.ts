declare module "virtual:examples" {
  export const examples: { title: string; run: () => Promise<{ run: () => Promise<void> }> }[];
}
