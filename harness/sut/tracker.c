/* SPDX-License-Identifier: BSD-2-Clause */
#include "sut/tracker.h"

#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "dissect/coap.h"
#include "scenario/units.h"

/* ---- digests ---- */

static uint64_t digest(const void *octets, size_t length) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  for (size_t i = 0; i < length; i++)
    h = (h ^ ((const uint8_t *)octets)[i]) * UINT64_C(0x100000001b3);
  return h;
}

/* Percent-encoding in one way: %2f, %2F and what needs no encoding come out alike. */
static uint64_t digest_path(const char *path) {
  uint64_t h = UINT64_C(0xcbf29ce484222325);
  if (path[0] == '\0') path = "/";
  for (const char *p = path; *p; p++) {
    uint8_t octet = (uint8_t)*p;
    size_t length;
    char pair[3] = {0};
    if (*p == '%' && p[1] && p[2]) {
      memcpy(pair, p + 1, 2);
      if (scn_hex(pair, &octet, 1, &length)) p += 2;
    }
    h = (h ^ octet) * UINT64_C(0x100000001b3);
  }
  return h;
}

/* ---- what was heard ---- */

static bool hear(struct sut_heard *to, const struct chorus_endpoint *peer, const uint8_t *payload,
                 size_t length) {
  struct dis_coap m;
  char path[512];
  dis_coap_parse(&m, payload, length);
  if (m.errors & DIS_FORMAT_ERRORS || m.token_length > 8 || dis_is_empty(&m)) return false;
  *to = (struct sut_heard){.peer = *peer,
                           .type = m.type,
                           .code = m.code,
                           .mid = m.mid,
                           .token_length = m.token_length,
                           .payload = digest(m.payload, m.payload_length)};
  memcpy(to->token, m.token, m.token_length);
  if (dis_is_request(&m)) to->path = digest_path(dis_path_text(&m, path, sizeof path));
  return true;
}

static bool same_token(const struct sut_heard *h, const uint8_t *token, size_t length) {
  return h->token_length == length && memcmp(h->token, token, length) == 0;
}

static void fill_in(struct chorus_event *e, const struct sut_heard *h) {
  memcpy(e->token, h->token, sizeof e->token);
  e->token_length = h->token_length;
  e->mid = h->mid;
  e->message_type = h->type;
  e->code = h->code;
  e->has_message = true;
}

/* How well a message fits |wanted|: 0 not at all. |wanted|: code, path or payload, peer. */
typedef unsigned (*likeness)(const struct sut_heard *h, const void *wanted);

static struct sut_heard *best_of(struct sut_heard *list, uint32_t count, likeness like,
                                 const void *wanted) {
  struct sut_heard *best = NULL;
  unsigned score = 0;
  uint32_t from = count > SUT_HEARD ? count - SUT_HEARD : 0;
  for (uint32_t i = from; i < count; i++) { /* of equals the first */
    struct sut_heard *h = &list[i % SUT_HEARD];
    unsigned s = like(h, wanted);
    if (s > score) {
      best = h;
      score = s;
    }
  }
  return best;
}

/* ---- requests of the application ---- */

static struct sut_asked *asked_by(struct sut_tracker *t, const char *name) {
  for (size_t i = 0; name && i < t->asked_count; i++)
    if (strcmp(t->asked[i].name, name) == 0) return &t->asked[i];
  return NULL;
}

static struct sut_asked *new_asked(struct sut_tracker *t, const char *name) {
  struct sut_asked *a = asked_by(t, name);
  if (!a && (t->asked_count & (t->asked_count - 1)) == 0) {
    size_t room = t->asked_count ? 2 * t->asked_count : 1;
    struct sut_asked *grown = realloc(t->asked, room * sizeof *grown);
    if (!grown) return NULL;
    t->asked = grown;
  }
  if (!a) a = &t->asked[t->asked_count++];
  memset(a, 0, sizeof *a);
  snprintf(a->name, sizeof a->name, "%s", name);
  return a;
}

