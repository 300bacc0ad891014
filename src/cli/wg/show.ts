import { listInterfaces } from './device-access.js';
import { getDevice } from './get-device.js';
import { SystemFailure, type WgContext, WgFailure } from './wg-context.js';
import { clearDevice, type WgDevice } from './wg-device.js';

const HELP = ['--help', '-h', 'help'];

/** Runs `wg show`. @returns Exit status. @throws {WgFailure} */
export async function show(context: WgContext, args: readonly string[]): Promise<0 | 1> {
  const [name = 'all', field] = args;
  if (args.length === 1 && HELP.includes(name)) {
    context.io.writeError(`${await usage(context)}\n`);
    return 0;
  }
  if (args.length > 2 || (name === 'interfaces' && field !== undefined)) {
    throw new WgFailure(await usage(context));
  }
  if (name === 'interfaces') return await showInterfaces(context);
  if (name === 'all') return await showAll(context, field);

  const device = await accessDevice(context, name, 'Unable to access interface');
  await showDevice(context, device, field, '');
  return 0;
}

async function usage({ program }: WgContext): Promise<string> {
  return (await import('./usage.js')).usageLine(program, 'show').trimEnd();
}

/** @throws {WgFailure} `${what}: ` and the system's words. */
export async function accessDevice(context: WgContext, name: string, what: string): Promise<WgDevice> {
  try {
    return await getDevice(context, name);
  } catch (error) {
    throw await describe(error, what);
  }
}

async function describe(error: unknown, what: string): Promise<unknown> {
  if (!(error instanceof SystemFailure)) return error;
  const { systemMessage } = await import('./system-errors.js');
  return new WgFailure(`${what}: ${systemMessage(error.errno)}`, { cause: error });
}

async function showInterfaces(context: WgContext): Promise<0> {
  const names = await findInterfaces(context);
  if (names.length > 0) context.io.write(`${names.join(' ')}\n`);
  return 0;
}

/** @throws {WgFailure} */
async function findInterfaces(context: WgContext): Promise<string[]> {
  try {
    return await listInterfaces(context);
  } catch (error) {
    throw await describe(error, 'Unable to list interfaces');
  }
}

/** Shows all interfaces; one that cannot be read does not keep the others from being shown. */
async function showAll(context: WgContext, field: string | undefined): Promise<0 | 1> {
  const names = await findInterfaces(context);
  let shown = 0;
  for (const [i, name] of names.entries()) {
    const device = await tryDevice(context, name);
    if (device === undefined) continue;
    await showDevice(context, device, field, `${name}\t`);
    if (field === undefined && i < names.length - 1) context.io.write('\n');
    shown++;
  }
  return shown > 0 || names.length === 0 ? 0 : 1;
}

async function tryDevice(context: WgContext, name: string): Promise<WgDevice | undefined> {
  try {
    return await accessDevice(context, name, `Unable to access interface ${name}`);
  } catch (error) {
    if (!(error instanceof WgFailure)) throw error;
    context.io.writeError(`${error.message}\n`);
    return undefined;
  }
}

/** Writes a device. Only the code for the wanted form is loaded. */
async function showDevice(
  context: WgContext,
  device: WgDevice,
  field: string | undefined,
  prefix: string,
): Promise<void> {
  try {
    const text =
      field === undefined
        ? await prettyText(context, device)
        : (await import('./show-fields.js')).formatField(device, field, prefix);
    if (text === undefined) {
      throw new WgFailure(`Invalid parameter: \`${field}'\n${await usage(context)}`);
    }
    context.io.write(text);
  } finally {
    clearDevice(device);
  }
}

async function prettyText(context: WgContext, device: WgDevice): Promise<string> {
  const { choosePalette } = await import('./palette.js');
  const { formatPretty } = await import('./show-pretty.js');
  return formatPretty(device, {
    palette: choosePalette(context),
    showsKeys: context.io.env['WG_HIDE_KEYS'] === 'never',
    nowSeconds: BigInt(Math.floor(context.unixTimeMs() / 1_000)),
  });
}
