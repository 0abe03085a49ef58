/* SPDX-License-Identifier: BSD-2-Clause */
/* The network as a whole: its nodes, its loop and the flow of time. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

#include "internal.h"

#define EVENTS_AT_ONCE 64
#define LONGEST_WAIT   (100 * CHORUS_MILLISECOND) /* real time between two questions to others */
#define SETTLING_STEP  (5 * CHORUS_MILLISECOND)
#define QUIET_TIME     (40 * CHORUS_MILLISECOND) /* without membership reports, before time begins */
#define FILES_WANTED   65536u
#define DILATION_MAX   1000u
#define REASSEMBLY_V4  (15 * CHORUS_SECOND) /* as in emulator.h */
#define REASSEMBLY_V6  (60 * CHORUS_SECOND)

/* Watching descriptors. */

bool krn_watch_add(struct krn_network *network, struct krn_watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  return epoll_ctl(network->epoll, EPOLL_CTL_ADD, watch->fd, &event) == 0;
}

void krn_watch_events(struct krn_network *network, struct krn_watch *watch, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = watch};
  epoll_ctl(network->epoll, EPOLL_CTL_MOD, watch->fd, &event);
}

void krn_watch_end(struct krn_network *network, struct krn_watch *watch) {
  /* By hand: a child of another thread between fork and exec may hold a reference, too. */
  epoll_ctl(network->epoll, EPOLL_CTL_DEL, watch->fd, NULL);
  close(watch->fd);
  watch->fd = -1;
  watch->dead = true;
  watch->next_dead = network->dead;
  network->dead = watch;
}

static void bury(struct krn_network *network) {
  while (network->dead) {
    struct krn_watch *watch = network->dead;
    network->dead = watch->next_dead;
    free(watch);
  }
}

/* Time. */

chorus_time krn_real_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (chorus_time)t.tv_sec * CHORUS_SECOND + (chorus_time)t.tv_nsec;
}

/* The present time of the network, up to |limit|. */
static chorus_time present(const struct krn_network *network, chorus_time limit) {
  if (!network->running) return 0;
  chorus_time time = (krn_real_time() - network->epoch) * network->config.dilation;
  return time < limit ? time : limit;
}

/* Real time from now until |at|. */
static chorus_time distance(const struct krn_network *network, chorus_time at) {
  if (at == CHORUS_NEVER) return CHORUS_NEVER;
  chorus_time due = at / network->config.dilation + network->epoch, now = krn_real_time();
  return due > now ? due - now : 0;
}

chorus_time krn_now(const struct krn_network *network) {
  return emu_now(network->model);
}

uint32_t krn_dilation(const struct krn_network *network) {
  return network->config.dilation;
}

chorus_time krn_clock(const struct krn_network *network) {
  (void)network;
  return krn_real_time();
}

/* The loop. */

static bool is_interrupted(const struct krn_network *network) {
  const struct krn_config *config = &network->config;
  return config->interrupted && config->interrupted(config->interrupted_context);
}

static chorus_time wait_for(const struct krn_network *network, chorus_time until) {
  if (!network->running) return SETTLING_STEP;
  chorus_time next = emu_next(network->model);
  chorus_time wait = distance(network, next < until ? next : until);
  return wait < LONGEST_WAIT ? wait : LONGEST_WAIT;
}

/* Serves the descriptors that are ready within |wait| real ns. */
static void serve(struct krn_network *network, chorus_time until, chorus_time wait) {
  struct epoll_event events[EVENTS_AT_ONCE];
  struct timespec timeout = {.tv_sec = (time_t)(wait / CHORUS_SECOND),
                             .tv_nsec = (long)(wait % CHORUS_SECOND)};
  int count = epoll_pwait2(network->epoll, events, EVENTS_AT_ONCE, &timeout, NULL);
  emu_run_until(network->model, present(network, until));
  for (int i = 0; i < count; i++) {
    struct krn_watch *watch = events[i].data.ptr;
    if (!watch->dead) watch->ready(watch, events[i].events);
  }
  bury(network);
}

