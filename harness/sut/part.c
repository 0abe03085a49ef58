/* SPDX-License-Identifier: BSD-2-Clause */
/* One role of a manifest. */
#include <regex.h>
#include <signal.h>

#include "scenario/decode.h"
#include "scenario/path.h"
#include "scenario/units.h"
#include "statement/statement.h"
#include "sut/internal.h"

static const char *const client_keys[] = {"start",       "library", "symbol",    "protocol",
                                          "environment", "ready",   "stop",      "verbs",
                                          "features",    "ip",      "statement", NULL};
static const char *const server_keys[] = {
    "start",   "library",  "symbol", "protocol",  "environment", "ready",
    "stop",    "join",     "verbs",  "resources", "map",         "kinds",
    "methods", "features", "ip",     "groups",    "statement",   NULL};

/* docs/commands.md */
static const struct {
  const char *verb, *arguments[16];
} known_verbs[] = {
    {"request",
     {"id", "uri", "method", "type", "payload", "payload-hex", "token", "no-response", "accept",
      "content-format", "observe", "option", "timeout", "hop-limit"}},
    {"repeat", {"of", "mid", "to"}},
    {"follow", {"of", "id", "link"}},
    {"forget", {"of"}},
    {"set", {"path", "payload", "payload-hex", "code"}},
    {"join", {"group"}},
    {"leave", {"group"}},
    {"restart", {"port"}},
    {"wait", {"for"}},
};
enum { KNOWN_VERBS = sizeof known_verbs / sizeof *known_verbs };
const char *const sut_verb_names[] = {"request", "repeat", "follow",  "forget", "set",
                                      "join",    "leave",  "restart", "wait",   NULL};

static const char *const feature_names[] = {"suppress",
                                            "no-response",
                                            "separate",
                                            "observe",
                                            "discovery",
                                            "filter",
                                            "leisure",
                                            "ports",
                                            "dedup",
                                            "multicast",
                                            "multicast-aware",
                                            "authorised-relaxation-only",
                                            "response-rate",
                                            "token-length",
                                            "msrd",
                                            "hop-limit",
                                            "one-port",
                                            "no-response-off",
                                            NULL};

const char *sut_feature_name(unsigned index) {
  return index < sizeof feature_names / sizeof *feature_names ? feature_names[index] : NULL;
}

/* ---- how it runs ---- */

static void read_start(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  const scn_value *start = scn_get(r->d, map, "start"), *library = scn_get(r->d, map, "library");
  bool linked = r->manifest->rung == SUT_LINKED;
  p->symbol = "chorus_plugin";
  if (linked && start)
    scn_complain(r->d, start, "rung a has a library (a shared object) and no start command");
  if (linked && !library)
    scn_complain(r->d, map, "rung a needs library: the path of a shared object");
  if (!linked && library) scn_complain(r->d, library, "library is for rung a");
  if (!linked && !start) scn_complain(r->d, map, "a role needs start: the command as a list");
  if (start && !linked) p->start = sut_read_words(r, start, "start");
  if (scn_read_text(r->d, map, "library", &p->library))
    sut_check_placeholders(r, library, p->library);
  scn_read_text(r->d, map, "symbol", &p->symbol);
}

static void read_protocol(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const words[] = {"adapter", "none", NULL};
  unsigned which = 0;
  scn_read_word(r->d, map, "protocol", words, &which);
  p->adapter = which == 0;
  if (!p->adapter && r->manifest->rung != SUT_PROGRAM)
    scn_complain(r->d, scn_get(r->d, map, "protocol"),
                 "protocol none is for rung d: rungs a and b live by the protocol");
  if (!p->adapter && p->role != SUT_SERVER)
    scn_complain(r->d, scn_get(r->d, map, "protocol"),
                 "protocol none is for servers: a %s has to "
                 "be driven",
                 sut_role_names[p->role]);
}

