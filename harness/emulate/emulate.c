/* SPDX-License-Identifier: BSD-2-Clause */
#include "emulate/emulate.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "chorus/endpoint_text.h"
#include "emulate/capture.h"

#ifndef CHORUS_VERSION
#define CHORUS_VERSION "0"
#endif

#define SLICE    (10 * CHORUS_MILLISECOND) /* real time between two looks at what has ended */
#define GRACE    (2 * CHORUS_SECOND)       /* real time between SIGTERM and SIGKILL */
#define PATIENCE (30 * CHORUS_SECOND)      /* real time for the network to come up */

struct session;

struct program {
  struct session *session;
  const char *name; /* of its node */
  const char *command;
  uint32_t node, handle;
  unsigned sockets; /* that its node had before */
  bool is_last;     /* whose end is that of all */
  bool ended;
  int status;
};

/* One impairment in force between a pair. */
struct handle {
  size_t impairment;
  uint32_t handle;
};

struct session {
  const struct emulate_options *options;
  struct scn_arena *arena;
  struct krn_network *network;
  struct emulate_capture *capture;
  struct program **programs;
  size_t program_count;
  size_t next_step;
  struct handle *handles;
  size_t handle_count;
  bool ending;
};

static bool fail(const struct session *s, const char *what, const char *why) {
  fprintf(s->options->notes, "chorus emulate: %s%s%s\n", what, *why ? ": " : "", why);
  return false;
}

/* ---- impairments and steps ---- */

static bool impair(struct session *s, size_t index) {
  const struct scn_impairment *m = &s->options->topology->network.impairments[index];
  for (size_t a = 0; a < m->sender_count; a++)
    for (size_t b = 0; b < m->receiver_count; b++) {
      struct handle *h = scn_append(s->arena, &s->handles, &s->handle_count, sizeof *h);
      if (!h) return fail(s, "an impairment", "no memory");
      h->impairment = index;
      h->handle = krn_impair(s->network, m->senders[a], m->receivers[b], &m->impairment);
      if (h->handle == 0) return fail(s, "an impairment", krn_error(s->network));
    }
  return true;
}

static void repair(struct session *s, size_t index) {
  for (size_t i = 0; i < s->handle_count; i++)
    if (scn_repairs(&s->options->topology->network, index, s->handles[i].impairment) &&
        s->handles[i].handle)
      krn_repair(s->network, s->handles[i].handle);
}

static bool impair_initially(struct session *s) {
  const struct scn_network *n = &s->options->topology->network;
  bool ok = true;
  for (size_t i = 0; ok && i < n->impairment_count; i++)
    if (n->impairments[i].initial) ok = impair(s, i);
  return ok;
}

/* Of the steps of a scenario those take place that change the network. */
static void do_steps(struct session *s) {
  const struct scn_scenario *t = s->options->topology;
  for (; s->next_step < t->step_count; s->next_step++) {
    const struct scn_step *step = &t->steps[s->next_step];
    if (step->at > krn_now(s->network)) return;
    if (step->kind == SCN_IMPAIR) impair(s, step->impairment);
    if (step->kind == SCN_REPAIR) repair(s, step->impairment);
  }
}

static void note_left_out(const struct session *s) {
  const struct scn_scenario *t = s->options->topology;
  size_t count = 0;
  for (size_t i = 0; i < t->step_count; i++)
    count += t->steps[i].kind == SCN_COMMAND || t->steps[i].kind == SCN_SEND;
  if (count)
    fprintf(s->options->notes,
            "chorus emulate: steps of nodes (%zu) are left out: here programs act\n", count);
}

/* Serves the network for |real| ns. */
static void pass(struct session *s, chorus_time real) {
  const struct scn_scenario *t = s->options->topology;
  uint32_t dilation = s->options->dilation ? s->options->dilation : 1;
  chorus_time until = krn_now(s->network) + real * dilation;
  if (s->next_step < t->step_count && t->steps[s->next_step].at < until)
    until = t->steps[s->next_step].at;
  krn_run_until(s->network, until);
  do_steps(s);
}

static bool is_interrupted(const struct session *s) {
  return s->options->interrupted && s->options->interrupted(s->options->context);
}

/* ---- the network ---- */

static bool add_nodes(struct session *s) {
  static const struct chorus_node_ops nothing = {.start = NULL};
  const struct scn_scenario *t = s->options->topology;
  uint32_t *links = scn_alloc(s->arena, (t->network.link_count + 1) * sizeof *links);
  for (size_t i = 0; links && i < t->network.link_count; i++)
    links[i] = krn_add_link(s->network, &t->network.links[i].config);
  for (size_t i = 0; links && i < t->node_count; i++) {
    const struct scn_node *node = &t->nodes[i];
    struct emu_node_config config = {.name = node->name,
                                     .node = {.ops = &nothing},
                                     .addresses = node->addresses,
                                     .address_count = node->address_count,
                                     .link = node->link ? links[node->link - 1] : 0,
                                     .multicast_loopback = node->multicast_loopback,
                                     .no_icmp = node->no_icmp};
    if (krn_add_node(s->network, &config, KRN_HOST) == UINT32_MAX)
      return fail(s, "making the network", krn_error(s->network));
  }
  return links || fail(s, "making the network", "no memory");
}

