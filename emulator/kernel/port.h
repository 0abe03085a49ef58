/* SPDX-License-Identifier: BSD-2-Clause */
/* The two kinds of devices that connect a host to the switch, made in the host's namespace. */
#ifndef KRN_PORT_H
#define KRN_PORT_H

#include "namespace.h"
#include "netlink.h"

/*
 * Makes the device KRN_INTERFACE in the calling thread's namespace, and returns a non-blocking
 * descriptor for its other side, or -1 with |why|.
 */
int krn_port_open_tap(char why[KRN_WHY]);
int krn_port_open_packet(struct krn_netlink *netlink, const struct krn_host_plan *plan, int space,
                         char why[KRN_WHY]);

/* Octets of the next frame, or 0: there is none. */
size_t krn_port_read(int port, void *frame, size_t size);
/* Writes a frame made of two parts. False: the device did not take it. */
bool krn_port_write(int port, const void *header, size_t header_length, const void *body,
                    size_t body_length);

#endif
