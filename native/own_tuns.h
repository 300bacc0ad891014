/* The TUN interfaces of this process, in all its threads. */
#ifndef WT_OWN_TUNS_H
#define WT_OWN_TUNS_H

#include <stdbool.h>

void wt_own_tuns_add(int fd);
void wt_own_tuns_remove(int fd);
/* Tests whether an interface of the caller's network namespace is one of them. */
bool wt_own_tuns_have(const char *name);

#endif
