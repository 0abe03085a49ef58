/* SPDX-License-Identifier: BSD-2-Clause */
/* What the parts of the decoder share; private to harness/scenario. */
#ifndef CHORUS_SCENARIO_DECODE_H
#define CHORUS_SCENARIO_DECODE_H

#include "scenario/document.h"

struct scn_decoder {
  struct scn_document *document;
  struct scn_arena *arena;
  struct scn_scenario *scenario;
  bool is_topology;
  bool own_resources; /* a stack under test has its own: see scn_file */
  struct scn_name *names;
  size_t name_count;
  struct scn_node *nodes;
  size_t node_count;
  struct scn_link *links;
  size_t link_count;
  struct scn_impairment *impairments;
  size_t impairment_count;
  struct scn_step *steps;
  size_t step_count;
  struct scn_expectation *expectations;
  size_t expectation_count;
  struct scn_request_id *requests;
  size_t request_count;
  const char **broken; /* nodes, addresses and requests that could not be made out: what is wrong
                          with them is told, and not told again of everything that names them */
  size_t broken_count;
  bool ip_broken; /* the same of network.ip */
};

/* A request that a step makes, so that others can refer to it. */
struct scn_request_id {
  const char *id;
  uint32_t node;
  chorus_time at;
  bool ended;  /* while the order of the steps is checked */
  bool family; /* |id| is the first of id#1, id#2, ... */
};

/* |name| cannot be made out, and there is a complaint. */
void scn_break(struct scn_decoder *d, const char *name);
/* Whether |pattern| names one of those, or a member of their family (s3, q#2). */
bool scn_is_broken(const struct scn_decoder *d, const char *pattern);

/* In the order in which the decoder calls them. */
void scn_decode_network(struct scn_decoder *d, const scn_value *network);
void scn_decode_nodes(struct scn_decoder *d, const scn_value *nodes);
void scn_decode_impairments(struct scn_decoder *d, const scn_value *list);
void scn_decode_steps(struct scn_decoder *d, const scn_value *list);
void scn_decode_expectations(struct scn_decoder *d, const scn_value *list);

/* Parts of them. */
bool scn_decode_impairment(struct scn_decoder *d, const scn_value *map, bool initial,
                           uint32_t *index);
void scn_decode_message(struct scn_decoder *d, const scn_value *map, bool answer,
                        struct scn_message *message);
void scn_decode_answers(struct scn_decoder *d, const scn_value *list, struct scn_node *node);
void scn_decode_resources(struct scn_decoder *d, const scn_value *map, struct scn_node *node);

/* Whether |length| octets, with a zero behind them, are the representation of a counter. */
bool scn_is_count(const char *text, size_t length);
/* Complains of arguments that make no sense together, or not to the node of |step|. */
void scn_check_command(struct scn_decoder *d, const scn_value *map, const struct scn_step *step);
/* The same of steps that make no sense in their order of time. */
void scn_check_order(struct scn_decoder *d);

/* Text in which $names became addresses as a URI writes them; NULL with a complaint. */
const char *scn_resolve(struct scn_decoder *d, const scn_value *at, const char *text);
/* An endpoint: "$group", "[ff35::1]:5683", "192.0.2.1". A missing port becomes |port|. */
bool scn_endpoint(struct scn_decoder *d, const scn_value *value, uint16_t port,
                  struct chorus_endpoint *endpoint);
/* Complains of an address, |text|, of another IP version than that of the network. */
bool scn_check_version(struct scn_decoder *d, const scn_value *at,
                       const struct chorus_endpoint *endpoint, const char *text);
/* Reads the path of a resource as requests and events have it: "/light". */
bool scn_read_path(struct scn_decoder *d, const scn_value *map, const char **path);
/* A list of endpoints under |key|. */
void scn_endpoints(struct scn_decoder *d, const scn_value *map, const char *key, uint16_t port,
                   const struct chorus_endpoint **list, size_t *count);
/* Numbers of the nodes that match a pattern or a list of patterns; complains when there are none.
 */
bool scn_decode_pattern(struct scn_decoder *d, const scn_value *value, const uint32_t **nodes,
                        size_t *count);
bool scn_read_code(struct scn_decoder *d, const scn_value *map, const char *key,
                   struct scn_code *code);
bool scn_read_range(struct scn_decoder *d, const scn_value *map, const char *key,
                    struct scn_range *range);
bool scn_read_type(struct scn_decoder *d, const scn_value *map, const char *key, int *type);
void scn_read_destination(struct scn_decoder *d, const scn_value *map,
                          enum scn_destination *destination);

extern const char *const scn_kind_words[]; /* any request response empty */

#endif
