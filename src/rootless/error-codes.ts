import { CONTROL_ERRORS } from '../control/control-errors.js';
import { CORE_ERRORS } from '../core/errors.js';
import { HOST_ERRORS } from '../host/host-errors.js';

/** The advice for every error that a tunnel in a program throws, by code. */
export const ERROR_CODES = { ...CORE_ERRORS, ...HOST_ERRORS, ...CONTROL_ERRORS } as const;
