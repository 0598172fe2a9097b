#include "common/core/nsmap.h"

#include <fcntl.h>
#include <sys/types.h>

#include "common/core/file.h"

/* A chunk is all the stack that reading may cost. */
enum { CHUNK = 256 };

/* One pass over the file, number by number. */
struct pass {
	uint32_t id;
	enum vmail_nsmap_way way;
	uint64_t number, row[3];
	unsigned column;
	bool in_number;
	struct vmail_nsmap said;
};

static void
take_row(struct pass *p)
{
	bool inward = p->way == VMAIL_INWARD;
	uint64_t from = p->row[inward ? 1 : 0], to = p->row[inward ? 0 : 1];

	if (p->row[0] == 0 && p->row[1] == 0 && p->row[2] == UINT32_MAX)
		p->said.own = true;
	if (p->id < from || p->id - from >= p->row[2])
		return;
	p->said.found = true;
	p->said.result = (uint32_t)(to + (p->id - from));
}

static void
take_byte(struct pass *p, char c)
{
	if (c >= '0' && c <= '9') {
		p->number = p->number * 10 + (uint64_t)(c - '0');
		p->in_number = true;
		return;
	}
	if (p->in_number && p->column < 3)
		p->row[p->column++] = p->number;
	p->number = 0;
	p->in_number = false;
	if (c != '\n')
		return;
	if (p->column == 3)
		take_row(p);
	p->column = 0;
}

bool
vmail_nsmap_read(const char *path, uint32_t id, enum vmail_nsmap_way way,
    struct vmail_nsmap *out)
{
	struct pass p = { .id = id, .way = way };
	char buf[CHUNK];
	uint64_t at = 0;
	ssize_t got;
	VMAIL_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return false;
	do {
		got = vmail_file_pread(fd, buf, sizeof(buf), at);
		for (ssize_t i = 0; i < got; i++)
			take_byte(&p, buf[i]);
		at += sizeof(buf);
	} while (got == (ssize_t)sizeof(buf));
	*out = p.said;
	return got >= 0;
}
