/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Leisure (RFC 7252, section 8.2; draft, section 2.3.4): responses to group requests come at a
 * random time within a period. What a sample of delays shows:
 *
 * - A delay counts if it is the first response of a server to a request that came alone: in a
 * node's own view no earlier group request can still be pending (jdg_reception.isolated), elsewhere
 * the time is taken from the sighting of the request, and only too short or constant delays tell.
 * - No statistical verdict below LEISURE_SAMPLES delays. LEISURE_PLAIN delays without exception are
 *   enough to see that they are immediate or constant: no chance makes random ones so.
 * - The text asks for a random time, not for a distribution (AMB-25): a test against the uniform
 * one is a remark. Delays that are immediate, constant, or beyond a declared Leisure break the
 * rule. A server that declares no Leisure may have chosen any.
 */
#include <stdio.h>

#include "rules/checks.h"
#include "rules/message.h"
#include "rules/server.h"

#define LEISURE_SAMPLES           80u                       /* n for a statistical verdict */
#define LEISURE_PLAIN             20u                       /* n that shows what is plain */
#define LEISURE_BINS              64u                       /* of the histogram over the Leisure */
#define LEISURE_IMMEDIATE         (50 * CHORUS_MILLISECOND) /* no Leisure at all */
#define LEISURE_IMMEDIATE_PERCENT 95u    /* of the delays: then all count as immediate */
#define LEISURE_EARLY             10u    /* median below a tenth of the Leisure: immediate */
#define LEISURE_CONSTANT          0.02   /* standard deviation below 2 % of the Leisure: constant */
#define LEISURE_LATE_PERCENT      1u     /* of the delays may exceed Leisure + PROC + delta */
#define KS_ALPHA_0_001            1.9495 /* critical value of sqrt(n) D at alpha = 0.001 */

struct delays {
  uint64_t n, immediate, early, late;
  double sum, squares; /* ns, ns^2 */
  double bins_per_ns;  /* 0: not yet known */
  chorus_time least, most;
  uint64_t latest_frame; /* of the greatest delay */
  uint32_t bins[LEISURE_BINS];
  uint64_t overlapping; /* of another request's Leisure: not in the sample */
};

static bool declared(const struct jdg_host *host) {
  return host->ics.leisure_declared == JDG_YES && host->ics.leisure > 0;
}

static chorus_time longest(const struct jdg_look *look) {
  const struct jdg_ics *ics = &look->host->ics;
  return ics->leisure + ics->processing + jdg_delta(look);
}

/* Over the declared Leisure, or DEFAULT_LEISURE; what is longer goes to the last bin. */
static void add_to_bin(const struct jdg_look *look, struct delays *s, chorus_time d) {
  chorus_time leisure = look->host->ics.leisure ? look->host->ics.leisure : JDG_DEFAULT_LEISURE;
  if (s->bins_per_ns == 0) s->bins_per_ns = (double)LEISURE_BINS / (double)leisure;
  s->immediate += d < LEISURE_IMMEDIATE;
  s->early += d < leisure / LEISURE_EARLY;
  if (d >= leisure)
    s->bins[LEISURE_BINS - 1]++;
  else
    s->bins[(unsigned)((double)d * s->bins_per_ns) % LEISURE_BINS]++;
}

static void add_delay(struct jdg_look *look, struct delays *s, chorus_time d) {
  add_to_bin(look, s, d);
  s->late += look->certain && d > longest(look);
  s->sum += (double)d;
  s->squares += (double)d * (double)d;
  if (s->n++ == 0 || d < s->least) s->least = d;
  if (d <= s->most) return;
  s->most = d;
  s->latest_frame = look->frame;
}

/* Observed from outside: the request was sent once, and its answer is the server's first. */
static bool outside_delay(const struct jdg_look *look, chorus_time *delay) {
  const struct jdg_leg *leg = look->leg;
  if (look->certain || !jdg_answers_group(look) || look->copy || leg->responses != 1) return false;
  if (leg->request->transmissions != 1 || look->now < leg->request->first_time) return false;
  *delay = look->now - leg->request->first_time;
  return true;
}

static void sample(struct jdg_look *look, struct delays *s) {
  chorus_time delay;
  if (outside_delay(look, &delay)) {
    add_delay(look, s, delay);
    return;
  }
  const struct jdg_reception *r = look->reception;
  if (!look->certain || !rule_first_answer(look) || !r || r->bad != JDG_GOOD) return;
  if (r->isolated)
    add_delay(look, s, look->now - r->time);
  else
    s->overlapping++;
}

/* ---- what the sample shows ---- */

static double root(double x) {
  double r = x > 1 ? x : 1;
  for (int i = 0; i < 64; i++) r = (r + x / r) / 2; /* Newton: the same on every platform */
  return x > 0 ? r : 0;
}

static double deviation(const struct delays *s) {
  double n = (double)s->n, mean = s->sum / n, variance = s->squares / n - mean * mean;
  return root(variance > 0 ? variance : 0); /* ns */
}

