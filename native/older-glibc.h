/**
 * Binds functions to the symbol versions that glibc 2.31 has, where a later glibc gave them new versions.
 *
 * Only `scripts/prebuild.mjs` includes this header, in front of each file of a build for glibc. The functions are the
 * same: glibc 2.34 moved those of libpthread into libc, and glibc 2.33 made `stat` a function of its own.
 *
 * Source: glibc's abilist files.
 */
#ifndef WT_OLDER_GLIBC_H
#define WT_OLDER_GLIBC_H

#include <sys/stat.h>

#if defined(__x86_64__)
#define WT_BASE_VERSION "GLIBC_2.2.5"
#define WT_SETNAME_VERSION "GLIBC_2.12"
#define WT_SETAFFINITY_VERSION "GLIBC_2.3.4"
#define WT_STAT_VERSION 1
#elif defined(__aarch64__)
#define WT_BASE_VERSION "GLIBC_2.17"
#define WT_SETNAME_VERSION "GLIBC_2.17"
#define WT_SETAFFINITY_VERSION "GLIBC_2.17"
#define WT_STAT_VERSION 0
#else
#error "The symbol versions of this processor's glibc are not listed here."
#endif

#define WT_BIND(name, version) __asm__(".symver " #name ", " #name "@" version)

WT_BIND(pthread_create, WT_BASE_VERSION);
WT_BIND(pthread_detach, WT_BASE_VERSION);
WT_BIND(pthread_join, WT_BASE_VERSION);
WT_BIND(pthread_kill, WT_BASE_VERSION);
WT_BIND(pthread_once, WT_BASE_VERSION);
WT_BIND(pthread_sigmask, WT_BASE_VERSION);
WT_BIND(pthread_setname_np, WT_SETNAME_VERSION);
WT_BIND(pthread_setaffinity_np, WT_SETAFFINITY_VERSION);
WT_BIND(dlopen, WT_BASE_VERSION);
WT_BIND(dlsym, WT_BASE_VERSION);

int __xstat64(int version, const char *path, struct stat *out);
int __fxstat64(int version, int fd, struct stat *out);
#define stat(path, out) __xstat64(WT_STAT_VERSION, path, out)
#define fstat(fd, out) __fxstat64(WT_STAT_VERSION, fd, out)

#endif
