/* SPDX-License-Identifier: BSD-2-Clause */
/* Statements as YAML that statement.c reads back. */
#include <string.h>

#include "chorus/endpoint_text.h"
#include "statement/statement.h"

bool stm_recognise(const char *text, size_t length) {
  size_t mark = sizeof STM_MARK - 1;
  return length >= mark && memcmp(text, STM_MARK, mark) == 0;
}

/* Exactly, in the largest unit that is whole. */
static void write_duration(struct txt_buffer *out, const char *key, chorus_time time) {
  static const struct {
    chorus_time ns;
    const char *name;
  } units[] = {{CHORUS_SECOND, "s"}, {CHORUS_MILLISECOND, "ms"}, {CHORUS_MICROSECOND, "us"}};
  size_t i = 0, count = sizeof units / sizeof *units;
  while (i < count && time % units[i].ns != 0) i++;
  txt_print(out, "  %s: %llu%s\n", key, (unsigned long long)(i < count ? time / units[i].ns : time),
            i < count ? units[i].name : "ns");
}

static void write_tristate(struct txt_buffer *out, const char *key, enum jdg_tristate value) {
  if (value != JDG_UNKNOWN) txt_print(out, "  %s: %s\n", key, value == JDG_YES ? "true" : "false");
}

static void write_number(struct txt_buffer *out, const char *key, uint64_t value) {
  if (value) txt_print(out, "  %s: %llu\n", key, (unsigned long long)value);
}

static void write_flags(struct txt_buffer *out, const struct jdg_ics *ics) {
  write_tristate(out, "dedup", ics->dedup);
  write_tristate(out, "discovery", ics->discovery);
  write_tristate(out, "filter", ics->filter);
  write_tristate(out, "multicast-aware", ics->mcast_aware);
  write_tristate(out, "constrained", ics->constrained);
  write_tristate(out, "6lowpan", ics->sixlowpan);
  write_tristate(out, "internet", ics->internet);
  write_tristate(out, "secured", ics->secured);
  write_tristate(out, "boundary", ics->boundary);
  if (ics->nr_policy == JDG_NR_AUTHONLY) txt_print(out, "  no-response-policy: authorised-only\n");
}

static void write_groups(struct txt_buffer *out, const struct jdg_ics *ics) {
  char text[CHORUS_ENDPOINT_TEXT];
  if (!ics->groups_declared && !ics->group_count) return;
  txt_print(out, "  groups: [");
  for (size_t i = 0; i < ics->group_count; i++)
    txt_print(out, "%s\"%s\"", i ? ", " : "", chorus_endpoint_text(&ics->groups[i], text));
  txt_print(out, "]\n");
  if (!ics->groups_declared) txt_print(out, "  more-groups: true\n");
}

/* A member of a resource: "key: value", after a comma where it is not the first. */
static void write_member(struct txt_buffer *out, bool *first, const char *key, const char *value) {
  txt_print(out, "%s%s: %s", *first ? "" : ", ", key, value);
  *first = false;
}

static void write_choice(struct txt_buffer *out, bool *first, const char *key,
                         enum jdg_tristate value) {
  if (value != JDG_UNKNOWN) write_member(out, first, key, value == JDG_YES ? "true" : "false");
}

static void write_suppress(struct txt_buffer *out, bool *first, uint32_t suppress) {
  static const char *const classes[] = {"2xx", "4xx", "5xx", "empty-2.05"}; /* by bit */
  const char *separator = "";
  write_member(out, first, "suppress", "[");
  for (unsigned i = 0; i < sizeof classes / sizeof *classes; i++) {
    if (!(suppress & 1u << i)) continue;
    txt_print(out, "%s%s", separator, classes[i]);
    separator = ", ";
  }
  txt_print(out, "]");
}

static void write_resource(struct txt_buffer *out, const struct jdg_ics_resource *r) {
  bool first = true, others = strcmp(r->path, "*") == 0;
  txt_print(out, "    ");
  txt_json(out, r->path);
  txt_print(out, ": {");
  if (r->suppress_declared) write_suppress(out, &first, r->suppress);
  write_choice(out, &first, "no-response", r->no_response);
  write_choice(out, &first, "multicast", r->multicast);
  write_choice(out, &first, "idempotent-post", r->idempotent_post);
  if (others || r->exists == JDG_NO) write_choice(out, &first, "exists", r->exists);
  txt_print(out, "}\n");
}

void stm_write(struct txt_buffer *out, const char *name, const struct jdg_ics *ics) {
  txt_print(out, STM_MARK);
  txt_json(out, name);
  txt_print(out, ":\n");
  if (ics->leisure_declared == JDG_YES) write_duration(out, "leisure", ics->leisure);
  write_duration(out, "processing", ics->processing);
  if (ics->msrd_declared) write_duration(out, "msrd", ics->msrd);
  write_flags(out, ics);
  write_number(out, "needed-scope", ics->needed_scope);
  write_number(out, "nstart", ics->nstart);
  write_number(out, "group-size", ics->group_size);
  write_number(out, "group-rate", ics->group_rate);
  write_number(out, "response-size", ics->response_size);
  write_groups(out, ics);
  if (ics->resource_count) txt_print(out, "  resources:\n");
  for (size_t i = 0; i < ics->resource_count; i++) write_resource(out, &ics->resources[i]);
}
