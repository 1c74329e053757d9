/** The site: `npm run build:demo` writes it to dist-demo, and it works from any folder of any server. */
import { fileURLToPath } from "node:url";
import { defineConfig } from "vite";
import { shaderModules } from "../scripts/shader-modules.js";

const here = fileURLToPath(new URL(".", import.meta.url));
const repository = fileURLToPath(new URL("..", import.meta.url));

export default defineConfig({
  root: here,
  base: "./",
  cacheDir: `${repository}node_modules/.vite-demo`,
  // Several pages, no fallback to the first: what doesn't exist is a 404.
  appType: "mpa",
  // The site shows shaders as they are written.
  plugins: [shaderModules({ keepsComments: true })],
  server: { fs: { allow: [repository] } },
  worker: { format: "es", plugins: () => [shaderModules({ keepsComments: true })] },
  build: {
    outDir: `${repository}dist-demo`,
    emptyOutDir: true,
    target: "es2022",
    sourcemap: true,
    // A strict Content-Security-Policy forbids data: addresses and inline scripts.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: { input: [`${here}index.html`, `${here}accuracy.html`] },
  },
});
