/** Something that keeps a tunnel from working, and what to do about it: two sentences for a person. */
export interface Advice {
  readonly problem: string;
  readonly nextStep: string;
}

/** Something that `explain` cannot find out about this interface. */
export interface NotAvailable {
  readonly what: string;
  readonly why: string;
}

/** Advice about one peer. */
export interface PeerAdvice {
  readonly publicKey: string;
  /** From a comment of the file. */
  readonly name: string | null;
  readonly hasSession: boolean;
  /** The daemon's stable name of the reason; `null` where nobody gives one. */
  readonly reasonCode: string | null;
  /** The daemon's sentence, or what can be seen from outside. */
  readonly reason: string;
  readonly advice: readonly Advice[];
}

/** Everything that `explain` has to say about an interface. */
export interface InterfaceAdvice {
  readonly interface: string;
  readonly isUp: boolean | null;
  /** It is the kernel's own; no daemon is behind it. */
  readonly isKernels: boolean;
  /** `null`: it does not listen. */
  readonly listenPort: number | null;
  readonly notAvailable: readonly NotAvailable[];
  readonly advice: readonly Advice[];
  readonly peers: readonly PeerAdvice[];
}
