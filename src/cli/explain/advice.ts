/** A problem that keeps a tunnel from working, and its remedy: two sentences for a person. */
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
  /** The name in a comment of the file. */
  readonly name: string | null;
  readonly hasSession: boolean;
  /** The daemon's stable name of the reason; `null` if no daemon gives a reason. */
  readonly reasonCode: string | null;
  /** The daemon's sentence, or a reason deduced from outside. */
  readonly reason: string;
  readonly advice: readonly Advice[];
}

/** The complete result of `explain` for an interface. */
export interface InterfaceAdvice {
  readonly interface: string;
  readonly isUp: boolean | null;
  /** The interface is the kernel's own; no daemon serves it. */
  readonly isKernels: boolean;
  /** `null`: the interface does not listen. */
  readonly listenPort: number | null;
  readonly notAvailable: readonly NotAvailable[];
  readonly advice: readonly Advice[];
  readonly peers: readonly PeerAdvice[];
}
