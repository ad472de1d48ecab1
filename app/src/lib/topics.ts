// Who wants to know when something changed. Changes are told at most once a frame, so a burst of updates costs one
// rendering.

/** Does something at the next frame; without frames, soon: a page in the background should be current when it is looked at. */
export function onFrame(work: () => void): void {
  if (document.visibilityState === 'visible') requestAnimationFrame(work);
  else setTimeout(work, 250);
}

/** Versions of named things. */
export class Topics {
  private readonly versions = new Map<string, number>();
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly changed = new Set<string>();
  private readonly later = new Map<string, ReturnType<typeof setTimeout>>();
  private scheduled = false;

  /** How often the thing has changed: a snapshot for `useSyncExternalStore`. */
  version(topic: string): number {
    return this.versions.get(topic) ?? 0;
  }

  /** Calls `listener` after changes, until the function that is returned is called. */
  subscribe(topic: string, listener: () => void): () => void {
    const set = this.listeners.get(topic) ?? new Set();
    set.add(listener);
    this.listeners.set(topic, set);
    return () => set.delete(listener);
  }

  /** Notes a change; with `afterMs`, it is told so much later, together with what changes until then. */
  touch(topic: string, afterMs = 0): void {
    if (afterMs > 0) {
      if (!this.later.has(topic)) this.later.set(topic, setTimeout(() => this.touch(topic), afterMs));
      return;
    }
    clearTimeout(this.later.get(topic));
    this.later.delete(topic);
    this.changed.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    onFrame(() => this.tell());
  }

  private tell(): void {
    this.scheduled = false;
    const changed = [...this.changed];
    this.changed.clear();
    for (const topic of changed) this.versions.set(topic, this.version(topic) + 1);
    for (const topic of changed) this.listeners.get(topic)?.forEach((listener) => listener());
  }
}
