/* SPDX-License-Identifier: BSD-2-Clause */
/* Arguments of commands (docs/commands.md): all text, in pairs of name and value. */
#ifndef CHORUS_ADAPTER_ARGUMENTS_H
#define CHORUS_ADAPTER_ARGUMENTS_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum status { OK = 0, UNSUPPORTED, BAD_ARGUMENT, REFUSED, TOO_LARGE };

/* How a command, or a start, came out. */
struct outcome {
  enum status status;
  char why[240];
};

/* The word of the protocol: "ok", "unsupported", ... */
const char *status_name(enum status status);
/* Sets an outcome; always false, so that callers can return it. */
bool fail(struct outcome *outcome, enum status status, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/*
 * Whether |pairs| is a list of pairs with names of |known| (NULL at the end), each once; |list|, if
 * not NULL, may come several times.
 */
bool arguments_good(const json_t *pairs, const char *const *known, const char *list,
                    struct outcome *outcome);
/* The value of an argument, or NULL. */
const char *argument(const json_t *pairs, const char *name);

/* These leave their results alone when the argument is absent, and are true then. */
bool argument_number(const json_t *pairs, const char *name, uint32_t most, uint32_t *number,
                     bool *given, struct outcome *outcome);
bool argument_duration(const json_t *pairs, const char *name, uint64_t *ns, bool *given,
                       struct outcome *outcome);

/* Octets of the caller; data is NULL when there are none. */
struct octets {
  uint8_t *data;
  size_t length;
};
bool octets_from_hex(const char *name, const char *text, struct octets *octets,
                     struct outcome *outcome);
/* |payload| or |payload-hex|; |given|: one of them was there. The caller frees octets->data. */
bool argument_payload(const json_t *pairs, struct octets *octets, bool *given,
                      struct outcome *outcome);

#endif
