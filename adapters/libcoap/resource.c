/* SPDX-License-Identifier: BSD-2-Clause */
#include "resource.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALL_METHODS = 0xfe, READING = 1 << COAP_REQUEST_CODE_GET | 1 << COAP_REQUEST_CODE_FETCH };

/* What a resource of each kind can do at all, and does when the start message lists no methods. */
static const struct {
  const char *name;
  uint32_t possible, usual;
} kinds[] = {
    {"state", ALL_METHODS, 1 << COAP_REQUEST_CODE_GET | 1 << COAP_REQUEST_CODE_PUT},
    {"counter", READING | 1 << COAP_REQUEST_CODE_POST,
     1 << COAP_REQUEST_CODE_GET | 1 << COAP_REQUEST_CODE_POST},
    {"fixed", ALL_METHODS, ALL_METHODS},
};

/* ---- from the start message ---- */

static bool read_code(const char *text, coap_pdu_code_t *code) {
  bool shape = strlen(text) == 4 && text[1] == '.' && text[0] >= '2' && text[0] <= '5';
  if (!shape || text[2] < '0' || text[2] > '3' || text[3] < '0' || text[3] > '9') return false;
  int detail = (text[2] - '0') * 10 + (text[3] - '0');
  *code = (coap_pdu_code_t)((text[0] - '0') * 32 + detail);
  return detail <= 31;
}

static bool read_kind(struct resource *r, struct outcome *outcome) {
  const char *kind = start_text(r->what, "kind", "state");
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
    if (strcmp(kinds[i].name, kind) == 0) {
      r->kind = (enum resource_kind)i;
      return true;
    }
  return fail(outcome, REFUSED, "%.60s: kind %.40s is not known", r->path, kind);
}

static bool read_methods(struct resource *r, struct outcome *outcome) {
  const json_t *methods = json_object_get(r->what, "methods");
  uint32_t wanted = 0;
  for (size_t i = 0; i < json_array_size(methods); i++) {
    const char *name = json_string_value(json_array_get(methods, i));
    coap_pdu_code_t code = name ? method_code(name) : (coap_pdu_code_t)0;
    if (!code) return fail(outcome, REFUSED, "%.60s: method %zu is not known", r->path, i + 1);
    wanted |= 1u << code;
  }
  r->methods = json_array_size(methods) ? wanted & kinds[r->kind].possible : kinds[r->kind].usual;
  return true;
}

static bool replace(struct octets *octets, const uint8_t *data, size_t length) {
  uint8_t *copy = malloc(length + 1);
  if (!copy) return false;
  if (length) memcpy(copy, data, length);
  free(octets->data);
  *octets = (struct octets){copy, length};
  return true;
}

bool resource_read(struct resource *r, const char *path, const json_t *what,
                   struct outcome *outcome) {
  *r = (struct resource){.path = strdup(path), .what = what, .exists = true};
  if (!r->path) return fail(outcome, REFUSED, "no memory");
  if (*path != '/') return fail(outcome, REFUSED, "resource %.60s: a path begins with /", path);
  if (!read_kind(r, outcome) || !read_methods(r, outcome)) return false;
  if (!octets_from_hex("payload", start_text(what, "payload", ""), &r->initial, outcome))
    return false;
  if (!read_code(start_text(what, "code", "2.05"), &r->fixed_code))
    return fail(outcome, REFUSED, "%.60s: code is no Response Code such as 2.05", path);
  json_int_t ns = json_integer_value(json_object_get(what, "processing_ns"));
  r->processing = ns > 0 ? (coap_tick_t)ns / (1000000000u / COAP_TICKS_PER_SECOND) : 0;
  const json_t *format = json_object_get(what, "content_format");
  r->content_format = json_is_integer(format) ? (int)json_integer_value(format) : -1;
  return replace(&r->present, r->initial.data, r->initial.length) ||
         fail(outcome, REFUSED, "no memory");
}

void resource_free(struct resource *r) {
  free(r->path);
  free(r->initial.data);
  free(r->present.data);
}

/* ---- state ---- */

static void say_state(const struct resource *r, const char *detail) {
  json_t *event = event_new("state");
  char text[12];
  event_text(event, "path", r->path);
  event_text(event, "detail", detail);
  if (r->override) event_text(event, "code", code_text(r->override, text));
  if (r->exists) event_hex(event, "payload", r->present.data, r->present.length);
  say_event(event);
}