/* Kolmogorov-Smirnov distance from the uniform distribution over the bins. */
static double distance(const struct delays *s) {
  double d = 0, seen = 0;
  for (unsigned i = 0; i < LEISURE_BINS; i++) {
    seen += s->bins[i];
    double gap = seen / (double)s->n - (double)(i + 1) / LEISURE_BINS;
    if (gap < 0) gap = -gap;
    if (gap > d) d = gap;
  }
  return d;
}

/* A declared Leisure is the measure, however short it is. */
static bool immediate(const struct jdg_host *host, const struct delays *s) {
  if (declared(host)) return s->early * 2 > s->n;
  return s->immediate * 100 >= s->n * LEISURE_IMMEDIATE_PERCENT;
}

static bool plainly_immediate(const struct jdg_host *host, const struct delays *s) {
  return s->n >= LEISURE_PLAIN && (declared(host) ? s->early : s->immediate) == s->n;
}

static bool constant(const struct jdg_host *host, const struct delays *s) {
  chorus_time whole = declared(host) ? host->ics.leisure : s->most;
  /* The noise of processing is no random time: nothing was waited for. */
  if (!declared(host) && immediate(host, s)) return true;
  return deviation(s) < LEISURE_CONSTANT * (double)whole;
}

static bool too_late(const struct jdg_host *host, const struct delays *s) {
  return declared(host) && s->late * 100 > s->n * LEISURE_LATE_PERCENT;
}

/* n, extremes, deviation and statistic, for findings. */
static const char *summary(const struct delays *s, char text[192]) {
  char least[32], most[32];
  snprintf(
      text, 192,
      "n=%llu (%llu overlapping left out), delays %s to %s, deviation %.3f s, KS sqrt(n)D=%.2f",
      (unsigned long long)s->n, (unsigned long long)s->overlapping, jdg_time_text(s->least, least),
      jdg_time_text(s->most, most), deviation(s) / (double)CHORUS_SECOND,
      root((double)s->n) * distance(s));
  return text;
}

static const char *leisure_text(const struct jdg_host *host, char text[64]) {
  char length[32];
  snprintf(text, 64, "a random time within %s%s", jdg_time_text(host->ics.leisure, length),
           declared(host) ? "" : " or another Leisure");
  return text;
}

/* GC-2.3.4-06, COAP-8.2-03: not immediately. */
void rule_gc_2_3_4_06(struct jdg_look *look) {
  struct delays *s = jdg_state(look, sizeof *s);
  if (!s) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    sample(look, s);
    return;
  }
  char expected[64], text[192];
  bool enough = s->n >= LEISURE_SAMPLES;
  if (!enough && !plainly_immediate(look->host, s)) return;
  if (immediate(look->host, s))
    jdg_break(look, 0, leisure_text(look->host, expected), "immediate responses: %s",
              summary(s, text));
  else
    jdg_pass(look);
}

/* GC-2.3.4-07, COAP-8.2-04: at random, and within the Leisure. */
static void remark_shape(struct jdg_look *look, const struct delays *s) {
  char text[192];
  bool tested = declared(look->host) && look->certain;
  if (tested && root((double)s->n) * distance(s) > KS_ALPHA_0_001)
    jdg_remark(look, 0, "The delays are random, but not uniform over the Leisure: %s",
               summary(s, text));
}

void rule_gc_2_3_4_07(struct jdg_look *look) {
  struct delays *s = jdg_state(look, sizeof *s);
  if (!s) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    sample(look, s);
    return;
  }
  char expected[64], text[192];
  if (s->n && too_late(look->host, s)) {
    jdg_break(look, s->latest_frame, leisure_text(look->host, expected),
              "%llu of them too late: %s", (unsigned long long)s->late, summary(s, text));
    return;
  }
  if (s->n >= LEISURE_PLAIN && constant(look->host, s)) {
    jdg_break(look, 0, leisure_text(look->host, expected), "hardly any spread: %s",
              summary(s, text));
    return;
  }
  if (s->n < LEISURE_SAMPLES) return;
  remark_shape(look, s);
  jdg_pass(look);
}

/* COAP-8.2-07: a server that says that it uses DEFAULT_LEISURE does. */
void rule_coap_8_2_07(struct jdg_look *look) {
  if (!declared(look->host) || look->host->ics.leisure != JDG_DEFAULT_LEISURE) return;
  struct delays *s = jdg_state(look, sizeof *s);
  if (!s || !look->certain) return;
  if (look->hook == JDG_ON_RESPONSE_SENT) {
    sample(look, s);
    return;
  }
  char text[192];
  if (s->n < LEISURE_SAMPLES) return;
  if (too_late(look->host, s) || s->most < JDG_DEFAULT_LEISURE / 2)
    jdg_warn(look, s->latest_frame, "delays over the declared DEFAULT_LEISURE of 5 s", "%s",
             summary(s, text));
  else
    jdg_pass(look);
}

