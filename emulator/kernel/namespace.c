/* SPDX-License-Identifier: BSD-2-Clause */
#include "namespace.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "frame.h"
#include "netlink.h"
#include "packet.h"
#include "port.h"

#define LOOPBACK_INDEX  1
#define RTF_LOCAL_ROUTE 0x80000000u /* RTF_LOCAL of linux/ipv6_route.h */

bool krn_complain(char why[KRN_WHY], const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(why, KRN_WHY, format, arguments);
  va_end(arguments);
  return false;
}

int krn_namespace_here(void) {
  return open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
}

void krn_namespace_enter(int space) {
  if (setns(space, CLONE_NEWNET) < 0) abort(); /* to go on would let traffic out of its network */
}

/* Settings. */

static bool set(const char *name, const char *value) {
  char path[128];
  snprintf(path, sizeof path, "/proc/sys/net/%s", name);
  int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  size_t length = strlen(value);
  bool done = write(fd, value, length) == (ssize_t)length;
  close(fd);
  return done;
}

static void set_seconds(const char *name, chorus_time time) {
  char value[24];
  chorus_time seconds = (time + CHORUS_SECOND - 1) / CHORUS_SECOND;
  snprintf(value, sizeof value, "%llu", (unsigned long long)(seconds ? seconds : 1));
  set(name, value);
}

/*
 * A host that says nothing unasked, answers as often as it is asked, and takes its own multicasts
 * back from the switch. What a kernel does not know it does not need: failures do not matter.
 */
static void set_quiet(const struct krn_host_plan *plan) {
  static const char *const settings[][2] = {
      {"ipv6/conf/default/accept_ra", "0"},
      {"ipv6/conf/default/router_solicitations", "0"},
      {"ipv6/conf/default/dad_transmits", "0"},
      {"ipv6/conf/default/accept_dad", "0"},
      {"ipv6/conf/default/addr_gen_mode", "1"}, /* no link-local address of its own */
      {"ipv4/conf/all/accept_local", "1"},
      {"ipv4/conf/default/accept_local", "1"},
      {"ipv4/conf/all/rp_filter", "0"},
      {"ipv4/conf/default/rp_filter", "0"},
      {"ipv4/conf/all/send_redirects", "0"},
      {"ipv4/icmp_ratelimit", "0"},
      {"ipv4/icmp_msgs_per_sec", "1000000"},
      {"ipv6/icmp/ratelimit", "0"},
      {"ipv4/igmp_max_memberships", "100000"},
      /* The way to the switch loses no report: no need to repeat it, or then at once (ms). */
      {"ipv4/igmp_qrv", "1"},
      {"ipv4/conf/default/igmpv2_unsolicited_report_interval", "20"},
      {"ipv4/conf/default/igmpv3_unsolicited_report_interval", "20"},
      {"ipv6/conf/default/mldv1_unsolicited_report_interval", "20"},
      {"ipv6/conf/default/mldv2_unsolicited_report_interval", "20"},
  };
  for (size_t i = 0; i < sizeof settings / sizeof *settings; i++)
    set(settings[i][0], settings[i][1]);
  set_seconds("ipv4/ipfrag_time", plan->reassembly_v4);
  set_seconds("ipv6/ip6frag_time", plan->reassembly_v6);
}

/* Addresses and routes. */

/*
 * All unicast goes by a gateway that does not exist (the interface is NOARP, the switch looks at
 * the IP address alone): so that a host needs one entry in the neighbour table, not one per peer.
 */
static const struct chorus_endpoint gateway_v6 = {
    .address = {0xfe, 0x80, [8] = 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xfe}};
static const struct chorus_endpoint gateway_v4 = {
    .address = {[10] = 0xff, 0xff, 169, 254, 255, 254}};

static const struct chorus_endpoint any_v6 = {.address = {0}};
static const struct chorus_endpoint any_v4 = {.address = {[10] = 0xff, 0xff, 0, 0, 0, 0}};
static const struct chorus_endpoint groups_v6 = {.address = {0xff}};
static const struct chorus_endpoint groups_v4 = {.address = {[10] = 0xff, 0xff, 224, 0, 0, 0}};
static const struct chorus_endpoint reports_v6 = {.address = {0xff, 0x02, [15] = 0x16}};
static const struct chorus_endpoint reports_v4 = {.address = {[10] = 0xff, 0xff, 224, 0, 0, 22}};

static bool speaks(const struct krn_host_plan *plan, bool v4) {
  for (size_t i = 0; i < plan->address_count; i++)
    if (chorus_is_ipv4(&plan->addresses[i]) == v4) return true;
  return false;
}

