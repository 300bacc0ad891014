import { statSync } from 'node:fs';
import path from 'node:path';

import { type ConfigDocument, readConfigFile } from '../../../control/config/index.js';
import { isWorldAccessible } from '../config-path.js';
import { describeThisHost } from './address-scope.js';
import { checkAddresses } from './check-addresses.js';
import { checkAllowedIps } from './check-allowed-ips.js';
import { checkKeys } from './check-keys.js';
import { checkReachability } from './check-reachability.js';
import type { CheckedHost } from './checked-host.js';
import { type Finding, Findings } from './finding.js';

const OTHERS_MAY_READ = 0o044;
const FILE_NAME = /^[a-zA-Z0-9_=+.-]{1,15}\.conf$/;

/**
 * Finds everything that is wrong or doubtful in a file, in the order of its lines.
 *
 * @throws {WireGuardError} ERR_CONFIG_FILE if the file cannot be read as text.
 */
export async function checkFile(file: string): Promise<Finding[]> {
  const document = await readConfigFile(file);
  const findings = new Findings(document);
  checkPermissions(file, findings);
  if (!FILE_NAME.test(path.basename(file))) {
    findings.warnOfFile(
      'the file is not called INTERFACE.conf',
      'wiretype up takes the name of the interface from the file: 1 to 15 letters, digits and _ = + . -',
    );
  }
  return [...findings.all, ...checkText(document, describeThisHost())];
}

/** Finds everything that can be found without the file system. */
export function checkText(document: ConfigDocument, host: CheckedHost): Finding[] {
  const findings = new Findings(document);
  checkKeys(document, findings);
  checkAddresses(document, findings);
  checkAllowedIps(document, findings);
  checkReachability(document, host, findings);
  return [...document.problems, ...findings.all].sort((a, b) => positionOf(a) - positionOf(b));
}

function checkPermissions(file: string, findings: Findings): void {
  const found = statSync(file);
  if (!found.isFile()) return;
  const { mode } = found;
  if (isWorldAccessible(file)) {
    findings.warnOfFile('everyone can reach the file and the keys in it', `Run chmod 600 ${file}`);
  } else if ((mode & OTHERS_MAY_READ) !== 0) {
    findings.warnOfFile('users other than its owner may read the file and the keys in it', `Run chmod 600 ${file}`);
  }
}

function positionOf(finding: Finding): number {
  return 'line' in finding ? finding.line : 0;
}
