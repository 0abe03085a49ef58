/* SPDX-License-Identifier: BSD-2-Clause */
#include "netlink.h"

#include <errno.h>
#include <linux/if.h>
#include <linux/rtnetlink.h>
#include <linux/veth.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST_MAX 512u

struct request {
  struct nlmsghdr header;
  union {
    struct ifinfomsg link;
    struct ifaddrmsg address;
    struct rtmsg route;
    struct ndmsg neighbour;
    uint8_t room[REQUEST_MAX];
  } body;
};

int krn_netlink_open(struct krn_netlink *netlink) {
  *netlink = (struct krn_netlink){.fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE)};
  return netlink->fd < 0 ? errno : 0;
}

void krn_netlink_close(struct krn_netlink *netlink) {
  if (netlink->fd >= 0) close(netlink->fd);
  netlink->fd = -1;
}

/* Building requests. */

static void begin(struct request *r, uint16_t type, uint16_t flags, size_t body) {
  memset(r, 0, sizeof *r);
  r->header.nlmsg_type = type;
  r->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
  r->header.nlmsg_len = (uint32_t)NLMSG_LENGTH(body);
}

static struct rtattr *put(struct request *r, unsigned short type, const void *data, size_t length) {
  uint32_t at = NLMSG_ALIGN(r->header.nlmsg_len);
  struct rtattr *attribute = (void *)((char *)r + at);
  attribute->rta_type = type;
  attribute->rta_len = (unsigned short)RTA_LENGTH(length);
  if (length) memcpy(RTA_DATA(attribute), data, length);
  r->header.nlmsg_len = at + (uint32_t)RTA_ALIGN(attribute->rta_len);
  return attribute;
}

static void put_number(struct request *r, unsigned short type, uint32_t number) {
  put(r, type, &number, sizeof number);
}

/* The end of an attribute that holds others. */
static void end(const struct request *r, struct rtattr *outer) {
  const char *last = (const char *)r + r->header.nlmsg_len;
  outer->rta_len = (unsigned short)(last - (const char *)outer);
}

static size_t address_size(const struct chorus_endpoint *address) {
  return chorus_is_ipv4(address) ? 4 : 16;
}

static void put_address(struct request *r, unsigned short type, const struct chorus_endpoint *a) {
  put(r, type, a->address + 16 - address_size(a), address_size(a));
}

static uint8_t family_of(const struct chorus_endpoint *address) {
  return chorus_is_ipv4(address) ? AF_INET : AF_INET6;
}

/* Sending. */

static int await(const struct krn_netlink *netlink) {
  union {
    struct nlmsghdr header;
    char octets[4096];
  } answer;
  for (;;) {
    ssize_t length = recv(netlink->fd, &answer, sizeof answer, 0);
    if (length < 0 && errno == EINTR) continue;
    if (length < 0) return errno;
    if (answer.header.nlmsg_seq != netlink->sequence) continue;
    if (answer.header.nlmsg_type != NLMSG_ERROR) return EPROTO;
    return -((const struct nlmsgerr *)NLMSG_DATA(&answer.header))->error;
  }
}

static int perform(struct krn_netlink *netlink, struct request *r) {
  r->header.nlmsg_seq = ++netlink->sequence;
  if (send(netlink->fd, r, r->header.nlmsg_len, 0) < 0) return errno;
  return await(netlink);
}

/* Links. */

int krn_link_prepare(struct krn_netlink *netlink, int index, const uint8_t mac[6], uint32_t mtu,
                     uint32_t queue) {
  struct request r;
  begin(&r, RTM_NEWLINK, 0, sizeof r.body.link);
  r.body.link.ifi_index = index;
  put(&r, IFLA_ADDRESS, mac, 6);
  put_number(&r, IFLA_MTU, mtu);
  put_number(&r, IFLA_TXQLEN, queue);
  return perform(netlink, &r);
}