/* "coap://[ff35::1]:5683/light?x" to its endpoint and "/light?x". */
static const char *split_uri(const char *uri, struct chorus_endpoint *peer) {
  char host[CHORUS_ENDPOINT_TEXT];
  const char *start = strstr(uri, "://");
  if (!start) return "";
  start += 3;
  size_t length = strcspn(start, "/?");
  snprintf(host, sizeof host, "%.*s", (int)length, start);
  if (!chorus_endpoint_parse(host, CHORUS_COAP_PORT, peer)) memset(peer, 0, sizeof *peer);
  return start + length;
}

void sut_tracker_command(struct sut_tracker *t, const struct chorus_command *command) {
  const char *id = chorus_argument_get(command, "id"), *uri = chorus_argument_get(command, "uri");
  const char *method = chorus_argument_get(command, "method");
  const char *timeout = chorus_argument_get(command, "timeout");
  struct scn_code code = {.code = 1};
  if (strcmp(command->verb, "request") != 0 || !id || !uri) return;
  struct sut_asked *a = new_asked(t, id);
  if (!a) return;
  a->path = digest_path(split_uri(uri, &a->peer));
  if (method) scn_parse_code(method, &code);
  a->code = code.code;
  if (timeout) scn_duration(timeout, &a->timeout);
}

static unsigned like_asked(const struct sut_heard *h, const void *wanted) {
  const struct sut_asked *a = wanted;
  if (h->used || h->code != a->code || !chorus_same_address(&h->peer, &a->peer)) return 0;
  return 1u + 2u * (h->path == a->path) + 4u * (h->peer.port == a->peer.port);
}

static bool find_sent(struct sut_tracker *t, struct sut_asked *a) {
  struct sut_heard *h = best_of(t->sent, t->sent_count, like_asked, a);
  if (!h) return false;
  h->used = true;
  a->heard = *h;
  a->known = true;
  return true;
}

/* ---- packets ---- */

/* Copies of what was sent before (retransmissions) belong to the request that they repeat. */
static bool is_copy(const struct sut_tracker *t, const struct sut_heard *new) {
  uint32_t from = t->sent_count > SUT_HEARD ? t->sent_count - SUT_HEARD : 0;
  for (uint32_t i = from; i < t->sent_count; i++) {
    const struct sut_heard *h = &t->sent[i % SUT_HEARD];
    if (h->mid == new->mid && h->code == new->code &&chorus_same_endpoint(&h->peer, &new->peer) &&
        same_token(h, new->token, new->token_length) && h->payload == new->payload)
      return true;
  }
  return false;
}

static bool names(const struct sut_asked *a, const struct sut_heard *heard) {
  return a->named && same_token(heard, a->heard.token, a->heard.token_length);
}

/* Whether the program said itself that this is the message of a request. */
static bool was_named(struct sut_tracker *t, const struct sut_heard *heard) {
  bool named = false;
  for (size_t i = 0; i < t->asked_count; i++) {
    struct sut_asked *a = &t->asked[i];
    if (!names(a, heard)) continue;
    a->left = true;
    named = true;
  }
  return named;
}

/* Its packet, if it has left already, is not another request's. */
static void take_named(struct sut_tracker *t, struct sut_asked *a) {
  uint32_t count = t->sent_count < SUT_HEARD ? t->sent_count : SUT_HEARD;
  for (uint32_t i = 0; i < count; i++) {
    if (!names(a, &t->sent[i])) continue;
    a->left = a->left || (!t->sent[i].used && t->sent[i].mid == a->heard.mid);
    t->sent[i].used = true;
  }
}

void sut_tracker_sent(struct sut_tracker *t, const struct chorus_endpoint *destination,
                      const uint8_t *payload, size_t length) {
  struct sut_heard heard;
  if (!hear(&heard, destination, payload, length) || is_copy(t, &heard)) return;
  heard.used = was_named(t, &heard);
  t->sent[t->sent_count++ % SUT_HEARD] = heard;
}

void sut_tracker_arrived(struct sut_tracker *t, const struct chorus_endpoint *source,
                         const uint8_t *payload, size_t length) {
  struct sut_heard heard;
  if (hear(&heard, source, payload, length)) t->arrived[t->arrived_count++ % SUT_HEARD] = heard;
}

