/* Requests to the kernel by netlink: bytes go out, datagrams come in. The caller interprets them. Source: netlink(7). */
#ifndef WT_REQUEST_H
#define WT_REQUEST_H

#include <stddef.h>
#include <stdint.h>

/* All functions return 0 or more, or −errno. */

/* Opens a socket in the caller's network namespace, with error texts in the kernel's answers. Returns a descriptor. */
int wt_request_open(int protocol);
int wt_request_send(int fd, const uint8_t *bytes, size_t length);
/*
 * Waits for one datagram of the kernel and returns its length: −ETIMEDOUT after the time, −EMSGSIZE for a datagram
 * that is longer than the buffer.
 */
int wt_request_receive(int fd, uint8_t *buffer, size_t size, int timeout_ms);

#endif
