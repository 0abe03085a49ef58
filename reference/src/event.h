/* SPDX-License-Identifier: BSD-2-Clause */
/* Small things that server and client share: events, command arguments. */
#ifndef REF_EVENT_H
#define REF_EVENT_H

#include "chorus/node.h"
#include "codec.h"

static inline bool ref_listens(const struct chorus_host *host) {
  return host->ops->event != NULL;
}

static inline void ref_emit(const struct chorus_host *host, const struct chorus_event *event) {
  if (host->ops->event) host->ops->event(host->context, event);
}

/* Fills in what an event says of a message. */
static inline void ref_event_message(struct chorus_event *event, const struct ref_message *m) {
  event->has_message = true;
  event->message_type = m->type;
  event->code = m->code;
  event->mid = m->mid;
  event->token_length = m->token_length;
  memcpy(event->token, m->token, sizeof event->token);
}

/* "5s" "200ms" "10us" "3ns" "2min" "1h" to ns. */
bool ref_parse_duration(const char *text, chorus_time *ns);
/* A decimal number up to |max|, nothing else. */
bool ref_parse_number(const char *text, uint32_t max, uint32_t *number);
/* Hexadecimal digits, an even number of them, up to |capacity| octets. */
bool ref_parse_hex(const char *text, uint8_t *octets, size_t capacity, size_t *length);

/*
 * The payload of a command: "payload" (text) or "payload-hex". |octets| of |capacity|. CHORUS_OK
 * with |present| telling whether there was any, or CHORUS_BAD_ARGUMENT with |why|.
 */
int ref_command_payload(const struct chorus_command *command, uint8_t *octets, size_t capacity,
                        size_t *length, bool *present, const char **why);

/*
 * Whether all arguments of |command| are among |known| (NULL-terminated); else *why names the first
 * that is not, in |text| of 96 octets.
 */
bool ref_command_known(const struct chorus_command *command, const char *const *known, char *text,
                       const char **why);
/*
 * The same; |values| gets the value of each of the |known| arguments, of several equal ones the
 * first, or NULL.
 */
bool ref_command_read(const struct chorus_command *command, const char *const *known,
                      const char **values, char *text, const char **why);

#endif