void krn_run_until(struct krn_network *network, chorus_time until) {
  chorus_time asked = krn_real_time();
  for (bool over = false; !over;) {
    emu_run_until(network->model, present(network, until));
    over = present(network, until) >= until;
    serve(network, until, over ? 0 : wait_for(network, until));
    chorus_time now = krn_real_time();
    if (over || now - asked < LONGEST_WAIT) continue;
    asked = now;
    if (is_interrupted(network)) return;
  }
  emu_run_until(network->model, until);
}

/* Making. */

static void raise_file_limit(struct krn_network *network) {
  if (getrlimit(RLIMIT_NOFILE, &network->files) < 0) return;
  struct rlimit wanted = network->files;
  wanted.rlim_cur = wanted.rlim_max < FILES_WANTED ? wanted.rlim_max : FILES_WANTED;
  if (wanted.rlim_cur > network->files.rlim_cur) setrlimit(RLIMIT_NOFILE, &wanted);
}

static bool attach(struct krn_network *network, char why[KRN_WHY]) {
  enum krn_attachment wanted = network->config.attachment;
  network->attachment = wanted == KRN_AUTO ? KRN_TAP : wanted;
  if (!krn_attachment_works(network->attachment, why)) {
    if (wanted != KRN_AUTO) return false;
    network->attachment = KRN_PACKET;
  }
  if (network->attachment == KRN_TAP) return true;
  network->switch_space = krn_namespace_for_switch(network->home, why);
  return network->switch_space >= 0;
}

static bool set_up(struct krn_network *network, char why[KRN_WHY]) {
  network->model = emu_network_new(&network->config.network);
  if (!network->model) return krn_complain(why, "no memory");
  network->wire = (struct emu_wire){.context = network, .arrive = krn_switch_arrive};
  network->model->wire = &network->wire;
  network->model->flood = network->config.flood;
  network->epoll = epoll_create1(EPOLL_CLOEXEC);
  network->home = krn_namespace_here();
  if (network->epoll < 0 || network->home < 0)
    return krn_complain(why, "cannot open the loop: %s", strerror(errno));
  raise_file_limit(network);
  prctl(PR_SET_TIMERSLACK, 1UL, 0UL, 0UL, 0UL);
  return attach(network, why);
}

struct krn_network *krn_network_new(const struct krn_config *config, char *why, size_t size) {
  struct krn_network *network = calloc(1, sizeof *network);
  if (!network) {
    snprintf(why, size, "no memory");
    return NULL;
  }
  network->config = *config;
  network->home = network->switch_space = network->epoll = -1;
  if (network->config.dilation == 0) network->config.dilation = 1;
  bool done = config->dilation <= DILATION_MAX
                  ? set_up(network, network->why)
                  : krn_complain(network->why, "dilation is at most %u", DILATION_MAX);
  if (done) return network;
  snprintf(why, size, "%s", network->why);
  krn_network_free(network);
  return NULL;
}

static void free_node(struct krn_node *node) {
  krn_sockets_close(node);
  krn_namespace_close(&node->space);
}

void krn_network_free(struct krn_network *network) {
  if (!network) return;
  krn_programs_end(network);
  for (uint32_t i = 0; i < network->node_count; i++) free_node(network->nodes[i]);
  bury(network);
  for (uint32_t i = 0; i < network->node_count; i++) free(network->nodes[i]);
  if (network->epoll >= 0) close(network->epoll);
  if (network->switch_space >= 0) close(network->switch_space);
  if (network->home >= 0) close(network->home);
  emu_network_free(network->model);
  free(network->programs);
  free(network->nodes);
  free(network);
}

enum krn_attachment krn_attached(const struct krn_network *network) {
  return network->attachment;
}

