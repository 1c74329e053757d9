/** Node as tests expect it of a page: `navigator.gpu`, WebGPU's constants, and the events of what nobody catches. */
import { globals } from "webgpu";
import { gpu } from "../src/node/gpu.js";

Object.assign(globalThis, globals);
// As in a page, of the prototype: a test that puts another in its place takes that away again.
const navigator: unknown = Object.create({ gpu: await gpu() });
Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true, writable: true });

const events = { unhandledrejection: "unhandledRejection", error: "uncaughtException" } as const;
type Name = keyof typeof events;
type Heard = (reason: unknown) => void;
type Listener = (event: { reason: unknown; message: string; preventDefault(): void }) => void;

/** The runner's own listeners, which hear nothing while a test listens. */
const others = new Map<Name, readonly Heard[]>();
const listeners = new Map<Listener, Heard>();

Object.assign(globalThis, {
  addEventListener(name: Name, listener: Listener) {
    if (!others.has(name)) {
      others.set(name, process.listeners(events[name] as "exit") as readonly unknown[] as readonly Heard[]);
      process.removeAllListeners(events[name]);
    }
    const heard: Heard = (reason) => {
      listener({ reason, message: String(reason), preventDefault: () => undefined });
    };
    listeners.set(listener, heard);
    process.on(events[name], heard);
  },
  removeEventListener(name: Name, listener: Listener) {
    process.off(events[name], listeners.get(listener) ?? (() => undefined));
    listeners.delete(listener);
    if (process.listenerCount(events[name]) > 0) return;
    for (const other of others.get(name) ?? []) process.on(events[name], other);
    others.delete(name);
  },
});
