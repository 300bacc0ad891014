/** One part of a reload: done as a whole, or taken back. */
export interface ReloadStep {
  /** What the user reads, one line per change: `+` new, `-` gone, `~` different. */
  readonly lines: readonly string[];
  apply(): Promise<void>;
  /** Puts back what was there, however far `apply` came. */
  revert(): Promise<void>;
}