/* A node that the file makes a member is one, whatever its programs do. */
static bool join_groups(struct session *s) {
  const struct scn_scenario *t = s->options->topology;
  for (uint32_t i = 0; i < t->node_count; i++)
    for (size_t k = 0; k < t->nodes[i].server.group_count; k++)
      if (krn_join(s->network, i, &t->nodes[i].server.groups[k]) != CHORUS_OK)
        return fail(s, "joining a group", krn_error(s->network));
  return true;
}

static bool begin_capture(struct session *s) {
  const struct emulate_options *o = s->options;
  if (!o->capture) return true;
  FILE *file = fopen(o->capture, "wb");
  if (!file) return fail(s, o->capture, strerror(errno));
  fclose(file);
  s->capture = emulate_capture_new(
      o->topology, scn_print(s->arena, "chorus %s, topology %s, seed %llu, digest %016llx",
                             CHORUS_VERSION, o->topology->path, (unsigned long long)o->seed,
                             (unsigned long long)o->topology->digest));
  if (!s->capture) return fail(s, o->capture, "no memory");
  struct emu_observer observer = emulate_capture_observer(s->capture);
  krn_observe(s->network, &observer);
  return true;
}

static bool make_network(struct session *s) {
  const struct emulate_options *o = s->options;
  const struct scn_network *n = &o->topology->network;
  char why[256] = "";
  const struct krn_config config = {.network = {.seed = o->seed,
                                                .latency = n->latency,
                                                .mtu = n->mtu,
                                                .reassembly_timeout = n->reassembly_timeout},
                                    .attachment = o->attachment,
                                    .flood = o->flood || n->flood,
                                    .dilation = o->dilation,
                                    .interrupted = o->interrupted,
                                    .interrupted_context = o->context};
  s->network = krn_network_new(&config, why, sizeof why);
  if (!s->network) return fail(s, "making the network", why);
  return add_nodes(s) && impair_initially(s) && join_groups(s) && begin_capture(s);
}

static bool start_network(struct session *s) {
  int status = krn_start(s->network, NULL, NULL, PATIENCE);
  if (status == CHORUS_OK || is_interrupted(s)) return true;
  return fail(s, "starting the network", krn_error(s->network));
}

static void save_capture(const struct session *s, enum emulate_end *end) {
  const struct emulate_options *o = s->options;
  if (!s->capture) return;
  enum cap_status status = emulate_capture_save(s->capture, o->capture);
  if (status == CAP_OK) {
    fprintf(o->notes, "chorus emulate: %llu frames in %s\n",
            (unsigned long long)emulate_capture_frames(s->capture), o->capture);
    return;
  }
  fail(s, o->capture, status == CAP_IO ? strerror(errno) : "no memory for all of it");
  if (*end == EMULATE_ENDED) *end = EMULATE_FAILED;
}

/* ---- programs ---- */

static void on_line(void *context, chorus_time now, bool is_error, const char *line,
                    size_t length) {
  const struct program *p = context;
  FILE *stream = is_error ? stderr : stdout;
  (void)now;
  fprintf(stream, "%s: ", p->name);
  fwrite(line, 1, length, stream);
  fputc('\n', stream);
  fflush(stream);
}

static void describe_status(int status, char *text, size_t size) {
  if (WIFSIGNALED(status))
    snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
  else
    snprintf(text, size, "exit code %d", WEXITSTATUS(status));
}

static void on_ended(void *context, chorus_time now, int status) {
  struct program *p = context;
  char text[80];
  (void)now;
  p->ended = true;
  p->status = status;
  if (status == 0 || p->session->ending || p->is_last) return;
  describe_status(status, text, sizeof text);
  fprintf(p->session->options->notes, "chorus emulate: %s: %s ended with %s\n", p->name, p->command,
          text);
}

/* Faster clocks for programs, on which libfaketime has to work. */
static const char *const *variables(struct session *s) {
  const struct emulate_options *o = s->options;
  const char **list = scn_alloc(s->arena, 4 * sizeof *list);
  if (!list || !o->preload || o->dilation < 2) return list;
  list[0] = scn_print(s->arena, "LD_PRELOAD=%s", o->preload);
  list[1] = scn_print(s->arena, "FAKETIME=+0 x%u", (unsigned)o->dilation);
  list[2] = "FAKETIME_DONT_RESET=1";
  return list;
}

