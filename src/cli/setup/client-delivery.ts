import { WireGuardError } from '../../core/errors.js';
import { formatJson } from '../json-text.js';
import type { WgContext } from '../wg/wg-context.js';
import { withoutComments } from './client-config.js';
import type { ClientOptionValues } from './client-options.js';
import { type Output, OutputFiles } from './output-files.js';
import type { QrCode } from './qr-code.js';

/** How a client's file reaches the user. */
export type DeliveryOptions = ClientOptionValues & { readonly json?: boolean | undefined };

/**
 * Hands a client's file to the user: in files, as a picture, as a QR code, or on standard output.
 *
 * All of it is handed over before the server is changed: it holds the only copy of the client's key.
 */
export class ClientDelivery {
  readonly #context: WgContext;
  readonly #options: DeliveryOptions;
  #files: OutputFiles | undefined;
  #shown = '';

  /** @throws {WireGuardError} ERR_USAGE */
  constructor(context: WgContext, options: DeliveryOptions) {
    if (options.json === true && options.qr === true) {
      throw new WireGuardError('ERR_USAGE', '--json or --qr, not both: --qr-file makes a picture');
    }
    const picture = options['qr-file'];
    if (picture !== undefined && !/\.(?:png|svg)$/.test(picture)) {
      throw new WireGuardError('ERR_USAGE', `${picture}: a picture ends with .png or .svg`);
    }
    this.#context = context;
    this.#options = options;
  }

  /** Returns whether the configuration goes into a file or a picture. */
  get isInFile(): boolean {
    return this.#options.output !== undefined || this.#options['qr-file'] !== undefined;
  }

  /**
   * Writes the files, and draws the code of `--qr`.
   *
   * @param text The client's file.
   * @param describe Makes the result for `--json`.
   * @throws {WireGuardError} ERR_FILE_EXISTS, ERR_CONFIG_FILE, ERR_QR_CODE; no file is left then.
   */
  async prepare(text: string, serverFile: string, describe: () => Promise<unknown>): Promise<void> {
    const { output, qr, 'qr-file': picture, force, json } = this.#options;
    const code = qr === true || picture !== undefined ? await encode(text) : undefined;
    if (qr === true) this.#shown = await this.#draw(code!);
    else if (json === true) this.#shown = formatJson(await describe());
    else if (!this.isInFile) this.#shown = text;

    const outputs: Output[] = output === undefined ? [] : [{ path: output, contents: text }];
    if (picture !== undefined) {
      const { drawPicture } = await import('./qr-picture.js');
      outputs.push({ path: picture, contents: drawPicture(code!, picture) });
    }
    this.#files = await OutputFiles.write(outputs, { mayReplace: force === true, protectedFile: serverFile });
  }

  /**
   * Prints the part for standard output and runs `change`. If either fails, the files are removed again.
   *
   * @throws {WireGuardError} ERR_OUTPUT_LOST: `change` has not run.
   */
  async complete<T>(change: () => Promise<T>): Promise<T> {
    let result: T;
    try {
      await this.#print();
      result = await change();
    } catch (error) {
      await this.#files?.discard();
      throw error;
    }
    await this.#files?.publish();
    return result;
  }

  async #print(): Promise<void> {
    const { io } = this.#context;
    if (this.#shown === '' || (await io.deliver(this.#shown))) return;
    throw new WireGuardError('ERR_OUTPUT_LOST', 'standard output did not take what was to be handed out');
  }

  async #draw(code: QrCode): Promise<string> {
    const { io } = this.#context;
    const isColoured = io.columns !== undefined && (io.env['NO_COLOR'] ?? '') === '';
    const { drawQrCode } = await import('./drawn-qr-code.js');
    return drawQrCode(code, { isColoured, columns: io.columns });
  }
}

async function encode(text: string): Promise<QrCode> {
  const { encodeQrCode } = await import('./qr-code.js');
  return await encodeQrCode(withoutComments(text));
}
