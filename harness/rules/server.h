/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What rules on servers have in common: which request a response answers, when an answer is due,
 * and what a server's statement says of default suppression and of No-Response (RFC 7967).
 */
#ifndef CHORUS_RULES_SERVER_H
#define CHORUS_RULES_SERVER_H

#include "judge/model.h"

/* Requests per second from one address, up to which rate limiting (RFC 7252, section 4.7) is no
 * excuse. */
#define RULE_UNLIMITED_RATE 5u
/* In real time a silence counts only when it is the third in a row (catalogue, section 1: three
 * tries). */
#define RULE_TRIES_REAL_TIME 3u

#define RULE_CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))

/* jdg_answers_group(), and it is the first answer: no copy, no notification, no answer to a repeat
 * or to a copy. */
bool rule_first_answer(const struct jdg_look *look);
/* Whether the message says that it is a notification or registers an observation. */
bool rule_has_observe(const struct dis_coap *coap);

/*
 * JDG_ON_WINDOW: the server got this group request for certain, as a member, undisturbed by other
 * requests and restarts, and nothing in it allows to drop it: what the server makes of it is only a
 * matter of its suppression rules. The window decides.
 */
bool rule_undisturbed(struct jdg_look *look);
/* JDG_ON_WINDOW: the server has answered after it got the request. */
bool rule_answered(const struct jdg_look *look);
/*
 * JDG_ON_WINDOW: rule_undisturbed(), and the server's statement promises an answer whatever the
 * outcome: nothing is suppressed by default on the resource, and the request asks for nothing else.
 */
bool rule_answer_promised(struct jdg_look *look);

/* Silences in a row where an answer was due. Part of a rule's state, or all of it. */
struct rule_tries {
  unsigned silent;
};

/* Says that an answer that was due came (also outside of JDG_ON_WINDOW), or did not (there). */
void rule_came(struct jdg_look *look, struct rule_tries *tries);
void rule_did_not_come(struct jdg_look *look, struct rule_tries *tries, const char *expected);

/* JDG_ON_EVENT: the server withheld a response to a group request by its suppression rules. */
bool rule_withheld(const struct jdg_look *look);

/* Statement on the resource of the look's request (from the leg or the reception), or NULL. */
const struct jdg_ics_resource *rule_resource(const struct jdg_look *look);
/* Whether the statement suppresses this outcome by default; false if it does not say. */
bool rule_suppressed_by_default(const struct jdg_ics_resource *resource, uint8_t code,
                                size_t payload_length);
/* Whether a valid No-Response option of the request flags the class of |code|. */
bool rule_disclaimed(const struct jdg_request *request, uint8_t code);

/* "2.05 Content"-like short text: type, code and Message ID of the look's message, into |text|. */
const char *rule_message(const struct jdg_look *look, char text[96]);

/*
 * JDG_ON_RESPONSE_SENT, in a capture made elsewhere: the server has answered the request before, or
 * would be late. The response may be to a unicast follow-up that the capture does not have.
 */
bool rule_perhaps_to_unseen(const struct jdg_look *look);

#endif