static int add_routes(struct krn_netlink *netlink, int index, const struct krn_host_plan *plan) {
  uint32_t v4_mtu = plan->mtu < EMU_IPV6_MIN_MTU ? plan->mtu : 0;
  const struct krn_route routes[] = {
      {.destination = groups_v6, .prefix = 8, .local = true},
      {.destination = any_v6, .gateway = &gateway_v6},
      {.destination = groups_v4, .prefix = 4, .mtu = v4_mtu},
      {.destination = any_v4, .gateway = &gateway_v4, .mtu = v4_mtu},
  };
  for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
    int error = krn_route_add(netlink, index, &routes[i]);
    if (error && speaks(plan, chorus_is_ipv4(&routes[i].destination))) return error;
  }
  return 0;
}

/* Neighbours that every host has; see krn_neighbour_add(). */
static int add_neighbours(struct krn_netlink *netlink, const struct krn_namespace *space,
                          const struct krn_host_plan *plan) {
  static const struct chorus_endpoint *const known[] = {&gateway_v6, &gateway_v4, &reports_v6,
                                                        &reports_v4};
  int error = 0;
  for (size_t i = 0; i < sizeof known / sizeof *known && !error; i++) {
    uint8_t header[KRN_ETHERNET_HEADER];
    if (!speaks(plan, chorus_is_ipv4(known[i]))) continue;
    krn_frame_header(header, known[i], space->mac);
    error = krn_neighbour_add(netlink, space->index, known[i], header);
  }
  return error;
}

/*
 * Programs expect what every host has: an IPv6 address, be it link-local (libraries that ask the
 * resolver for configured families refuse to serve else). It makes the host no part of the network.
 */
static int add_link_local(struct krn_netlink *netlink, const struct krn_host_plan *plan,
                          const struct krn_namespace *space) {
  struct chorus_endpoint own = {.address = {0xfe, 0x80, [8] = 0x02, [11] = 0xff, 0xfe}};
  if (!plan->programs || speaks(plan, false)) return 0;
  memcpy(own.address + 13, space->mac + 3, 3);
  return krn_address_add(netlink, space->index, &own);
}

static int configure(struct krn_netlink *netlink, const struct krn_host_plan *plan,
                     struct krn_namespace *space) {
  uint32_t mtu = plan->mtu < EMU_IPV6_MIN_MTU ? EMU_IPV6_MIN_MTU : plan->mtu;
  int error = krn_link_up(netlink, LOOPBACK_INDEX, false);
  if (!error) error = krn_link_prepare(netlink, space->index, space->mac, mtu, KRN_QUEUE_FRAMES);
  if (!error) error = krn_link_up(netlink, space->index, true);
  for (size_t i = 0; i < plan->address_count && !error; i++)
    error = krn_address_add(netlink, space->index, &plan->addresses[i]);
  if (!error) error = add_link_local(netlink, plan, space);
  if (!error) error = add_routes(netlink, space->index, plan);
  if (!error) error = add_neighbours(netlink, space, plan);
  return error;
}

/* Making. */

/* Within the new namespace. */
static bool furnish(const struct krn_host_plan *plan, struct krn_namespace *space,
                    char why[KRN_WHY]) {
  struct krn_netlink netlink;
  int error = krn_netlink_open(&netlink);
  if (error) return krn_complain(why, "cannot open a netlink socket: %s", strerror(error));
  set_quiet(plan);
  space->port = plan->attachment == KRN_TAP ? krn_port_open_tap(why)
                                            : krn_port_open_packet(&netlink, plan, space->fd, why);
  if (space->port >= 0) {
    space->index = (int)if_nametoindex(KRN_INTERFACE);
    error = configure(&netlink, plan, space);
    if (error) krn_complain(why, "cannot configure " KRN_INTERFACE ": %s", strerror(error));
  }
  krn_netlink_close(&netlink);
  return space->port >= 0 && !error;
}

/* A new namespace, which the calling thread is then in; -1 with |why|. */
static int make_empty(char why[KRN_WHY]) {
  if (unshare(CLONE_NEWNET) < 0) {
    krn_complain(why, "cannot make a network namespace: %s", strerror(errno));
    return -1;
  }
  int fd = krn_namespace_here();
  if (fd < 0) krn_complain(why, "cannot open a network namespace: %s", strerror(errno));
  return fd;
}

