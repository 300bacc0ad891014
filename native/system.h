/* Facts about the process and the machine that Node cannot give, and locks on the process. */
#ifndef WT_SYSTEM_H
#define WT_SYSTEM_H

#include <stdint.h>

/* Milliseconds since the machine started, the time that it slept included. */
int64_t wt_boot_time_ms(void);
/* Returns milliseconds of a clock that is cheap to read, and some milliseconds late. */
int64_t wt_coarse_time_ms(void);
/* Writes the number of the caller's network namespace, which is never given to another one. Returns 0 or −errno. */
int wt_netns_cookie(uint64_t *cookie);
/* Opens a socket for ICMP echoes, which the groups of net.ipv4.ping_group_range may. Returns a descriptor or −errno. */
int wt_ping_open(int family);
/* Opens a socket of TCP or UDP (IPPROTO_…) whose packets have a firewall mark. Returns a descriptor or −errno. */
int wt_marked_open(int family, int protocol, uint32_t mark);
/* Denies core dumps, and access by ptrace or /proc to other processes of the same user. Returns 0 or −errno. */
int wt_harden_process(void);
/*
 * Refuses, in all threads and for good, the system calls that start programs, look into other processes, change mounts
 * and namespaces, or load code into the kernel. They fail with EPERM from then on. Returns 0 or −errno; −ENOSYS on a
 * processor for which there is no list.
 */
int wt_deny_system_calls(void);

#endif
