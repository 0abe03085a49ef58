/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A YAML document as decoders want it: values by key, with the place of everything, and complaints
 * that go to the error list. Readers leave their result alone when the key is absent or its value
 * is wrong, so that one pass finds all errors.
 */
#ifndef CHORUS_SCENARIO_DOCUMENT_H
#define CHORUS_SCENARIO_DOCUMENT_H

#include <yaml.h>

#include "scenario/arena.h"
#include "scenario/scenario.h"

typedef yaml_node_t scn_value;

struct scn_parameter {
  const char *name, *value;
  bool used;
};

struct scn_document {
  yaml_document_t yaml;
  const char *path;
  const char *text;
  struct scn_errors *errors;
  struct scn_arena *arena;
  struct scn_parameter *parameters; /* what $name stands for */
  size_t parameter_count;
  bool has_names; /* $ means something in it: a scenario */
};

/* Parses |text|; false: see |errors|. The arena is the caller's. */
bool scn_document_load(struct scn_document *document, const char *path, const char *text,
                       size_t length, struct scn_arena *arena, struct scn_errors *errors);
void scn_document_free(struct scn_document *document);
scn_value *scn_root(struct scn_document *document);

/*
 * Puts |value| at the dotted |path| ("nodes.s.count", "network.impairments.1.loss"). What is wrong
 * with it is told at the place of |at|; NULL: where the value that it replaces stands.
 */
bool scn_override(struct scn_document *document, const char *path, const char *value,
                  const scn_value *at);

void scn_complain(struct scn_document *document, const scn_value *at, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
struct scn_place scn_place_of(const scn_value *value);
/* The value as written, white space folded, at most |limit| octets. */
const char *scn_source(struct scn_document *document, const scn_value *value, size_t limit);

bool scn_is_map(const scn_value *value);
bool scn_is_list(const scn_value *value);
bool scn_is_scalar(const scn_value *value);

/* Complains unless |value| is a mapping of |keys| (NULL-terminated; NULL: any text), each once at
 * most. */
bool scn_expect_map(struct scn_document *document, const scn_value *value, const char *what,
                    const char *const *keys);
bool scn_expect_list(struct scn_document *document, const scn_value *value, const char *what);

const scn_value *scn_get(struct scn_document *document, const scn_value *map, const char *key);
/* Element |i| of a list, or NULL past its end. */
const scn_value *scn_item(struct scn_document *document, const scn_value *list, size_t i);
/* Pair |i| of a mapping; false past its end. */
bool scn_pair(struct scn_document *document, const scn_value *map, size_t i, const scn_value **key,
              const scn_value **value);

/* A scalar's text with parameters filled in; NULL, with a complaint, for anything else. */
const char *scn_text(struct scn_document *document, const scn_value *value);
/* The same with its other $names, and each $$, as they are: scn_resolve() takes them. */
const char *scn_text_with_names(struct scn_document *document, const scn_value *value);
/* The same without complaint and parameters: for keys. */
const char *scn_raw_text(const scn_value *value);

/* By key. All return whether the key was there and right. */
bool scn_read_text(struct scn_document *d, const scn_value *map, const char *key, const char **to);
bool scn_read_duration(struct scn_document *d, const scn_value *map, const char *key,
                       chorus_time *to);
bool scn_read_percent(struct scn_document *d, const scn_value *map, const char *key, emu_ppm *to);
bool scn_read_integer(struct scn_document *d, const scn_value *map, const char *key, uint64_t min,
                      uint64_t max, uint64_t *to);
bool scn_read_boolean(struct scn_document *d, const scn_value *map, const char *key, bool *to);
bool scn_read_hex(struct scn_document *d, const scn_value *map, const char *key, size_t max,
                  const uint8_t **to, size_t *length);
/* |payload| as text or |payload-hex|. */
bool scn_read_payload(struct scn_document *d, const scn_value *map, const uint8_t **to,
                      size_t *length);
/* One word of |words| (NULL-terminated); |to| gets its index. */
bool scn_read_word(struct scn_document *d, const scn_value *map, const char *key,
                   const char *const *words, unsigned *to);
bool scn_word(struct scn_document *d, const scn_value *value, const char *key,
              const char *const *words, unsigned *to);

#endif
