/* SPDX-License-Identifier: BSD-2-Clause */
/* Conformance statements (ICS) of nodes, as YAML (docs/ics.md). */
#ifndef CHORUS_STATEMENT_H
#define CHORUS_STATEMENT_H

#include "judge/ics.h"
#include "scenario/document.h"
#include "text/text.h"

struct run_statement {
  char name[64];                  /* node's name, or "" */
  bool has_address;               /* the node with this address */
  struct chorus_endpoint address; /* port 0: any */
  struct jdg_ics ics;             /* neither name nor address: every other node */
};

struct run_statements {
  struct run_statement *list;
  size_t count;
};

/* false: see |errors|. */
bool run_statements_read(struct run_statements *statements, const char *path,
                         struct scn_errors *errors);
bool run_statements_parse(struct run_statements *statements, const char *path, const char *text,
                          size_t length, struct scn_errors *errors);
/* Decodes one statement over |ics|: keys that are not there leave it alone, lists add to it. */
void run_statement_decode(struct scn_document *d, const scn_value *map, struct jdg_ics *ics);
void run_statements_free(struct run_statements *statements);

/*
 * Appends the statement of the node |name| as it can be read back: what |ics| leaves open is left
 * out. The first line is RUN_STATEMENT_MARK.
 */
void run_statement_write(struct run_text *out, const char *name, const struct jdg_ics *ics);
#define RUN_STATEMENT_MARK "# Statement (ICS) of this node; see docs/ics.md\n"
/* Whether |text| (no string) begins like one. */
bool run_statement_recognise(const char *text, size_t length);

#endif
