/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The Network seam, backend `kernel`: the same network as emulator.h, in real time and on the IP
 * stack of Linux. Every node has a network namespace of its own with one Ethernet interface
 * (KRN_INTERFACE); the interfaces hang on a switch in user space (TAP devices, or AF_PACKET on veth
 * where /dev/net/tun is closed to us) which applies the impairments of emulator.h per (sender,
 * receiver) and tells the same observer about every IP packet.
 *
 * Functions that have the name of one of emulator.h behave alike, but for these differences:
 * - Time is real: CLOCK_MONOTONIC, multiplied by the dilation, 0 when krn_start() returned.
 *   krn_run_until() waits. What happened before is neither observed nor impaired.
 * - Impairments concern UDP, its fragments and ICMP errors. Membership reports (MLDv2, IGMPv3) pass
 *   unimpaired, are observed as transmitted, and reach no node: the switch is the querier's side.
 * - There is no address resolution (the interfaces are NOARP): the switch forwards by IP address.
 * So a packet to an address that nobody has is seen to leave, with fate EMU_DROPPED_NO_ROUTE.
 * - Links (emu_add_link) are joined by the switch as by a router: it takes one hop per crossing and
 *   keeps to the zones of multicast scopes.
 * - Draws depend on (seed, clause, sender, receiver, number of the packet between these two) alone,
 *   so that a changed interleaving elsewhere changes nothing.
 * - Packets are stamped with the time at which they were due, which may be a little before the time
 * at which they were written (krn_lag); a node with sockets is called with that time, too.
 * - fate EMU_DELIVERED means: written to the node's interface. What its kernel does then (closed
 *   port, reassembly, checksum) is not seen.
 *
 * Nothing outlives the process that made it, however that ends: namespaces are held by file
 * descriptors, devices by their namespaces, programs by a PID namespace that dies with us.
 *
 * One thread per network, the one that made it; networks of several threads are independent.
 */
#ifndef CHORUS_KERNEL_H
#define CHORUS_KERNEL_H

#include <sys/types.h>

#include "chorus/emulator.h"

#define KRN_INTERFACE "lan0" /* of every node, in its namespace */

struct krn_network;

/*
 * Once per process, before it has a second thread. Root stays as it is. Anybody else enters a user
 * namespace and a network namespace of his own. Returns false with one sentence in |why| that says
 * what the host forbids and what would allow it.
 */
bool krn_enter(char *why, size_t size);

/* How the switch is attached to the interfaces. AUTO: TAP, where that can be opened. */
enum krn_attachment { KRN_AUTO = 0, KRN_TAP, KRN_PACKET };
const char *krn_attachment_name(enum krn_attachment attachment); /* "tap", "packet" */

struct krn_config {
  struct emu_config network; /* reassembly_limit has no meaning here */
  enum krn_attachment attachment;
  bool flood;        /* the switch does not snoop: multicasts go to all ports */
  uint32_t dilation; /* virtual seconds per real second, 1 to 1000; 0: 1 */
  /* Asked every 100 ms or so while waiting; true ends krn_start() and krn_run_until() early. */
  bool (*interrupted)(void *context);
  void *interrupted_context;
};

/* NULL with a sentence in |why|. */
struct krn_network *krn_network_new(const struct krn_config *config, char *why, size_t size);
/* Ends all programs (SIGKILL), closes everything. */
void krn_network_free(struct krn_network *network);
enum krn_attachment krn_attached(const struct krn_network *network);
/* A descriptor of the node's network namespace (setns, /proc/PID/fd); it stays ours. -1: none. */
int krn_namespace(const struct krn_network *network, uint32_t node);
/* How many sockets of programs the namespace has that can receive: UDP, raw, packet, TCP. */
unsigned krn_open_sockets(const struct krn_network *network, uint32_t node);

uint32_t krn_add_link(struct krn_network *network, const struct emu_link_config *config);

/* How a node takes part. */
enum krn_presence {
  KRN_SOCKETS = 0, /* its functions are called from UDP sockets in its namespace */
  KRN_PORT, /* its functions are called by the switch itself: a tester, which may forge sources.
               It has no namespace and hears every port of its addresses and joined groups */
  KRN_HOST, /* a namespace without sockets of ours: programs live there. Its functions (start,
               command, wake, stop, ...) are called, but no datagram() and no unreachable() */
};

/* UINT32_MAX: see emu_add_node(), or a system call failed; krn_error() has the sentence. */
uint32_t krn_add_node(struct krn_network *network, const struct emu_node_config *config,
                      enum krn_presence presence);
