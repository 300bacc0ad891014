/**
 * A small virtual machine with the WireGuard of the Linux kernel, driven over its serial console.
 *
 * The processor is emulated, so that no `/dev/kvm` is needed: it boots in some seconds, and computes slowly.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';

import { CHECKOUT } from './implementation.js';
import { addAddress } from './lab.js';
import type { Host } from './namespace.js';
import { type Program, type RunResult, run } from './program.js';
import { waitFor } from './wait.js';

const IMAGE_FOLDER = join(CHECKOUT, 'dist/kernel-guest');
const BUILD_SCRIPT = join(CHECKOUT, 'test/lab/kernel-guest/build-image.sh');
const DISK_SCRIPT = join(CHECKOUT, 'test/lab/kernel-guest/build-disk.sh');
const EMULATOR = '/usr/bin/qemu-system-x86_64';
const BUILD_TIMEOUT_MS = 600_000;
const BOOT_TIMEOUT_MS = 400_000;
const COMMAND_TIMEOUT_MS = 200_000;
/** A terminal takes no longer line. */
const MAX_LINE = 4_000;
/** The mark on the guest's console at the end of a command. */
const DONE = /^=== (\d+|ready)\r?$/m;

/** The host's end of the guest's Ethernet cable. */
const TAP = 'guest0';

/** The requirements for building and booting the image, and their Debian packages. */
const TOOLS = [
  [EMULATOR, 'qemu-system-x86'],
  ['/bin/busybox', 'busybox-static'],
  ['/usr/bin/cpio', 'cpio'],
  ['/sbin/modprobe', 'kmod'],
  ['/sbin/mke2fs', 'e2fsprogs'],
] as const;

/** Why there can be no guest on this machine, if so. In continuous integration there must be one. */
export function whyNoGuest(): string | undefined {
  if (process.env['CI'] !== undefined) return undefined;
  const missing = TOOLS.filter(([path]) => !existsSync(path)).map(([, debianPackage]) => debianPackage);
  return missing.length === 0 ? undefined : `no virtual machine without: ${missing.join(', ')}`;
}

export class KernelGuest {
  readonly #emulator: Program;
  #readFrom = 0;

  private constructor(emulator: Program) {
    this.#emulator = emulator;
  }

  /**
   * Boots a guest whose `eth0` is on a cable to `host`. Addresses come with their prefix lengths.
   *
   * @param options `hasCheckout`: the guest has Node, this checkout in /opt/wiretype, and links in /opt/names.
   */
  static async boot(
    host: Host,
    hostAddress: string,
    guestAddress: string,
    { hasCheckout }: { readonly hasCheckout: boolean } = { hasCheckout: false },
  ): Promise<KernelGuest> {
    await run('bash', [BUILD_SCRIPT, IMAGE_FOLDER], { timeoutMs: BUILD_TIMEOUT_MS });
    if (hasCheckout) await run('bash', [DISK_SCRIPT, IMAGE_FOLDER, CHECKOUT], { timeoutMs: BUILD_TIMEOUT_MS });
    await host.ip(`tuntap add dev ${TAP} mode tap`);
    await addAddress(host, TAP, hostAddress);
    await host.ip(`link set ${TAP} up`);
    const guest = new KernelGuest(host.start(EMULATOR, emulatorArguments(hasCheckout), { isInteractive: true }));
    await guest.#answer('the guest to boot', BOOT_TIMEOUT_MS);
    await guest.run('ip link set eth0 up');
    await guest.run(`ip addr add ${guestAddress} dev eth0`);
    return guest;
  }

  /** Runs a command line in the guest's shell. */
  async attempt(command: string, withinMs = COMMAND_TIMEOUT_MS): Promise<RunResult> {
    this.#emulator.write(`${command}\n`);
    const { status, output } = await this.#answer(command, withinMs);
    return { status, stdout: output, stderr: '' };
  }

  /** Runs a command line that must succeed. */
  async run(command: string, withinMs?: number): Promise<string> {
    const { status, stdout } = await this.attempt(command, withinMs);
    if (status !== 0) throw new Error(`in the guest: ${command}: exit status ${status}\n${stdout}`);
    return stdout;
  }

  /** Puts a secret into a file of the guest's memory. */
  async writeSecret(path: string, secret: string): Promise<void> {
    await this.run(`echo ${secret} > ${path}`);
  }

  /** Writes a file of some lines, without quotes or backslashes. */
  async writeFile(path: string, text: string): Promise<void> {
    const command = `printf '%b' '${text.replaceAll('\n', '\\n')}' > ${path}`;
    if (command.length > MAX_LINE || /['"\\]/.test(text)) throw new RangeError(`${path}: not a line for a terminal`);
    await this.run(command);
  }

  async #answer(what: string, withinMs: number): Promise<{ status: number; output: string }> {
    const match = await waitFor(
      what,
      () => {
        if (!this.#emulator.isRunning) throw new Error(`The guest ended\n${this.#emulator.stderr}`);
        return DONE.exec(this.#emulator.stdout.slice(this.#readFrom)) ?? undefined;
      },
      withinMs,
    );
    const output = this.#emulator.stdout.slice(this.#readFrom, this.#readFrom + match.index);
    this.#readFrom += match.index + match[0].length;
    return { status: Number(match[1]), output: output.replaceAll('\r', '').trimStart() };
  }
}

/** One processor without acceleration, a serial console on the standard streams, one network card on the tap; what is written to the disk is lost. */
function emulatorArguments(hasDisk: boolean): string[] {
  const disk = `-drive file=${IMAGE_FOLDER}/disk,format=raw,if=virtio,snapshot=on -m 768`;
  const words =
    `${hasDisk ? disk : '-m 256'} -accel tcg,thread=multi,tb-size=128 -cpu max -smp 1 -nodefaults -no-reboot -display none -serial stdio
    -netdev tap,id=cable,ifname=${TAP},script=no,downscript=no -device virtio-net-pci,netdev=cable,romfile=
    -kernel ${IMAGE_FOLDER}/vmlinuz -initrd ${IMAGE_FOLDER}/initrd`.split(/\s+/);
  return [...words, '-append', 'console=ttyS0 quiet mitigations=off panic=-1'];
}
