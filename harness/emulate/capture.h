/* SPDX-License-Identifier: BSD-2-Clause */
/* Every node's view of the network as a capture, with the switch's decisions as comments. */
#ifndef CHORUS_EMULATE_CAPTURE_H
#define CHORUS_EMULATE_CAPTURE_H

#include "capture/capture.h"
#include "chorus/emulator.h"
#include "scenario/scenario.h"

struct emulate_capture;

/* NULL: no memory. |comment| goes into the section header. */
struct emulate_capture *emulate_capture_new(const struct scn_scenario *topology,
                                            const char *comment);
void emulate_capture_free(struct emulate_capture *capture);
struct emu_observer emulate_capture_observer(struct emulate_capture *capture);
uint64_t emulate_capture_frames(const struct emulate_capture *capture);
enum cap_status emulate_capture_save(const struct emulate_capture *capture, const char *path);

#endif
