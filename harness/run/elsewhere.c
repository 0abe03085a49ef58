/* SPDX-License-Identifier: BSD-2-Clause */
#include "run/elsewhere.h"

#include <string.h>

#include "run/offline.h"

/*
 * In networks that there are: how far behind the packet a copy of it comes, how late a packet is,
 * and how much later than others.
 */
#define LONGEST_GAP    (100 * CHORUS_MILLISECOND)
#define LONGEST_DELAY  (7 * CHORUS_SECOND)
#define LONGEST_JITTER (300 * CHORUS_MILLISECOND)

/* ---- what can be judged ---- */

static bool network_is_usual(const struct scn_network *network) {
  for (size_t i = 0; i < network->impairment_count; i++) {
    const struct emu_impairment *x = &network->impairments[i].impairment;
    if (x->duplicate && x->duplicate_gap > LONGEST_GAP) return false;
    if (x->reorder && x->reorder_gap > LONGEST_JITTER) return false;
    if (x->delay > LONGEST_DELAY || x->jitter > LONGEST_JITTER) return false;
  }
  return true;
}

static bool has_tester(const struct scn_scenario *scenario) {
  for (size_t i = 0; i < scenario->node_count; i++)
    if (scenario->nodes[i].role == SCN_TESTER) return true;
  return false;
}

static bool has_restart(const struct scn_scenario *scenario) {
  for (size_t i = 0; i < scenario->step_count; i++) {
    const struct scn_step *step = &scenario->steps[i];
    if (step->kind == SCN_COMMAND && strcmp(step->command.verb, "restart") == 0) return true;
  }
  return false;
}

bool run_view_tells(const struct scn_scenario *scenario, enum run_view view) {
  if (has_restart(scenario)) return false;
  return view == RUN_VIEW_NODES || (network_is_usual(&scenario->network) && !has_tester(scenario));
}

/* ---- what is captured ---- */

static bool is_seen(const struct cap_packet *packet, enum run_view view, size_t node) {
  if (view == RUN_VIEW_MEDIUM) return packet->direction == DIS_OUTBOUND;
  return view != RUN_VIEW_ONE_NODE || packet->interface == node;
}

bool run_view_copy(struct cap_writer *to, const struct cap_writer *capture, enum run_view view,
                   size_t node) {
  static const struct cap_interface_info nameless;
  enum cap_status status;
  char message[256];
  const struct cap_packet *p;
  bool kept = true;
  cap_writer_reset(to, NULL);
  struct cap_reader *reader = cap_open_writer(capture, &status, message, sizeof message);
  if (!reader) return false;
  size_t count = cap_interface_count(reader);
  bool apart = view == RUN_VIEW_MERGED;
  for (size_t i = 0; i < (apart ? count : 1); i++) cap_writer_interface(to, &nameless);
  while (kept && (status = cap_next_in_order(reader, &p)) == CAP_OK)
    if (is_seen(p, view, count ? node % count : 0))
      kept = cap_writer_packet(to, apart ? p->interface : 0, p->time, DIS_DIRECTION_UNKNOWN, 0,
                               p->data, p->length);
  cap_writer_end(to, cap_end(reader));
  cap_close(reader);
  return kept && status == CAP_END;
}

bool run_view_judge(struct judge *judge, const struct cap_writer *capture) {
  struct scn_errors errors;
  const struct run_companions nobody = {.errors = &errors};
  enum cap_status status;
  char message[256];
  struct cap_reader *reader = cap_open_writer(capture, &status, message, sizeof message);
  if (!reader) return false;
  scn_errors_init(&errors);
  status = run_judge_reader(judge, reader, &nobody);
  cap_close(reader);
  bool good = status == CAP_END && errors.count == 0;
  scn_errors_free(&errors);
  return good;
}
