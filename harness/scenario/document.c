/* SPDX-License-Identifier: BSD-2-Clause */
#include "scenario/document.h"

#include <stdio.h>
#include <stdlib.h>

#include "scenario/units.h"

enum { MAX_KEYS = 64 };

static void parser_error(struct scn_document *d, const yaml_parser_t *parser) {
  const yaml_mark_t *mark = &parser->problem_mark;
  const char *problem = parser->problem ? parser->problem : "no memory";
  if (parser->error == YAML_READER_ERROR) {
    scn_errors_add(d->errors, d->path, NULL, 0, 0, 1, "not YAML: %s at octet %zu", problem,
                   parser->problem_offset);
    return;
  }
  scn_errors_add(d->errors, d->path, d->text, (uint32_t)mark->line + 1, (uint32_t)mark->column + 1,
                 1, "not YAML: %s%s%s", problem, parser->context ? " " : "",
                 parser->context ? parser->context : "");
}

static bool only_document(struct scn_document *d, yaml_parser_t *parser) {
  yaml_document_t second;
  if (!yaml_document_get_root_node(&d->yaml)) {
    scn_errors_add(d->errors, d->path, NULL, 0, 0, 1, "the file is empty");
    return false;
  }
  if (!yaml_parser_load(parser, &second)) {
    parser_error(d, parser);
    return false;
  }
  yaml_node_t *root = yaml_document_get_root_node(&second);
  if (root) scn_complain(d, root, "a second document in the file");
  yaml_document_delete(&second);
  return !root;
}

bool scn_document_load(struct scn_document *document, const char *path, const char *text,
                       size_t length, struct scn_arena *arena, struct scn_errors *errors) {
  yaml_parser_t parser;
  *document = (struct scn_document){.path = path, .text = text, .errors = errors, .arena = arena};
  if (!yaml_parser_initialize(&parser)) return false;
  yaml_parser_set_input_string(&parser, (const unsigned char *)text, length);
  bool ok = yaml_parser_load(&parser, &document->yaml);
  if (!ok) parser_error(document, &parser);
  if (ok && !only_document(document, &parser)) {
    yaml_document_delete(&document->yaml);
    ok = false;
  }
  yaml_parser_delete(&parser);
  return ok;
}

void scn_document_free(struct scn_document *document) {
  yaml_document_delete(&document->yaml);
}

scn_value *scn_root(struct scn_document *document) {
  return yaml_document_get_root_node(&document->yaml);
}

/* ---- overriding ---- */

static int scalar_of(struct scn_document *d, const char *text) {
  return yaml_document_add_scalar(&d->yaml, NULL, (const yaml_char_t *)text, -1,
                                  YAML_PLAIN_SCALAR_STYLE);
}

/* The slot that holds child |name| of |parent|, or NULL. */
static int *child_slot(struct scn_document *d, scn_value *parent, const char *name) {
  uint64_t index;
  if (scn_is_map(parent)) {
    for (yaml_node_pair_t *p = parent->data.mapping.pairs.start; p < parent->data.mapping.pairs.top;
         p++) {
      const char *key = scn_raw_text(yaml_document_get_node(&d->yaml, p->key));
      if (key && strcmp(key, name) == 0) return &p->value;
    }
    return NULL;
  }
  if (!scn_is_list(parent) || !scn_integer(name, 1000000, &index) || index == 0) return NULL;
  yaml_node_item_t *items = parent->data.sequence.items.start;
  size_t count = (size_t)(parent->data.sequence.items.top - items);
  return index <= count ? &items[index - 1] : NULL;
}

/* Where a value stands in the file; both 0: nowhere. */
struct marks {
  yaml_mark_t start, end;
};

static struct marks marks_of(const scn_value *value) {
  return value ? (struct marks){value->start_mark, value->end_mark} : (struct marks){{0}, {0}};
}

static void put_at(struct scn_document *d, int added, const struct marks *marks) {
  scn_value *to = yaml_document_get_node(&d->yaml, added);
  if (!to) return;
  to->start_mark = marks->start;
  to->end_mark = marks->end;
}

/* What is nowhere in the file is complained of where it would stand. */
static struct marks beside(struct scn_document *d, int parent) {
  if (parent == 1) return marks_of(NULL); /* the root is the whole file: no place at all */
  struct marks m = marks_of(yaml_document_get_node(&d->yaml, parent));
  m.end = m.start;
  return m;
}

