/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Network namespaces that are hosts of ours. They have no names: a file descriptor holds each, and
 * the devices in it die with it. Functions leave the calling thread in the namespace it came from.
 */
#ifndef KRN_NAMESPACE_H
#define KRN_NAMESPACE_H

#include "chorus/kernel.h"

#define KRN_QUEUE_FRAMES 4096u /* that a host may send before the switch looks */

#define KRN_WHY 256 /* octets of a sentence about a failure */

/* Writes a sentence. Always returns false. */
bool krn_complain(char why[KRN_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));

/* The namespace that the calling thread is in, or -1. */
int krn_namespace_here(void);
/* Puts the calling thread there; it never fails for a namespace of ours. */
void krn_namespace_enter(int space);
/* A namespace with nothing in it but a switch's side of devices; -1 with |why|. */
int krn_namespace_for_switch(int home, char why[KRN_WHY]);

/* What a host is to be. */
struct krn_host_plan {
  int home;                       /* namespace to return to */
  int switch_space;               /* KRN_PACKET: where the other end of the device goes */
  enum krn_attachment attachment; /* not KRN_AUTO */
  uint32_t number;                /* of the host, for MAC address and device name */
  const struct chorus_endpoint *addresses;
  size_t address_count;
  bool programs;                            /* programs will live there */
  uint32_t mtu;                             /* of IPv4; IPv6 has 1280 at least */
  chorus_time reassembly_v4, reassembly_v6; /* real time */
};

struct krn_namespace {
  int fd;    /* of the namespace */
  int port;  /* the switch's side of the host's device: read and write Ethernet frames */
  int index; /* of KRN_INTERFACE */
  uint8_t mac[6];
};

/* False with |why|; |space| then holds nothing. */
bool krn_namespace_make(const struct krn_host_plan *plan, struct krn_namespace *space,
                        char why[KRN_WHY]);
void krn_namespace_close(struct krn_namespace *space);

/*
 * Makes a packet socket or TAP device usable by trial. KRN_TAP: whether /dev/net/tun can be opened.
 */
bool krn_attachment_works(enum krn_attachment attachment, char why[KRN_WHY]);

/*
 * Whether the calling thread's namespace takes packets to the IPv6 address. A kernel with much to
 * do begins with that some time after it has been given the address.
 */
bool krn_namespace_is_host(const struct chorus_endpoint *address);

/* Lines in the lists of receiving sockets of the calling thread's namespace. */
unsigned krn_namespace_sockets(void);

/* Calls |found| for each group that the interface of the calling thread's namespace listens to. */
void krn_namespace_groups(void (*found)(void *context, const struct chorus_endpoint *group),
                          void *context);

#endif
