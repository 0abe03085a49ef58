/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The host of a node with sockets. Datagrams, ports and groups are the kernel's business;
 * deadlines, events and random numbers are those of the emulator. What a call sends is taken from
 * the port within the call, so that it is seen to leave before anything that the node says
 * afterwards.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/errqueue.h>
#include <linux/icmp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "internal.h"
#include "scope.h"

#define BUFFER_OCTETS  (4 * 1024 * 1024)
#define CONTROL_OCTETS 512
#define SEND_TRIES     4

union address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
};

union control {
  struct cmsghdr align;
  char octets[CONTROL_OCTETS];
};

static struct krn_node *node_of(const struct emu_node *node) {
  struct krn_network *network = node->network->wire->context;
  return network->nodes[node->index];
}

static struct emu_node *model_of(const struct krn_node *node) {
  return emu_node_at(node->network->model, node->index);
}

/* Addresses. */

static socklen_t to_address(const struct krn_node *node, const struct chorus_endpoint *e,
                            union address *a) {
  memset(a, 0, sizeof *a);
  if (chorus_is_ipv4(e)) {
    a->v4.sin_family = AF_INET;
    a->v4.sin_port = htons(e->port);
    memcpy(&a->v4.sin_addr, e->address + 12, 4);
    return sizeof a->v4;
  }
  a->v6.sin6_family = AF_INET6;
  a->v6.sin6_port = htons(e->port);
  memcpy(&a->v6.sin6_addr, e->address, 16);
  if (emu_is_local(e)) a->v6.sin6_scope_id = (uint32_t)node->space.index;
  return sizeof a->v6;
}

static void set_v4(struct chorus_endpoint *e, const struct in_addr *address) {
  memcpy(e->address, chorus_v4_prefix, sizeof chorus_v4_prefix);
  memcpy(e->address + 12, address, 4);
}

static void set_zone(const struct krn_node *node, struct chorus_endpoint *e) {
  e->zone = chorus_is_link_local(e) ? emu_zone(model_of(node)->link) : 0;
}

static struct chorus_endpoint from_address(const struct krn_node *node, const union address *a) {
  struct chorus_endpoint e = {0};
  if (a->any.sa_family == AF_INET) {
    set_v4(&e, &a->v4.sin_addr);
    e.port = ntohs(a->v4.sin_port);
  } else {
    memcpy(e.address, &a->v6.sin6_addr, 16);
    e.port = ntohs(a->v6.sin6_port);
  }
  set_zone(node, &e);
  return e;
}

/* Making sockets. */

static bool set(int fd, int level, int name, int value) {
  return setsockopt(fd, level, name, &value, sizeof value) == 0;
}

static void enlarge_buffers(int fd) {
  if (!set(fd, SOL_SOCKET, SO_RCVBUFFORCE, BUFFER_OCTETS))
    set(fd, SOL_SOCKET, SO_RCVBUF, BUFFER_OCTETS);
  if (!set(fd, SOL_SOCKET, SO_SNDBUFFORCE, BUFFER_OCTETS))
    set(fd, SOL_SOCKET, SO_SNDBUF, BUFFER_OCTETS);
}

/* Own multicasts come back from the switch, if at all; no DF bit, as in the emulator. */
static bool set_options_v4(int fd) {
  return set(fd, SOL_SOCKET, SO_BROADCAST, 1) && set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
         set(fd, IPPROTO_IP, IP_MULTICAST_LOOP, 0) && set(fd, IPPROTO_IP, IP_PKTINFO, 1) &&
         set(fd, IPPROTO_IP, IP_RECVTTL, 1) && set(fd, IPPROTO_IP, IP_RECVERR, 1) &&
         set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DONT);
}

static bool set_options_v6(int fd) {
  return set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1) && set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0) &&
         set(fd, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
         set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1) &&
         set(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) && set(fd, IPPROTO_IPV6, IPV6_RECVERR, 1);
}

