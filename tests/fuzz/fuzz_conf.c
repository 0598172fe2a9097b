/*
 * Any bytes as vmail.conf: what is accepted is printed in a form that reads
 * as the same, and every accepted value keeps its rule.
 */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/core/conf.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void
must(int holds)
{
	if (!holds)
		abort();
}

static void
must_keep_the_rules(const struct vmail_conf *conf)
{
	must(conf->passwd_file[0] == '/' && conf->home[0] == '/');
	must(strchr(conf->home, ':') == NULL);
	must(strchr(conf->home, '\n') == NULL);
	must(vmail_conf_owner_user(conf).n > 0);
	must(vmail_conf_owner_group(conf).n > 0);
	must(conf->first_valid_uid > 0);
	must(conf->first_valid_uid <= conf->last_valid_uid);
}

/* A template has one '%', as the whole name of the file's folder. */
static void
must_be_entered(struct vmail_conf conf)
{
	const char *at = strchr(conf.passwd_file, '%');
	enum vmail_rc rc;

	must((at != NULL) == vmail_conf_has_domains(&conf));
	if (at != NULL)
		must(strncmp(at - 1, "/%d/", 4) == 0 &&
		     strchr(at + 1, '%') == NULL &&
		     strchr(at + 3, '/') == NULL);
	must(vmail_conf_enter(&conf, VMAIL_STR("../x")) ==
	     (at != NULL ? VMAIL_NOT_FOUND : VMAIL_OK));
	rc = vmail_conf_enter(&conf, VMAIL_STR("example.org"));
	must(rc == VMAIL_OK || (at != NULL && rc == VMAIL_NOT_FOUND));
	must(rc != VMAIL_OK || strchr(conf.passwd_file, '%') == NULL);
}

static void
must_print_as_read(const struct vmail_conf *conf)
{
	char text[8192];
	struct vmail_buf b = { text, sizeof(text), 0, false };
	struct vmail_conf again;

	for (size_t i = 0; vmail_conf_key(i) != NULL; i++) {
		vmail_buf_z(&b, vmail_conf_key(i));
		vmail_buf_z(&b, " = ");
		vmail_conf_value(conf, i, &b);
		vmail_buf_char(&b, '\n');
	}
	must(!b.full);
	must(vmail_conf_parse(&again, (struct vmail_str){ text, b.len }, "x",
		 NULL) == VMAIL_OK);
	must(memcmp(conf, &again, sizeof(again)) == 0);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = malloc(size), text[VMAIL_ERR_TEXT];
	struct vmail_conf conf;
	struct vmail_err err;
	enum vmail_rc rc;

	if (copy == NULL)
		return 0;
	memcpy(copy, data, size);
	rc = vmail_conf_parse(
	    &conf, (struct vmail_str){ copy, size }, "x", &err);
	if (rc == VMAIL_OK) {
		must_keep_the_rules(&conf);
		must_be_entered(conf);
		must_print_as_read(&conf);
	} else {
		must(rc == VMAIL_MALFORMED && err.what[0] != '\0');
		vmail_err_text(&err, text, sizeof(text));
		must(strchr(text, '\n') == NULL);
	}
	free(copy);
	return 0;
}