const char *krn_error(const struct krn_network *network); /* of the last call that failed */

uint32_t krn_impair(struct krn_network *network, uint32_t sender, uint32_t receiver,
                    const struct emu_impairment *impairment);
void krn_repair(struct krn_network *network, uint32_t handle);
uint64_t krn_impairment_used(const struct krn_network *network, uint32_t handle);
void krn_observe(struct krn_network *network, const struct emu_observer *observer);

/*
 * Starts all nodes, then waits until each node of |ready| says so (asked again and again; NULL: at
 * once) and the switch has seen every membership, at most |patience| (real ns). Then time begins at
 * 0; in a second call it flows on, and the call only waits. CHORUS_OK, a node's status, or
 * CHORUS_REFUSED when patience or the process ended first (krn_error() says whom it waited for).
 */
int krn_start(struct krn_network *network, bool (*ready)(void *context, uint32_t node),
              void *context, chorus_time patience);
void krn_stop(struct krn_network *network);

int krn_command(struct krn_network *network, uint32_t node, const struct chorus_command *command,
                const char **why);
int krn_inject(struct krn_network *network, uint32_t node, const struct chorus_datagram *datagram);

chorus_time krn_now(const struct krn_network *network);
/* Virtual seconds per real second, at least 1. */
uint32_t krn_dilation(const struct krn_network *network);
/* Real ns of the clock behind krn_now(), which runs before krn_start() as well. */
chorus_time krn_clock(const struct krn_network *network);
/* Serves the network until |until|. */
void krn_run_until(struct krn_network *network, chorus_time until);
struct emu_counters krn_counters(const struct krn_network *network);
/* Whether the switch knows the node as a member of the group (of its address; ports do not count).
 */
bool krn_is_member(const struct krn_network *network, uint32_t node,
                   const struct chorus_endpoint *group);

/* How late the switch was: real ns between the time a frame was due and the time it was written. */
struct krn_lag {
  uint64_t frames;
  chorus_time median, p99, worst;
};
struct krn_lag krn_lag(const struct krn_network *network);

/* ---- programs in a node's namespace ---- */

/* What a program does that concerns us. |context| goes first. Members may be NULL. */
struct krn_program_watch {
  void *context;
  /* A line of its standard output or standard error, without the line end; at most 64 KiB (longer
   * ones come in parts). Packets that it sent before it wrote the line are seen to leave before. */
  void (*line)(void *context, chorus_time now, bool is_error, const char *line, size_t length);
  /* It ended; |status| as of waitpid(). The last lines come before. */
  void (*ended)(void *context, chorus_time now, int status);
};

struct krn_program {
  const char *const *arguments;   /* argv, NULL at the end; found in PATH */
  const char *const *environment; /* "NAME=value" in addition to ours, NULL at the end; or NULL */
  const char *directory;          /* working directory; NULL: ours */
  const char *output;             /* file for all its output, too; NULL: none */
  bool own_memory;                /* an empty /dev/shm of its own, which goes with it */
  bool inherit_input;             /* its standard input is ours: no krn_write() */
  bool inherit_output; /* its standard output and error are ours: neither lines nor |output| */
  struct krn_program_watch watch;
};

/*
 * Starts a program in the namespace of |node|, in a session and a PID namespace of its own, with
 * its standard input open. Returns a handle (1 and up), or 0 with krn_error().
 */
uint32_t krn_spawn(struct krn_network *network, uint32_t node, const struct krn_program *program);
/* Queues octets for its standard input; false when it ended or does not read (1 MiB waiting). */
bool krn_write(struct krn_network *network, uint32_t program, const void *data, size_t length);
void krn_close_input(struct krn_network *network, uint32_t program);
void krn_signal(struct krn_network *network, uint32_t program, int signal);
bool krn_running(const struct krn_network *network, uint32_t program);
/* Processes of the program that are left after it ended by itself (it forked and forgot). */
unsigned krn_leftover(const struct krn_network *network, uint32_t program);

/*
 * Makes the interface of |node| a member of |group| without the help of its program: Linux delivers
 * the group to every socket bound to the wildcard address there (IP_MULTICAST_ALL). But groups of
 * IPv4 do not reach IPv6 sockets that serve IPv4 as well, unless these joined themselves.
 */
int krn_join(struct krn_network *network, uint32_t node, const struct chorus_endpoint *group);
void krn_leave(struct krn_network *network, uint32_t node, const struct chorus_endpoint *group);

#endif