static bool join(int fd, const struct krn_node *node, const struct chorus_endpoint *group) {
  if (chorus_is_ipv4(group)) {
    struct ip_mreqn request = {.imr_ifindex = node->space.index};
    memcpy(&request.imr_multiaddr, group->address + 12, 4);
    return setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof request) == 0;
  }
  struct ipv6_mreq request = {.ipv6mr_interface = (unsigned)node->space.index};
  memcpy(&request.ipv6mr_multiaddr, group->address, 16);
  return setsockopt(fd, IPPROTO_IPV6, IPV6_JOIN_GROUP, &request, sizeof request) == 0;
}

/* A UDP socket in the node's namespace, or -1. */
static int socket_in(const struct krn_node *node, bool v4) {
  krn_namespace_enter(node->space.fd);
  int fd = socket(v4 ? AF_INET : AF_INET6, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  krn_namespace_enter(node->network->home);
  return fd;
}

/* A socket of unicast hears all-nodes groups, too: every host is a member (RFC 4291; RFC 1112). */
static bool join_own(int fd, const struct krn_node *node, const struct chorus_endpoint *local) {
  static const struct chorus_endpoint all_v6 = {.address = {0xff, 0x02, [15] = 1}};
  static const struct chorus_endpoint all_v4 = {.address = {[10] = 0xff, 0xff, 224, 0, 0, 1}};
  bool v4 = chorus_is_ipv4(local);
  if (chorus_is_unspecified(local)) return join(fd, node, v4 ? &all_v4 : &all_v6);
  return join(fd, node, local);
}

static bool prepare(int fd, const struct krn_node *node, const struct chorus_endpoint *local) {
  union address address;
  socklen_t length = to_address(node, local, &address);
  enlarge_buffers(fd);
  bool ready = set(fd, SOL_SOCKET, SO_REUSEADDR, 1) &&
               (chorus_is_ipv4(local) ? set_options_v4(fd) : set_options_v6(fd));
  return ready && bind(fd, &address.any, length) == 0 && join_own(fd, node, local);
}

static void socket_ready(struct krn_watch *watch, uint32_t events);

static bool adopt(struct krn_node *node, int fd, const struct chorus_endpoint *local, bool helper) {
  struct krn_socket *s = calloc(1, sizeof *s);
  if (!s) return false;
  *s = (struct krn_socket){.watch = {.ready = socket_ready, .fd = fd},
                           .node = node,
                           .local = *local,
                           .helper = helper,
                           .next = node->sockets};
  if (!helper && !krn_watch_add(node->network, &s->watch, EPOLLIN)) {
    free(s);
    return false;
  }
  node->sockets = s;
  return true;
}

static int status_of(int error) {
  if (error == ENOMEM || error == ENOBUFS || error == EMFILE || error == ENFILE)
    return CHORUS_NO_MEMORY;
  return CHORUS_BAD_ARGUMENT;
}

static int open_socket(struct krn_node *node, const struct chorus_endpoint *local) {
  int fd = socket_in(node, chorus_is_ipv4(local));
  if (fd < 0) return status_of(errno);
  bool ready = prepare(fd, node, local);
  int status = ready ? CHORUS_NO_MEMORY : status_of(errno);
  if (ready && adopt(node, fd, local, false)) return CHORUS_OK;
  close(fd);
  return status;
}

static struct krn_socket *find(const struct krn_node *node, const struct chorus_endpoint *local,
                               bool helper) {
  for (struct krn_socket *s = node->sockets; s; s = s->next)
    if (s->helper == helper && s->local.port == local->port &&
        chorus_same_address(&s->local, local))
      return s;
  return NULL;
}

static void end_socket(struct krn_socket *s) {
  struct krn_socket **link = &s->node->sockets;
  while (*link != s) link = &(*link)->next;
  *link = s->next; /* |s->next| stays, for whoever walks the list now */
  krn_watch_end(s->node->network, &s->watch);
}

void krn_sockets_close(struct krn_node *node) {
  while (node->sockets) end_socket(node->sockets);
}

/* Receiving. */

/* Reads destination address and hop limit. */
static void read_control(const struct krn_node *node, struct msghdr *message,
                         struct chorus_datagram *d) {
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    int value;
    if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
      struct in_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      set_v4(&d->destination, &info.ipi_addr);
    } else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
      struct in6_pktinfo info;
      memcpy(&info, CMSG_DATA(c), sizeof info);
      memcpy(d->destination.address, &info.ipi6_addr, 16);
    } else if ((c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL) ||
               (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)) {
      memcpy(&value, CMSG_DATA(c), sizeof value);
      d->hop_limit = (uint8_t)value;
    }
  }
  set_zone(node, &d->destination);
}

