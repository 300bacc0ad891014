/* Secrets that functions leave behind on the stack. */
#ifndef WT_BURN_H
#define WT_BURN_H

/*
 * Overwrites the stack below the caller. OpenSSL clears its contexts, but not what its innermost functions spill: the
 * keystream's key, a shared secret. It would stay there until deeper calls happen to overwrite it.
 */
void wt_burn_stack(void);

#endif