bool krn_namespace_make(const struct krn_host_plan *plan, struct krn_namespace *space,
                        char why[KRN_WHY]) {
  uint32_t n = plan->number;
  *space = (struct krn_namespace){
      .port = -1, .mac = {0x02, 0xc0, 0xa9, (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n}};
  space->fd = make_empty(why);
  bool done = space->fd >= 0 && furnish(plan, space, why);
  krn_namespace_enter(plan->home);
  if (!done) krn_namespace_close(space);
  return done;
}

void krn_namespace_close(struct krn_namespace *space) {
  if (space->port >= 0) close(space->port);
  if (space->fd >= 0) close(space->fd);
  space->port = space->fd = -1;
}

int krn_namespace_for_switch(int home, char why[KRN_WHY]) {
  int fd = make_empty(why);
  if (fd >= 0) {
    set("ipv6/conf/default/disable_ipv6", "1");
    set("ipv6/conf/all/disable_ipv6", "1");
  }
  krn_namespace_enter(home);
  return fd;
}

bool krn_attachment_works(enum krn_attachment attachment, char why[KRN_WHY]) {
  if (attachment != KRN_TAP) return true;
  int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);
  if (fd < 0) return krn_complain(why, "cannot open /dev/net/tun: %s", strerror(errno));
  close(fd);
  return true;
}

/* Groups, as the kernel lists them. */

typedef void found_group(void *context, const struct chorus_endpoint *group);

static unsigned digit(char c) {
  return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Lines: index, device, address in hexadecimal, ... */
static void list_v6(FILE *file, found_group *found, void *context) {
  char line[256], device[32], text[40];
  while (fgets(line, sizeof line, file)) {
    struct chorus_endpoint group = {0};
    if (sscanf(line, "%*d %31s %39[0-9a-f]", device, text) != 2 || strlen(text) != 32) continue;
    if (strcmp(device, KRN_INTERFACE) != 0) continue;
    for (size_t i = 0; i < 16; i++)
      group.address[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
    found(context, &group);
  }
}

/* A line per device, then indented lines that begin with a group in hexadecimal, as in memory. */
static void list_v4(FILE *file, found_group *found, void *context) {
  char line[256], device[32] = "";
  unsigned address;
  while (fgets(line, sizeof line, file)) {
    if (line[0] != '\t') {
      if (sscanf(line, "%*s %31s", device) != 1) device[0] = '\0';
    } else if (strcmp(device, KRN_INTERFACE) == 0 && sscanf(line, " %x", &address) == 1) {
      struct chorus_endpoint group = groups_v4;
      uint32_t in_memory = address;
      memcpy(group.address + 12, &in_memory, 4);
      found(context, &group);
    }
  }
}

void krn_namespace_groups(found_group *found, void *context) {
  FILE *file = fopen("/proc/thread-self/net/igmp6", "re");
  if (file) {
    list_v6(file, found, context);
    fclose(file);
  }
  file = fopen("/proc/thread-self/net/igmp", "re");
  if (!file) return;
  list_v4(file, found, context);
  fclose(file);
}

/* Sockets, as the kernel lists them: one a line, after a line of titles. */

unsigned krn_namespace_sockets(void) {
  static const char *const lists[] = {"udp", "udp6", "raw", "raw6", "packet", "tcp", "tcp6"};
  unsigned count = 0;
  for (size_t i = 0; i < sizeof lists / sizeof *lists; i++) {
    char path[64], line[512];
    snprintf(path, sizeof path, "/proc/thread-self/net/%s", lists[i]);
    FILE *file = fopen(path, "re");
    if (!file) continue;
    bool title = true;
    for (; fgets(line, sizeof line, file); title = false) count += !title;
    fclose(file);
  }
  return count;
}

/* Addresses: the host has one when it has a local route to it. */

bool krn_namespace_is_host(const struct chorus_endpoint *address) {
  char wanted[48], line[256];
  FILE *file = fopen("/proc/thread-self/net/ipv6_route", "re");
  if (!file) return true; /* a kernel without IPv6 has nothing to wait for */
  for (size_t i = 0; i < 16; i++)
    snprintf(wanted + 2 * i, sizeof wanted - 2 * i, "%02x", address->address[i]);
  memcpy(wanted + 32, " 80 ", 5); /* the length of the prefix, in hexadecimal */
  bool found = false;
  while (!found && fgets(line, sizeof line, file)) {
    unsigned flags;
    found = strncmp(line, wanted, 36) == 0 &&
            sscanf(line, "%*s %*s %*s %*s %*s %*s %*s %*s %x", &flags) == 1 &&
            (flags & RTF_LOCAL_ROUTE);
  }
  fclose(file);
  return found;
}