/* Whether another socket of the node gets this datagram, too: one of its group. */
static bool is_elsewhere(const struct krn_socket *s, const struct chorus_datagram *d) {
  if (!chorus_is_unspecified(&s->local) || !chorus_is_multicast(&d->destination)) return false;
  return find(s->node, &d->destination, false) != NULL;
}

static void hand_over(struct krn_socket *s, const struct chorus_datagram *d) {
  const struct emu_node *node = model_of(s->node);
  if (node->status != EMU_NODE_RUNNING || is_elsewhere(s, d)) return;
  node->network->counters.datagrams_delivered++;
  if (node->ops->datagram) node->ops->datagram(node->state, node->network->now, d);
}

/* Takes the next datagram of a socket. False: there is none. */
static bool receive(struct krn_socket *s) {
  struct krn_network *network = s->node->network;
  union address from;
  union control control;
  struct iovec part = {network->payload, sizeof network->payload};
  struct msghdr message = {.msg_name = &from,
                           .msg_namelen = sizeof from,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.octets,
                           .msg_controllen = sizeof control.octets};
  ssize_t length = recvmsg(s->watch.fd, &message, 0);
  if (length < 0) return errno != EAGAIN && errno != EBADF; /* an ICMP error, told once */
  struct chorus_datagram d = {.source = from_address(s->node, &from),
                              .payload = network->payload,
                              .length = (size_t)length};
  read_control(s->node, &message, &d);
  d.destination.port = s->local.port;
  hand_over(s, &d);
  return true;
}

static bool is_unreachable(const struct sock_extended_err *error) {
  if (error->ee_origin == SO_EE_ORIGIN_ICMP) return error->ee_type == ICMP_DEST_UNREACH;
  return error->ee_origin == SO_EE_ORIGIN_ICMP6 && error->ee_type == 1; /* RFC 4443, section 3.1 */
}

static void report_errors(struct krn_socket *s, struct msghdr *message, const union address *to) {
  const struct emu_node *node = model_of(s->node);
  for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
    bool v4 = c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR;
    bool v6 = c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_RECVERR;
    struct sock_extended_err error;
    if (!v4 && !v6) continue;
    memcpy(&error, CMSG_DATA(c), sizeof error);
    if (!is_unreachable(&error) || node->status != EMU_NODE_RUNNING) continue;
    struct chorus_endpoint destination = from_address(s->node, to);
    if (node->ops->unreachable)
      node->ops->unreachable(node->state, node->network->now, &destination);
  }
}

/* Takes the next error that came back. False: there is none. */
static bool receive_error(struct krn_socket *s) {
  union address to;
  union control control;
  uint8_t rest[64];
  struct iovec part = {rest, sizeof rest};
  struct msghdr message = {.msg_name = &to,
                           .msg_namelen = sizeof to,
                           .msg_iov = &part,
                           .msg_iovlen = 1,
                           .msg_control = control.octets,
                           .msg_controllen = sizeof control.octets};
  if (recvmsg(s->watch.fd, &message, MSG_ERRQUEUE) < 0) return false;
  report_errors(s, &message, &to);
  return true;
}

static void socket_ready(struct krn_watch *watch, uint32_t events) {
  struct krn_socket *s = (struct krn_socket *)(void *)watch;
  while (!s->watch.dead && receive(s)) continue;
  while ((events & EPOLLERR) && !s->watch.dead && receive_error(s)) continue;
}

