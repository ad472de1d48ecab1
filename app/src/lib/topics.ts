// Who wants to know when something changed. Changes are told at most once a frame, so a burst of updates costs one
// rendering.

/** Versions of named things. */
export class Topics {
  private readonly versions = new Map<string, number>();
  private readonly listeners = new Map<string, Set<() => void>>();
  private readonly changed = new Set<string>();
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

  /** Notes a change. */
  touch(topic: string): void {
    this.changed.add(topic);
    if (this.scheduled) return;
    this.scheduled = true;
    // A page in the background gets no frames, but should be current when it is looked at.
    if (document.visibilityState === 'visible') requestAnimationFrame(() => this.tell());
    else setTimeout(() => this.tell(), 250);
  }

  private tell(): void {
    this.scheduled = false;
    const changed = [...this.changed];
    this.changed.clear();
    for (const topic of changed) this.versions.set(topic, this.version(topic) + 1);
    for (const topic of changed) this.listeners.get(topic)?.forEach((listener) => listener());
  }
}
