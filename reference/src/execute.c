/* SPDX-License-Identifier: BSD-2-Clause */
/* Running a method on a resource (RFC 7252, section 5.8; RFC 8132). */
#include <stdio.h>
#include <stdlib.h>

#include "server.h"

enum { GET = 1, POST, PUT, DELETE, FETCH, PATCH, IPATCH };

/* What a resource of each kind can do at all. */
static const uint32_t kind_methods[] = {
    [REF_RESOURCE_STATE] =
        REF_GET | REF_POST | REF_PUT | REF_DELETE | REF_FETCH | REF_PATCH | REF_IPATCH,
    [REF_RESOURCE_COUNTER] = REF_GET | REF_POST | REF_FETCH,
    [REF_RESOURCE_FIXED] =
        REF_GET | REF_POST | REF_PUT | REF_DELETE | REF_FETCH | REF_PATCH | REF_IPATCH,
};

const uint8_t *ref_resource_payload(const struct ref_server_resource *r, uint8_t number[24],
                                    size_t *length) {
  if (r->kind == REF_RESOURCE_COUNTER) {
    int n = snprintf((char *)number, 24, "%llu", (unsigned long long)r->counter);
    *length = (size_t)n;
    return number;
  }
  *length = r->length;
  return r->changed ? r->changed : r->initial;
}

bool ref_resource_replace(struct ref_server_resource *r, const uint8_t *octets, size_t length) {
  uint8_t *copy = malloc(length ? length : 1);
  if (!copy) return false;
  if (length) memcpy(copy, octets, length);
  free(r->changed);
  r->changed = copy;
  r->length = (uint16_t)length;
  return true;
}

bool ref_resource_reset(struct ref_server_resource *r) {
  bool same = r->exists && r->counter == r->initial_counter && r->code == r->initial_code;
  if (same && r->changed)
    same = r->length == r->initial_length && memcmp(r->changed, r->initial, r->length) == 0;
  free(r->changed);
  r->changed = NULL;
  r->length = r->initial_length;
  r->counter = r->initial_counter;
  r->code = r->initial_code;
  r->exists = true;
  r->traits.answered_2_05 = false;
  return !same;
}

void ref_emit_state(const struct ref_server *s, const struct ref_server_resource *r,
                    const char *detail) {
  if (!ref_listens(s->agenda->host)) return;
  uint8_t number[24];
  struct chorus_event event = {.type = CHORUS_EVENT_STATE, .path = r->path, .detail = detail};
  event.code = r->code;
  if (r->exists) event.payload = ref_resource_payload(r, number, &event.payload_length);
  ref_emit(s->agenda->host, &event);
}

/* FNV-1a. */
uint32_t ref_etag(const uint8_t *octets, size_t length) {
  uint32_t h = 2166136261u;
  for (size_t i = 0; i < length; i++) h = (h ^ octets[i]) * 16777619u;
  return h;
}

/* If-Match (5.10.8.1): an empty value asks for existence, others for that ETag. */
static bool if_match_holds(const struct ref_work *w) {
  const struct ref_server_resource *r = w->resource;
  uint8_t number[24];
  size_t length;
  if (!r->exists) return false;
  const uint8_t *payload = ref_resource_payload(r, number, &length);
  uint32_t etag = ref_etag(payload, length);
  struct ref_option_walk o;
  ref_option_first(&o, &w->message);
  while (ref_option_next(&o) && o.number == REF_OPTION_IF_MATCH) {
    if (o.length == 0) return true;
    if (o.length == 4 && ref_option_uint(o.value, 4) == etag) return true;
  }
  return false;
}

static void emit_execute(const struct ref_server *s, const struct ref_work *w) {
  if (!ref_listens(s->agenda->host)) return;
  struct chorus_event event = {.type = CHORUS_EVENT_EXECUTE,
                               .path = w->path,
                               .peer = w->request.datagram->source,
                               .payload = w->message.payload,
                               .payload_length = w->message.payload_length,
                               .group = w->request.group};
  ref_event_message(&event, &w->message);
  ref_emit(s->agenda->host, &event);
}

