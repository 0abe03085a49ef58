/* SPDX-License-Identifier: BSD-2-Clause */
/* GET /.well-known/core (RFC 6690; RFC 7252, section 7.2). */
#include "server.h"
#include "wellknown.h"

enum { GET = 1, LINK_FORMAT = 40 };

/* Whether a link matches every query argument of the request; |use| false: all links do. */
static bool wanted(const struct ref_work *w, const struct ref_server_resource *r, bool use) {
  struct ref_option_walk o;
  ref_option_first(&o, &w->message);
  while (use && ref_option_next(&o)) {
    if (o.number != REF_OPTION_URI_QUERY) continue;
    if (!ref_link_matches(r->path, r->attributes, (const char *)o.value, o.length)) return false;
  }
  return true;
}

/* Appends one link; returns the new length, the old one if it does not fit. */
static size_t append_link(char *links, size_t at, const struct ref_server_resource *r) {
  size_t attributes = r->attributes ? strlen(r->attributes) : 0;
  bool empty_first = r->path[1] == '/';
  size_t need = r->path_length + attributes + (empty_first ? 6 : 4);
  if (at + need > REF_LINKS_MAX) return at;
  if (at) links[at++] = ',';
  links[at++] = '<';
  if (empty_first) { /* "//x" alone is an authority (RFC 3986, section 4.2) */
    links[at++] = '/';
    links[at++] = '.';
  }
  memcpy(links + at, r->path, r->path_length);
  at += r->path_length;
  links[at++] = '>';
  if (attributes == 0) return at;
  if (*r->attributes != ';') links[at++] = ';';
  memcpy(links + at, r->attributes, attributes);
  return at + attributes;
}

/* Writes the links, filtered or all; |count| gets how many there are. */
static size_t write_links(const struct ref_server *s, const struct ref_work *w, bool filter,
                          char *links, size_t *count) {
  size_t length = 0;
  *count = 0;
  for (size_t i = 0; i < s->resource_count; i++) {
    const struct ref_server_resource *r = &s->resources[i];
    if (r->hidden || !r->exists || !wanted(w, r, filter)) continue;
    length = append_link(links, length, r);
    ++*count;
  }
  return length;
}

static void emit(const struct ref_server *s, const struct ref_work *w,
                 enum chorus_event_type type) {
  struct chorus_event event = {.type = type,
                               .path = w->path,
                               .peer = w->request.datagram->source,
                               .group = w->request.group};
  if (!ref_listens(s->agenda->host)) return;
  ref_event_message(&event, &w->message);
  if (type == CHORUS_EVENT_SUPPRESS) {
    event.code = REF_CODE(2, 5);
    event.detail = "filter";
  }
  ref_emit(s->agenda->host, &event);
}

bool ref_discover(struct ref_server *s, struct ref_work *w, char *links) {
  w->outcome = (struct ref_outcome){.content_format = UINT16_MAX};
  if (w->message.code != GET)
    w->outcome.code = REF_CODE(4, 5);
  else if (w->accept >= 0 && w->accept != LINK_FORMAT)
    w->outcome.code = REF_CODE(4, 6);
  if (w->outcome.code) return true;
  bool query = w->path[w->request.path_length] != '\0';
  size_t count;
  size_t length = write_links(s, w, query && !s->no_filter, links, &count);
  enum ref_filter filter = REF_FILTER_WHOLE;
  if (query) filter = s->policy->filter(&w->env, &w->request, !s->no_filter, count);
  emit(s, w, CHORUS_EVENT_EXECUTE);
  if (filter == REF_FILTER_SILENCE) {
    emit(s, w, CHORUS_EVENT_SUPPRESS);
    return false;
  }
  if (filter == REF_FILTER_WHOLE) length = write_links(s, w, false, links, &count);
  w->outcome.code = REF_CODE(2, 5);
  w->outcome.content_format = LINK_FORMAT;
  w->outcome.payload = (const uint8_t *)links;
  w->outcome.payload_length = length;
  return true;
}
