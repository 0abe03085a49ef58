/* SPDX-License-Identifier: BSD-2-Clause */
/* A server as an application of libcoap. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "endpoint.h"
#include "resource.h"

struct server {
  coap_context_t *context;
  const json_t *start;
  json_t *tree;    /* `resources`; owned */
  json_t *joined;  /* the groups that it is a member of, as addresses; owned */
  json_t *runtime; /* those of them that were joined by command; owned */
  uint16_t port;
  bool has_leisure;
  coap_fixed_point_t leisure;
  struct resource *resources;
  size_t count;
};

/* ---- what to serve ---- */

static json_t *standard_tree(struct outcome *outcome) {
  const char *file = getenv("CHORUS_TREE");
  json_error_t error;
  if (!file) {
    fail(outcome, REFUSED,
         "no resources are given, and CHORUS_TREE does not name the standard tree");
    return NULL;
  }
  json_t *tree = json_load_file(file, 0, &error);
  if (!tree) fail(outcome, REFUSED, "CHORUS_TREE: %s: %s", file, error.text);
  return tree;
}

static bool read_resources(struct server *s, struct outcome *outcome) {
  json_t *given = json_object_get(s->start, "resources"), *what;
  const char *path;
  s->tree = given ? json_incref(given) : standard_tree(outcome);
  if (!s->tree) return false;
  if (!json_is_object(s->tree))
    return fail(outcome, REFUSED, "resources: an object of resources by path is needed");
  s->resources = calloc(json_object_size(s->tree) + 1, sizeof *s->resources);
  if (!s->resources) return fail(outcome, REFUSED, "no memory");
  json_object_foreach(s->tree, path, what) {
    struct resource *r = &s->resources[s->count++];
    if (!resource_read(r, path, what, outcome)) return false;
  }
  return true;
}

/* coap_session_set_default_leisure() passes over values below one second without a word. */
static bool read_leisure(struct server *s, struct outcome *outcome) {
  const json_t *leisure = json_object_get(s->start, "leisure_ns");
  json_int_t ms = json_integer_value(leisure) / 1000000;
  if (!json_is_integer(leisure)) return true;
  if (ms < 1000 || ms / 1000 > UINT16_MAX)
    return fail(outcome, REFUSED, "leisure: libcoap takes 1 s at least, and 65535 s at most");
  s->has_leisure = true;
  s->leisure.integer_part = (uint16_t)(ms / 1000);
  s->leisure.fractional_part = (uint16_t)(ms % 1000);
  return true;
}

/* ---- the context ---- */

/* Leisure is a property of libcoap's sessions; a server's come into being by themselves. */
static int on_event(coap_session_t *session, const coap_event_t event) {
  const struct server *s = coap_get_app_data(coap_session_get_context(session));
  if (event == COAP_EVENT_SERVER_SESSION_NEW && s->has_leisure)
    coap_session_set_default_leisure(session, s->leisure);
  return 0;
}

/* Which families the server's addresses and groups are of. */
static void find_families(const struct server *s, bool *four, bool *six) {
  static const char *const members[] = {"addresses", "groups"};
  *four = *six = false;
  for (size_t m = 0; m < 2; m++) {
    const json_t *list = json_object_get(s->start, members[m]);
    for (size_t i = 0; i < json_array_size(list); i++) {
      const char *text = json_string_value(json_array_get(list, i));
      if (!text) continue;
      /* 192.0.2.1:5683 has one colon, an IPv6 address at least two. */
      const char *colon = strchr(text, ':');
      bool is_six = colon && strchr(colon + 1, ':');
      *six = *six || is_six;
      *four = *four || !is_six;
    }
  }
  if (!*four && !*six) *six = true;
}

static bool open_endpoint(const struct server *s, int family, struct outcome *outcome) {
  coap_address_t any = endpoint_any(family, s->port);
  if (coap_new_endpoint(s->context, &any, COAP_PROTO_UDP)) return true;
  return fail(outcome, REFUSED, "libcoap could not open port %u for IPv%c", (unsigned)s->port,
              family == AF_INET ? '4' : '6');
}

static bool is_in(const json_t *list, const char *text) {
  for (size_t i = 0; i < json_array_size(list); i++)
    if (strcmp(json_string_value(json_array_get(list, i)), text) == 0) return true;
  return false;
}

/* Once: a second membership is none. */
static bool join_group(const struct server *s, const char *text, struct outcome *outcome) {
  coap_address_t group;
  char host[ENDPOINT_TEXT];
  if (!endpoint_parse(text, start_interface(s->start), &group) || !coap_is_mcast(&group))
    return fail(outcome, BAD_ARGUMENT, "group: %.60s is no group such as [ff35::1]:5683", text);
  if (coap_address_get_port(&group) != s->port)
    return fail(outcome, REFUSED, "group %.60s: the server has port %u alone", text,
                (unsigned)s->port);
  endpoint_print_host(&group, host);
  if (is_in(s->joined, host)) return true;
  if (coap_join_mcast_group_intf(s->context, host, start_interface(s->start)) != 0)
    return fail(outcome, REFUSED, "libcoap could not join %s", host);
  json_array_append_new(s->joined, json_string(host));
  json_t *event = event_new("join");
  event_endpoint(event, "peer", &group);
  say_event(event);
  return true;
}