static bool same(const struct octets *a, const uint8_t *data, size_t length) {
  return a->length == length && (length == 0 || memcmp(a->data, data, length) == 0);
}

static void changed(struct resource *r, const char *detail) {
  say_state(r, detail);
  if (r->live) coap_resource_notify_observers(r->live, NULL);
}

void resource_reset(struct resource *r) {
  bool as_was = r->exists && !r->override && same(&r->present, r->initial.data, r->initial.length);
  if (as_was || !replace(&r->present, r->initial.data, r->initial.length)) return;
  r->exists = true;
  r->override = (coap_pdu_code_t)0;
  say_state(r, "restart");
}

static bool is_decimal(const struct octets *o) {
  for (size_t i = 0; i < o->length; i++)
    if (o->data[i] < '0' || o->data[i] > '9') return false;
  return o->length > 0 && o->length < 19;
}

bool resource_set(struct resource *r, const json_t *pairs, struct outcome *outcome) {
  const char *text = argument(pairs, "code");
  coap_pdu_code_t code = (coap_pdu_code_t)0;
  struct octets payload = {0};
  bool given = false;
  if (text && strcmp(text, "auto") != 0 && !read_code(text, &code))
    return fail(outcome, BAD_ARGUMENT, "code: %.40s is no Response Code such as 2.05", text);
  if (!argument_payload(pairs, &payload, &given, outcome)) return false;
  if (!given && !text) return fail(outcome, BAD_ARGUMENT, "payload, payload-hex or code is needed");
  if (given && r->kind == RESOURCE_COUNTER && !is_decimal(&payload)) {
    free(payload.data);
    return fail(outcome, BAD_ARGUMENT, "payload: a counter is a decimal number");
  }
  bool differs = text && code != r->override;
  if (given) differs = differs || !r->exists || !same(&r->present, payload.data, payload.length);
  if (text) r->override = code;
  if (given) {
    free(r->present.data);
    r->present = payload;
    r->exists = true;
  }
  if (differs) changed(r, "set");
  return true;
}

/* ---- requests ---- */

struct call {
  struct resource *resource;
  coap_resource_t *live;
  coap_session_t *session;
  const coap_pdu_t *request;
  const coap_string_t *query;
  coap_pdu_t *response;
};

static bool is_group(const coap_session_t *session) {
  return coap_is_mcast(coap_session_get_addr_local(session));
}

static void say_execute(const struct call *c) {
  json_t *event = event_new("execute");
  const uint8_t *data;
  size_t length;
  char path[1024];
  bool asks = c->query && c->query->length > 0;
  snprintf(path, sizeof path, "%s%s%.*s", c->resource->path, asks ? "?" : "",
           asks ? (int)c->query->length : 0, asks ? (const char *)c->query->s : "");
  event_text(event, "path", path);
  event_endpoint(event, "peer", coap_session_get_addr_remote(c->session));
  event_message(event, c->request);
  if (is_group(c->session)) json_object_set_new(event, "group", json_true());
  if (coap_get_data(c->request, &length, &data)) event_hex(event, "payload", data, length);
  say_event(event);
}

static void release_copy(coap_session_t *session, void *copy) {
  (void)session;
  free(copy);
}

/* Before the data: libcoap adds no option after it, and takes format 0 for none. */
static void add_content_format(const struct call *c) {
  uint8_t format[4];
  if (c->resource->content_format < 0) return;
  unsigned length =
      coap_encode_var_safe(format, sizeof format, (unsigned)c->resource->content_format);
  coap_add_option(c->response, COAP_OPTION_CONTENT_FORMAT, length, format);
}

/* The representation, in blocks where libcoap finds that it needs them, or is asked for them. */
static void respond_content(const struct call *c, coap_pdu_code_t code) {
  const struct resource *r = c->resource;
  coap_pdu_set_code(c->response, code);
  if (r->present.length == 0) return;
  uint8_t *copy = malloc(r->present.length);
  if (!copy) return;
  memcpy(copy, r->present.data, r->present.length);
  add_content_format(c);
  coap_add_data_large_response(c->live, c->session, c->request, c->response, c->query, 0, -1, 0,
                               r->present.length, copy, release_copy, copy);
}

