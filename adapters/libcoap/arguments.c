/* SPDX-License-Identifier: BSD-2-Clause */
#include "arguments.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *status_name(enum status status) {
  static const char *const names[] = {"ok", "unsupported", "bad-argument", "refused", "too-large"};
  return names[status];
}

bool fail(struct outcome *outcome, enum status status, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  outcome->status = status;
  vsnprintf(outcome->why, sizeof outcome->why, format, arguments);
  va_end(arguments);
  return false;
}

static const char *name_of(const json_t *pairs, size_t i) {
  return json_string_value(json_array_get(json_array_get(pairs, i), 0));
}

static const char *value_of(const json_t *pairs, size_t i) {
  return json_string_value(json_array_get(json_array_get(pairs, i), 1));
}

static bool is_known(const char *name, const char *const *known) {
  while (*known && strcmp(*known, name) != 0) known++;
  return *known != NULL;
}

static bool pairs_good(const json_t *pairs, struct outcome *outcome) {
  if (!json_is_array(pairs)) return fail(outcome, BAD_ARGUMENT, "arguments are a list of pairs");
  for (size_t i = 0; i < json_array_size(pairs); i++) {
    bool two = json_array_size(json_array_get(pairs, i)) == 2;
    if (!two || !name_of(pairs, i) || !value_of(pairs, i))
      return fail(outcome, BAD_ARGUMENT, "argument %zu is no pair of texts", i + 1);
  }
  return true;
}

static bool came_before(const json_t *pairs, size_t i) {
  for (size_t k = 0; k < i; k++)
    if (strcmp(name_of(pairs, k), name_of(pairs, i)) == 0) return true;
  return false;
}

bool arguments_good(const json_t *pairs, const char *const *known, const char *list,
                    struct outcome *outcome) {
  if (!pairs_good(pairs, outcome)) return false;
  for (size_t i = 0; i < json_array_size(pairs); i++) {
    const char *name = name_of(pairs, i);
    if (!is_known(name, known)) return fail(outcome, UNSUPPORTED, "argument %s", name);
    bool several = list && strcmp(name, list) == 0;
    if (!several && came_before(pairs, i))
      return fail(outcome, BAD_ARGUMENT, "%s is given twice", name);
  }
  return true;
}

const char *argument(const json_t *pairs, const char *name) {
  for (size_t i = 0; i < json_array_size(pairs); i++)
    if (strcmp(name_of(pairs, i), name) == 0) return value_of(pairs, i);
  return NULL;
}

/* A decimal number at |text|; its end, or NULL. */
static const char *read_digits(const char *text, uint64_t most, uint64_t *number) {
  const char *at = text;
  *number = 0;
  for (; *at >= '0' && *at <= '9'; at++) {
    *number = *number * 10 + (uint64_t)(*at - '0');
    if (*number > most) return NULL;
  }
  return at == text ? NULL : at;
}

bool argument_number(const json_t *pairs, const char *name, uint32_t most, uint32_t *number,
                     bool *given, struct outcome *outcome) {
  const char *text = argument(pairs, name);
  uint64_t n;
  if (!text) return true;
  const char *end = read_digits(text, most, &n);
  if (!end || *end)
    return fail(outcome, BAD_ARGUMENT, "%s: %.40s is no number from 0 to %lu", name, text,
                (unsigned long)most);
  *number = (uint32_t)n;
  *given = true;
  return true;
}

static uint64_t unit_ns(const char *unit) {
  static const struct {
    const char *name;
    uint64_t ns;
  } units[] = {{"ns", 1},          {"us", 1000},          {"ms", 1000000},
               {"s", 1000000000u}, {"min", 60000000000u}, {"h", 3600000000000u}};
  for (size_t i = 0; i < sizeof units / sizeof *units; i++)
    if (strcmp(units[i].name, unit) == 0) return units[i].ns;
  return 0;
}

bool argument_duration(const json_t *pairs, const char *name, uint64_t *ns, bool *given,
                       struct outcome *outcome) {
  const char *text = argument(pairs, name);
  uint64_t n;
  if (!text) return true;
  const char *end = read_digits(text, UINT64_MAX / 3600000000000u, &n);
  uint64_t unit = end ? unit_ns(end) : 0;
  if (!unit)
    return fail(outcome, BAD_ARGUMENT, "%s: %.40s is no duration such as 200ms or 5s", name, text);
  *ns = n * unit;
  *given = true;
  return true;
}

static int digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool octets_from_hex(const char *name, const char *text, struct octets *octets,
                     struct outcome *outcome) {
  size_t length = strlen(text) / 2;
  octets->data = malloc(length + 1);
  octets->length = length;
  if (!octets->data) return fail(outcome, REFUSED, "no memory");
  bool good = strlen(text) % 2 == 0;
  for (size_t i = 0; good && i < length; i++) {
    int high = digit(text[2 * i]), low = digit(text[2 * i + 1]);
    good = high >= 0 && low >= 0;
    if (good) octets->data[i] = (uint8_t)(high << 4 | low);
  }
  if (good) return true;
  free(octets->data);
  *octets = (struct octets){0};
  return fail(outcome, BAD_ARGUMENT, "%s: %.40s is not hexadecimal octets", name, text);
}

static bool copy_text(const char *text, struct octets *octets, struct outcome *outcome) {
  octets->length = strlen(text);
  octets->data = (uint8_t *)strdup(text);
  return octets->data || fail(outcome, REFUSED, "no memory");
}

bool argument_payload(const json_t *pairs, struct octets *octets, bool *given,
                      struct outcome *outcome) {
  const char *text = argument(pairs, "payload"), *hex = argument(pairs, "payload-hex");
  if (text && hex) return fail(outcome, BAD_ARGUMENT, "payload and payload-hex exclude each other");
  *given = text || hex;
  if (text) return copy_text(text, octets, outcome);
  return hex ? octets_from_hex("payload-hex", hex, octets, outcome) : true;
}
