/* SPDX-License-Identifier: BSD-2-Clause */
/* Measurements, one JSON object a line. */
#ifndef CHORUS_BENCH_H
#define CHORUS_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct bench_options {
  bool peers;        /* also run the peer (ns-3, tshark) where it is installed */
  uint64_t min_ns;   /* work at least this long per sample */
  unsigned samples;  /* the median of so many counts */
  uint64_t packets;  /* bench check: size of the capture */
  FILE *out, *notes; /* results, and what could not be done */
  bool (*interrupted)(void *context);
  void *context;
};

/* All return false, with a line on |notes|, when the measurement cannot be made. */
bool bench_sim(const struct bench_options *options);
bool bench_check(const struct bench_options *options);
/* The switch of the kernel backend; krn_enter() comes before. Works ninety times |min_ns| a sample.
 */
bool bench_kernel(const struct bench_options *options);

/* ---- parts ---- */

/* Nanoseconds of a monotonic clock. */
uint64_t bench_now(void);
/* The median; sorts |values|. */
double bench_median(double *values, size_t count);
/*
 * The greatest: what the code does while a shared machine lets it. Figures are of the best turn,
 * with the median beside them; ratios to other tools, which get one turn, are of the median.
 */
double bench_best(const double *values, size_t count);

/* A program to compare with, made in a folder of its own; NULL: not installed, |why| says what. */
struct bench_peer;
struct bench_peer *bench_ns3_new(char *why, size_t size);
/* ns-3 as a switch in real time (ns3_real_time.cc). */
struct bench_peer *bench_ns3_real_time(char *why, size_t size);
const char *bench_peer_program(const struct bench_peer *peer);
void bench_ns3_free(struct bench_peer *peer);
/* Deliveries a second of the same work, 0 when it failed. */
double bench_ns3_run(struct bench_peer *peer, uint64_t members, double *seconds, double *work);
/* Packets a second that tshark dissects of |path|, 0 when it is not there. */
double bench_tshark_run(const char *path, uint64_t packets, double *seconds);

#endif