/* Who offers discovery is a member of these (RFC 7252, section 12.8); libcoap leaves that to us. */
static bool join_everyone(const struct server *s, bool four, bool six, struct outcome *outcome) {
  static const char *const groups[] = {"[ff02::fd]:5683", "[ff04::fd]:5683", "[ff05::fd]:5683",
                                       "224.0.1.187:5683", NULL};
  if (json_is_false(json_object_get(s->start, "discovery")) || s->port != COAP_DEFAULT_PORT)
    return true;
  for (size_t i = 0; groups[i]; i++) {
    bool wanted = groups[i][0] == '[' ? six : four;
    if (wanted && !join_group(s, groups[i], outcome)) return false;
  }
  return true;
}

static bool join_configured(const struct server *s, struct outcome *outcome) {
  const json_t *groups = json_object_get(s->start, "groups");
  for (size_t i = 0; i < json_array_size(groups); i++) {
    const char *text = json_string_value(json_array_get(groups, i));
    if (!join_group(s, text ? text : "", outcome)) return false;
  }
  return true;
}

static bool open_context(struct server *s, struct outcome *outcome) {
  bool four, six;
  s->context = coap_new_context(NULL);
  if (!s->context) return fail(outcome, REFUSED, "libcoap made no context");
  coap_set_app_data(s->context, s);
  coap_context_set_block_mode(s->context, COAP_BLOCK_USE_LIBCOAP | COAP_BLOCK_SINGLE_BODY);
  coap_mcast_per_resource(s->context);
  coap_register_event_handler(s->context, on_event);
  find_families(s, &four, &six);
  if (six && !open_endpoint(s, AF_INET6, outcome)) return false;
  if (four && !open_endpoint(s, AF_INET, outcome)) return false;
  for (size_t i = 0; i < s->count; i++)
    if (!resource_publish(&s->resources[i], s->context))
      return fail(outcome, REFUSED, "libcoap did not take resource %.60s", s->resources[i].path);
  return join_configured(s, outcome) && join_everyone(s, four, six, outcome);
}

static void close_context(struct server *s) {
  for (size_t i = 0; i < s->count; i++) s->resources[i].live = NULL;
  if (s->context) coap_free_context(s->context);
  s->context = NULL;
  json_array_clear(s->joined);
}

/* ---- the role ---- */

static void server_close(void *self) {
  struct server *s = self;
  close_context(s);
  for (size_t i = 0; i < s->count; i++) resource_free(&s->resources[i]);
  free(s->resources);
  json_decref(s->tree);
  json_decref(s->joined);
  json_decref(s->runtime);
  free(s);
}

static void *server_open(const json_t *start, struct outcome *outcome) {
  struct server *s = calloc(1, sizeof *s);
  if (!s) return NULL;
  s->start = start;
  s->port = start_port(start, COAP_DEFAULT_PORT);
  s->joined = json_array();
  s->runtime = json_array();
  if (read_leisure(s, outcome) && read_resources(s, outcome) && open_context(s, outcome)) return s;
  server_close(s);
  return NULL;
}

static coap_context_t *server_context(void *self) {
  return ((struct server *)self)->context;
}

static int server_due(void *self) {
  (void)self;
  return -1;
}

static void do_set(struct server *s, const json_t *pairs, struct outcome *outcome) {
  static const char *const known[] = {"path", "payload", "payload-hex", "code", NULL};
  if (!arguments_good(pairs, known, NULL, outcome)) return;
  const char *path = argument(pairs, "path");
  for (size_t i = 0; path && i < s->count; i++)
    if (strcmp(s->resources[i].path, path) == 0) {
      resource_set(&s->resources[i], pairs, outcome);
      return;
    }
  if (path)
    fail(outcome, BAD_ARGUMENT, "path: there is no resource %.60s", path);
  else
    fail(outcome, BAD_ARGUMENT, "path is needed");
}

static void join_at_runtime(struct server *s, const char *group, struct outcome *outcome) {
  size_t before = json_array_size(s->joined);
  if (join_group(s, group, outcome) && json_array_size(s->joined) > before)
    json_array_append_new(s->runtime, json_string(group));
}

static void do_join(struct server *s, const json_t *pairs, struct outcome *outcome) {
  static const char *const known[] = {"group", NULL};
  if (!arguments_good(pairs, known, NULL, outcome)) return;
  const char *group = argument(pairs, "group");
  if (!group)
    fail(outcome, BAD_ARGUMENT, "group is needed");
  else
    join_at_runtime(s, group, outcome);
}

/* The context goes, and with it the memberships; those of the configuration come back. */
static void do_restart(struct server *s, const json_t *pairs, struct outcome *outcome) {
  static const char *const known[] = {NULL};
  if (!arguments_good(pairs, known, NULL, outcome)) return;
  close_context(s);
  say_event(event_new("restart"));
  for (size_t i = 0; i < s->count; i++) resource_reset(&s->resources[i]);
  for (size_t i = 0; i < json_array_size(s->runtime); i++) {
    json_t *event = event_new("leave");
    event_text(event, "peer", json_string_value(json_array_get(s->runtime, i)));
    say_event(event);
  }
  json_array_clear(s->runtime);
  open_context(s, outcome);
}

static void server_command(void *self, const char *verb, const json_t *pairs,
                           struct outcome *outcome) {
  struct server *s = self;
  if (strcmp(verb, "set") == 0)
    do_set(s, pairs, outcome);
  else if (strcmp(verb, "join") == 0)
    do_join(s, pairs, outcome);
  else if (strcmp(verb, "restart") == 0)
    do_restart(s, pairs, outcome);
  else
    fail(outcome, UNSUPPORTED, "verb %.60s", verb);
}

const struct role server_role = {"server",       server_open, server_context,
                                 server_command, server_due,  server_close};
