/* SPDX-License-Identifier: BSD-2-Clause */
/* Whether a stack can play a scenario: decided before the first packet, from what is declared. */
#include <stdarg.h>
#include <stdio.h>

#include "chorus/endpoint_text.h"
#include "sut/internal.h"

enum { OPTION_OBSERVE = 6, OPTION_URI_PATH = 11, OPTION_URI_QUERY = 15, OPTION_NO_RESPONSE = 258 };

/* What is asked so far. */
struct question {
  const struct sut_manifest *manifest;
  const struct sut_part *part;
  const struct scn_scenario *scenario;
  enum scn_role role;
  struct jdg_ics stated; /* the statement alone */
  struct sut_gap *gap;
};

__attribute__((format(printf, 3, 4))) static bool missing(struct question *q, uint32_t line,
                                                          const char *format, ...) {
  char what[200];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(what, sizeof what, format, arguments);
  va_end(arguments);
  q->gap->line = line;
  snprintf(q->gap->text, sizeof q->gap->text, "%s does not declare %s", q->manifest->name, what);
  return false;
}

static bool has(const struct question *q, uint32_t feature) {
  return (q->part->features & feature) != 0;
}

/* ---- what the scenario's messages hold ---- */

static bool message_has(const struct scn_message *m, uint16_t number, const char *segment) {
  for (size_t i = 0; i < m->option_count; i++) {
    const struct scn_option *o = &m->options[i];
    if (o->number != number) continue;
    if (!segment) return true;
    if (o->length == strlen(segment) && memcmp(o->value, segment, o->length) == 0) return true;
  }
  return false;
}

static bool command_has(const struct chorus_command *c, uint16_t number, const char *in_uri) {
  char prefix[16];
  const char *uri = chorus_argument_get(c, "uri");
  if (in_uri && uri && strstr(uri, in_uri)) return true;
  if (number == OPTION_NO_RESPONSE && chorus_argument_get(c, "no-response")) return true;
  if (number == OPTION_OBSERVE && chorus_argument_get(c, "observe")) return true;
  snprintf(prefix, sizeof prefix, "%u=", (unsigned)number);
  for (size_t i = 0; i < c->count; i++)
    if (strcmp(c->arguments[i].name, "option") == 0 &&
        strncmp(c->arguments[i].value, prefix, strlen(prefix)) == 0)
      return true;
  return false;
}

/* The line of the first step that sends such an option, or a request with |in_uri|; 0: none. */
static uint32_t line_with(const struct scn_scenario *s, uint16_t number, const char *segment,
                          const char *in_uri) {
  for (size_t i = 0; i < s->step_count; i++) {
    const struct scn_step *step = &s->steps[i];
    bool found = (step->kind == SCN_SEND && message_has(&step->send.message, number, segment)) ||
                 (step->kind == SCN_COMMAND && command_has(&step->command, number, in_uri));
    if (found) return step->place.line;
  }
  return 0;
}

/* The line of the first step that asks for discovery with a query; 0: none. */
static uint32_t filter_line(const struct scn_scenario *s) {
  for (size_t i = 0; i < s->step_count; i++) {
    const struct scn_step *step = &s->steps[i];
    const char *uri = step->kind == SCN_COMMAND ? chorus_argument_get(&step->command, "uri") : NULL;
    if (uri && strstr(uri, "/.well-known/core?")) return step->place.line;
    if (step->kind == SCN_SEND && message_has(&step->send.message, OPTION_URI_PATH, "core") &&
        message_has(&step->send.message, OPTION_URI_QUERY, NULL))
      return step->place.line;
  }
  return 0;
}

/* The first line that shows whether somebody de-duplicates; 0: none. */
static uint32_t copies_line(const struct scn_scenario *s) {
  for (size_t i = 0; i < s->network.impairment_count; i++)
    if (s->network.impairments[i].impairment.duplicate) return s->network.impairments[i].place.line;
  for (size_t i = 0; i < s->step_count; i++) {
    const struct scn_step *a = &s->steps[i];
    const char *mid = a->kind == SCN_COMMAND ? chorus_argument_get(&a->command, "mid") : NULL;
    if (mid && strcmp(mid, "same") == 0) return a->place.line;
    if (a->kind != SCN_SEND || a->send.message.mid_from != SCN_GIVEN) continue;
    for (size_t k = 0; k < i && k < 200; k++) {
      const struct scn_step *b = &s->steps[k];
      if (b->kind == SCN_SEND && b->node == a->node && b->send.message.mid_from == SCN_GIVEN &&
          b->send.message.mid == a->send.message.mid && b->send.message.type == 1)
        return a->place.line;
    }
  }
  return 0;
}

/* ---- commands ---- */

static bool can_command(struct question *q, const struct scn_step *step) {
  const struct chorus_command *c = &step->command;
  const struct sut_verb *verb = sut_verb_find(q->part, c->verb);
  if (!verb) return missing(q, step->place.line, "the verb %s", c->verb);
  for (size_t i = 0; i < c->count; i++)
    if (!sut_verb_takes(verb, c->arguments[i].name))
      return missing(q, step->place.line, "the argument %s of %s", c->arguments[i].name, c->verb);
  return true;
}