static void outcome(struct ref_work *w, uint8_t code) {
  w->outcome = (struct ref_outcome){.code = code, .content_format = UINT16_MAX};
}

static void outcome_content(struct ref_work *w) {
  const struct ref_server_resource *r = w->resource;
  outcome(w, REF_CODE(2, 5));
  w->outcome.content_format = r->content_format;
  w->outcome.payload = ref_resource_payload(r, w->number, &w->outcome.payload_length);
}

/* Puts |length| octets in the place of the representation, or at its end. */
static void write_state(struct ref_server *s, struct ref_work *w, bool append) {
  struct ref_server_resource *r = w->resource;
  bool created = !r->exists;
  const uint8_t *old = r->changed ? r->changed : r->initial;
  size_t kept = append && !created ? r->length : 0;
  size_t length = kept + w->message.payload_length;
  uint8_t joined[REF_PAYLOAD_MAX];
  if (length > sizeof joined) {
    outcome(w, REF_CODE(4, 13));
    return;
  }
  if (kept) memcpy(joined, old, kept);
  if (length > kept) memcpy(joined + kept, w->message.payload, length - kept);
  bool changed = created || length != r->length || (length && memcmp(joined, old, length) != 0);
  if (changed && !ref_resource_replace(r, joined, length)) {
    outcome(w, REF_CODE(5, 0));
    return;
  }
  r->exists = true;
  outcome(w, created ? REF_CODE(2, 1) : REF_CODE(2, 4));
  if (changed) ref_emit_state(s, r, "request");
}

static void delete_state(struct ref_server *s, struct ref_work *w) {
  bool changed = w->resource->exists;
  w->resource->exists = false;
  outcome(w, REF_CODE(2, 2));
  if (changed) ref_emit_state(s, w->resource, "request");
}

static void run_state(struct ref_server *s, struct ref_work *w) {
  switch (w->message.code) {
    case PUT:
    case IPATCH: write_state(s, w, false); break;
    case POST:
    case PATCH: write_state(s, w, true); break;
    case DELETE: delete_state(s, w); break;
    default: outcome_content(w); break;
  }
}

static void run_counter(struct ref_server *s, struct ref_work *w) {
  if (w->message.code != POST) {
    outcome_content(w);
    return;
  }
  w->resource->counter++;
  outcome(w, REF_CODE(2, 4));
  ref_emit_state(s, w->resource, "request");
}

static void run_fixed(struct ref_work *w) {
  outcome_content(w);
  w->outcome.code = w->resource->code;
}

/* What speaks against running the method at all: a Response Code, or 0. */
static uint8_t precondition(const struct ref_work *w) {
  const struct ref_server_resource *r = w->resource;
  uint8_t method = w->message.code;
  if (!r) return REF_CODE(4, 4);
  uint32_t allowed = r->methods ? r->methods & kind_methods[r->kind] : kind_methods[r->kind];
  if (method > IPATCH || !(allowed & 1u << method)) return REF_CODE(4, 5);
  bool creates = method == PUT || method == DELETE;
  if (!r->exists && !creates) return REF_CODE(4, 4);
  if (w->if_match && !if_match_holds(w)) return REF_CODE(4, 12);
  if (w->if_none_match && r->exists) return REF_CODE(4, 12);
  bool reads = method == GET || method == FETCH;
  if (reads && w->accept >= 0 && w->accept != r->content_format) return REF_CODE(4, 6);
  bool grows = method != GET && method != FETCH && r->kind == REF_RESOURCE_STATE;
  if (grows && w->message.payload_length > REF_PAYLOAD_MAX) return REF_CODE(4, 13);
  return 0;
}

/* A resource that settles its own response with "set ... code" answers that and does nothing. */
void ref_execute(struct ref_server *s, struct ref_work *w) {
  uint8_t against = precondition(w);
  if (against) {
    outcome(w, against);
    return;
  }
  emit_execute(s, w);
  if (w->resource->code)
    run_fixed(w);
  else if (w->resource->kind == REF_RESOURCE_COUNTER)
    run_counter(s, w);
  else
    run_state(s, w);
}