int krn_namespace(const struct krn_network *network, uint32_t node) {
  const struct krn_node *n = krn_node_at(network, node);
  return n ? n->space.fd : -1;
}

unsigned krn_open_sockets(const struct krn_network *network, uint32_t node) {
  int space = krn_namespace(network, node);
  if (space < 0) return 0;
  krn_namespace_enter(space);
  unsigned count = krn_namespace_sockets();
  krn_namespace_enter(network->home);
  return count;
}

const char *krn_attachment_name(enum krn_attachment attachment) {
  switch (attachment) {
    case KRN_TAP: return "tap";
    case KRN_PACKET: return "packet";
    case KRN_AUTO: break;
  }
  return "auto";
}

const char *krn_error(const struct krn_network *network) {
  return network->why;
}

uint32_t krn_add_link(struct krn_network *network, const struct emu_link_config *config) {
  return emu_add_link(network->model, config);
}

/* Nodes. */

struct krn_node *krn_node_at(const struct krn_network *network, uint32_t node) {
  return node < network->node_count ? network->nodes[node] : NULL;
}

static chorus_time reassembly_time(const struct krn_network *network, chorus_time usual) {
  chorus_time given = network->config.network.reassembly_timeout;
  return (given ? given : usual) / network->config.dilation;
}

static bool make_namespace(struct krn_network *network, const struct emu_node_config *config,
                           struct krn_node *node) {
  struct krn_host_plan plan = {.home = network->home,
                               .switch_space = network->switch_space,
                               .attachment = network->attachment,
                               .number = node->index,
                               .addresses = config->addresses,
                               .address_count = config->address_count,
                               .programs = node->presence == KRN_HOST,
                               .mtu = network->model->config.mtu,
                               .reassembly_v4 = reassembly_time(network, REASSEMBLY_V4),
                               .reassembly_v6 = reassembly_time(network, REASSEMBLY_V6)};
  if (!krn_namespace_make(&plan, &node->space, network->why)) return false;
  node->watch.ready = krn_switch_ready;
  node->watch.fd = node->space.port;
  if (krn_watch_add(network, &node->watch, EPOLLIN)) return true;
  krn_namespace_close(&node->space);
  return krn_complain(network->why, "cannot watch a port: %s", strerror(errno));
}

static bool reserve_node(struct krn_network *network) {
  if (network->node_count < network->node_capacity) return true;
  uint32_t capacity = network->node_capacity ? network->node_capacity * 2 : 16;
  struct krn_node **nodes = realloc(network->nodes, capacity * sizeof(struct krn_node *));
  if (!nodes) return krn_complain(network->why, "no memory");
  network->nodes = nodes;
  network->node_capacity = capacity;
  return true;
}

static void set_host_table(const struct krn_node *node) {
  const struct emu_network *model = node->network->model;
  emu_node_at(model, node->index)->host.ops =
      krn_host_ops(node->presence, model->observer.event != NULL);
}

static bool enter_model(struct krn_network *network, const struct emu_node_config *config,
                        struct krn_node *node) {
  if (emu_add_node(network->model, config) == UINT32_MAX)
    return krn_complain(network->why,
                        "node %s: its name or an address is taken, an address is not unicast, or "
                        "there is no such link",
                        config->name ? config->name : "without a name");
  emu_node_at(network->model, node->index)->wired = node->presence != KRN_PORT;
  set_host_table(node);
  return true;
}

uint32_t krn_add_node(struct krn_network *network, const struct emu_node_config *config,
                      enum krn_presence presence) {
  if (config->icmp_to_group && presence != KRN_PORT) {
    krn_complain(network->why, "node %s: the kernel never answers groups with ICMP errors",
                 config->name);
    return UINT32_MAX;
  }
  struct krn_node *node = reserve_node(network) ? calloc(1, sizeof *node) : NULL;
  if (!node) return UINT32_MAX;
  *node = (struct krn_node){.network = network,
                            .index = network->node_count,
                            .presence = presence,
                            .space = {.fd = -1, .port = -1}};
  if ((presence != KRN_PORT && !make_namespace(network, config, node)) ||
      !enter_model(network, config, node)) {
    krn_namespace_close(&node->space);
    free(node);
    return UINT32_MAX;
  }
  network->nodes[network->node_count++] = node;
  return node->index;
}

