/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a server does later: responses in their Leisure period, separate responses and their
 * retransmissions, requests whose execution a policy put off.
 *
 * It stands apart from the server, in memory of its own, because nothing but this is needed when a
 * response is due: 100,000 servers wake in random order, and their agendas side by side take a
 * seventh of the pages that whole servers take.
 */
#ifndef REF_AGENDA_H
#define REF_AGENDA_H

#include "chorus/policy.h"

struct ref_server;

enum { REF_CACHE_LINE = 64, REF_PENDING_INLINE = 64 };

/*
 * A response on its way, ordered by |due|. What comes after its octets is rarely needed, so that a
 * short one takes an agenda no more than its first two cache lines.
 */
struct ref_pending {
  struct ref_pending *next;
  chorus_time due;
  struct chorus_endpoint destination;
  struct chorus_endpoint source;
  uint16_t length;
  uint8_t attempts; /* transmissions so far */
  bool in_use;
  uint8_t inline_octets[REF_PENDING_INLINE];
  uint8_t *long_octets; /* on the heap, when they are more than that */
  chorus_time interval; /* last retransmission interval */
};

/* A request whose execution a policy put off. */
struct ref_deferred {
  struct ref_deferred *next;
  chorus_time at;
  struct chorus_datagram datagram;
  uint8_t octets[];
};

struct ref_agenda {
  _Alignas(REF_CACHE_LINE) const struct chorus_host *host; /* once the server was started */
  struct ref_server *server;
  struct ref_pending *pending;   /* the next first */
  struct ref_deferred *deferred; /* the next first */
  chorus_time deadline;          /* as told to the host */
  struct ref_pending own;        /* the first response needs no memory from the heap */
};

/* Sends |octets| at |due|; a Confirmable message again and again until it is acknowledged. False:
 * no memory. */
bool ref_agenda_respond(struct ref_agenda *a, chorus_time due,
                        const struct chorus_endpoint *destination,
                        const struct chorus_endpoint *source, const uint8_t *octets, size_t length);
/* Keeps a copy of a request until |at|; without memory it is lost. */
void ref_agenda_defer(struct ref_agenda *a, const struct chorus_datagram *datagram, chorus_time at);
/* The next request whose time has come, to be freed by the caller; NULL: none. */
struct ref_deferred *ref_agenda_take_deferred(struct ref_agenda *a, chorus_time now);
/* Sends everything that is due. */
void ref_agenda_send_due(struct ref_agenda *a, chorus_time now);
/* An ACK or RST has come. */
void ref_agenda_acknowledged(struct ref_agenda *a, const struct ref_env *env,
                             const struct chorus_endpoint *source, uint16_t mid);
void ref_agenda_clear(struct ref_agenda *a);
/* Tells the host the next deadline, if it is another one. */
void ref_agenda_schedule(struct ref_agenda *a);
/* Octets that it takes. */
size_t ref_agenda_footprint(const struct ref_agenda *a);

#endif