static bool can_commands(struct question *q) {
  const struct scn_scenario *s = q->scenario;
  for (size_t i = 0; i < s->step_count; i++) {
    const struct scn_step *step = &s->steps[i];
    if (step->kind != SCN_COMMAND || s->nodes[step->node].role != q->role) continue;
    if (!can_command(q, step)) return false;
  }
  return true;
}

/* ---- resources ---- */

static bool same_resource(const struct ref_resource *a, const struct ref_resource *b) {
  return a->kind == b->kind && a->code == b->code && a->suppress == b->suppress &&
         (a->methods & b->methods) == b->methods && a->payload_length == b->payload_length &&
         (b->payload_length == 0 || memcmp(a->payload, b->payload, b->payload_length) == 0) &&
         (!a->processing == !b->processing) && a->unicast_only == b->unicast_only;
}

static bool can_fixed(struct question *q, uint32_t line, const struct ref_resource *wanted) {
  for (size_t i = 0; i < q->part->resource_count; i++) {
    const struct ref_resource *r = &q->part->resources[i];
    if (strcmp(r->path, wanted->path) != 0) continue;
    return same_resource(r, wanted) ||
           missing(q, line, "%s as the scenario wants it", wanted->path);
  }
  return missing(q, line, "a resource %s", wanted->path);
}

static bool can_any(struct question *q, uint32_t line, const struct ref_resource *r) {
  static const char *const kinds[] = {"state", "counter", "fixed"};
  /* `fixed` answers all methods unless told otherwise; those that are used are what matters. */
  uint32_t all = REF_GET | REF_POST | REF_PUT | REF_DELETE | REF_FETCH | REF_PATCH | REF_IPATCH;
  bool open = r->kind == REF_RESOURCE_FIXED && (r->methods & all) == all;
  if (!(q->part->kinds & 1u << r->kind))
    return missing(q, line, "resources of kind %s (%s)", kinds[r->kind], r->path);
  if (!open && r->methods & ~q->part->methods)
    return missing(q, line, "all methods of %s", r->path);
  if (r->suppress && !has(q, SUT_SUPPRESS)) return missing(q, line, "suppress (%s)", r->path);
  if (r->processing && !has(q, SUT_SEPARATE)) return missing(q, line, "separate (%s)", r->path);
  if (r->unicast_only && !has(q, SUT_MULTICAST)) return missing(q, line, "multicast (%s)", r->path);
  return true;
}

static bool can_resources(struct question *q, const struct scn_node *node) {
  uint32_t asked = line_with(q->scenario, OPTION_NO_RESPONSE, NULL, NULL);
  for (size_t i = 0; i < node->server.resource_count; i++) {
    const struct ref_resource *r = &node->server.resources[i];
    uint32_t line = node->place.line;
    if (!(q->part->any_resource ? can_any(q, line, r) : can_fixed(q, line, r))) return false;
    if (r->no_response && asked && !has(q, SUT_NO_RESPONSE))
      return missing(q, asked, "no-response (%s)", r->path);
  }
  return true;
}

/* ---- the configuration of a server ---- */

static bool can_leisure(struct question *q, const struct scn_node *node) {
  chorus_time wanted = node->server.leisure, own = 5 * CHORUS_SECOND;
  if (has(q, SUT_LEISURE)) return true;
  if (q->stated.leisure_declared == JDG_YES) own = q->stated.leisure;
  if (own > wanted || (wanted != 5 * CHORUS_SECOND && own != wanted))
    return missing(q, node->place.line, "leisure: it would be %llu ms instead of %llu ms",
                   (unsigned long long)(own / CHORUS_MILLISECOND),
                   (unsigned long long)(wanted / CHORUS_MILLISECOND));
  return true;
}

/* A setting that the stack does not follow has to be what it states, when the scenario shows it. */
static bool can_flag(struct question *q, const struct scn_node *node, uint32_t feature,
                     const char *name, bool wanted, enum jdg_tristate stated, uint32_t shown) {
  if (has(q, feature)) return true;
  bool own = stated != JDG_NO;
  if (own == wanted || (wanted && !shown)) return true;
  return missing(q, shown ? shown : node->place.line, "%s: it would be %s", name,
                 own ? "true" : "false");
}

/* What can be joined: with one-port, groups at the server's own port alone. */
static bool can_group_port(struct question *q, const struct scn_node *node, uint32_t line,
                           uint16_t port) {
  uint16_t own = has(q, SUT_ONE_PORT) ? node->server.port : CHORUS_COAP_PORT;
  return port == own ||
         missing(q, line, "ports: it cannot serve a group at port %u", (unsigned)port);
}

