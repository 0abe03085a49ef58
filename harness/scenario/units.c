/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/units.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

/* Reads the digits of a number with at most nine decimals as billionths; NULL: not a number. */
static const char *read_decimal(const char *text, uint64_t *whole, uint64_t *billionths) {
  const char *p = text;
  uint64_t w = 0, b = 0;
  for (; *p >= '0' && *p <= '9'; p++) {
    if (w > UINT64_MAX / 20) return NULL;
    w = w * 10 + (uint64_t)(*p - '0');
  }
  if (p == text) return NULL;
  if (*p == '.' && p[1] >= '0' && p[1] <= '9') {
    uint64_t unit = 100000000;
    for (p++; *p >= '0' && *p <= '9'; p++, unit /= 10) {
      if (unit == 0) return NULL;
      b += unit * (uint64_t)(*p - '0');
    }
  }
  *whole = w;
  *billionths = b;
  return p;
}

/* |whole|.|billionths| times |unit|, exactly; false when it overflows or is no whole number. */
static bool scale(uint64_t whole, uint64_t billionths, uint64_t unit, uint64_t *result) {
  if (unit != 0 && whole > (UINT64_MAX / 2) / unit) return false;
  uint64_t low = billionths / 1000 * unit, rest = billionths % 1000 * unit;
  if (billionths / 1000 > UINT64_MAX / 2 / unit) return false;
  /* low is in millionths, rest in billionths */
  if (rest % 1000 != 0) return false;
  low += rest / 1000;
  if (low % 1000000 != 0) return false;
  *result = whole * unit + low / 1000000;
  return true;
}

struct unit {
  const char *name;
  uint64_t factor;
};

static bool read_with_unit(const char *text, const struct unit *units, uint64_t *result) {
  uint64_t whole, billionths;
  const char *p = read_decimal(text, &whole, &billionths);
  if (!p) return false;
  while (*p == ' ') p++;
  for (const struct unit *u = units; u->name; u++)
    if (strcmp(p, u->name) == 0) return scale(whole, billionths, u->factor, result);
  return false;
}

bool scn_duration(const char *text, chorus_time *ns) {
  static const struct unit units[] = {{"ns", 1},
                                      {"us", CHORUS_MICROSECOND},
                                      {"ms", CHORUS_MILLISECOND},
                                      {"s", CHORUS_SECOND},
                                      {"min", 60 * CHORUS_SECOND},
                                      {"h", 3600 * CHORUS_SECOND},
                                      {NULL, 0}};
  if (strcmp(text, "0") == 0) {
    *ns = 0;
    return true;
  }
  return read_with_unit(text, units, ns);
}

const char *scn_duration_text(struct scn_arena *arena, chorus_time ns) {
  static const struct unit units[] = {
      {"s", CHORUS_SECOND}, {"ms", CHORUS_MILLISECOND}, {"us", CHORUS_MICROSECOND}, {"ns", 1}};
  const struct unit *u = units;
  while (ns % u->factor != 0) u++;
  return scn_print(arena, "%llu%s", (unsigned long long)(ns / u->factor), u->name);
}

bool scn_percent(const char *text, emu_ppm *ppm) {
  static const struct unit units[] = {{"%", 10000}, {NULL, 0}};
  uint64_t value;
  if (!read_with_unit(text, units, &value) || value > EMU_ALWAYS) return false;
  *ppm = (emu_ppm)value;
  return true;
}

bool scn_rate(const char *text, uint64_t *bits) {
  static const struct unit units[] = {
      {"bit", 1}, {"kbit", 1000}, {"Mbit", 1000000}, {"Gbit", 1000000000}, {NULL, 0}};
  return read_with_unit(text, units, bits);
}

bool scn_integer(const char *text, uint64_t max, uint64_t *value) {
  uint64_t v = 0;
  if (*text == '\0') return false;
  if (text[0] == '0' && text[1] == 'x') {
    char *end;
    if (text[2] == '\0' || strlen(text) > 18) return false;
    v = strtoull(text + 2, &end, 16);
    if (*end != '\0') return false;
  } else {
    for (const char *p = text; *p; p++) {
      if (*p < '0' || *p > '9' || v > (UINT64_MAX - (uint64_t)(*p - '0')) / 10) return false;
      v = v * 10 + (uint64_t)(*p - '0');
    }
  }
  if (v > max) return false;
  *value = v;
  return true;
}

bool scn_boolean(const char *text, bool *value) {
  static const char *const yes[] = {"true", "yes", "on"}, *const no[] = {"false", "no", "off"};
  for (size_t i = 0; i < 3; i++) {
    if (strcasecmp(text, yes[i]) == 0) return *value = true;
    if (strcasecmp(text, no[i]) == 0) {
      *value = false;
      return true;
    }
  }
  return false;
}

