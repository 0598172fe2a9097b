#include "common/admin/policy.h"

#include <errno.h>

#include "common/core/extra.h"
#include "common/core/text.h"

enum vmail_rc
vmail_policy(const struct vmail_entry *entry, struct vmail_err *err)
{
	struct vmail_str key;
	char text[VMAIL_ERR_WHAT];
	struct vmail_buf what = { text, sizeof(text), 0, false };

	if (!vmail_extra_restriction(entry->extra, &key))
		return VMAIL_OK;
	vmail_buf_shown(&what, key);
	(void)vmail_buf_end(&what);
	errno = 0; /* the rule's no, not the kernel's */
	return vmail_fail(err, VMAIL_DENIED, NULL, 0, text);
}
