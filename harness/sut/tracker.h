/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Tokens, Message IDs and types for events of programs that do not know them, from the packets that
 * left and reached their node; private to harness/sut.
 */
#ifndef CHORUS_SUT_TRACKER_H
#define CHORUS_SUT_TRACKER_H

#include "chorus/node.h"

#define SUT_HEARD 512u /* messages that are remembered, per direction */

/* What of a message an event may need. */
struct sut_heard {
  struct chorus_endpoint peer;
  uint8_t type, code, token_length;
  uint8_t token[8];
  uint16_t mid;
  uint64_t path; /* digest of the URI's path and query, of requests */
  uint64_t payload;
  bool used; /* an event took it */
};

/* A request of the application, by its name. */
struct sut_asked {
  char name[64];
  struct chorus_endpoint peer;
  uint8_t code;
  uint64_t path;
  chorus_time timeout;
  char said_path[256]; /* of the held event, cut to this; "": none */
  bool told;           /* the event came, or need not come */
  bool held;           /* the event waits for the packet */
  bool known;          /* |heard| is set */
  bool named;          /* by the program: |heard| is what it said */
  bool left;           /* its packet, if it is named */
  bool answered;       /* a response was delivered: the packet, if there is one, has left */
  struct sut_heard heard;
};

struct sut_tracker {
  bool patient; /* events may overtake their packets: also one that names its message is held */
  struct sut_heard sent[SUT_HEARD], arrived[SUT_HEARD];
  uint32_t sent_count, arrived_count; /* in all; the latest SUT_HEARD are kept */
  struct sut_asked *asked;
  size_t asked_count;
};

void sut_tracker_free(struct sut_tracker *tracker);
/* A command `request` is about to go out. */
void sut_tracker_command(struct sut_tracker *tracker, const struct chorus_command *command);
void sut_tracker_sent(struct sut_tracker *tracker, const struct chorus_endpoint *destination,
                      const uint8_t *payload, size_t length);
void sut_tracker_arrived(struct sut_tracker *tracker, const struct chorus_endpoint *source,
                         const uint8_t *payload, size_t length);
/* Fills in what |event| lacks; false: a REQUEST whose packet was not seen yet, to be held. */
bool sut_tracker_complete(struct sut_tracker *tracker, struct chorus_event *event);
/* The next held REQUEST whose packet was seen, or that was answered without one, to be said before
 * what sut_tracker_complete() was asked last; false: none. Its strings belong to the tracker. */
bool sut_tracker_release(struct sut_tracker *tracker, struct chorus_event *event);

#endif
