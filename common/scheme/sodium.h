/* ARGON2ID and ARGON2I, through libsodium. */
#ifndef VMAIL_SCHEME_SODIUM_H
#define VMAIL_SCHEME_SODIUM_H

#include "common/scheme/scheme.h"

extern const struct vmail_scheme vmail_scheme_argon2id;
extern const struct vmail_scheme vmail_scheme_argon2i;

#endif