/* COAP-8.2-06: the lower bound S * G / R of a declared Leisure. */
void rule_coap_8_2_06(struct jdg_look *look) {
  const struct jdg_ics *ics = &look->host->ics;
  if (!declared(look->host) || !ics->group_size || !ics->group_rate || !ics->response_size) return;
  uint64_t octets = (uint64_t)ics->response_size * ics->group_size;
  chorus_time bound = octets / ics->group_rate * CHORUS_SECOND +
                      octets % ics->group_rate * CHORUS_SECOND / ics->group_rate;
  char expected[96], least[32], own[32];
  if (ics->leisure >= bound) {
    jdg_pass(look);
    return;
  }
  snprintf(expected, sizeof expected,
           "Leisure of at least %s (%u octets * %u members / %llu per s)",
           jdg_time_text(bound, least), ics->response_size, ics->group_size,
           (unsigned long long)ics->group_rate);
  jdg_break(look, 0, expected, "Leisure of %s", jdg_time_text(ics->leisure, own));
}

/*
 * GC-A.2.1-01: members act in synchrony, so the response waits for the Leisure and the execution
 * does not. Of a request that came more than once nobody knows which copy got through to the
 * application.
 */
void rule_gc_a_2_1_01(struct jdg_look *look) {
  const struct jdg_reception *r = look->reception;
  const struct chorus_event *e = look->event;
  char expected[96], least[32], late[32];
  if (e->type != CHORUS_EVENT_EXECUTE || !look->certain) return;
  if (!r || !r->group || r->mid != e->mid) return;
  if (r->executed != 1 || r->copies || r->bad != JDG_GOOD) return;
  if (r->code == RULE_CODE_GET || r->code == RULE_CODE_FETCH) return;
  chorus_time processing = look->host->ics.processing, delay = look->now - r->time;
  if (delay <= processing + jdg_delta(look)) {
    jdg_pass(look);
    return;
  }
  snprintf(expected, sizeof expected, "request executed within %s of its arrival",
           jdg_time_text(processing, least));
  jdg_warn(look, r->frame, expected, "executed %s after it, mid=0x%04x", jdg_time_text(delay, late),
           r->mid);
}

/* ---- COAP-8.2-05: the next period begins after the one before ---- */

#define PAIRS_WANTED  40u /* n for a verdict */
#define PAIRS_PERCENT 10u /* may come early */

struct pairs {
  uint64_t first, second;      /* requests, by serial; 0: none */
  chorus_time begin;           /* of the first one's period */
  chorus_time second_response; /* 0: not yet */
  uint64_t second_frame, early_frame;
  struct chorus_endpoint group;
  bool first_answered;
  uint64_t n, early;
};

static void begin_pair(struct pairs *s, const struct jdg_reception *r) {
  s->first = r->request->serial;
  s->second = 0;
  s->begin = r->time;
  s->group = r->destination;
  s->second_response = 0;
  s->first_answered = false;
}

static void pair_request(const struct jdg_look *look, struct pairs *s) {
  const struct jdg_reception *r = look->reception;
  if (!r->group || !r->certain || r->bad != JDG_GOOD || !r->request) return;
  if (look->copy || r->leg->receptions != 1 || r->request->previous) {
    s->first = 0; /* a copy or a repeat: it is no longer clear which answer is whose */
    return;
  }
  bool in_first = s->first && !s->second && r->time < s->begin + look->host->ics.leisure;
  if (r->isolated)
    begin_pair(s, r);
  else if (in_first && chorus_same_endpoint(&s->group, &r->destination))
    s->second = r->request->serial;
}

static void pair_response(struct jdg_look *look, struct pairs *s) {
  if (!rule_first_answer(look) || !s->first) return;
  uint64_t serial = look->leg->request->serial;
  if (serial == s->first) s->first_answered = true;
  if (serial == s->second) {
    s->second_response = look->now;
    s->second_frame = look->frame;
  }
  if (!s->first_answered || !s->second_response) return;
  s->n++;
  if (s->second_response + jdg_delta(look) < s->begin + look->host->ics.leisure) {
    s->early++;
    s->early_frame = s->second_frame;
  }
  s->first = 0;
}

void rule_coap_8_2_05(struct jdg_look *look) {
  struct pairs *s = jdg_state(look, sizeof *s);
  if (!s) return;
  if (look->hook == JDG_ON_REQUEST_RECEIVED) {
    pair_request(look, s);
  } else if (look->hook == JDG_ON_RESPONSE_SENT) {
    pair_response(look, s);
  } else if (s->n >= PAIRS_WANTED) {
    if (!declared(look->host))
      jdg_inconclusive(look, "The server does not declare its Leisure.");
    else if (s->early * 100 > s->n * PAIRS_PERCENT)
      jdg_break(look, s->early_frame, "the next Leisure after the end of the one before",
                "%llu of n=%llu second responses within the Leisure of the first request",
                (unsigned long long)s->early, (unsigned long long)s->n);
    else
      jdg_pass(look);
  }
}