/* ---- events ---- */

static void complete_from_asked(struct chorus_event *e, const struct sut_asked *a) {
  e->request = a->name;
  if (!chorus_is_unspecified(&a->peer))
    e->peer = a->peer; /* what was asked for, whatever is said */
  e->group = chorus_is_group(&e->peer);
  if (!e->has_message) e->code = a->code;
  if (!e->timeout) e->timeout = a->timeout;
}

/* What the program said of the request goes out with the event that is held now. */
static void keep_said(struct sut_asked *a, const struct chorus_event *e) {
  a->timeout = e->timeout;
  snprintf(a->said_path, sizeof a->said_path, "%s", e->path ? e->path : "");
}

/* No command has asked for it: it follows a link. What the program says of it is all there is. */
static struct sut_asked *asked_by_itself(struct sut_tracker *t, const struct chorus_event *e) {
  if (!e->request || e->has_message || chorus_is_unspecified(&e->peer)) return NULL;
  struct sut_asked *a = new_asked(t, e->request);
  if (!a) return NULL;
  a->peer = e->peer;
  a->code = e->code ? e->code : 1;
  a->path = digest_path(e->path ? e->path : "");
  return a;
}

/* The message of which the program says that it is the request's. */
static void name_message(struct sut_tracker *t, struct sut_asked *a, const struct chorus_event *e) {
  a->heard = (struct sut_heard){.peer = a->peer,
                                .type = e->message_type,
                                .code = e->code,
                                .mid = e->mid,
                                .token_length = e->token_length};
  memcpy(a->heard.token, e->token, sizeof a->heard.token);
  a->named = true;
  a->left = false;
  take_named(t, a);
}

static bool complete_request(struct sut_tracker *t, struct chorus_event *e) {
  struct sut_asked *a = asked_by(t, e->request);
  if (!a) a = asked_by_itself(t, e);
  if (!a) return true;
  complete_from_asked(e, a);
  a->told = true;
  a->answered = false;
  a->known = a->known || e->has_message;
  if (e->has_message) {
    name_message(t, a, e);
    a->held = t->patient && !a->left;
    if (a->held) keep_said(a, e);
    return !a->held;
  }
  a->held = !find_sent(t, a);
  if (a->held)
    keep_said(a, e);
  else
    fill_in(e, &a->heard);
  return !a->held;
}

struct wanted_response {
  const struct chorus_event *event;
  uint64_t payload;
};

static unsigned like_response(const struct sut_heard *h, const void *wanted) {
  const struct wanted_response *w = wanted;
  const struct chorus_event *e = w->event;
  if (h->used || !same_token(h, e->token, e->token_length) || h->code >> 5 == 0) return 0;
  if (e->code && h->code != e->code) return 0;
  /* Some libraries do not tell who sent a response: the payload says more. */
  return 1u + 2u * chorus_same_address(&h->peer, &e->peer) + 4u * (h->payload == w->payload);
}

static void complete_delivery(struct sut_tracker *t, struct chorus_event *e) {
  struct wanted_response wanted = {e, digest(e->payload, e->payload_length)};
  struct sut_heard *h = best_of(t->arrived, t->arrived_count, like_response, &wanted);
  if (!h) return;
  h->used = true;
  fill_in(e, h);
}

static unsigned like_request(const struct sut_heard *h, const void *wanted) {
  const struct chorus_event *e = wanted;
  bool peer = !chorus_is_unspecified(&e->peer);
  if (h->code != e->code || (peer && !chorus_same_address(&h->peer, &e->peer))) return 0;
  if (e->token_length && !same_token(h, e->token, e->token_length)) return 0;
  bool path = e->path && h->path == digest_path(e->path);
  return 1u + 2u * (peer && e->peer.port && h->peer.port == e->peer.port) + 8u * path +
         4u * !h->used;
}

/* A handler ran for the latest request that fits and ran none. */
static void complete_execution(struct sut_tracker *t, struct chorus_event *e) {
  struct sut_heard *h = best_of(t->arrived, t->arrived_count, like_request, e);
  if (!h) return;
  h->used = true;
  if (chorus_is_unspecified(&e->peer) || e->peer.port == 0) e->peer = h->peer;
  fill_in(e, h);
}

