/* SPDX-License-Identifier: BSD-2-Clause */
/* What a scenario may ask of a server; docs/commands.md describes it. */
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "server.h"

enum { WHY_SIZE = 96 };

/* Room for the text of a refusal; lives as long as the node. */
static char *why_text(struct ref_server *s) {
  if (!s->why) s->why = calloc(1, WHY_SIZE);
  return s->why;
}

static bool arguments_known(struct ref_server *s, const struct chorus_command *command,
                            const char *const *known, const char **why) {
  char *text = why_text(s);
  char spare[WHY_SIZE];
  if (ref_command_known(command, known, text ? text : spare, why)) return true;
  if (!text) *why = "unknown argument";
  return false;
}

/* "2.05" to 0x45; "auto" to 0. */
static bool parse_code(const char *text, uint8_t *code) {
  *code = 0;
  if (strcmp(text, "auto") == 0) return true;
  bool shaped = strlen(text) == 4 && text[1] == '.' && text[2] >= '0' && text[2] <= '3' &&
                text[3] >= '0' && text[3] <= '9';
  if (!shaped || !strchr("245", text[0])) return false;
  unsigned detail = (unsigned)(text[2] - '0') * 10 + (unsigned)(text[3] - '0');
  if (detail > 31) return false;
  *code = REF_CODE((unsigned)(text[0] - '0'), detail);
  return true;
}

static struct ref_server_resource *find_path(struct ref_server *s, const char *path) {
  for (size_t i = 0; path && i < s->resource_count; i++)
    if (strcmp(s->resources[i].path, path) == 0) return &s->resources[i];
  return NULL;
}

/* Gives a resource a new representation; *changed tells whether it is another one. */
static int set_payload(struct ref_server_resource *r, const uint8_t *payload, size_t length,
                       bool *changed, const char **why) {
  uint8_t number[24];
  size_t old_length;
  const uint8_t *old = ref_resource_payload(r, number, &old_length);
  bool same = r->exists && length == old_length && (!length || memcmp(old, payload, length) == 0);
  *changed = *changed || !same;
  r->exists = true;
  if (same) return CHORUS_OK;
  if (r->kind != REF_RESOURCE_COUNTER)
    return ref_resource_replace(r, payload, length) ? CHORUS_OK : CHORUS_NO_MEMORY;
  char text[12] = "";
  uint32_t count;
  if (length < sizeof text) memcpy(text, payload, length);
  if (length >= sizeof text || !ref_parse_number(text, UINT32_MAX, &count)) {
    *why = "set: the payload of a counter is a decimal number";
    return CHORUS_BAD_ARGUMENT;
  }
  r->counter = count;
  return CHORUS_OK;
}

static int command_set(struct ref_server *s, const struct chorus_command *command,
                       const char **why) {
  static const char *const known[] = {"path", "payload", "payload-hex", "code", NULL};
  uint8_t payload[REF_PAYLOAD_MAX];
  size_t length;
  bool present, changed = false;
  uint8_t code = 0;
  if (!arguments_known(s, command, known, why)) return CHORUS_UNSUPPORTED;
  struct ref_server_resource *r = find_path(s, chorus_argument_get(command, "path"));
  if (!r) {
    *why = "set: no resource has this path";
    return CHORUS_BAD_ARGUMENT;
  }
  const char *text = chorus_argument_get(command, "code");
  if (text && !parse_code(text, &code)) {
    *why = "set: code is a Response Code such as 2.05 or 4.04, or auto";
    return CHORUS_BAD_ARGUMENT;
  }
  int status = ref_command_payload(command, payload, sizeof payload, &length, &present, why);
  if (status == CHORUS_OK && present) status = set_payload(r, payload, length, &changed, why);
  if (status != CHORUS_OK) return status;
  if (text) {
    changed = changed || r->code != code;
    r->code = code;
  }
  if (changed) ref_emit_state(s, r, "set");
  return CHORUS_OK;
}

static int command_membership(struct ref_server *s, chorus_time now,
                              const struct chorus_command *command, const char **why) {
  static const char *const known[] = {"group", NULL};
  struct chorus_endpoint group;
  if (!arguments_known(s, command, known, why)) return CHORUS_UNSUPPORTED;
  const char *text = chorus_argument_get(command, "group");
  if (!text || !chorus_endpoint_parse(text, CHORUS_COAP_PORT, &group) || !chorus_is_group(&group)) {
    *why = "group is a group address and port such as [ff35::1]:5683";
    return CHORUS_BAD_ARGUMENT;
  }
  if (group.port == CHORUS_COAPS_PORT) {
    *why = "port 5684 is not for groups (draft-dijk-core-groupcomm-bis-03, section 2.3.2)";
    return CHORUS_REFUSED;
  }
  return ref_group_change(s, now, &group, strcmp(command->verb, "join") == 0, why);
}

/* Volatile state goes: messages, periods, representations. Message IDs in use do not (mid.h). */
static int command_restart(struct ref_server *s, chorus_time now,
                           const struct chorus_command *command, const char **why) {
  static const char *const known[] = {NULL};
  if (!arguments_known(s, command, known, why)) return CHORUS_UNSUPPORTED;
  struct chorus_event event = {.type = CHORUS_EVENT_RESTART};
  ref_agenda_clear(s->agenda);
  ref_dedup_free(&s->dedup);
  ref_exchanges_free(&s->exchanges);
  s->period_count = s->source_count = 0;
  memset(&s->period, 0, sizeof s->period);
  memset(&s->source, 0, sizeof s->source);
  s->discovery.answered_2_05 = false;
  ref_emit(s->agenda->host, &event);
  for (size_t i = 0; i < s->resource_count; i++)
    if (ref_resource_reset(&s->resources[i])) ref_emit_state(s, &s->resources[i], "restart");
  ref_mids_start(&s->mids, now,
                 s->agenda->host->ops->random(s->agenda->host->context, REF_RANDOM_MID));
  ref_groups_restart(s, now);
  return CHORUS_OK;
}

int ref_server_command(void *node, chorus_time now, const struct chorus_command *command,
                       const char **why) {
  struct ref_server *s = ((struct ref_agenda *)node)->server;
  int status = CHORUS_UNSUPPORTED;
  *why = "a server knows the verbs set, join, leave and restart";
  if (strcmp(command->verb, "set") == 0) status = command_set(s, command, why);
  if (strcmp(command->verb, "join") == 0 || strcmp(command->verb, "leave") == 0)
    status = command_membership(s, now, command, why);
  if (strcmp(command->verb, "restart") == 0) status = command_restart(s, now, command, why);
  ref_agenda_schedule(s->agenda);
  return status;
}