int krn_link_up(struct krn_netlink *netlink, int index, bool no_arp) {
  struct request r;
  begin(&r, RTM_NEWLINK, 0, sizeof r.body.link);
  r.body.link.ifi_index = index;
  r.body.link.ifi_flags = r.body.link.ifi_change = IFF_UP | (no_arp ? IFF_NOARP : 0u);
  return perform(netlink, &r);
}

int krn_link_add_pair(struct krn_netlink *netlink, const char *name, const char *peer,
                      int peer_namespace) {
  struct request r;
  begin(&r, RTM_NEWLINK, NLM_F_CREATE | NLM_F_EXCL, sizeof r.body.link);
  put(&r, IFLA_IFNAME, name, strlen(name) + 1);
  struct rtattr *info = put(&r, IFLA_LINKINFO, NULL, 0);
  put(&r, IFLA_INFO_KIND, "veth", 4);
  struct rtattr *data = put(&r, IFLA_INFO_DATA, NULL, 0);
  struct ifinfomsg other = {0};
  struct rtattr *second = put(&r, VETH_INFO_PEER, &other, sizeof other);
  put(&r, IFLA_IFNAME, peer, strlen(peer) + 1);
  put(&r, IFLA_NET_NS_FD, &peer_namespace, sizeof peer_namespace);
  end(&r, second);
  end(&r, data);
  end(&r, info);
  return perform(netlink, &r);
}

/* Addresses, routes, neighbours. */

int krn_address_add(struct krn_netlink *netlink, int index, const struct chorus_endpoint *address) {
  struct request r;
  bool local = chorus_is_link_local(address);
  begin(&r, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, sizeof r.body.address);
  r.body.address.ifa_family = family_of(address);
  r.body.address.ifa_prefixlen = (uint8_t)(address_size(address) * 8);
  r.body.address.ifa_flags = IFA_F_NODAD;
  r.body.address.ifa_scope = local ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
  r.body.address.ifa_index = (uint32_t)index;
  put_address(&r, IFA_LOCAL, address);
  put_address(&r, IFA_ADDRESS, address);
  return perform(netlink, &r);
}

static void put_mtu(struct request *r, uint32_t mtu) {
  struct rtattr *metrics = put(r, RTA_METRICS, NULL, 0);
  put_number(r, RTAX_LOCK, 1u << RTAX_MTU);
  put_number(r, RTAX_MTU, mtu);
  end(r, metrics);
}

int krn_route_add(struct krn_netlink *netlink, int index, const struct krn_route *route) {
  struct request r;
  begin(&r, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_EXCL, sizeof r.body.route);
  r.body.route.rtm_family = family_of(&route->destination);
  r.body.route.rtm_dst_len = (uint8_t)route->prefix;
  r.body.route.rtm_table = route->local ? RT_TABLE_LOCAL : RT_TABLE_MAIN;
  r.body.route.rtm_protocol = RTPROT_STATIC;
  r.body.route.rtm_scope = route->gateway ? RT_SCOPE_UNIVERSE : RT_SCOPE_LINK;
  r.body.route.rtm_type = route->local ? RTN_MULTICAST : RTN_UNICAST;
  r.body.route.rtm_flags = route->gateway ? RTNH_F_ONLINK : 0;
  if (route->prefix) put_address(&r, RTA_DST, &route->destination);
  put_number(&r, RTA_OIF, (uint32_t)index);
  if (route->gateway) put_address(&r, RTA_GATEWAY, route->gateway);
  if (route->mtu) put_mtu(&r, route->mtu);
  int error = perform(netlink, &r);
  return error == EEXIST ? 0 : error;
}

int krn_neighbour_add(struct krn_netlink *netlink, int index, const struct chorus_endpoint *address,
                      const uint8_t mac[6]) {
  struct request r;
  begin(&r, RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE, sizeof r.body.neighbour);
  r.body.neighbour.ndm_family = family_of(address);
  r.body.neighbour.ndm_ifindex = index;
  r.body.neighbour.ndm_state = NUD_PERMANENT;
  put_address(&r, NDA_DST, address);
  put(&r, NDA_LLADDR, mac, 6);
  return perform(netlink, &r);
}
