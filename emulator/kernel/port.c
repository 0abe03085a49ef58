/* SPDX-License-Identifier: BSD-2-Clause */
#include "port.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/ethtool.h>
#include <linux/if_ether.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#define PACKET_BUFFER (8 * 1024 * 1024) /* octets of a packet socket's queue */

/* TAP. */

int krn_port_open_tap(char why[KRN_WHY]) {
  int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
  if (fd < 0) {
    krn_complain(why, "cannot open /dev/net/tun: %s", strerror(errno));
    return -1;
  }
  struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI};
  memcpy(request.ifr_name, KRN_INTERFACE, sizeof KRN_INTERFACE);
  /* Closing a device that is not persistent waits 32 ms; this one goes with its namespace. */
  if (ioctl(fd, TUNSETIFF, &request) == 0 && ioctl(fd, TUNSETPERSIST, 1) == 0) return fd;
  krn_complain(why, "cannot make a TAP device: %s", strerror(errno));
  close(fd);
  return -1;
}

/* Packet sockets on veth. */

static void set_feature(int fd, const char *device, uint32_t command, uint32_t value) {
  struct ethtool_value feature = {.cmd = command, .data = value};
  struct ifreq request = {.ifr_data = (void *)&feature};
  strncpy(request.ifr_name, device, IFNAMSIZ - 1);
  if (ioctl(fd, SIOCETHTOOL, &request) < 0) return; /* some features are fixed: off, then */
}

/* Frames are to carry checksums, and to be no larger than the MTU. */
static void stop_offloads(const char *device) {
  int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (fd < 0) return;
  set_feature(fd, device, ETHTOOL_STXCSUM, 0);
  set_feature(fd, device, ETHTOOL_SSG, 0);
  set_feature(fd, device, ETHTOOL_STSO, 0);
  set_feature(fd, device, ETHTOOL_SGSO, 0);
  set_feature(fd, device, ETHTOOL_SGRO, 0);
  close(fd);
}

static int open_packet_socket(unsigned index) {
  int fd = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) return -1;
  int one = 1, size = PACKET_BUFFER;
  setsockopt(fd, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof one);
  /*
   * Past the queue of the device: while the kernel has not got round to giving it one, which on a
   * busy machine takes a second, everything put there vanishes and counts as sent.
   */
  setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof one);
  if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof size) < 0)
    setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
  struct sockaddr_ll address = {
      .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL), .sll_ifindex = (int)index};
  if (bind(fd, (const struct sockaddr *)&address, sizeof address) == 0) return fd;
  close(fd);
  return -1;
}

/* The switch's side, in the switch's namespace, where the thread is. */
static int open_far_end(const char *name, char why[KRN_WHY]) {
  struct krn_netlink netlink;
  unsigned index = if_nametoindex(name);
  stop_offloads(name);
  int error = krn_netlink_open(&netlink);
  if (!error) error = krn_link_up(&netlink, (int)index, false);
  krn_netlink_close(&netlink);
  int fd = error ? -1 : open_packet_socket(index);
  if (fd < 0) krn_complain(why, "cannot open a packet socket: %s", strerror(error ? error : errno));
  return fd;
}

int krn_port_open_packet(struct krn_netlink *netlink, const struct krn_host_plan *plan, int space,
                         char why[KRN_WHY]) {
  char name[IFNAMSIZ];
  snprintf(name, sizeof name, "p%u", plan->number);
  int error = krn_link_add_pair(netlink, KRN_INTERFACE, name, plan->switch_space);
  if (error) {
    krn_complain(why, "cannot make a pair of veth devices: %s", strerror(error));
    return -1;
  }
  stop_offloads(KRN_INTERFACE);
  krn_namespace_enter(plan->switch_space);
  int fd = open_far_end(name, why);
  krn_namespace_enter(space);
  return fd;
}

/* Frames. */

size_t krn_port_read(int port, void *frame, size_t size) {
  ssize_t length = read(port, frame, size);
  while (length < 0 && errno == EINTR) length = read(port, frame, size);
  return length > 0 ? (size_t)length : 0;
}

bool krn_port_write(int port, const void *header, size_t header_length, const void *body,
                    size_t body_length) {
  const struct iovec parts[] = {{(void *)(uintptr_t)header, header_length},
                                {(void *)(uintptr_t)body, body_length}};
  ssize_t length = writev(port, parts, 2);
  while (length < 0 && errno == EINTR) length = writev(port, parts, 2);
  return length >= 0;
}