/* |alone|: its streams are ours; |last|: its input is. */
static bool spawn(struct session *s, const struct emulate_block *block, uint32_t node, bool alone,
                  bool last) {
  char why[800];
  const struct emulate_options *o = s->options;
  struct program **slot = scn_append(s->arena, &s->programs, &s->program_count, sizeof *slot);
  struct program *p = slot ? scn_alloc(s->arena, sizeof *p) : NULL;
  if (!p) return fail(s, "starting a program", "no memory");
  *slot = p;
  const char *const *arguments =
      emulate_fill_in(o->topology, block, node, s->arena, why, sizeof why);
  if (!arguments) return fail(s, "starting a program", why);
  *p = (struct program){.session = s,
                        .name = o->topology->nodes[node].name,
                        .command = arguments[0],
                        .node = node,
                        .is_last = last,
                        .sockets = krn_open_sockets(s->network, node)};
  struct krn_program program = {.arguments = arguments,
                                .environment = variables(s),
                                .inherit_input = last,
                                .inherit_output = alone,
                                .watch = {.context = p, .line = on_line, .ended = on_ended}};
  p->handle = krn_spawn(s->network, node, &program);
  return p->handle || fail(s, p->name, krn_error(s->network));
}

static bool has_settled(void *context, uint32_t node) {
  const struct session *s = context;
  for (size_t i = 0; i < s->program_count; i++) {
    const struct program *p = s->programs[i];
    if (p->node == node && !p->ended && krn_open_sockets(s->network, node) <= p->sockets)
      return false;
  }
  return true;
}

/* The next command may need those before: waits until they have sockets and their groups. */
static void settle(struct session *s) {
  if (s->options->settle == 0 || is_interrupted(s)) return;
  krn_start(s->network, has_settled, s, s->options->settle);
  do_steps(s);
}

static bool spawn_all(struct session *s) {
  const struct emulate_blocks *b = s->options->blocks;
  bool alone = b->count == 1 && b->list[0].node_count == 1;
  for (size_t i = 0; i < b->count && !is_interrupted(s); i++) {
    if (i > 0) settle(s);
    for (size_t k = 0; k < b->list[i].node_count; k++) {
      bool last = i + 1 == b->count && k + 1 == b->list[i].node_count;
      if (!spawn(s, &b->list[i], b->list[i].nodes[k], alone, last)) return false;
    }
  }
  return true;
}

/* Whether all programs of the last block have ended. */
static bool are_done(const struct session *s) {
  const struct emulate_blocks *b = s->options->blocks;
  size_t last = b->count ? b->list[b->count - 1].node_count : 0;
  for (size_t i = s->program_count - last; i < s->program_count; i++)
    if (!s->programs[i]->ended) return false;
  return true;
}

static bool all_ended(const struct session *s) {
  for (size_t i = 0; i < s->program_count; i++)
    if (s->programs[i]->handle && !s->programs[i]->ended) return false;
  return true;
}

static void send_signal(struct session *s, int number) {
  for (size_t i = 0; i < s->program_count; i++)
    if (s->programs[i]->handle && !s->programs[i]->ended)
      krn_signal(s->network, s->programs[i]->handle, number);
}

/* Asks what still runs to end; what does not is killed with the network. */
static void end_programs(struct session *s) {
  s->ending = true;
  send_signal(s, SIGTERM);
  for (chorus_time waited = 0; waited < GRACE && !all_ended(s); waited += SLICE) pass(s, SLICE);
}

/* ---- the session ---- */

static void list_nodes(const struct session *s) {
  const struct scn_scenario *t = s->options->topology;
  long self = (long)getpid();
  char text[CHORUS_ENDPOINT_TEXT], user[80] = "";
  if (s->options->user_namespace)
    snprintf(user, sizeof user, "--preserve-credentials --user=/proc/%ld/ns/user ", self);
  printf("%zu nodes, switch by %s; Ctrl-C ends the network\n", t->node_count,
         krn_attachment_name(krn_attached(s->network)));
  for (uint32_t i = 0; i < t->node_count; i++)
    printf("%-10s %-20s nsenter %s--net=/proc/%ld/fd/%d\n", t->nodes[i].name,
           chorus_address_text(&t->nodes[i].addresses[0], text), user, self,
           krn_namespace(s->network, i));
  fflush(stdout);
}

static void wait_for_end(struct session *s) {
  while (!is_interrupted(s) && (!are_done(s) || s->options->keep)) pass(s, SLICE);
}

static enum emulate_end live(struct session *s, int *status) {
  if (!make_network(s) || !start_network(s)) return EMULATE_FAILED;
  note_left_out(s);
  if (s->options->keep) list_nodes(s);
  bool spawned = spawn_all(s);
  if (spawned) wait_for_end(s);
  bool done = spawned && are_done(s);
  if (done && s->program_count) *status = s->programs[s->program_count - 1]->status;
  end_programs(s);
  if (!spawned) return EMULATE_FAILED;
  bool meant_to = s->options->keep && done; /* Ctrl-C is how --keep ends */
  return is_interrupted(s) && !meant_to ? EMULATE_INTERRUPTED : EMULATE_ENDED;
}

enum emulate_end emulate_run(const struct emulate_options *options, int *status) {
  struct session s = {.options = options, .arena = scn_arena_new()};
  enum emulate_end end = EMULATE_FAILED;
  *status = 0;
  if (s.arena) end = live(&s, status);
  save_capture(&s, &end);
  emulate_capture_free(s.capture);
  krn_network_free(s.network);
  scn_arena_free(s.arena);
  return end;
}
