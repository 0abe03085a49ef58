/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Waivers: known deviations of a SUT that do not fail its run, each with a reason, a link and an
 * end.
 *
 *   - rule: GC-2.3.1-22
 *     sut: libcoap*            # name, may hold * (default: any)
 *     versions: 4.3.0..4.3.4   # also a single version, "..4.3.4", "4.3.0..", or * (default)
 *     reason: answers twice after a restart
 *     link: https://example.org/issue/1
 *     expires: 2027-01-31
 */
#ifndef CHORUS_RUN_WAIVERS_H
#define CHORUS_RUN_WAIVERS_H

#include <jansson.h>

#include "scenario/errors.h"

struct run_waivers;

/* Whether |text| is a day of the calendar, such as "2027-01-31". */
bool run_is_date(const char *text);

/* NULL: see |errors|. */
struct run_waivers *run_waivers_read(const char *path, struct scn_errors *errors);
struct run_waivers *run_waivers_parse(const char *path, const char *text, size_t length,
                                      struct scn_errors *errors);
void run_waivers_free(struct run_waivers *waivers);

/*
 * Marks the failed rules of |runs| that are waived, decides the runs anew, and returns the list of
 * waivers with what is wrong with each (`problem`): expired on |today| ("2026-11-22"), used by
 * nothing, or for a rule that passes.
 */
json_t *run_waivers_apply(struct run_waivers *waivers, json_t *runs, const char *today);

#endif
