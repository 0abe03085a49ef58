/* SPDX-License-Identifier: BSD-2-Clause */
#include "event.h"

#include <stdio.h>

bool ref_parse_duration(const char *text, chorus_time *ns) {
  static const struct {
    const char *unit;
    chorus_time ns;
  } units[] = {{"ns", 1},
               {"us", CHORUS_MICROSECOND},
               {"ms", CHORUS_MILLISECOND},
               {"s", CHORUS_SECOND},
               {"min", 60 * CHORUS_SECOND},
               {"h", 3600 * CHORUS_SECOND}};
  uint64_t n = 0;
  const char *at = text;
  for (; *at >= '0' && *at <= '9'; at++) {
    if (n > UINT64_MAX / 20) return false;
    n = n * 10 + (uint64_t)(*at - '0');
  }
  if (at == text) return false;
  for (size_t i = 0; i < sizeof units / sizeof *units; i++) {
    if (strcmp(at, units[i].unit) != 0) continue;
    if (n > UINT64_MAX / 4 / units[i].ns) return false;
    *ns = n * units[i].ns;
    return true;
  }
  return false;
}

bool ref_parse_number(const char *text, uint32_t max, uint32_t *number) {
  uint64_t n = 0;
  if (*text == '\0') return false;
  for (; *text; text++) {
    if (*text < '0' || *text > '9') return false;
    n = n * 10 + (uint64_t)(*text - '0');
    if (n > max) return false;
  }
  *number = (uint32_t)n;
  return true;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool ref_parse_hex(const char *text, uint8_t *octets, size_t capacity, size_t *length) {
  size_t n = 0;
  for (; *text; text += 2) {
    int high = hex_digit(text[0]);
    int low = high < 0 ? -1 : hex_digit(text[1]);
    if (low < 0 || n == capacity) return false;
    octets[n++] = (uint8_t)(high << 4 | low);
  }
  *length = n;
  return true;
}

int ref_command_payload(const struct chorus_command *command, uint8_t *octets, size_t capacity,
                        size_t *length, bool *present, const char **why) {
  const char *text = chorus_argument_get(command, "payload");
  const char *hex = chorus_argument_get(command, "payload-hex");
  *length = 0;
  *present = text || hex;
  if (text && hex) {
    *why = "payload and payload-hex exclude each other";
    return CHORUS_BAD_ARGUMENT;
  }
  if (hex && !ref_parse_hex(hex, octets, capacity, length)) {
    *why = "payload-hex: not hexadecimal octets, or more than 1024 of them";
    return CHORUS_BAD_ARGUMENT;
  }
  if (!text) return CHORUS_OK;
  *length = strlen(text);
  if (*length > capacity) {
    *why = "payload: more than 1024 octets (RFC 7252, section 4.6)";
    return CHORUS_BAD_ARGUMENT;
  }
  memcpy(octets, text, *length);
  return CHORUS_OK;
}

/* Its place among |known|, or that of the NULL at their end. */
static size_t place_of(const char *name, const char *const *known) {
  size_t i = 0;
  while (known[i] && (known[i][0] != name[0] || strcmp(known[i], name) != 0)) i++;
  return i;
}

static bool unknown(const struct chorus_command *command, size_t argument, char *text,
                    const char **why) {
  snprintf(text, 96, "%.24s: unknown argument \"%.40s\"", command->verb,
           command->arguments[argument].name);
  *why = text;
  return false;
}

bool ref_command_known(const struct chorus_command *command, const char *const *known, char *text,
                       const char **why) {
  for (size_t i = 0; i < command->count; i++)
    if (!known[place_of(command->arguments[i].name, known)]) return unknown(command, i, text, why);
  return true;
}

bool ref_command_read(const struct chorus_command *command, const char *const *known,
                      const char **values, char *text, const char **why) {
  for (size_t i = 0; known[i]; i++) values[i] = NULL;
  for (size_t i = 0; i < command->count; i++) {
    size_t place = place_of(command->arguments[i].name, known);
    if (!known[place]) return unknown(command, i, text, why);
    if (!values[place]) values[place] = command->arguments[i].value;
  }
  return true;
}
