/*
 * Any bytes as a password field: cutting it, judging it, telling its cost.
 * What is cheap enough is verified and spent too; no password may match that
 * was not made.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/scheme/scheme.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
demand(int holds)
{
	if (!holds)
		abort();
}

/* A field is no longer than this; what a fuzzer may wait for is less. */
enum { FIELD_MAX = 1024, WORK_MAX = 4096 };

static int
is_cheap(struct vmail_str cost)
{
	struct vmail_str name, params = { cost.p + 1, cost.n - 1 };
	const struct vmail_scheme *scheme;
	uint64_t work;

	name = vmail_text_cut(&params, '}');
	scheme = vmail_scheme_named(name);
	demand(scheme != NULL);
	if (!scheme->work)
		return 1;
	work = scheme->work(scheme, params);
	demand(work > 0);
	return work <= WORK_MAX;
}

static void
compute(struct vmail_str field, struct vmail_str cost)
{
	static struct vmail_conf conf;
	struct vmail_secret s;
	enum vmail_rc rc;

	if (conf.scheme[0] == '\0') {
		vmail_conf_defaults(&conf);
		strcpy(conf.scheme, "PLAIN");
	}
	demand(vmail_secret_set(&s, "\x01 never", 7, NULL) == VMAIL_OK);
	rc = vmail_scheme_verify(field, &s);
	demand(rc == VMAIL_MISMATCH || rc == VMAIL_UNSUPPORTED ||
	       (rc == VMAIL_OK && field.n > 7));
	vmail_scheme_spend(cost, &conf, &s);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vmail_str field = { (const char *)data, size }, rest;
	char text[VMAIL_COST_MAX + 1];
	struct vmail_buf cost = { text, sizeof(text), 0, false };
	const struct vmail_scheme *scheme;
	struct vmail_conf conf;
	enum vmail_rc rc, cut;

	if (size > FIELD_MAX)
		return 0;
	vmail_conf_defaults(&conf);
	cut = vmail_scheme_cut(field, &scheme, &rest);
	rc = vmail_scheme_cost(field, &cost);
	demand(cut == VMAIL_OK || rc == cut);
	if (!vmail_scheme_fault(field))
		demand(cut == VMAIL_OK && data[0] == '{');
	if (vmail_scheme_below(field, &conf))
		demand(rc == VMAIL_OK);
	if (rc == VMAIL_OK && is_cheap((struct vmail_str){ text, cost.len }))
		compute(field, (struct vmail_str){ text, cost.len });
	return 0;
}
