/* SPDX-License-Identifier: BSD-2-Clause */
/* Reading a request: its options (RFC 7252, section 5.4) and the resource that it names. */
#include "path.h"
#include "server.h"

/* What this server understands in a request (5.10; RFC 7641; RFC 7959; RFC 7967). */
static const struct ref_option_rule request_rules[] = {
    {REF_OPTION_IF_MATCH, 0, 8, true},
    {REF_OPTION_URI_HOST, 1, 255, false},
    {REF_OPTION_ETAG, 1, 8, true},
    {REF_OPTION_IF_NONE_MATCH, 0, 0, false},
    {REF_OPTION_URI_PORT, 0, 2, false},
    {REF_OPTION_URI_PATH, 0, 255, true},
    {REF_OPTION_CONTENT_FORMAT, 0, 2, false},
    {REF_OPTION_URI_QUERY, 0, 255, true},
    {REF_OPTION_ACCEPT, 0, 2, false},
    {REF_OPTION_BLOCK2, 0, 3, false},
    {REF_OPTION_PROXY_URI, 1, 1034, false},
    {REF_OPTION_PROXY_SCHEME, 1, 255, false},
    {REF_OPTION_NO_RESPONSE, 0, 1, false},
};

/* The resource that this server answers discovery with. */
static const char well_known[] = "/.well-known/core";

/* Appends |mark| and a segment or argument to the text of the URI; what does not fit is left out.
 */
static size_t append(char *text, size_t at, char mark, const uint8_t *value, size_t length) {
  if (at + 1 < REF_PATH_TEXT) text[at++] = mark;
  for (size_t i = 0; i < length && at + 4 < REF_PATH_TEXT; i++)
    at += ref_path_octet(text + at, value[i], mark != '/');
  return at;
}

/* Takes in one recognized option; returns the new length of the text. */
static size_t take_option(struct ref_work *w, const struct ref_option_walk *o, size_t at) {
  uint32_t number = ref_option_uint(o->value, o->length);
  switch (o->number) {
    case REF_OPTION_URI_PATH:
      at = append(w->path, at, '/', o->value, o->length);
      w->request.path_length = at;
      break;
    case REF_OPTION_URI_QUERY:
      if (at == 0) at = append(w->path, at, '/', NULL, 0);
      if (w->request.path_length == 0) w->request.path_length = at;
      at = append(w->path, at, at == w->request.path_length ? '?' : '&', o->value, o->length);
      break;
    case REF_OPTION_ACCEPT: w->accept = (int)number; break;
    case REF_OPTION_IF_MATCH: w->if_match = true; break;
    case REF_OPTION_IF_NONE_MATCH: w->if_none_match = true; break;
    case REF_OPTION_NO_RESPONSE: w->request.no_response = (int)number; break;
    case REF_OPTION_BLOCK2:
      w->block_number = (int)(number >> 4);
      w->block_size = (int)(number & 7);
      break;
    default: break;
  }
  return at;
}

static enum ref_fault read_options(struct ref_work *w) {
  struct ref_option_walk o;
  enum ref_fault fault = REF_FAULT_NONE;
  uint32_t previous = 0;
  size_t at = 0;
  ref_option_first(&o, &w->message);
  while (ref_option_next(&o)) {
    bool known =
        ref_option_known(request_rules, sizeof request_rules / sizeof *request_rules, &o, previous);
    previous = o.number;
    bool proxy = o.number == REF_OPTION_PROXY_URI || o.number == REF_OPTION_PROXY_SCHEME;
    if (!known && (o.number & 1) && fault == REF_FAULT_NONE) fault = REF_FAULT_CRITICAL;
    if (known && proxy && fault == REF_FAULT_NONE) fault = REF_FAULT_PROXY;
    if (known) at = take_option(w, &o, at);
  }
  if (at == 0) at = append(w->path, at, '/', NULL, 0);
  if (w->request.path_length == 0) w->request.path_length = at;
  w->path[at] = '\0';
  return fault;
}

static struct ref_server_resource *find(struct ref_server *s, const char *path, size_t length) {
  for (size_t i = 0; i < s->resource_count; i++) {
    struct ref_server_resource *r = &s->resources[i];
    if (r->path_length == length && memcmp(r->path, path, length) == 0) return r;
  }
  return NULL;
}

/* RFC 7959: SZX 7 is reserved (2.2); towards a group only NUM 0 is defined (2.8). */
static bool block_defined(const struct ref_work *w) {
  if (w->block_size < 0) return true;
  if (w->block_size == 7) return false;
  return !w->request.group || w->block_number == 0;
}

enum ref_fault ref_request_read(struct ref_server *s, struct ref_work *w) {
  w->accept = w->block_number = w->block_size = -1;
  w->if_match = w->if_none_match = w->is_discovery = false;
  enum ref_fault fault = read_options(w);
  w->request.path = w->path;
  if (fault != REF_FAULT_NONE) return fault;
  if (!block_defined(w)) return REF_FAULT_BLOCK;
  size_t length = w->request.path_length;
  w->is_discovery = !s->no_discovery && length == sizeof well_known - 1 &&
                    memcmp(w->path, well_known, length) == 0;
  w->resource = w->is_discovery ? NULL : find(s, w->path, length);
  if (w->resource) w->request.resource = &w->resource->traits;
  if (w->is_discovery) w->request.resource = &s->discovery;
  return REF_FAULT_NONE;
}
