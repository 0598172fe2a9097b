/* PLAIN: the password itself, compared in constant time. */
#ifndef VMAIL_SCHEME_PLAIN_H
#define VMAIL_SCHEME_PLAIN_H

#include "common/scheme/scheme.h"

extern const struct vmail_scheme vmail_scheme_plain;

#endif