static bool add_pair(struct scn_document *d, int parent, const char *name, const char *value,
                     const struct marks *marks) {
  int key = scalar_of(d, name), text = scalar_of(d, value);
  if (!key || !text) return false;
  put_at(d, key, marks);
  put_at(d, text, marks);
  return yaml_document_append_mapping_pair(&d->yaml, parent, key, text);
}

bool scn_override(struct scn_document *d, const char *path, const char *value,
                  const scn_value *at) {
  char name[128];
  int parent = 1;                    /* the root */
  struct marks marks = marks_of(at); /* adding nodes may move them */
  for (const char *p = path;;) {
    size_t length = strcspn(p, ".");
    if (length == 0 || length >= sizeof name) return false;
    memcpy(name, p, length);
    name[length] = '\0';
    scn_value *node = yaml_document_get_node(&d->yaml, parent);
    int *slot = node ? child_slot(d, node, name) : NULL;
    if (p[length] == '\0') {
      if (!at) marks = slot ? marks_of(yaml_document_get_node(&d->yaml, *slot)) : beside(d, parent);
      if (!slot) return scn_is_map(node) && add_pair(d, parent, name, value, &marks);
      int fresh = scalar_of(d, value);
      if (!fresh) return false;
      put_at(d, fresh, &marks);
      slot = child_slot(d, yaml_document_get_node(&d->yaml, parent), name);
      *slot = fresh;
      return true;
    }
    if (!slot) return false;
    parent = *slot;
    p += length + 1;
  }
}

/* ---- complaining ---- */

static uint32_t width_of(const scn_value *at) {
  if (at->start_mark.line != at->end_mark.line) return 1;
  return (uint32_t)(at->end_mark.column - at->start_mark.column);
}

void scn_complain(struct scn_document *d, const scn_value *at, const char *format, ...) {
  char message[400];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  struct scn_place place = scn_place_of(at);
  scn_errors_add(d->errors, d->path, d->text, place.line, place.column, width_of(at), "%s",
                 message);
}

struct scn_place scn_place_of(const scn_value *value) {
  bool nowhere = value->start_mark.index == 0 && value->end_mark.index == 0; /* by a setting */
  if (nowhere) return (struct scn_place){0, 0};
  return (struct scn_place){(uint32_t)value->start_mark.line + 1,
                            (uint32_t)value->start_mark.column + 1};
}

const char *scn_source(struct scn_document *d, const scn_value *value, size_t limit) {
  size_t from = value->start_mark.index, to = value->end_mark.index, n = 0;
  size_t length = strlen(d->text);
  if (to > length) to = length;
  if (from > to) from = to;
  char *text = scn_alloc(d->arena, to - from + 1);
  if (!text) return "";
  for (size_t i = from; i < to && n < limit; i++) {
    bool space = d->text[i] == ' ' || d->text[i] == '\n' || d->text[i] == '\r';
    if (space && (n == 0 || text[n - 1] == ' ')) continue;
    text[n++] = space ? ' ' : d->text[i];
  }
  while (n > 0 && text[n - 1] == ' ') n--;
  text[n] = '\0';
  return text;
}

/* ---- structure ---- */

bool scn_is_map(const scn_value *v) {
  return v && v->type == YAML_MAPPING_NODE;
}
bool scn_is_list(const scn_value *v) {
  return v && v->type == YAML_SEQUENCE_NODE;
}
bool scn_is_scalar(const scn_value *v) {
  return v && v->type == YAML_SCALAR_NODE;
}

const char *scn_raw_text(const scn_value *value) {
  return scn_is_scalar(value) ? (const char *)value->data.scalar.value : NULL;
}

static size_t count_words(const char *const *words) {
  size_t n = 0;
  while (words[n]) n++;
  return n;
}

static bool unknown_key(struct scn_document *d, const scn_value *key, const char *what,
                        const char *const *keys) {
  const char *name = scn_raw_text(key);
  if (!name) {
    scn_complain(d, key, "a key has to be text");
    return true;
  }
  if (!keys) return false;
  size_t count = count_words(keys);
  for (size_t i = 0; i < count; i++)
    if (strcmp(name, keys[i]) == 0) return false;
  const char *near = scn_nearest(name, keys, count);
  if (near)
    scn_complain(d, key, "unknown key \"%s\" in %s; did you mean \"%s\"?", name, what, near);
  else
    scn_complain(d, key, "unknown key \"%s\" in %s", name, what);
  return true;
}