static bool can_ports(struct question *q, const struct scn_node *node, uint32_t number) {
  const struct ref_server_config *c = &node->server;
  struct chorus_endpoint group;
  if (has(q, SUT_PORTS)) return true;
  if (c->port != CHORUS_COAP_PORT && !has(q, SUT_ONE_PORT))
    return missing(q, node->place.line, "ports: it cannot serve port %u", (unsigned)c->port);
  for (size_t i = 0; i < c->group_count; i++)
    if (!can_group_port(q, node, node->place.line, c->groups[i].port)) return false;
  for (size_t i = 0; i < q->scenario->step_count; i++) {
    const struct scn_step *s = &q->scenario->steps[i];
    bool joins =
        s->kind == SCN_COMMAND && s->node == number && strcmp(s->command.verb, "join") == 0;
    const char *text = joins ? chorus_argument_get(&s->command, "group") : NULL;
    if (text && chorus_endpoint_parse(text, CHORUS_COAP_PORT, &group) &&
        !can_group_port(q, node, s->place.line, group.port))
      return false;
  }
  return true;
}

static bool can_groups(struct question *q, const struct scn_node *node, uint32_t number) {
  size_t joins = node->server.group_count;
  for (size_t i = 0; i < q->scenario->step_count; i++) {
    const struct scn_step *s = &q->scenario->steps[i];
    if (s->kind == SCN_COMMAND && s->node == number && strcmp(s->command.verb, "join") == 0)
      joins++;
  }
  if (joins <= q->part->groups) return true;
  return missing(q, node->place.line, "more than %zu groups", q->part->groups);
}

static bool can_discovery(struct question *q, const struct scn_node *node) {
  uint32_t line = line_with(q->scenario, OPTION_URI_PATH, ".well-known", "/.well-known/core");
  if (!line) return true;
  if (!has(q, SUT_DISCOVERY)) return missing(q, line, "discovery");
  uint32_t query = filter_line(q->scenario);
  if (!query || has(q, SUT_FILTER)) return true;
  bool own = q->stated.filter == JDG_YES;
  return own == !node->server.no_filter || missing(q, query, "filter");
}

static bool can_server(struct question *q, const struct scn_node *node, uint32_t number) {
  const struct ref_server_config *c = &node->server;
  uint32_t observed = line_with(q->scenario, OPTION_OBSERVE, NULL, NULL);
  if (observed && !has(q, SUT_OBSERVE)) return missing(q, observed, "observe");
  if (c->authorised_relaxation_only && !has(q, SUT_RELAXATION) &&
      q->stated.nr_policy != JDG_NR_AUTHONLY)
    return missing(q, node->place.line, "authorised-relaxation-only");
  if (c->response_rate && !has(q, SUT_RATE)) return missing(q, node->place.line, "response-rate");
  return can_resources(q, node) && can_leisure(q, node) && can_ports(q, node, number) &&
         can_groups(q, node, number) && can_discovery(q, node) &&
         can_flag(q, node, SUT_DEDUP, "dedup", !c->no_dedup, q->stated.dedup,
                  copies_line(q->scenario)) &&
         can_flag(q, node, SUT_AWARE, "multicast-aware", !c->multicast_unaware,
                  q->stated.mcast_aware, 0);
}

static bool can_client(struct question *q, const struct scn_node *node) {
  const struct ref_client_config *c = &node->client;
  if ((c->empty_token || c->token_length != 8) && !has(q, SUT_TOKEN_LENGTH))
    return missing(q, node->place.line, "token-length");
  if (c->group_hop_limit && !has(q, SUT_HOP_LIMIT))
    return missing(q, node->place.line, "hop-limit");
  return true;
}

/* ---- the whole ---- */

static bool can_ip(struct question *q) {
  unsigned ip = q->scenario->network.ip;
  if (ip == 4 ? q->part->ip4 : q->part->ip6) return true;
  return missing(q, 0, "IPv%u", ip);
}

static bool can_nodes(struct question *q) {
  for (uint32_t i = 0; i < q->scenario->node_count; i++) {
    const struct scn_node *node = &q->scenario->nodes[i];
    if (node->role != q->role) continue;
    if (!(q->role == SCN_SERVER ? can_server(q, node, i) : can_client(q, node))) return false;
  }
  return true;
}

bool sut_can_play(const struct sut_manifest *manifest, enum scn_role role,
                  const struct scn_scenario *scenario, struct sut_gap *gap) {
  struct question q = {.manifest = manifest,
                       .part = sut_part_for(manifest, role),
                       .scenario = scenario,
                       .role = role,
                       .gap = gap};
  *gap = (struct sut_gap){0, ""};
  if (!q.part)
    return missing(&q, 0, "the role %s",
                   role == SCN_SERVER   ? "server"
                   : role == SCN_CLIENT ? "client"
                                        : "of a tester");
  jdg_ics_default(&q.stated);
  sut_ics(manifest, role, &q.stated);
  return can_ip(&q) && can_commands(&q) && can_nodes(&q);
}
