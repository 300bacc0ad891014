/** Protocol numbers that the stack serves, beside those that the tunnel itself reads (`wire/ip-header.ts`). */
export const PROTOCOL_TCP = 6;