/* Splits "a..b" into its halves, either of which may be empty; false when there is no "..". */
static bool split_range(const char *text, char *low, char *high, size_t size) {
  const char *dots = strstr(text, "..");
  if (!dots || (size_t)(dots - text) >= size || strlen(dots + 2) >= size) return false;
  memcpy(low, text, (size_t)(dots - text));
  low[dots - text] = '\0';
  snprintf(high, size, "%s", dots + 2);
  return *low != '\0' || *high != '\0';
}

bool scn_parse_range(const char *text, struct scn_range *range) {
  char low[32], high[32];
  struct scn_range r = {0, UINT64_MAX};
  if (!split_range(text, low, high, sizeof low)) {
    if (!scn_integer(text, UINT64_MAX, &r.min)) return false;
    r.max = r.min;
  } else {
    if (*low && !scn_integer(low, UINT64_MAX, &r.min)) return false;
    if (*high && !scn_integer(high, UINT64_MAX, &r.max)) return false;
    if (r.min > r.max) return false;
  }
  *range = r;
  return true;
}

bool scn_time_range(const char *text, chorus_time *from, chorus_time *to) {
  char low[32], high[32];
  chorus_time f = 0, t = CHORUS_NEVER;
  if (!split_range(text, low, high, sizeof low)) return false;
  if (*low && !scn_duration(low, &f)) return false;
  if (*high && !scn_duration(high, &t)) return false;
  if (f >= t) return false;
  *from = f;
  *to = t;
  return true;
}

static bool code_name(const char *text, struct scn_code *code) {
  static const char *const names[] = {"EMPTY",  "GET",   "POST",  "PUT",
                                      "DELETE", "FETCH", "PATCH", "iPATCH"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    if (strcmp(text, names[i]) == 0) {
      *code = (struct scn_code){.set = true, .code = (uint8_t)i};
      return true;
    }
  return false;
}

bool scn_parse_code(const char *text, struct scn_code *code) {
  if (code_name(text, code)) return true;
  if (text[0] < '0' || text[0] > '7') return false;
  unsigned major = (unsigned)(text[0] - '0');
  if (strcmp(text + 1, "xx") == 0 || strcmp(text + 1, ".xx") == 0) {
    *code = (struct scn_code){.set = true, .whole_class = true, .code = (uint8_t)(major << 5)};
    return true;
  }
  uint64_t detail;
  if (text[1] != '.' || strlen(text) != 4 || !scn_integer(text + 2, 31, &detail)) return false;
  *code = (struct scn_code){.set = true, .code = (uint8_t)(major << 5 | (unsigned)detail)};
  return true;
}

bool scn_parse_type(const char *text, uint8_t *type) {
  static const char *const names[] = {"CON", "NON", "ACK", "RST"};
  for (uint8_t i = 0; i < 4; i++)
    if (strcmp(text, names[i]) == 0) {
      *type = i;
      return true;
    }
  return false;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool scn_hex(const char *text, uint8_t *octets, size_t capacity, size_t *length) {
  size_t n = 0;
  for (const char *p = text; *p;) {
    if (*p == ' ' || *p == ':') {
      p++;
      continue;
    }
    int high = hex_digit(p[0]), low = high < 0 ? -1 : hex_digit(p[1]);
    if (low < 0 || n == capacity) return false;
    octets[n++] = (uint8_t)(high << 4 | low);
    p += 2;
  }
  *length = n;
  return true;
}

/* Edit distance with neighbours swapped counting as one (optimal string alignment), at most 24
 * long. */
static unsigned distance(const char *a, const char *b) {
  size_t n = strlen(a), m = strlen(b);
  uint8_t d[86][86];
  if (n > 84 || m > 84) return 99;
  for (size_t i = 0; i <= n; i++) d[i][0] = (uint8_t)i;
  for (size_t j = 0; j <= m; j++) d[0][j] = (uint8_t)j;
  for (size_t i = 1; i <= n; i++)
    for (size_t j = 1; j <= m; j++) {
      unsigned best = d[i - 1][j - 1] + (unsigned)(a[i - 1] != b[j - 1]);
      if (d[i - 1][j] + 1u < best) best = d[i - 1][j] + 1u;
      if (d[i][j - 1] + 1u < best) best = d[i][j - 1] + 1u;
      bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped && d[i - 2][j - 2] + 1u < best) best = d[i - 2][j - 2] + 1u;
      d[i][j] = (uint8_t)best;
    }
  return d[n][m];
}

const char *scn_nearest(const char *word, const char *const *words, size_t count) {
  const char *found = NULL;
  unsigned best = (unsigned)strlen(word) / 3 + 1;
  for (size_t i = 0; i < count; i++) {
    unsigned d = distance(word, words[i]);
    if (d <= best && (!found || d < best)) {
      best = d;
      found = words[i];
    }
  }
  return found;
}
