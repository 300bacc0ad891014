/* Datagrams of one size or several to one address, by a descriptor that somebody else owns. */
#ifndef WT_DATAGRAMS_H
#define WT_DATAGRAMS_H

#include <stdint.h>
#include <sys/socket.h>

/*
 * Sends the payloads that stand one after the other in `bytes`. Neighbours of one length go together (UDP_SEGMENT), where
 * the system can do that.
 *
 * Returns how many were sent, or −errno if the first one could not be.
 */
int wt_datagrams_send(int fd, const uint8_t *bytes, const uint16_t *lengths, uint32_t count,
                      const struct sockaddr_storage *to);

#endif
