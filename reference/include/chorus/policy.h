/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The policies of the reference: every choice that the texts leave to, or demand of, an endpoint is
 * one function here. Mutants replace one of them; the reference itself has no switch for being wrong.
 */
#ifndef CHORUS_POLICY_H
#define CHORUS_POLICY_H

#include "chorus/types.h"

struct ref_server_policy;
struct ref_client_policy;

#endif
