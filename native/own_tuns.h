/* The TUN interfaces that this process holds, in whichever thread. */
#ifndef WT_OWN_TUNS_H
#define WT_OWN_TUNS_H

#include <stdbool.h>

void wt_own_tuns_add(int fd);
void wt_own_tuns_remove(int fd);
/* Whether the interface of that name, in the caller's network namespace, is one of them. */
bool wt_own_tuns_have(const char *name);

#endif
