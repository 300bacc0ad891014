/** A host of the laboratory: one network namespace of the Linux kernel, with a name of its own. */
import { attempt, Program, type RunOptions, type RunResult, run } from './program.js';

/** Quiet from the start: an address is usable at once, and the host says nothing that no program asked it to say. */
const SETTINGS: readonly (readonly [string, string])[] = [
  ['net.ipv6.conf.default.accept_dad', '0'],
  ['net.ipv6.conf.default.router_solicitations', '0'],
  ['net.ipv6.conf.default.accept_ra', '0'],
  // When an interface loses its first address the others stay.
  ['net.ipv4.conf.all.promote_secondaries', '1'],
  ['net.ipv4.conf.all.rp_filter', '0'],
  ['net.ipv4.conf.default.rp_filter', '0'],
];

export class Host {
  /** The name as the system knows it. */
  readonly namespace: string;
  readonly #programs: Program[] = [];

  private constructor(namespace: string) {
    this.namespace = namespace;
  }

  static async create(namespace: string): Promise<Host> {
    const host = new Host(namespace);
    await run('ip', ['netns', 'add', namespace]);
    await host.ip('link set lo up');
    await host.run('sysctl', ['-qw', ...SETTINGS.map(([key, value]) => `${key}=${value}`)]);
    return host;
  }

  /** `ip` inside the namespace; the words are separated by spaces. */
  async ip(words: string): Promise<string> {
    return await run('ip', ['-n', this.namespace, ...words.split(' ')]);
  }

  async run(command: string, args: readonly string[], options?: RunOptions): Promise<string> {
    return await run('ip', ['netns', 'exec', this.namespace, command, ...args], options);
  }

  async attempt(command: string, args: readonly string[], options?: RunOptions): Promise<RunResult> {
    return await attempt('ip', ['netns', 'exec', this.namespace, command, ...args], options);
  }

  /** Starts a program that ends with the host at the latest. */
  start(command: string, args: readonly string[], options?: RunOptions): Program {
    const program = new Program('ip', ['netns', 'exec', this.namespace, command, ...args], options);
    this.#programs.push(program);
    return program;
  }

  async sysctl(key: string, value: string | number): Promise<void> {
    await this.run('sysctl', ['-qw', `${key}=${value}`]);
  }

  async nft(rules: string): Promise<void> {
    await this.run('nft', ['-f', '-'], { input: rules });
  }

  async forwards(): Promise<void> {
    await this.run('sysctl', ['-qw', 'net.ipv4.ip_forward=1', 'net.ipv6.conf.all.forwarding=1']);
  }

  /** All processes inside, those too that went to the background. */
  async processIds(): Promise<number[]> {
    const { stdout } = await attempt('ip', ['netns', 'pids', this.namespace]);
    return stdout.split('\n').filter(Boolean).map(Number);
  }

  /** Ends every process inside and removes the namespace. */
  async remove(): Promise<void> {
    await Promise.all(this.#programs.map((program) => program.stop()));
    for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
      for (const pid of await this.processIds()) signalProcess(pid, signal);
      if (await this.#isEmpty(signal === 'SIGTERM' ? 2_000 : 5_000)) break;
    }
    await attempt('ip', ['netns', 'del', this.namespace]);
  }

  async #isEmpty(withinMs: number): Promise<boolean> {
    const endMs = performance.now() + withinMs;
    while (performance.now() < endMs) if ((await this.processIds()).length === 0) return true;
    return false;
  }
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