/* Impairments. */

uint32_t krn_impair(struct krn_network *network, uint32_t sender, uint32_t receiver,
                    const struct emu_impairment *impairment) {
  uint32_t handle = emu_impair(network->model, sender, receiver, impairment);
  if (handle == 0) krn_complain(network->why, "no such node, or an impairment that makes no sense");
  return handle;
}

void krn_repair(struct krn_network *network, uint32_t handle) {
  emu_repair(network->model, handle);
}

uint64_t krn_impairment_used(const struct krn_network *network, uint32_t handle) {
  return emu_impairment_used(network->model, handle);
}

/* Watching. */

static void set_observer(struct krn_network *network, const struct emu_observer *observer) {
  emu_observe(network->model, observer);
  for (uint32_t i = 0; i < network->node_count; i++) set_host_table(network->nodes[i]);
}

void krn_observe(struct krn_network *network, const struct emu_observer *observer) {
  network->observer = *observer;
  set_observer(network, observer);
}

struct emu_counters krn_counters(const struct krn_network *network) {
  return emu_counters(network->model);
}

bool krn_is_member(const struct krn_network *network, uint32_t node,
                   const struct chorus_endpoint *group) {
  return krn_switch_has(network, node, group);
}

struct krn_lag krn_lag(const struct krn_network *network) {
  return krn_lag_read(&network->lags);
}

/* Starting. Before time begins packets pass at once, unimpaired and unseen. */

static void hold_time(struct krn_network *network) {
  struct emu_network *model = network->model;
  const struct emu_observer partly = {.context = network->observer.context,
                                      .event = network->observer.event,
                                      .membership = network->observer.membership};
  set_observer(network, &partly);
  model->config.latency = 0;
  network->impairments = model->impairments.active;
  model->impairments.active = 0;
}

static void begin_time(struct krn_network *network) {
  struct emu_network *model = network->model;
  emu_run_until(model, 0);
  model->config.latency = network->config.network.latency;
  model->impairments.active += network->impairments;
  uint64_t pending = model->counters.in_flight; /* in a reassembly */
  model->counters = (struct emu_counters){.receptions = pending, .in_flight = pending};
  model->last_id = 0;
  set_observer(network, &network->observer);
  network->running = true;
  network->epoch = krn_real_time();
}

static const char *name_of(const struct krn_network *network, uint32_t node) {
  return emu_node_name(network->model, node);
}

/* The first node that is not ready, or UINT32_MAX. */
static uint32_t find_unready(const struct krn_network *network, bool (*ready)(void *, uint32_t),
                             void *context) {
  for (uint32_t i = 0; ready && i < network->node_count; i++)
    if (!ready(context, i)) return i;
  return UINT32_MAX;
}

static bool takes_all_addresses(const struct krn_node *node) {
  const struct emu_node *model = emu_node_at(node->network->model, node->index);
  bool all = true;
  krn_namespace_enter(node->space.fd);
  for (uint32_t i = 0; all && i < model->details->address_count; i++) {
    const struct chorus_endpoint *address = &model->details->addresses[i];
    all = chorus_is_ipv4(address) || krn_namespace_is_host(address);
  }
  krn_namespace_enter(node->network->home);
  return all;
}

/* The first node whose kernel has not taken over all its addresses, or UINT32_MAX. */
static uint32_t find_homeless(const struct krn_network *network) {
  for (uint32_t i = 0; i < network->node_count; i++) {
    struct krn_node *node = network->nodes[i];
    if (node->presence == KRN_PORT || node->has_addresses) continue;
    node->has_addresses = takes_all_addresses(node);
    if (!node->has_addresses) return i;
  }
  return UINT32_MAX;
}