/* The number that |o| begins with; octets have no end that strtoull would stop at. */
static unsigned long long leading_number(const struct octets *o) {
  unsigned long long n = 0;
  for (size_t i = 0; i < o->length && o->data[i] >= '0' && o->data[i] <= '9'; i++)
    n = n * 10 + (unsigned)(o->data[i] - '0');
  return n;
}

static coap_pdu_code_t count_up(struct resource *r) {
  char number[24];
  int length = snprintf(number, sizeof number, "%llu", leading_number(&r->present) + 1);
  if (!replace(&r->present, (const uint8_t *)number, (size_t)length))
    return COAP_RESPONSE_CODE_INTERNAL_ERROR;
  changed(r, "request");
  return COAP_RESPONSE_CODE_CHANGED;
}

static coap_pdu_code_t delete_it(struct resource *r) {
  bool existed = r->exists;
  r->exists = false;
  if (existed) changed(r, "request");
  return COAP_RESPONSE_CODE_DELETED;
}

/* PUT and iPATCH replace, POST and PATCH append. */
static coap_pdu_code_t write_it(const struct call *c) {
  struct resource *r = c->resource;
  unsigned method = (unsigned)coap_pdu_get_code(c->request);
  bool appends =
      r->exists && (method == COAP_REQUEST_CODE_POST || method == COAP_REQUEST_CODE_PATCH);
  size_t kept = appends ? r->present.length : 0, length = 0, offset, total;
  const uint8_t *data = NULL;
  if (!coap_get_data_large(c->request, &length, &data, &offset, &total)) length = 0;
  uint8_t *joined = malloc(kept + length + 1);
  if (!joined) return COAP_RESPONSE_CODE_INTERNAL_ERROR;
  if (kept) memcpy(joined, r->present.data, kept);
  if (length) memcpy(joined + kept, data, length);
  bool created = !r->exists, differs = created || !same(&r->present, joined, kept + length);
  free(r->present.data);
  r->present = (struct octets){joined, kept + length};
  r->exists = true;
  if (differs) changed(r, "request");
  return created ? COAP_RESPONSE_CODE_CREATED : COAP_RESPONSE_CODE_CHANGED;
}

/* Does what the request asks for; the Response Code. */
static coap_pdu_code_t run(const struct call *c) {
  struct resource *r = c->resource;
  unsigned method = (unsigned)coap_pdu_get_code(c->request);
  if (r->override) return r->override;
  if (r->kind == RESOURCE_FIXED) return r->fixed_code;
  if (READING & 1u << method)
    return r->exists ? COAP_RESPONSE_CODE_CONTENT : COAP_RESPONSE_CODE_NOT_FOUND;
  if (r->kind == RESOURCE_COUNTER) return count_up(r);
  return method == COAP_REQUEST_CODE_DELETE ? delete_it(r) : write_it(c);
}

static void respond(const struct call *c, coap_pdu_code_t code) {
  const struct resource *r = c->resource;
  bool content = r->override || r->kind == RESOURCE_FIXED || code == COAP_RESPONSE_CODE_CONTENT;
  if (content)
    respond_content(c, code);
  else
    coap_pdu_set_code(c->response, code);
}

/* Leaves the response for later, as coap_async(3) describes it. */
static bool postpone(const struct call *c, coap_pdu_code_t code) {
  if (!c->resource->processing || is_group(c->session)) return false;
  coap_async_t *async = coap_register_async(c->session, c->request, c->resource->processing);
  if (!async) return false;
  coap_async_set_app_data(async, (void *)(uintptr_t)code);
  return true;
}

/*
 * libcoap calls this for a request, once more when its time has come if it was postponed, and for
 * each notification: then the response has a Message ID of its own.
 */
static void handle(coap_resource_t *live, coap_session_t *session, const coap_pdu_t *request,
                   const coap_string_t *query, coap_pdu_t *response) {
  struct resource *r = coap_resource_get_userdata(live);
  struct call c = {r, live, session, request, query, response};
  coap_async_t *async = coap_find_async(session, coap_pdu_get_token(request));
  if (async) {
    respond(&c, (coap_pdu_code_t)(uintptr_t)coap_async_get_app_data(async));
    return;
  }
  if (coap_pdu_get_mid(response) != coap_pdu_get_mid(request)) {
    respond(&c, run(&c));
    return;
  }
  say_execute(&c);
  coap_pdu_code_t code = run(&c);
  if (!postpone(&c, code)) respond(&c, code);
}