static void read_environment(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  const scn_value *list = scn_get(r->d, map, "environment"), *key, *value;
  struct sut_variable *variables = NULL;
  size_t count = 0;
  if (!list || !scn_expect_map(r->d, list, "environment", NULL)) return;
  for (size_t i = 0; scn_pair(r->d, list, i, &key, &value); i++) {
    const char *name = scn_raw_text(key), *text = scn_text(r->d, value);
    struct sut_variable *v = scn_append(r->arena, &variables, &count, sizeof *v);
    if (!v || !text) return;
    if (!*name || strchr(name, '=')) scn_complain(r->d, key, "\"%s\" is no variable's name", name);
    sut_check_placeholders(r, value, text);
    *v = (struct sut_variable){scn_copy(r->arena, name, strlen(name)), text};
  }
  p->environment = variables;
  p->environment_count = count;
}

static void check_pattern(struct sut_reader *r, const scn_value *at, const char *pattern) {
  regex_t compiled;
  char why[120];
  int status = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
  if (status == 0) {
    regfree(&compiled);
    return;
  }
  regerror(status, &compiled, why, sizeof why);
  scn_complain(r->d, at, "\"%s\" is no regular expression: %s", pattern, why);
}

static void read_ready(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const keys[] = {"adapter", "output", "coap", "timeout", NULL};
  const scn_value *ready = scn_get(r->d, map, "ready");
  bool adapter = false;
  p->ready = p->adapter ? SUT_READY_ADAPTER : SUT_READY_RUNNING;
  p->ready_timeout = 20 * CHORUS_SECOND;
  if (!ready || !scn_expect_map(r->d, ready, "ready", keys)) return;
  scn_read_duration(r->d, ready, "timeout", &p->ready_timeout);
  if (scn_read_boolean(r->d, ready, "adapter", &adapter) && adapter != p->adapter)
    scn_complain(r->d, scn_get(r->d, ready, "adapter"),
                 "ready: {adapter: %s} does not go with protocol: %s", adapter ? "true" : "false",
                 p->adapter ? "adapter" : "none");
  if (scn_read_text(r->d, ready, "output", &p->pattern)) {
    p->ready = SUT_READY_OUTPUT;
    check_pattern(r, scn_get(r->d, ready, "output"), p->pattern);
  }
  if (scn_read_text(r->d, ready, "coap", &p->path)) {
    p->ready = SUT_READY_COAP;
    const char *path = scn_path(r->d, scn_get(r->d, ready, "coap"), p->path);
    if (path) p->path = path;
  }
  if (p->ready != SUT_READY_RUNNING && p->ready != SUT_READY_ADAPTER && p->adapter)
    scn_complain(r->d, ready, "an adapter says itself when it is ready");
  if (p->pattern && p->path) scn_complain(r->d, ready, "either output or coap, not both");
}

static void read_stop(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const keys[] = {"signal", "within", NULL};
  static const char *const names[] = {"TERM", "INT", "HUP", "QUIT", "KILL", "none", NULL};
  static const int numbers[] = {SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGKILL, 0};
  const scn_value *stop = scn_get(r->d, map, "stop");
  unsigned which = p->adapter ? 5 : 0; /* adapters are told to; others know signals alone */
  p->stop_within = 10 * CHORUS_SECOND;
  if (stop && scn_expect_map(r->d, stop, "stop", keys)) {
    scn_read_word(r->d, stop, "signal", names, &which);
    scn_read_duration(r->d, stop, "within", &p->stop_within);
  }
  p->stop_signal = numbers[which];
}

/* ---- what it can do ---- */

static size_t words_in(const char *const *words, size_t room) {
  size_t n = 0;
  while (n < room && words[n]) n++;
  return n;
}

