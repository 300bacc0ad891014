import { type Granter, HeldMapping } from './held-mapping.js';
import { NAT_PMP_SUCCESS, type NatPmpResponse, parseNatPmpResponse } from './nat-pmp.js';
import {
  type ExternalAddress,
  isAnswerToMap,
  PCP_SUCCESS,
  PCP_UNSUPPORTED_VERSION,
  type PcpResponse,
  parsePcpResponse,
  refusesPcpVersion,
} from './pcp.js';
import { formatDeletion, formatRequest, type Question, type RequestFields } from './requests.js';
import { RetrySchedule } from './retry-schedule.js';
import { RouterEpoch } from './router-epoch.js';

const NEVER = Infinity;

export interface PortMapperOptions extends RequestFields {
  /** How long to wait before a router that restarted is asked: at random, up to 5,000 (RFC 6886 §3.7). */
  readonly restartDelayMs: number;
}

/** The router is asked a question, or nothing until the deadline. */
type Step = 'idle' | Question | 'closed';

/**
 * A mapping of one UDP port on the router of one network: asked for by PCP, or by NAT-PMP, and renewed.
 *
 * ```text
 *          silence or wrong version, without a mapping
 *         ┌──────────────────────────────┐
 *  idle ──┴─▶ pcp ──────┐                ▼
 *    ▲  └───────────────┼──────────────▶ address ──▶ nat-pmp     a mapping of NAT-PMP is renewed by NAT-PMP
 *    │                  │ granted, refused, silence  │
 *    └──────────────────┴────────────────────────────┘           close: lifetime 0, then closed
 * ```
 *
 * The caller sends what is in `outbox`, empties it, and calls `runDue` at `nextDeadline`. Only datagrams from the router
 * may be handed in (RFC 6886 §3.1, RFC 6887 §8.3).
 *
 * Source: RFC 6887 §8, §9, §11; RFC 6886 §3.
 */
export class PortMapper {
  readonly outbox: Uint8Array[] = [];
  /** Is called when `mapping` has changed. */
  onChange: (mapping: ExternalAddress | undefined) => void = () => {};
  readonly #options: PortMapperOptions;
  readonly #epoch = new RouterEpoch();
  readonly #retries = new RetrySchedule();
  readonly #held = new HeldMapping();
  #step: Step = 'idle';
  #isClosing = false;
  #actAtMs: number;
  /** The router's public address, from NAT-PMP. */
  #publicAddress: Uint8Array = new Uint8Array(4);

  constructor(options: PortMapperOptions, nowMs: number) {
    this.#options = options;
    this.#actAtMs = nowMs;
  }

  get mapping(): ExternalAddress | undefined {
    return this.#held.current;
  }

  /** Whether the mapping is deleted, or the router has not answered: nothing more happens. */
  get isClosed(): boolean {
    return this.#step === 'closed';
  }

