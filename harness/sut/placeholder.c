/* SPDX-License-Identifier: BSD-2-Clause */
/* {placeholders} in commands. Braces around anything but small letters stand for themselves. */
#include "scenario/units.h"
#include "sut/internal.h"

static const char *const names[] = {"manifest", "stacks", "iface", "address", "group",
                                    "port",     "path",   "name",  "role",    "any"};
enum { NAMES = sizeof names / sizeof *names };

/* The length of the word in braces at |text|, 0: none. */
static size_t word_length(const char *text) {
  size_t length = strspn(text + 1, "abcdefghijklmnopqrstuvwxyz");
  return text[0] == '{' && length > 0 && text[1 + length] == '}' ? length : 0;
}

static int index_of(const char *word, size_t length) {
  for (int i = 0; i < NAMES; i++)
    if (strlen(names[i]) == length && memcmp(names[i], word, length) == 0) return i;
  return -1;
}

void sut_check_placeholders(struct sut_reader *r, const scn_value *at, const char *text) {
  for (const char *p = strchr(text, '{'); p; p = strchr(p + 1, '{')) {
    size_t length = word_length(p);
    if (length == 0 || index_of(p + 1, length) >= 0) continue;
    const char *word = scn_copy(r->arena, p + 1, length);
    const char *near = word ? scn_nearest(word, names, NAMES) : NULL;
    scn_complain(r->d, at, "there is no placeholder {%.*s}%s%s%s", (int)length, p + 1,
                 near ? "; did you mean {" : "", near ? near : "", near ? "}?" : "");
  }
}

const char *sut_fill_in(struct scn_arena *arena, const char *text,
                        const struct sut_places *places) {
  const char *const values[NAMES] = {
      places->manifest, places->stacks, places->iface, places->address, places->group,
      places->port,     places->path,   places->name,  places->role,    places->any};
  const char *result = "";
  while (result && *text) {
    size_t plain = strcspn(text, "{"), length = text[plain] ? word_length(text + plain) : 0;
    int index = length ? index_of(text + plain + 1, length) : -1;
    const char *value = index >= 0 ? values[index] : NULL;
    if (text[plain] && !value) plain++;
    result = scn_print(arena, "%s%.*s%s", result, (int)plain, text, value ? value : "");
    text += plain + (value ? length + 2 : 0);
  }
  return result;
}
