/**
 * Word that containers of one execution have ended, whichever comes first: the word, or that its run
 * knows which container it has. Another one may be left of a former placement.
 */
export class ContainerWords {
  readonly #ended = new Set<string>();
  readonly #waiting = new Map<string, AbortController>();

  tellEnd(containerId: string): void {
    this.#ended.add(containerId);
    this.#waiting.get(containerId)?.abort();
  }

  /** Aborted when there is word that this container has ended. */
  endOf(containerId: string): AbortSignal {
    const end = this.#waiting.get(containerId) ?? new AbortController();
    this.#waiting.set(containerId, end);
    if (this.#ended.has(containerId)) end.abort();
    return end.signal;
  }
}
