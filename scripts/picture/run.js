/**
 * `npm run picture`: computes README.md's picture with gpugrad in Node, and draws it into docs/orbits.svg. Dots are values of
 * Kepler's equation; the curves between them and the arrows are drawn from its gradients alone.
 */
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { withModuleInNode } from "../in-node.js";

/** @import { Orbit } from "./page.js" */
/** @typedef {typeof import("./page.js")} PicturePage */

const here = import.meta.dirname;
const file = fileURLToPath(new URL("../../docs/orbits.svg", import.meta.url));

const width = 640;
const height = 420;
/** Where the sun is, and pixels for its distance from a planet at 1. */
const sun = { x: 150, y: 212 };
const scale = 84;
/** Of an arrow, for the speed of a planet at distance 1. */
const arrow = 17;
const colors = ["#2563eb", "#0d9488", "#d97706", "#be185d"];

/** @param {number} x */
const short = (x) => String(Number(x.toFixed(1)));
/** @param {...number} numbers */
const list = (...numbers) => numbers.map(short).join(" ");

/** @param {readonly Orbit[]} orbits */
export function drawn(orbits) {
  const parts = orbits.map((orbit, k) => drawnOrbit(orbit, colors[k] ?? "#000"));
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" aria-label="Four orbits: planets at equal times, and their velocities">`,
    `<rect width="${width}" height="${height}" fill="#fff" rx="8"/>`,
    `<circle cx="${sun.x}" cy="${sun.y}" r="9" fill="#f59e0b"/>`,
    ...parts,
    "</svg>",
    "",
  ].join("\n");
}

/** @param {Orbit} orbit @param {string} color */
function drawnOrbit({ x, y, dx, dy, turns }, color) {
  const step = (2 * Math.PI) / x.length / 3;
  const points = [...x.keys()].map((k) => ({
    x: sun.x + scale * (x[k] ?? NaN),
    y: sun.y - scale * (y[k] ?? NaN),
    dx: scale * (dx[k] ?? NaN),
    dy: -scale * (dy[k] ?? NaN),
  }));
  // A cubic between two dots: its handles are a third of a step along the gradients.
  const [first] = points;
  if (first === undefined) return "";
  const curve = points.map((from, k) => {
    const to = points[(k + 1) % points.length] ?? first;
    const handles = [from.x + step * from.dx, from.y + step * from.dy, to.x - step * to.dx, to.y - step * to.dy];
    return `C${list(...handles, to.x, to.y)}`;
  });
  const length = (arrow * turns) / scale;
  const arrows = points.map((p) => `M${list(p.x, p.y)}l${list(length * p.dx, length * p.dy)}`);
  const dots = points.map((p) => `<circle cx="${short(p.x)}" cy="${short(p.y)}" r="3"/>`);
  return [
    `<g fill="none" stroke="${color}">`,
    `<path stroke-width="1" opacity=".45" d="M${list(first.x, first.y)}${curve.join("")}"/>`,
    `<path stroke-width="1.5" stroke-linecap="round" d="${arrows.join("")}"/>`,
    `<g fill="${color}" stroke="none">${dots.join("")}</g>`,
    "</g>",
  ].join("\n");
}

/** @returns {Promise<string>} */
export function picture() {
  return withModuleInNode(here, [], async (/** @type {PicturePage} */ { compute }) => drawn(await compute()));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  writeFileSync(file, await picture());
  process.stdout.write(`${join("docs", "orbits.svg")}\n`);
}