/* The latest request that fits is the one whose response is withheld. */
static const struct sut_heard *withheld_of(const struct sut_tracker *t,
                                           const struct chorus_event *e) {
  uint32_t from = t->arrived_count > SUT_HEARD ? t->arrived_count - SUT_HEARD : 0;
  for (uint32_t i = t->arrived_count; i-- > from;) {
    const struct sut_heard *h = &t->arrived[i % SUT_HEARD];
    if (h->code >> 5 != 0 || !chorus_same_address(&h->peer, &e->peer)) continue;
    if (e->peer.port && h->peer.port != e->peer.port) continue;
    if (!e->path || h->path == digest_path(e->path)) return h;
  }
  return NULL;
}

static void complete_suppression(const struct sut_tracker *t, struct chorus_event *e) {
  const struct sut_heard *h = withheld_of(t, e);
  uint8_t code = e->code; /* of the response */
  if (!h) return;
  e->peer = h->peer;
  fill_in(e, h);
  e->code = code;
}

static void add_token(struct sut_tracker *t, struct chorus_event *e) {
  const struct sut_asked *a = asked_by(t, e->request);
  if (!a || !a->known || e->token_length) return;
  memcpy(e->token, a->heard.token, sizeof e->token);
  e->token_length = a->heard.token_length;
}

static unsigned like_told(const struct sut_heard *h, const void *wanted) {
  const struct chorus_event *e = wanted;
  if (h->used || h->mid != e->mid || h->code != e->code) return 0;
  return same_token(h, e->token, e->token_length) && chorus_same_address(&h->peer, &e->peer);
}

/* Some programs name the message of one event and not of the next (they leave out Tokens that are
 * empty): what was named is not to be had again. */
static void take_told(struct sut_tracker *t, const struct chorus_event *e) {
  if (e->type != CHORUS_EVENT_DELIVER && e->type != CHORUS_EVENT_EXECUTE) return;
  struct sut_heard *h = best_of(t->arrived, t->arrived_count, like_told, e);
  if (h) h->used = true;
}

/* What is answered before anything left (from a cache) has no packet to wait for, nor has what is
 * over. */
static void give_up_waiting(struct sut_tracker *t, const struct chorus_event *e) {
  struct sut_asked *a = asked_by(t, e->request);
  bool over = e->type == CHORUS_EVENT_DONE && a && a->named;
  if (a && (over || e->type == CHORUS_EVENT_DELIVER)) a->answered = true;
}

bool sut_tracker_complete(struct sut_tracker *t, struct chorus_event *e) {
  if (e->type == CHORUS_EVENT_REQUEST) return complete_request(t, e);
  give_up_waiting(t, e);
  if (e->has_message) {
    take_told(t, e);
    return true;
  }
  if (e->request) add_token(t, e);
  if (e->type == CHORUS_EVENT_DELIVER) complete_delivery(t, e);
  if (e->type == CHORUS_EVENT_EXECUTE) complete_execution(t, e);
  if (e->type == CHORUS_EVENT_SUPPRESS) complete_suppression(t, e);
  return true;
}

static bool has_left(struct sut_tracker *t, struct sut_asked *a) {
  return a->named ? a->left : find_sent(t, a);
}

bool sut_tracker_release(struct sut_tracker *t, struct chorus_event *event) {
  for (size_t i = 0; i < t->asked_count; i++) {
    struct sut_asked *a = &t->asked[i];
    if (!a->held || !(has_left(t, a) || a->answered)) continue;
    a->held = false;
    *event = (struct chorus_event){.type = CHORUS_EVENT_REQUEST,
                                   .path = a->said_path[0] ? a->said_path : NULL};
    complete_from_asked(event, a);
    if (a->known) fill_in(event, &a->heard);
    return true;
  }
  return false;
}

void sut_tracker_free(struct sut_tracker *t) {
  free(t->asked);
  t->asked = NULL;
}
