/**
 * Instances between the decision to start them and the moment the runtime shows them, of all schedulers over one runtime. They count against
 * limits, keep their app from being deleted and their client from being swept: without this, two clicks at once would pass a limit.
 */
export interface Starting {
  /** From now on it counts. One of the same id takes the place of one that died. */
  begin(id: string, start: { readonly appId: string; readonly owner: string }): Promise<Start>;
  /** Ids of those that go on. */
  ids(): Promise<ReadonlySet<string>>;
  /** How many starts of an app are not among these instances yet. */
  countOf(appId: string, known: readonly string[]): Promise<number>;
  /** The instance is gone: it counts no more, though it was made a moment ago. */
  forget(id: string): Promise<void>;
}

export interface Start {
  /** How many starts of the same owner came before this one and are not among these instances yet. */
  before(known: readonly string[]): Promise<number>;
  /** The runtime has it. It counts on until every scheduler has seen it there. */
  made(): Promise<void>;
  /** Nothing was made. */
  failed(): Promise<void>;
}
