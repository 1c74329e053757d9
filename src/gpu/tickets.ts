/**
 * Which of the application's encoders have run on the GPU, and in which order: WebGPU has no event for that. Into each go two
 * copies of a word, from where the last one left its number to the encoder's own ticket, and its number there in turn. So a
 * ticket that has a number in it has run, right behind the one of that number. What is submitted later reads the tickets.
 */
import { at } from "../base/assert.js";

/** Of one encoder: two words, the number of what ran before it (0 while it has not run), and its own. */
export interface Ticket {
  readonly page: Page;
  readonly slot: number;
  readonly number: number;
}

interface Page {
  readonly buffer: GPUBuffer;
  readonly free: number[];
}

const slots = 512;
const slotBytes = 8;
/** What stands for the number of the last one, before any has run. */
const first = 0xffffffff;

export class Tickets {
  readonly #gpuDevice: GPUDevice;
  readonly #pages: Page[] = [];
  #last: GPUBuffer | null = null;
  #issued = 0;

  constructor(gpuDevice: GPUDevice) {
    this.#gpuDevice = gpuDevice;
  }

  /** Has the encoder tell when it runs. */
  issue(encoder: GPUCommandEncoder): Ticket {
    const last = (this.#last ??= this.#makeLast());
    let page = this.#pages.find(({ free }) => free.length > 0);
    if (page === undefined) this.#pages.push((page = this.#makePage()));
    const slot = at(page.free, page.free.length - 1);
    page.free.pop();
    this.#issued = (this.#issued + 1) % first || 1;
    const ticket = { page, slot, number: this.#issued };
    // Whose ticket this was has run: nothing that is yet to be submitted writes it.
    this.#gpuDevice.queue.writeBuffer(page.buffer, slot * slotBytes, Uint32Array.of(0, ticket.number));
    encoder.copyBufferToBuffer(last, 0, page.buffer, slot * slotBytes, 4);
    encoder.copyBufferToBuffer(page.buffer, slot * slotBytes + 4, last, 0, 4);
    return ticket;
  }

  /** To be called when it is known that the ticket's encoder has run. */
  takeBack({ page, slot }: Ticket): void {
    page.free.push(slot);
  }

  /**
   * Reads the tickets with this encoder's commands. The function that it gives is to be called when those are submitted: it
   * tells which of the tickets had run by then, in the order in which they did. None, where the submit failed.
   */
  look<T extends Ticket>(encoder: GPUCommandEncoder, tickets: readonly T[]): () => Promise<readonly T[]> {
    const pages = [...new Set(tickets.map(({ page }) => page))];
    const size = pages.length * slots * slotBytes;
    const copy = this.#gpuDevice.createBuffer({ size, usage: 0x1 /* MAP_READ */ | 0x8 /* COPY_DST */ });
    pages.forEach(({ buffer }, k) => {
      encoder.copyBufferToBuffer(buffer, 0, copy, k * slots * slotBytes, slots * slotBytes);
    });
    return async () => {
      try {
        await copy.mapAsync(1 /* READ */);
        const words = new Uint32Array(copy.getMappedRange());
        return inOrder(tickets, ({ page, slot }) => at(words, 2 * (pages.indexOf(page) * slots + slot)));
      } catch {
        // The device is lost.
        return [];
      } finally {
        copy.destroy();
      }
    };
  }

  #makePage(): Page {
    const buffer = this.#gpuDevice.createBuffer({
      size: slots * slotBytes,
      usage: 0x4 | 0x8,
      label: "gpugrad: tickets",
    });
    return { buffer, free: Array.from({ length: slots }, (_, k) => slots - 1 - k) };
  }

  #makeLast(): GPUBuffer {
    const buffer = this.#gpuDevice.createBuffer({ size: 4, usage: 0x4 | 0x8, label: "gpugrad: last ticket" });
    this.#gpuDevice.queue.writeBuffer(buffer, 0, Uint32Array.of(first));
    return buffer;
  }
}

/** Those that have run. Of several, each but the first has the number of another one, right before it. */
function inOrder<T extends Ticket>(tickets: readonly T[], before: (ticket: T) => number): T[] {
  const left = new Map(tickets.filter((ticket) => before(ticket) !== 0).map((ticket) => [before(ticket), ticket]));
  const numbers = new Set([...left.values()].map(({ number }) => number));
  const order: T[] = [];
  let next = [...left.values()].find((ticket) => !numbers.has(before(ticket)));
  while (next !== undefined) {
    order.push(next);
    next = left.get(next.number);
  }
  return order;
}
