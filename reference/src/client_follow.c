/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Following links: an application that wants it says so while its request goes on, and each
 * response that is delivered from then on is followed when it comes. So nothing of a response is
 * remembered, and requests that nobody follows pay nothing.
 */
#include <stdio.h>
#include <stdlib.h>

#include "client.h"
#include "link.h"

enum { ID_MAX = 64 };

/* An order of the application, at the request whose responses it concerns. */
struct ref_follow {
  struct ref_follow *next;
  unsigned count; /* links that were followed */
  bool any;       /* the first link; else |link| */
  char *link;     /* behind |id| */
  char id[];      /* the requests are called id#1, id#2, ... */
};

void ref_follows_free(struct ref_follow *list) {
  while (list) {
    struct ref_follow *f = list;
    list = f->next;
    free(f);
  }
}

static void refused(struct ref_client *c, const char *id, const char *why) {
  struct chorus_event event = {.type = CHORUS_EVENT_REFUSED, .request = id, .detail = why};
  ref_emit(c->host, &event);
}

static void emit_follow(struct ref_client *c, const struct ref_client_request *r,
                        const struct ref_reply *reply, const char *id, const char *target) {
  struct chorus_event event = {.type = CHORUS_EVENT_FOLLOW,
                               .request = r->id,
                               .path = target,
                               .detail = id,
                               .peer = reply->datagram->source,
                               .group = r->exchange.group};
  ref_event_message(&event, reply->message);
  ref_emit(c->host, &event);
}

static void follow(struct ref_client *c, const struct ref_env *env,
                   const struct ref_client_request *r, const struct ref_reply *reply,
                   struct ref_follow *f) {
  char target[REF_LINK_TARGET_MAX], uri[REF_LINK_URI_MAX], id[ID_MAX + 12];
  const char *why = "no memory";
  if (f->count == REF_FOLLOW_MAX) return;
  if (!ref_link_take(reply->message, f->any ? NULL : f->link, target)) return;
  snprintf(id, sizeof id, "%s#%u", f->id, ++f->count);
  emit_follow(c, r, reply, id, target);
  struct chorus_endpoint base = c->policy->base(env, &r->exchange, reply);
  int status = ref_client_get(c, env->now, id, ref_link_resolve(target, &base, uri), &why);
  /* The others say so themselves. */
  if (status == CHORUS_BAD_ARGUMENT || status == CHORUS_NO_MEMORY) refused(c, id, why);
}

void ref_client_follow(struct ref_client *c, const struct ref_env *env,
                       const struct ref_client_request *r, const struct ref_reply *reply) {
  for (struct ref_follow *f = r->follows; f; f = f->next) follow(c, env, r, reply, f);
}

static int bad(const char **why, const char *text) {
  *why = text;
  return CHORUS_BAD_ARGUMENT;
}

static struct ref_follow *new_follow(const char *id, const char *link) {
  size_t id_size = strlen(id) + 1, link_size = link ? strlen(link) + 1 : 0;
  struct ref_follow *f = malloc(sizeof *f + id_size + link_size);
  if (!f) return NULL;
  *f = (struct ref_follow){.any = !link, .link = f->id + id_size};
  memcpy(f->id, id, id_size);
  if (link) memcpy(f->link, link, link_size);
  return f;
}

static bool is_named(const struct ref_client_request *r, const char *id) {
  const struct ref_follow *f = r->follows;
  while (f && strcmp(f->id, id) != 0) f = f->next;
  return f != NULL;
}

int ref_client_command_follow(struct ref_client *c, chorus_time now,
                              const struct chorus_command *command, const char **why) {
  static const char *const known[] = {"of", "id", "link", NULL};
  const char *values[3];
  (void)now;
  if (!ref_command_read(command, known, values, c->why, why)) return CHORUS_UNSUPPORTED;
  const char *of = values[0], *id = values[1], *link = values[2];
  if (!of) return bad(why, "follow: of is missing");
  if (!id) return bad(why, "follow: id is missing");
  if (strlen(id) > ID_MAX) return bad(why, "follow: id has more than 64 characters");
  if (link && strlen(link) >= REF_LINK_TARGET_MAX)
    return bad(why, "follow: link has more than 511 characters");
  struct ref_client_request *r = ref_client_find_id(c, of);
  if (!r) {
    *why = "follow: no request with this id is going on";
    refused(c, of, *why);
    return CHORUS_REFUSED;
  }
  if (is_named(r, id)) return bad(why, "follow: this id is in use");
  struct ref_follow *f = new_follow(id, link);
  if (!f) return CHORUS_NO_MEMORY;
  struct ref_follow **at = &r->follows;
  while (*at) at = &(*at)->next;
  *at = f; /* links are followed in the order in which that was asked for */
  return CHORUS_OK;
}
