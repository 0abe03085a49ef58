/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Values with units as people write them. Each reader takes the whole text or refuses it, and
 * leaves its result alone in that case. Integer arithmetic throughout.
 */
#ifndef CHORUS_SCENARIO_UNITS_H
#define CHORUS_SCENARIO_UNITS_H

#include "chorus/emulator.h"
#include "scenario/arena.h"
#include "scenario/scenario.h"

/* "5s", "1.5 s", "200ms", "10us", "3ns", "2min", "1h"; "0" alone needs no unit. */
bool scn_duration(const char *text, chorus_time *ns);
/* The same in whole numbers: "5s", "1500ms". */
const char *scn_duration_text(struct scn_arena *arena, chorus_time ns);
/* "10%", "1.5 %", "0.25%": 0 to 100. */
bool scn_percent(const char *text, emu_ppm *ppm);
/* "250kbit", "1.5 Mbit", "9600bit": bits per second. */
bool scn_rate(const char *text, uint64_t *bits);
bool scn_integer(const char *text, uint64_t max, uint64_t *value);
bool scn_boolean(const char *text, bool *value);
/* "1", "0..2", "2..", "..3" */
bool scn_parse_range(const char *text, struct scn_range *range);
/* "3s..9s", "3s.." */
bool scn_time_range(const char *text, chorus_time *from, chorus_time *to);
/* "GET", "2.05", "4.xx", "4xx", "EMPTY", "0.00" */
bool scn_parse_code(const char *text, struct scn_code *code);
bool scn_parse_type(const char *text, uint8_t *type); /* CON NON ACK RST */
/* Hexadecimal digits in pairs, spaces and colons between them allowed, "" is nothing. */
bool scn_hex(const char *text, uint8_t *octets, size_t capacity, size_t *length);

/* The nearest of |words| by edit distance, or NULL when none is near. */
const char *scn_nearest(const char *word, const char *const *words, size_t count);

/* The words for application events, by enum chorus_event_type, NULL at the end (docs/events.md). */
extern const char *const scn_event_words[];

#endif