static uint32_t find_unknown(const struct krn_network *network) {
  for (uint32_t i = 0; i < network->node_count; i++)
    if (network->nodes[i]->presence == KRN_HOST && !krn_switch_knows_all(network->nodes[i]))
      return i;
  return UINT32_MAX;
}

/* Whether all is as it must be for time to begin; else says what is missing. */
static bool is_settled(struct krn_network *network, bool (*ready)(void *, uint32_t),
                       void *context) {
  uint32_t node = find_unready(network, ready, context);
  if (node != UINT32_MAX)
    return krn_complain(network->why, "node %s is not ready", name_of(network, node));
  if (krn_real_time() - network->last_report < QUIET_TIME)
    return krn_complain(network->why, "membership reports are still coming");
  node = find_homeless(network);
  if (node != UINT32_MAX)
    return krn_complain(network->why, "the kernel of node %s has not taken its addresses yet",
                        name_of(network, node));
  node = find_unknown(network);
  if (node == UINT32_MAX) return true;
  return krn_complain(network->why, "the switch has not seen all memberships of node %s",
                      name_of(network, node));
}

static int settle(struct krn_network *network, bool (*ready)(void *, uint32_t), void *context,
                  chorus_time patience) {
  chorus_time start = krn_real_time();
  network->last_report = start;
  while (!is_settled(network, ready, context)) {
    if (krn_real_time() - start > patience || is_interrupted(network)) return CHORUS_REFUSED;
    chorus_time now = present(network, CHORUS_NEVER);
    emu_run_until(network->model, now);
    serve(network, CHORUS_NEVER, SETTLING_STEP);
  }
  return CHORUS_OK;
}

/* Says which node refused to start. */
static int explain_start(struct krn_network *network, int status) {
  for (uint32_t i = 0; i < network->node_count; i++)
    if (emu_node_at(network->model, i)->status == EMU_NODE_STOPPED)
      krn_complain(network->why, "node %s does not start (status %d)", name_of(network, i), status);
  return status;
}

int krn_start(struct krn_network *network, bool (*ready)(void *context, uint32_t node),
              void *context, chorus_time patience) {
  bool first = !network->running;
  if (first) hold_time(network);
  int status = emu_start(network->model);
  if (status != CHORUS_OK) return explain_start(network, status);
  status = settle(network, ready, context, patience);
  if (status == CHORUS_OK && first) begin_time(network);
  return status;
}

void krn_stop(struct krn_network *network) {
  emu_stop(network->model);
}

int krn_command(struct krn_network *network, uint32_t node, const struct chorus_command *command,
                const char **why) {
  return emu_command(network->model, node, command, why);
}

int krn_inject(struct krn_network *network, uint32_t node, const struct chorus_datagram *datagram) {
  return emu_inject(network->model, node, datagram);
}

/* Memberships by helpers. */

int krn_join(struct krn_network *network, uint32_t node, const struct chorus_endpoint *group) {
  struct krn_node *n = krn_node_at(network, node);
  int status = CHORUS_BAD_ARGUMENT;
  if (n && n->presence == KRN_PORT)
    status = emu_host_ops(false)->join(emu_node_at(network->model, node), group);
  else if (n)
    status = krn_sockets_help(n, group);
  if (status == CHORUS_BAD_ARGUMENT)
    krn_complain(network->why, "there is no such node, or this is no group");
  else if (status != CHORUS_OK)
    krn_complain(network->why, "no memory or descriptors left to join a group");
  return status;
}

void krn_leave(struct krn_network *network, uint32_t node, const struct chorus_endpoint *group) {
  struct krn_node *n = krn_node_at(network, node);
  if (n && n->presence == KRN_PORT)
    emu_host_ops(false)->leave(emu_node_at(network->model, node), group);
  else if (n)
    krn_sockets_stop_help(n, group);
}