/* Whether a packet to |destination| can come out of this socket. */
static bool is_for(const struct krn_socket *s, const struct chorus_endpoint *destination) {
  if (s->helper || chorus_is_ipv4(&s->local) != chorus_is_ipv4(destination)) return false;
  if (chorus_same_address(&s->local, destination)) return true;
  bool group = chorus_is_multicast(destination) && !emu_is_all_nodes(destination);
  return chorus_is_unspecified(&s->local) && !group;
}

void krn_sockets_take(struct krn_node *node, const struct chorus_endpoint *destination,
                      bool error) {
  for (struct krn_socket *s = node->sockets; s; s = s->next) {
    if (s->watch.dead || !is_for(s, destination)) continue;
    if (error)
      while (!s->watch.dead && receive_error(s)) continue;
    else
      receive(s); /* a packet makes one datagram at most; should more wait, the loop tells */
  }
}

/* Sending. */

/* Chooses the address to send from. False: none of that IP version. */
static bool choose_source(const struct emu_node *node, const struct chorus_datagram *d,
                          struct chorus_endpoint *source) {
  *source = d->source;
  if (chorus_is_unspecified(source)) return emu_select_source(node, &d->destination, source);
  set_zone(node_of(node), source);
  return chorus_is_ipv4(source) == chorus_is_ipv4(&d->destination);
}

static bool is_own(const struct emu_node *node, const struct chorus_endpoint *source) {
  for (uint32_t i = 0; i < node->details->address_count; i++)
    if (chorus_same_address(source, &node->details->addresses[i])) return true;
  return false;
}

/* The socket to send from, or NULL. */
static struct krn_socket *sending_socket(struct emu_node *node, struct chorus_endpoint *source) {
  static const struct chorus_endpoint any_v4 = {.address = {[10] = 0xff, 0xff}};
  if (source->port == 0 && node->port_count == 0) node->host.ops->open(node, EMU_EPHEMERAL_PORT);
  if (source->port == 0) source->port = node->ports[0];
  struct chorus_endpoint local = {0};
  if (chorus_is_ipv4(source)) local = any_v4;
  local.port = source->port;
  return is_own(node, source) ? find(node_of(node), &local, false) : NULL;
}

static void put_control(struct msghdr *message, int level, int type, const void *data,
                        size_t length) {
  struct cmsghdr *c = (void *)((char *)message->msg_control + message->msg_controllen);
  c->cmsg_level = level;
  c->cmsg_type = type;
  c->cmsg_len = CMSG_LEN(length);
  memcpy(CMSG_DATA(c), data, length);
  message->msg_controllen += CMSG_SPACE(length);
}

