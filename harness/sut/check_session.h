/* SPDX-License-Identifier: BSD-2-Clause */
/* A network with one stack and the reference in it, and questions to them; private to harness/sut.
 */
#ifndef CHORUS_SUT_CHECK_SESSION_H
#define CHORUS_SUT_CHECK_SESSION_H

#include <pthread.h>

#include "dissect/coap.h"
#include "dissect/frame.h"
#include "scenario/arena.h"
#include "sut/check.h"

#define SUT_SLACK (1500 * CHORUS_MILLISECOND) /* for answers that take no time in virtual time */

/* Something that an application said. */
struct sut_said {
  chorus_time at;
  uint32_t node;
  enum chorus_event_type type;
  char request[32], detail[32];
  char path[64];
  char payload[600]; /* as text, cut */
  size_t payload_length;
  uint8_t code;
};

/* A CoAP message that left the stack. */
struct sut_seen {
  chorus_time at;
  uint8_t type, code, token_length, hop_limit;
  uint8_t token[8];
  uint16_t mid, options[12]; /* option numbers */
  size_t option_count;
  char values[12][24]; /* their values in hexadecimal, cut */
  struct chorus_endpoint source, destination;
};

struct sut_session {
  const struct sut_manifest *manifest;
  const struct sut_part *part;
  const struct sut_check_config *config;
  struct sut_report *report;
  unsigned ip;
  struct scn_file *file;
  struct scn_scenario *scenario;
  struct net_network *network;
  struct chorus_node partners[4];
  uint32_t stack,
      client; /* numbers of nodes: the stack, and the reference's client or UINT32_MAX */
  struct sut_node *node;
  struct dis_reassembly *fragments;
  struct sut_said *said;
  size_t said_count;
  struct sut_seen *seen;
  size_t seen_count;
  unsigned requests;
  bool started;
  bool variant;              /* one of several: that it ended well is not worth a line */
  pthread_mutex_t *starting; /* one network after the other starts its programs */
};

/* Adds a line to the report. */
void sut_say(struct sut_session *s, enum sut_check_result result, const char *name,
             const char *format, ...) __attribute__((format(printf, 4, 5)));
/* OK with |text|, or FAILED with |wrong|. */
void sut_judge(struct sut_session *s, bool ok, const char *name, const char *text,
               const char *wrong);

/*
 * Starts a network of |yaml| (a scenario without steps, of which node "sut" is the stack). False:
 * the reasons are in the report.
 */
bool sut_session_begin(struct sut_session *s, const char *yaml);
/* Stops it; what went wrong becomes lines of the report. */
void sut_session_end(struct sut_session *s);

bool sut_session_alive(const struct sut_session *s);
chorus_time sut_session_now(const struct sut_session *s);
void sut_session_run(struct sut_session *s, chorus_time duration);
/* Commands a node; arguments are pairs of names and values, NULL at the end. The status of the
 * reply. */
int sut_session_command(struct sut_session *s, uint32_t node, const char *verb,
                        const char *const *arguments);

/* What a request brought. */
struct sut_answer {
  unsigned count; /* deliveries */
  uint8_t code;   /* of the last one */
  const char *payload;
  chorus_time after; /* of the last one, since the request */
  char id[32];
};

/*
 * Node |node| makes a request: |uri| with $ADDRESS for the stack's (or the server's) and $GROUP for
 * the group; |more| are further pairs. Waits for |wanted| responses, at most |patience|.
 */
struct sut_answer sut_session_ask(struct sut_session *s, uint32_t node, const char *method,
                                  const char *uri, const char *const *more, unsigned wanted,
                                  chorus_time patience);

/* Events of |type| by |node| about |request| (NULL: any), and the last of them. */
unsigned sut_session_events(const struct sut_session *s, uint32_t node, enum chorus_event_type type,
                            const char *request, const struct sut_said **last);
/* The value in hexadecimal of an option of a message, or NULL. */
const char *sut_seen_option(const struct sut_seen *seen, uint16_t number);

/* The controls of each role; those of servers in parts, each with a network of its own. */
void sut_check_server(struct sut_session *s);
void sut_check_groups(struct sut_session *s);
void sut_check_times(struct sut_session *s);
void sut_check_silence(struct sut_session *s);
void sut_check_client(struct sut_session *s);
/* Controls that need a node of another configuration. */
void sut_check_token_length(struct sut_session *s);
void sut_check_hop_limit(struct sut_session *s);
void sut_check_msrd(struct sut_session *s);
void sut_check_ports(struct sut_session *s);
void sut_check_relaxation(struct sut_session *s);
void sut_check_unaware(struct sut_session *s);
void sut_check_rate(struct sut_session *s);
/* Verbs and arguments that do not exist have to be unsupported. */
void sut_check_probe(struct sut_session *s);

#endif
