/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The few requests to rtnetlink that make a namespace a host: links, addresses, routes, neighbours.
 * They concern the namespace in which the socket was opened. All return 0 or an errno.
 */
#ifndef KRN_NETLINK_H
#define KRN_NETLINK_H

#include "chorus/types.h"

struct krn_netlink {
  int fd;
  uint32_t sequence; /* of the last request */
};

int krn_netlink_open(struct krn_netlink *netlink);
void krn_netlink_close(struct krn_netlink *netlink);

/* MAC address, MTU (octets) and length of the transmit queue (frames) of a link that is down. */
int krn_link_prepare(struct krn_netlink *netlink, int index, const uint8_t mac[6], uint32_t mtu,
                     uint32_t queue);
int krn_link_up(struct krn_netlink *netlink, int index, bool no_arp);
/* Makes a pair of Ethernet devices, the second one in the namespace |peer_namespace|. */
int krn_link_add_pair(struct krn_netlink *netlink, const char *name, const char *peer,
                      int peer_namespace);

/* Without duplicate address detection. */
int krn_address_add(struct krn_netlink *netlink, int index, const struct chorus_endpoint *address);

struct krn_route {
  struct chorus_endpoint destination;
  unsigned prefix;                       /* bits of |destination| */
  const struct chorus_endpoint *gateway; /* NULL: directly on the link */
  bool local;                            /* in the table "local" instead of "main" */
  uint32_t mtu;                          /* octets; 0: the link's */
};
/* One that is there already is no error. */
int krn_route_add(struct krn_netlink *netlink, int index, const struct krn_route *route);

/* Permanent neighbours do not count in the table that all namespaces of a kernel share. */
int krn_neighbour_add(struct krn_netlink *netlink, int index, const struct chorus_endpoint *address,
                      const uint8_t mac[6]);

#endif