static void read_arguments(struct sut_reader *r, const scn_value *list, size_t row,
                           struct sut_verb *v) {
  const char *const *known = known_verbs[row].arguments;
  size_t known_count = words_in(known, 16), count = 0;
  const char **words = NULL;
  const scn_value *item;
  for (size_t i = 0; (item = scn_item(r->d, list, i)); i++) {
    const char *text = scn_text(r->d, item);
    const char **slot = text ? scn_append(r->arena, &words, &count, sizeof *slot) : NULL;
    if (!slot) return;
    *slot = text;
    bool found = false;
    for (size_t k = 0; k < known_count; k++) found = found || strcmp(known[k], text) == 0;
    const char *near = found ? NULL : scn_nearest(text, known, known_count);
    if (!found)
      scn_complain(r->d, item, "%s has no argument \"%s\"%s%s%s", v->name, text,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  }
  if (scn_append(r->arena, &words, &count, sizeof *words)) v->arguments = words;
}

static void read_verb(struct sut_reader *r, const scn_value *key, const scn_value *value,
                      struct sut_verb *v) {
  const char *name = scn_raw_text(key);
  *v = (struct sut_verb){.name = name ? scn_copy(r->arena, name, strlen(name)) : "",
                         .place = scn_place_of(key)};
  for (size_t row = 0; row < KNOWN_VERBS; row++)
    if (strcmp(known_verbs[row].verb, v->name) == 0 &&
        scn_expect_list(r->d, value, "a verb's arguments"))
      read_arguments(r, value, row, v);
}

static void check_verbs(struct sut_reader *r, const scn_value *map, const struct sut_part *p) {
  const struct sut_verb *request = sut_verb_find(p, "request");
  if (p->role == SUT_CLIENT && !request)
    scn_complain(r->d, map, "a client needs verbs: {request: [id, uri, ...]}");
  bool asked = r->manifest->faketime && p->adapter && r->manifest->rung == SUT_PROGRAM;
  const struct sut_verb *wait = asked ? sut_verb_find(p, "wait") : NULL;
  if (asked && !(wait && sut_verb_takes(wait, "for")))
    scn_complain(r->d, map, "faketime needs the verb wait: [for], by which it is proved");
  if (request && !(sut_verb_takes(request, "id") && sut_verb_takes(request, "uri")))
    scn_complain(r->d, map, "request needs the arguments id and uri");
}

static void read_verbs(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  const scn_value *verbs = scn_get(r->d, map, "verbs"), *key, *value;
  struct sut_verb *list = NULL;
  size_t count = 0;
  if (verbs && scn_expect_map(r->d, verbs, "verbs", sut_verb_names))
    for (size_t i = 0; scn_pair(r->d, verbs, i, &key, &value); i++) {
      struct sut_verb *v = scn_append(r->arena, &list, &count, sizeof *v);
      if (v) read_verb(r, key, value, v);
    }
  p->verbs = list;
  p->verb_count = count;
  if (verbs && !p->adapter && count > 0)
    scn_complain(r->d, verbs, "a program without protocol is driven by nothing: no verbs");
  check_verbs(r, verbs ? verbs : map, p);
}

/* A list of words as a set of bits. */
static void read_set(struct sut_reader *r, const scn_value *map, const char *key, const char *what,
                     const char *const *words, unsigned shift, uint32_t *set) {
  const scn_value *list = scn_get(r->d, map, key), *item;
  if (!list || !scn_expect_list(r->d, list, key)) return;
  *set = 0;
  for (size_t i = 0; (item = scn_item(r->d, list, i)); i++) {
    unsigned which;
    if (scn_word(r->d, item, what, words, &which)) *set |= 1u << (which + shift);
  }
}

static void read_resources(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const kinds[] = {"state", "counter", "fixed", NULL};
  static const char *const methods[] = {"GET",   "POST",  "PUT",    "DELETE",
                                        "FETCH", "PATCH", "iPATCH", NULL};
  const scn_value *resources = scn_get(r->d, map, "resources");
  p->any_resource = true;
  p->kinds = 7;
  p->methods = 0xfe;
  read_set(r, map, "kinds", "kind of resource", kinds, 0, &p->kinds);
  read_set(r, map, "methods", "method", methods, 1, &p->methods);
  if (!resources) return;
  if (scn_is_scalar(resources)) {
    const char *text = scn_text(r->d, resources);
    if (text && strcmp(text, "any") != 0)
      scn_complain(r->d, resources, "resources is any, or a mapping of paths");
    return;
  }
  struct scn_decoder decoder = {.document = r->d, .arena = r->arena};
  struct scn_node node = {.role = SCN_SERVER};
  scn_decode_resources(&decoder, resources, &node);
  p->any_resource = false;
  p->resources = node.server.resources;
  p->resource_count = node.server.resource_count;
}

/* Kinds of resources, and which of its own stands for them. */
static void read_map(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const kinds[] = {"state", "counter", NULL};
  const scn_value *list = scn_get(r->d, map, "map");
  if (!list || !scn_expect_map(r->d, list, "map", kinds)) return;
  for (unsigned kind = 0; kinds[kind]; kind++) {
    const char *path = NULL;
    bool known = false;
    if (!scn_read_text(r->d, list, kinds[kind], &path)) continue;
    if (!(path = scn_path(r->d, scn_get(r->d, list, kinds[kind]), path))) continue;
    for (size_t i = 0; i < p->resource_count; i++)
      known = known || strcmp(p->resources[i].path, path) == 0;
    if (!known || strpbrk(path + 1, "/%"))
      scn_complain(r->d, scn_get(r->d, list, kinds[kind]),
                   "\"%s\": map names one of resources, with a path of one segment that needs no "
                   "percent-encoding",
                   path);
    p->map[kind] = path;
  }
}

static void read_ip(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const words[] = {"4", "6", NULL};
  uint32_t set = 3;
  read_set(r, map, "ip", "IP version", words, 0, &set);
  if (set == 0) scn_complain(r->d, scn_get(r->d, map, "ip"), "no IP version at all");
  p->ip4 = set & 1;
  p->ip6 = set & 2;
}

/* Decoded onto a scrap of paper, for its complaints; sut_ics() decodes it again for each node. */
static void check_statement(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  const scn_value *statement = scn_get(r->d, map, "statement");
  struct jdg_ics scrap;
  if (!statement) return;
  jdg_ics_default(&scrap);
  stm_decode(r->d, statement, &scrap);
  r->memory->statements[p->role] = statement;
}

static void read_server_keys(struct sut_reader *r, const scn_value *map, struct sut_part *p) {
  static const char *const joins[] = {"self", "helper", NULL};
  unsigned join = 0;
  uint64_t groups = 64;
  read_resources(r, map, p);
  read_map(r, map, p);
  if (scn_read_word(r->d, map, "join", joins, &join) && join == 1 &&
      r->manifest->rung != SUT_PROGRAM)
    scn_complain(r->d, scn_get(r->d, map, "join"), "join: helper is for rung d");
  p->join_helper = join == 1;
  scn_read_integer(r->d, map, "groups", 0, 1000, &groups);
  p->groups = (size_t)groups;
}

void sut_read_part(struct sut_reader *r, enum sut_role role, const scn_value *key,
                   const scn_value *map) {
  struct sut_part *p = scn_alloc(r->arena, sizeof *p);
  const char *const *keys = role == SUT_CLIENT ? client_keys : server_keys;
  if (!p) return;
  p->role = role;
  p->place = scn_place_of(key);
  if (!scn_expect_map(r->d, map, sut_role_names[role], keys) && !scn_is_map(map)) return;
  read_start(r, map, p);
  read_protocol(r, map, p);
  read_environment(r, map, p);
  read_ready(r, map, p);
  read_stop(r, map, p);
  read_verbs(r, map, p);
  read_set(r, map, "features", "feature", feature_names, 0, &p->features);
  read_ip(r, map, p);
  check_statement(r, map, p);
  if (role != SUT_CLIENT) read_server_keys(r, map, p);
  r->manifest->parts[role] = p;
}
