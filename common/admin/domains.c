#include "common/admin/domains.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/core/file.h"

/* A folder, whose name could be a domain's. */
static int
is_domain(const struct dirent *entry)
{
	return (entry->d_type == DT_DIR || entry->d_type == DT_UNKNOWN) &&
	       vmail_domain_is_folder(vmail_str(entry->d_name));
}

/* As bytes, whatever the locale. */
static int
by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static enum vmail_rc
read_names(const struct vmail_conf *conf, struct dirent ***names, int *n,
    struct vmail_err *err)
{
	char folder[VMAIL_CONF_PATH_MAX + 1], inside[VMAIL_CONF_PATH_MAX + 3];
	struct vmail_buf b = { .p = inside, .size = sizeof(inside) };
	enum vmail_rc rc =
	    vmail_conf_domains_folder(conf, folder, sizeof(folder));

	if (rc != VMAIL_OK)
		return vmail_fail(err, rc, conf->passwd_file, 0, "a path");
	vmail_buf_z(&b, folder);
	vmail_buf_z(&b, "/.");
	(void)vmail_buf_end(&b);
	rc = vmail_file_trust_folder(inside, err);
	errno = ENOENT;
	if (rc == VMAIL_NOT_FOUND)
		return vmail_fail(err, VMAIL_IO, folder, 0, "missing");
	if (rc != VMAIL_OK)
		return rc;
	*n = scandir(folder, names, is_domain, by_name);
	return *n < 0 ? vmail_fail_sys(err, folder, "read") : VMAIL_OK;
}

/* False: stopped. */
static bool
call(const struct vmail_conf *conf, const char *name,
    bool (*each)(
	const struct vmail_conf *entered, struct vmail_str domain, void *arg),
    void *arg)
{
	struct vmail_conf entered = *conf;
	char folder[VMAIL_CONF_PATH_MAX + 1];
	struct stat st;

	if (vmail_conf_enter(&entered, vmail_str(name)) != VMAIL_OK)
		return true;
	strcpy(folder, entered.passwd_file);
	*strrchr(folder, '/') = '\0';
	if (lstat(folder, &st) != 0 || !S_ISDIR(st.st_mode))
		return true;
	return each(&entered, vmail_str(name), arg);
}

enum vmail_rc
vmail_domains_each(const struct vmail_conf *conf,
    bool (*each)(
	const struct vmail_conf *entered, struct vmail_str domain, void *arg),
    void *arg, struct vmail_err *err)
{
	struct dirent **names = NULL;
	int n = 0;
	bool go_on = true;
	enum vmail_rc rc;

	if (!vmail_conf_has_domains(conf)) {
		(void)each(conf, VMAIL_STR(""), arg);
		return VMAIL_OK;
	}
	rc = read_names(conf, &names, &n, err);
	if (rc != VMAIL_OK)
		return rc;
	for (int i = 0; i < n; i++) {
		go_on = go_on && call(conf, names[i]->d_name, each, arg);
		free(names[i]);
	}
	free(names);
	return VMAIL_OK;
}
