/* SPDX-License-Identifier: BSD-2-Clause */
#include "events/log.h"

#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "chorus/endpoint_text.h"
#include "events/events.h"
#include "scenario/path.h"
#include "scenario/units.h"

static const char *string(json_t *line, const char *key) {
  return json_string_value(json_object_get(line, key));
}

static const char *copy(json_t *line, const char *key) {
  const char *value = string(line, key);
  return value ? strdup(value) : NULL;
}

/* As everything else writes it, whoever wrote the file; links stand as they were found. */
static const char *copy_path(json_t *line, enum chorus_event_type type) {
  const char *path = string(line, "path");
  if (!path || path[0] != '/' || type == CHORUS_EVENT_FOLLOW) return copy(line, "path");
  size_t size = scn_path_compose(path, NULL, 0) + 1;
  char *text = malloc(size);
  if (text) scn_path_compose(path, text, size);
  return text;
}

static bool read_message(json_t *line, struct chorus_event *e) {
  const char *type = string(line, "type"), *code = string(line, "code");
  const char *token = string(line, "token");
  struct scn_code c = {.set = false};
  size_t length = 0;
  if (token && !scn_hex(token, e->token, sizeof e->token, &length)) return false;
  e->token_length = (uint8_t)length;
  if (!type || !code) return true;
  e->has_message = true;
  e->mid = (uint16_t)json_integer_value(json_object_get(line, "mid"));
  if (!scn_parse_type(type, &e->message_type)) return false;
  if (!scn_parse_code(code, &c)) return false;
  e->code = c.code;
  return true;
}

static bool read_payload(json_t *line, struct chorus_event *e) {
  const char *hex = string(line, "payload");
  if (!hex) return true;
  uint8_t *octets = malloc(strlen(hex) / 2 + 1);
  if (!octets) return false;
  e->payload = octets;
  return scn_hex(hex, octets, strlen(hex) / 2, &e->payload_length);
}

static const char *read_event(json_t *line, struct evt_logged *out) {
  struct chorus_event *e = &out->event;
  const char *name = string(line, "event"), *peer = string(line, "peer");
  if (!json_is_object(line)) return "no JSON object";
  if (!json_is_integer(json_object_get(line, "time_ns"))) return "no time_ns";
  if (!string(line, "node")) return "no node";
  if (!name || !evt_parse_name(name, &e->type)) return "no event that is known";
  out->time = (chorus_time)json_integer_value(json_object_get(line, "time_ns"));
  out->node = strdup(string(line, "node"));
  e->request = copy(line, "request");
  e->path = copy_path(line, e->type);
  e->detail = copy(line, "detail");
  e->group = json_is_true(json_object_get(line, "group"));
  e->timeout = (chorus_time)json_integer_value(json_object_get(line, "timeout_ns"));
  if (peer && !chorus_endpoint_parse(peer, 0, &e->peer)) return "peer is no endpoint";
  if (!read_message(line, e)) return "type, code or token make no sense";
  if (!read_payload(line, e)) return "payload is not hexadecimal";
  return NULL;
}

static bool add_line(struct evt_log *log, const char *text, char *message, size_t size) {
  json_error_t error;
  json_t *line = json_loads(text, 0, &error);
  if (!line) {
    snprintf(message, size, "%s", error.text);
    return false;
  }
  struct evt_logged *grown = log->list;
  if ((log->count & (log->count - 1)) == 0)
    grown = realloc(log->list, (log->count ? 2 * log->count : 1) * sizeof *grown);
  if (!grown) {
    json_decref(line);
    snprintf(message, size, "no memory");
    return false;
  }
  log->list = grown;
  struct evt_logged *slot = &log->list[log->count++];
  memset(slot, 0, sizeof *slot);
  const char *wrong = read_event(line, slot);
  json_decref(line);
  if (wrong) snprintf(message, size, "%s", wrong);
  return wrong == NULL;
}

bool evt_log_read(struct evt_log *log, const char *path, char *message, size_t size) {
  FILE *stream = fopen(path, "rb");
  char *line = NULL, why[200] = "";
  size_t capacity = 0, number = 0;
  bool ok = true;
  *log = (struct evt_log){NULL, 0};
  if (!stream) {
    snprintf(message, size, "%s: cannot be read: %s", path, strerror(errno));
    return false;
  }
  while (ok && getline(&line, &capacity, stream) > 0) {
    number++;
    if (line[strspn(line, " \t\r\n")] == '\0') continue;
    ok = add_line(log, line, why, sizeof why);
    if (!ok) snprintf(message, size, "%s:%zu: %s", path, number, why);
  }
  if (ok && ferror(stream)) {
    snprintf(message, size, "%s: cannot be read: %s", path, strerror(errno));
    ok = false;
  }
  free(line);
  fclose(stream);
  if (!ok) evt_log_free(log);
  return ok;
}

void evt_log_free(struct evt_log *log) {
  for (size_t i = 0; i < log->count; i++) {
    struct chorus_event *e = &log->list[i].event;
    free(log->list[i].node);
    free((char *)(uintptr_t)e->request);
    free((char *)(uintptr_t)e->path);
    free((char *)(uintptr_t)e->detail);
    free((uint8_t *)(uintptr_t)e->payload);
  }
  free(log->list);
  *log = (struct evt_log){NULL, 0};
}
