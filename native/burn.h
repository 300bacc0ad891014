/* Clearing of secrets that functions leave on the stack. */
#ifndef WT_BURN_H
#define WT_BURN_H

/*
 * Overwrites the stack below the caller. OpenSSL clears its contexts, but not the values that its innermost functions
 * spill, such as the keystream's key or a shared secret. These would remain until deeper calls overwrite them.
 */
void wt_burn_stack(void);

#endif