static bool twice(struct scn_document *d, const scn_value *map, size_t i) {
  const scn_value *key = NULL, *other = NULL, *value = NULL;
  scn_pair(d, map, i, &key, &value);
  for (size_t j = 0; j < i && scn_pair(d, map, j, &other, &value); j++) {
    const char *a = scn_raw_text(key), *b = scn_raw_text(other);
    if (!a || !b || strcmp(a, b) != 0) continue;
    scn_complain(d, key, "key \"%s\" is there twice; the first is in line %u", a,
                 scn_place_of(other).line);
    return true;
  }
  return false;
}

bool scn_expect_map(struct scn_document *d, const scn_value *value, const char *what,
                    const char *const *keys) {
  if (!scn_is_map(value)) {
    scn_complain(d, value, "%s has to be a mapping (key: value)", what);
    return false;
  }
  bool ok = true;
  const scn_value *key, *item;
  for (size_t i = 0; scn_pair(d, value, i, &key, &item); i++) {
    if (i < 4096 && twice(d, value, i)) ok = false; /* quadratic */
    if (unknown_key(d, key, what, keys)) ok = false;
  }
  return ok;
}

bool scn_expect_list(struct scn_document *d, const scn_value *value, const char *what) {
  if (scn_is_list(value)) return true;
  scn_complain(d, value, "%s has to be a list ([a, b] or lines that begin with \"- \")", what);
  return false;
}

const scn_value *scn_get(struct scn_document *d, const scn_value *map, const char *key) {
  if (!scn_is_map(map)) return NULL;
  for (yaml_node_pair_t *p = map->data.mapping.pairs.start; p < map->data.mapping.pairs.top; p++) {
    const char *name = scn_raw_text(yaml_document_get_node(&d->yaml, p->key));
    if (name && strcmp(name, key) == 0) return yaml_document_get_node(&d->yaml, p->value);
  }
  return NULL;
}

const scn_value *scn_item(struct scn_document *d, const scn_value *list, size_t i) {
  if (!scn_is_list(list)) return NULL;
  yaml_node_item_t *items = list->data.sequence.items.start;
  if (i >= (size_t)(list->data.sequence.items.top - items)) return NULL;
  return yaml_document_get_node(&d->yaml, items[i]);
}

bool scn_pair(struct scn_document *d, const scn_value *map, size_t i, const scn_value **key,
              const scn_value **value) {
  if (!scn_is_map(map)) return false;
  yaml_node_pair_t *pairs = map->data.mapping.pairs.start;
  if (i >= (size_t)(map->data.mapping.pairs.top - pairs)) return false;
  *key = yaml_document_get_node(&d->yaml, pairs[i].key);
  *value = yaml_document_get_node(&d->yaml, pairs[i].value);
  return true;
}

/* ---- scalars ---- */

static bool name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_';
}

static struct scn_parameter *parameter_at(struct scn_document *d, const char *name, size_t length) {
  for (size_t i = 0; i < d->parameter_count; i++)
    if (strlen(d->parameters[i].name) == length && memcmp(d->parameters[i].name, name, length) == 0)
      return &d->parameters[i];
  return NULL;
}

/* Fills in $parameters; other $names are left for those who know them. |plain_text|: $$ is a $. */
static const char *fill_in(struct scn_document *d, const char *text, bool plain_text) {
  const char *result = "";
  while (*text) {
    size_t plain = strcspn(text, "$"), length = 0;
    if (plain_text && text[plain] == '$' && text[plain + 1] == '$') {
      result = scn_print(d->arena, "%s%.*s", result, (int)plain + 1, text);
      if (!result) return "";
      text += plain + 2;
      continue;
    }
    if (text[plain] == '$')
      while (name_character(text[plain + 1 + length])) length++;
    struct scn_parameter *p = length ? parameter_at(d, text + plain + 1, length) : NULL;
    if (text[plain] == '$') plain += p ? 0 : 1 + length;
    result = scn_print(d->arena, "%s%.*s%s", result, (int)plain, text, p ? p->value : "");
    if (!result) return "";
    if (p) p->used = true;
    text += plain + (p ? 1 + length : 0);
  }
  return result;
}

static const char *text_filled_in(struct scn_document *d, const scn_value *value, bool plain_text) {
  const char *text = scn_raw_text(value);
  if (!text) {
    scn_complain(d, value, "expected a single value here, not a %s",
                 scn_is_map(value) ? "mapping" : "list");
    return NULL;
  }
  if (strlen(text) != value->data.scalar.length) {
    scn_complain(d, value, "a zero octet in text; use the -hex form");
    return NULL;
  }
  return strchr(text, '$') ? fill_in(d, text, plain_text) : scn_copy(d->arena, text, strlen(text));
}