/* ---- in a context ---- */

/* By default libcoap suppresses 4.xx and 5.xx to groups once resources have flags at all. */
static int flags_of(const struct resource *r) {
  static const struct {
    const char *name;
    int without, with;
  } known[] = {{"2xx", 0, COAP_RESOURCE_FLAGS_LIB_ENA_MCAST_SUPPRESS_2_XX},
               {"empty-2.05", 0, COAP_RESOURCE_FLAGS_LIB_ENA_MCAST_SUPPRESS_2_05},
               {"4xx", COAP_RESOURCE_FLAGS_LIB_DIS_MCAST_SUPPRESS_4_XX, 0},
               {"5xx", COAP_RESOURCE_FLAGS_LIB_DIS_MCAST_SUPPRESS_5_XX, 0}};
  const json_t *list = json_object_get(r->what, "suppress");
  const json_t *multicast = json_object_get(r->what, "multicast");
  int flags = json_is_false(multicast) ? 0 : COAP_RESOURCE_FLAGS_HAS_MCAST_SUPPORT;
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    bool wanted = false;
    for (size_t k = 0; k < json_array_size(list); k++) {
      const char *name = json_string_value(json_array_get(list, k));
      wanted = wanted || (name && strcmp(name, known[i].name) == 0);
    }
    flags |= wanted ? known[i].with : known[i].without;
  }
  return flags;
}

static void add_attribute(coap_resource_t *live, const char *name, size_t name_length,
                          const char *value, size_t value_length) {
  coap_str_const_t *n = coap_new_str_const((const uint8_t *)name, name_length);
  coap_str_const_t *v = value ? coap_new_str_const((const uint8_t *)value, value_length) : NULL;
  coap_add_attr(live, n, v, COAP_ATTR_FLAGS_RELEASE_NAME | COAP_ATTR_FLAGS_RELEASE_VALUE);
}

/* `rt="light";sz=3` */
static void add_attributes(coap_resource_t *live, const char *text) {
  while (*text) {
    size_t name = strcspn(text, "=;"), value = 0;
    const char *at = text[name] == '=' ? text + name + 1 : NULL;
    if (at && *at == '"') value = strcspn(at + 1, "\"") + 1 + (strchr(at + 1, '"') ? 1 : 0);
    if (at && *at != '"') value = strcspn(at, ";");
    if (name) add_attribute(live, text, name, at, value);
    text = at ? at + value : text + name;
    text += strcspn(text, ";");
    if (*text) text++;
  }
}

/* The members rt and if, unless `attributes` names them as well. */
static void add_named(const struct resource *r, const char *attributes, const char *name) {
  char quoted[256], key[8];
  const char *value = start_text(r->what, name, "");
  snprintf(key, sizeof key, "%s=", name);
  const char *at = strstr(attributes, key);
  bool named = at && (at == attributes || at[-1] == ';');
  if (!*value || named) return;
  int length = snprintf(quoted, sizeof quoted, "\"%s\"", value);
  if (length > 0 && (size_t)length < sizeof quoted)
    add_attribute(r->live, name, strlen(name), quoted, (size_t)length);
}

static void describe(const struct resource *r) {
  char number[12];
  const char *attributes = start_text(r->what, "attributes", "");
  if (r->content_format >= 0) {
    int length = snprintf(number, sizeof number, "%d", r->content_format);
    add_attribute(r->live, "ct", 2, number, (size_t)length);
  }
  add_named(r, attributes, "rt");
  add_named(r, attributes, "if");
  add_attributes(r->live, attributes);
}

bool resource_publish(struct resource *r, coap_context_t *context) {
  coap_str_const_t path = {strlen(r->path) - 1, (const uint8_t *)r->path + 1};
  r->live = coap_resource_init(&path, flags_of(r));
  if (!r->live) return false;
  coap_resource_set_userdata(r->live, r);
  for (int method = COAP_REQUEST_GET; method <= COAP_REQUEST_IPATCH; method++)
    if (r->methods & 1u << method)
      coap_register_request_handler(r->live, (coap_request_t)method, handle);
  if (json_is_true(json_object_get(r->what, "observable")))
    coap_resource_set_get_observable(r->live, 1);
  describe(r);
  coap_add_resource(context, r->live);
  return true;
}