  /** Returns the time at which `runDue` must be called next, or `Infinity`. */
  nextDeadline(): number {
    return this.isClosed ? NEVER : Math.min(this.#actAtMs, this.#held.expiresAtMs);
  }

  /** Takes a datagram from the router: an answer, or an announcement. */
  handle(bytes: Uint8Array, nowMs: number): void {
    if (this.isClosed) return;
    const pcp = parsePcpResponse(bytes);
    const natPmp = parseNatPmpResponse(bytes);
    if (pcp !== undefined) this.#handlePcp(pcp, nowMs);
    else if (this.#step === 'pcp' && refusesPcpVersion(bytes)) this.#fallBack(nowMs);
    else if (natPmp !== undefined) this.#handleNatPmp(natPmp, nowMs);
    this.#report();
  }

  runDue(nowMs: number): void {
    if (this.isClosed) return;
    if (nowMs >= this.#held.expiresAtMs) this.#held.clear();
    if (nowMs >= this.#actAtMs) this.#act(nowMs);
    this.#report();
  }

  /** Deletes the mapping, and reports none from now on. */
  close(nowMs: number): void {
    if (this.#isClosing) return;
    // A request that is not answered yet may have been granted.
    const asked = this.#step === 'pcp' || this.#step === 'nat-pmp' ? this.#step : undefined;
    const granter = this.#held.granter ?? asked;
    this.#isClosing = true;
    this.#held.clear();
    if (granter === undefined) this.#step = 'closed';
    else this.#begin(granter, nowMs);
    this.#report();
  }

  #act(nowMs: number): void {
    const step = this.#step;
    if (step === 'closed') return;
    if (step === 'idle') this.#begin(this.#held.granter === 'nat-pmp' ? 'address' : 'pcp', nowMs);
    else if (!this.#retries.isExhausted(this.#isClosing)) this.#send(step, nowMs);
    else if (step === 'pcp') this.#fallBack(nowMs);
    else this.#giveUp(nowMs);
  }

  #begin(question: Question, nowMs: number): void {
    this.#step = question;
    this.#retries.restart();
    this.#send(question, nowMs);
  }

  #send(question: Question, nowMs: number): void {
    const fields = this.#options;
    const isClosing = this.#isClosing;
    this.outbox.push(isClosing ? formatDeletion(question, fields) : formatRequest(question, fields, this.mapping));
    this.#actAtMs = nowMs + this.#retries.nextMs();
  }

  /** Tries NAT-PMP, unless PCP has granted the mapping: to NAT-PMP, that would be the mapping of somebody else. */
  #fallBack(nowMs: number): void {
    if (this.#isClosing || this.#held.current !== undefined) this.#giveUp(nowMs);
    else this.#begin('address', nowMs);
  }

  #giveUp(nowMs: number): void {
    this.#pause(nowMs, this.#retries.afterSilenceMs(this.#held.expiresAtMs - nowMs));
  }

  #pause(nowMs: number, durationMs: number): void {
    this.#step = this.#isClosing ? 'closed' : 'idle';
    this.#actAtMs = nowMs + durationMs;
  }

  #handlePcp(response: PcpResponse, nowMs: number): void {
    const { kind, result, lifetimeSeconds, epochSeconds, map } = response;
    if (kind === 'map' && !isAnswerToMap(response, this.#options)) return;
    if (this.#epoch.isRestart(epochSeconds, nowMs)) this.#lose(nowMs);
    if (kind === 'announce' || this.#step !== 'pcp') return;

    if (result === PCP_UNSUPPORTED_VERSION) this.#fallBack(nowMs);
    else if (result === PCP_SUCCESS && map !== undefined) this.#grant('pcp', map, lifetimeSeconds, nowMs);
    else this.#pause(nowMs, this.#retries.afterRefusalMs(lifetimeSeconds));
  }

  #handleNatPmp(response: NatPmpResponse, nowMs: number): void {
    const { kind, result, epochSeconds } = response;
    if (kind === 'map' && response.internalPort !== this.#options.internalPort) return;
    if (this.#epoch.isRestart(epochSeconds, nowMs)) this.#lose(nowMs);
    if (this.#step !== (kind === 'map' ? 'nat-pmp' : 'address')) {
      if (kind === 'address' && result === NAT_PMP_SUCCESS) this.#noticeAddress(response.address, nowMs);
    } else if (result !== NAT_PMP_SUCCESS) this.#pause(nowMs, this.#retries.afterRefusalMs(0));
    else if (kind === 'map') {
      const mapping = { address: this.#publicAddress, port: response.port };
      this.#grant('nat-pmp', mapping, response.lifetimeSeconds, nowMs);
    } else {
      this.#publicAddress = response.address;
      this.#begin('nat-pmp', nowMs);
    }
  }

  /** Asks again when the router announces another public address (RFC 6886 §3.2.1). */
  #noticeAddress(address: Uint8Array, nowMs: number): void {
    if (!this.#held.hasAddress(address)) this.#lose(nowMs);
  }

  /** Asks again soon for a mapping that the router has lost (RFC 6887 §8.5, RFC 6886 §3.7). */
  #lose(nowMs: number): void {
    if (this.#held.current === undefined) return;
    this.#held.lose(nowMs);
    if (this.#step === 'idle') this.#actAtMs = Math.min(this.#actAtMs, nowMs + this.#options.restartDelayMs);
  }

  #grant(granter: Granter, { address, port }: ExternalAddress, lifetimeSeconds: number, nowMs: number): void {
    // The answer to a request from before may arrive while the mapping is deleted.
    if (this.#isClosing && lifetimeSeconds > 0) return;
    if (lifetimeSeconds === 0 || port === 0 || address.every((byte) => byte === 0)) {
      this.#pause(nowMs, this.#retries.afterRefusalMs(0));
      return;
    }
    const lifetimeMs = this.#held.set({ address, port }, granter, lifetimeSeconds, nowMs);
    this.#pause(nowMs, this.#retries.afterGrantMs(lifetimeMs));
  }

  #report(): void {
    if (this.#held.takeChange()) this.onChange(this.#held.current);
  }
}