const char *scn_text(struct scn_document *d, const scn_value *value) {
  return text_filled_in(d, value, d->has_names);
}

const char *scn_text_with_names(struct scn_document *d, const scn_value *value) {
  return text_filled_in(d, value, false);
}

static const char *text_of(struct scn_document *d, const scn_value *map, const char *key,
                           const scn_value **value) {
  *value = scn_get(d, map, key);
  return *value ? scn_text(d, *value) : NULL;
}

bool scn_read_text(struct scn_document *d, const scn_value *map, const char *key, const char **to) {
  const scn_value *value;
  const char *text = text_of(d, map, key, &value);
  if (!text) return false;
  *to = text;
  return true;
}

bool scn_read_duration(struct scn_document *d, const scn_value *map, const char *key,
                       chorus_time *to) {
  const scn_value *value;
  const char *text = text_of(d, map, key, &value);
  if (!text) return false;
  if (scn_duration(text, to)) return true;
  scn_complain(
      d, value,
      "\"%s\" is not a duration for %s; write a number with ns, us, ms, s, min or h, such as 5s",
      text, key);
  return false;
}

bool scn_read_percent(struct scn_document *d, const scn_value *map, const char *key, emu_ppm *to) {
  const scn_value *value;
  const char *text = text_of(d, map, key, &value);
  if (!text) return false;
  if (scn_percent(text, to)) return true;
  scn_complain(d, value, "\"%s\" is not a percentage for %s; write 0%% to 100%%, such as 10%%",
               text, key);
  return false;
}

bool scn_read_integer(struct scn_document *d, const scn_value *map, const char *key, uint64_t min,
                      uint64_t max, uint64_t *to) {
  const scn_value *value;
  const char *text = text_of(d, map, key, &value);
  uint64_t v;
  if (!text) return false;
  if (scn_integer(text, max, &v) && v >= min) {
    *to = v;
    return true;
  }
  scn_complain(d, value, "\"%s\" is not a number from %llu to %llu for %s", text,
               (unsigned long long)min, (unsigned long long)max, key);
  return false;
}

bool scn_read_boolean(struct scn_document *d, const scn_value *map, const char *key, bool *to) {
  const scn_value *value;
  const char *text = text_of(d, map, key, &value);
  if (!text) return false;
  if (scn_boolean(text, to)) return true;
  scn_complain(d, value, "\"%s\" is neither true nor false for %s", text, key);
  return false;
}

bool scn_read_hex(struct scn_document *d, const scn_value *map, const char *key, size_t max,
                  const uint8_t **to, size_t *length) {
  const scn_value *value;
  const char *text = text_of(d, map, key, &value);
  if (!text) return false;
  uint8_t *octets = scn_alloc(d->arena, strlen(text) / 2 + 1);
  if (!octets) return false;
  if (!scn_hex(text, octets, max, length)) {
    scn_complain(d, value, "\"%s\" is not at most %zu octets in hexadecimal for %s", text, max,
                 key);
    return false;
  }
  *to = octets;
  return true;
}

bool scn_read_payload(struct scn_document *d, const scn_value *map, const uint8_t **to,
                      size_t *length) {
  const char *text;
  const scn_value *hex = scn_get(d, map, "payload-hex");
  if (!scn_read_text(d, map, "payload", &text))
    return scn_read_hex(d, map, "payload-hex", 65507, to, length);
  if (hex) scn_complain(d, hex, "either payload or payload-hex, not both");
  *to = (const uint8_t *)text;
  *length = strlen(text);
  return true;
}

bool scn_word(struct scn_document *d, const scn_value *value, const char *key,
              const char *const *words, unsigned *to) {
  const char *text = scn_text(d, value);
  if (!text) return false;
  size_t count = count_words(words);
  for (unsigned i = 0; i < count; i++)
    if (strcmp(text, words[i]) == 0) {
      *to = i;
      return true;
    }
  char list[200] = "";
  for (size_t i = 0, n = 0; i < count && n < sizeof list; i++)
    n += (size_t)snprintf(list + n, sizeof list - n, "%s%s", i ? ", " : "", words[i]);
  const char *near = scn_nearest(text, words, count);
  scn_complain(d, value, "\"%s\" is no %s (%s)%s%s%s", text, key, list,
               near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
  return false;
}

bool scn_read_word(struct scn_document *d, const scn_value *map, const char *key,
                   const char *const *words, unsigned *to) {
  const scn_value *value = scn_get(d, map, key);
  return value && scn_word(d, value, key, words, to);
}