static void put_source(struct msghdr *message, const struct krn_node *node,
                       const struct chorus_endpoint *source, int hop_limit) {
  if (chorus_is_ipv4(source)) {
    struct in_pktinfo info = {.ipi_ifindex = node->space.index};
    memcpy(&info.ipi_spec_dst, source->address + 12, 4);
    put_control(message, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
    put_control(message, IPPROTO_IP, IP_TTL, &hop_limit, sizeof hop_limit);
    return;
  }
  struct in6_pktinfo info = {.ipi6_ifindex = (unsigned)node->space.index};
  memcpy(&info.ipi6_addr, source->address, 16);
  put_control(message, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
  put_control(message, IPPROTO_IPV6, IPV6_HOPLIMIT, &hop_limit, sizeof hop_limit);
}

static int send_by(const struct krn_socket *s, const struct chorus_datagram *d,
                   const struct chorus_endpoint *source) {
  union address to;
  union control control = {.octets = {0}};
  struct iovec part = {(void *)(uintptr_t)d->payload, d->length};
  struct msghdr message = {.msg_name = &to, .msg_iov = &part, .msg_iovlen = 1};
  message.msg_namelen = to_address(s->node, &d->destination, &to);
  message.msg_control = control.octets;
  put_source(&message, s->node, source,
             d->hop_limit ? d->hop_limit : emu_default_hop_limit(&d->destination));
  for (int i = 0; i < SEND_TRIES; i++) { /* an ICMP error for an earlier datagram fails a call */
    if (sendmsg(s->watch.fd, &message, MSG_NOSIGNAL) >= 0) return CHORUS_OK;
    if (errno == EMSGSIZE) return CHORUS_TOO_LARGE;
    if (errno != ECONNREFUSED && errno != EHOSTUNREACH && errno != ENETUNREACH && errno != EPROTO)
      break;
  }
  return status_of(errno);
}

static int sockets_send(void *context, const struct chorus_datagram *d) {
  struct emu_node *node = context;
  struct chorus_endpoint source;
  if (d->length > EMU_UDP_MAX) return CHORUS_TOO_LARGE;
  if (!choose_source(node, d, &source)) return CHORUS_BAD_ARGUMENT;
  struct krn_socket *s = sending_socket(node, &source);
  if (!s) return emu_send(node->network, node, d); /* from what is not its own: past its kernel */
  int status = send_by(s, d, &source);
  krn_switch_drain(node_of(node));
  return status;
}

/* Ports. */

static int open_version(struct emu_node *node, uint16_t port, bool v4) {
  static const struct chorus_endpoint any_v4 = {.address = {[10] = 0xff, 0xff}};
  struct chorus_endpoint local = {0};
  if (v4) local = any_v4;
  local.port = port;
  if (!emu_speaks(node, v4) || find(node_of(node), &local, false)) return CHORUS_OK;
  return open_socket(node_of(node), &local);
}

static int sockets_open(void *context, uint16_t port) {
  struct emu_node *node = context;
  int status = emu_host_ops(false)->open(node, port);
  if (status == CHORUS_OK) status = open_version(node, port, false);
  if (status == CHORUS_OK) status = open_version(node, port, true);
  if (status != CHORUS_OK) node->host.ops->close(node, port);
  return status;
}

static void sockets_close(void *context, uint16_t port) {
  struct emu_node *node = context;
  emu_host_ops(false)->close(node, port);
  for (struct krn_socket *s = node_of(node)->sockets, *next; s; s = next) {
    next = s->next;
    if (!s->helper && s->local.port == port && chorus_is_unspecified(&s->local)) end_socket(s);
  }
}

/* Groups. */

static int sockets_join(void *context, const struct chorus_endpoint *group) {
  struct emu_node *node = context;
  struct chorus_endpoint local = *group;
  if (!chorus_is_multicast(group) || group->port == 0) return CHORUS_BAD_ARGUMENT;
  int status = find(node_of(node), group, false) ? CHORUS_OK : open_socket(node_of(node), &local);
  if (status == CHORUS_OK) status = emu_host_ops(false)->join(node, group);
  krn_switch_drain(node_of(node));
  return status;
}

/* Whether the node holds a membership with any port. */
static bool holds(const struct krn_node *node, const struct chorus_endpoint *group) {
  for (const struct krn_socket *s = node->sockets; s; s = s->next)
    if (chorus_same_address(&s->local, group)) return true;
  return false;
}

static void sockets_leave(void *context, const struct chorus_endpoint *group) {
  struct emu_node *node = context;
  struct krn_socket *s = find(node_of(node), group, false);
  if (!s || !chorus_is_multicast(group)) return;
  end_socket(s);
  emu_host_ops(false)->leave(node, group);
  if (!holds(node_of(node), group)) krn_switch_change(node_of(node), group, false);
  krn_switch_drain(node_of(node));
}

/* Helpers for programs. */

int krn_sockets_help(struct krn_node *node, const struct chorus_endpoint *group) {
  if (!chorus_is_multicast(group)) return CHORUS_BAD_ARGUMENT;
  if (find(node, group, true)) return CHORUS_OK;
  int fd = socket_in(node, chorus_is_ipv4(group));
  bool joined = fd >= 0 && join(fd, node, group);
  int status = joined ? CHORUS_NO_MEMORY : status_of(errno);
  if (joined && adopt(node, fd, group, true)) {
    krn_switch_change(node, group, true);
    return CHORUS_OK;
  }
  if (fd >= 0) close(fd);
  return status;
}

struct search {
  const struct chorus_endpoint *group;
  bool found;
};

static void compare(void *context, const struct chorus_endpoint *group) {
  struct search *search = context;
  if (chorus_same_address(group, search->group)) search->found = true;
}

/* A program may have joined by itself: the kernel knows. */
static bool kernel_listens(const struct krn_node *node, const struct chorus_endpoint *group) {
  struct search search = {.group = group};
  krn_namespace_enter(node->space.fd);
  krn_namespace_groups(compare, &search);
  krn_namespace_enter(node->network->home);
  return search.found;
}

void krn_sockets_stop_help(struct krn_node *node, const struct chorus_endpoint *group) {
  struct krn_socket *s = find(node, group, true);
  if (!s) return;
  end_socket(s);
  if (!kernel_listens(node, group)) krn_switch_change(node, group, false);
}

/* Tables. Deadlines, events and random numbers are the emulator's. */

/* A deadline at the beginning of time comes when time flows, so that what it causes is seen. */
static void relay_deadline(void *context, chorus_time at) {
  const struct krn_network *network = node_of(context)->network;
  if (!network->running && at == 0) at = 1;
  emu_host_ops(false)->deadline(context, at);
}

static void relay_event(void *context, const struct chorus_event *event) {
  emu_host_ops(true)->event(context, event);
}

static uint64_t relay_random(void *context, uint32_t purpose) {
  return emu_host_ops(false)->random(context, purpose);
}

/* A node whose program has the sockets has none itself. */
static int program_send(void *context, const struct chorus_datagram *d) {
  (void)context, (void)d;
  return CHORUS_UNSUPPORTED;
}

static int program_open(void *context, uint16_t port) {
  return emu_host_ops(false)->open(context, port); /* noted as the port of what is injected */
}

static int program_join(void *context, const struct chorus_endpoint *group) {
  return krn_sockets_help(node_of(context), group);
}

static void program_leave(void *context, const struct chorus_endpoint *group) {
  krn_sockets_stop_help(node_of(context), group);
}

static void program_close(void *context, uint16_t port) {
  emu_host_ops(false)->close(context, port);
}

/* A tester is the emulator's own node. */
static int port_send(void *context, const struct chorus_datagram *d) {
  return emu_host_ops(false)->send(context, d);
}

static int port_join(void *context, const struct chorus_endpoint *group) {
  return emu_host_ops(false)->join(context, group);
}

static void port_leave(void *context, const struct chorus_endpoint *group) {
  emu_host_ops(false)->leave(context, group);
}

#define SOCKETS_TABLE                                                                             \
  .send = sockets_send, .deadline = relay_deadline, .open = sockets_open, .close = sockets_close, \
  .join = sockets_join, .leave = sockets_leave, .random = relay_random
#define PROGRAM_TABLE                                                                             \
  .send = program_send, .deadline = relay_deadline, .open = program_open, .close = program_close, \
  .join = program_join, .leave = program_leave, .random = relay_random

#define PORT_TABLE                                                                             \
  .send = port_send, .deadline = relay_deadline, .open = program_open, .close = program_close, \
  .join = port_join, .leave = port_leave, .random = relay_random

const struct chorus_host_ops *krn_host_ops(enum krn_presence presence, bool events) {
  static const struct chorus_host_ops tables[][2] = {
      [KRN_SOCKETS] = {{SOCKETS_TABLE}, {SOCKETS_TABLE, .event = relay_event}},
      [KRN_PORT] = {{PORT_TABLE}, {PORT_TABLE, .event = relay_event}},
      [KRN_HOST] = {{PROGRAM_TABLE}, {PROGRAM_TABLE, .event = relay_event}},
  };
  return &tables[presence][events];
}
